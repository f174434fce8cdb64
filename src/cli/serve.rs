//! Serving until told to stop.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::admin::operator::Operator;
use crate::admin::runs::Runs;
use crate::demo::Demo;
use crate::exporter::Exporter;
use crate::http;
use crate::http::admin::Admin;
use crate::http::credentials::Token;
use crate::http::guard::Guard;
use crate::http::guesses::Guesses;
use crate::http::lists::Lists;
use crate::http::metrics::Metrics;
use crate::http::proxies::Proxies;
use crate::http::users::Users;
use crate::http::web::LiveWeb;
use crate::snapshot::Collector;
use crate::telemetry::Telemetry;

use super::flags::Flags;
use super::reload::Reloader;
use super::stop::{told_to_stop, until};
use super::{exporter, print};

/// Serves the database that the flags name.
pub(super) async fn database(flags: &Flags) -> anyhow::Result<()> {
    let exporter = exporter(flags, flags.database_url()?)?;
    let proxies = flags.proxies()?;
    let people = match flags.admin_token()? {
        Some(token) => Some(People::new(token, proxies, flags.admin_database_url()?)?),
        None => None,
    };
    if people.is_none() {
        tracing::info!(
            "the admin listener is off; --admin.token-file or QUEUEBOARD_ADMIN_TOKEN turns it on"
        );
    }
    let listeners =
        Listeners::open(flags, exporter, flags.collectors.enabled(false), people).await?;
    tracing::info!(address = %listeners.address()?, "serving metrics");
    if listeners.admin.is_some() {
        tracing::info!(address = %listeners.admin_address()?, "serving people");
    }
    listeners.serve(told_to_stop()?).await;
    Ok(())
}

/// Serves a pipeline of its own making.
pub(super) async fn demo(flags: &mut Flags) -> anyhow::Result<()> {
    let stop = told_to_stop()?;
    let demo = Demo::create().await?;
    let own = || demo.config_file().to_owned();
    flags.config_file.get_or_insert_with(own);
    let exporter = exporter(flags, &demo.database_url())?;
    let secret = one_time_token()?;
    let (token, proxies) = (Token::new(&secret)?, flags.proxies()?);
    let people = Some(People::new(token, proxies, &demo.database_url())?);
    let collectors = flags.collectors.enabled(true);
    let mut listeners = Listeners::open(flags, exporter, collectors, people).await?;
    // No reload may replace the token that is about to be printed.
    listeners.reloader.token = None;
    let scheme = listeners.scheme();
    print(&format!(
        "A demo pipeline is at work.\n\n  Metrics   {scheme}://{}{}\n  Failures  {scheme}://{}/\n  \
         Token     {secret}\n\nStop it with Ctrl-C; it leaves nothing behind.\n",
        reachable(listeners.address()?),
        flags.telemetry_path,
        reachable(listeners.admin_address()?),
    ))?;
    let (demo, ()) = tokio::join!(demo.run(until(stop.clone())), listeners.serve(stop));
    demo
}

/// Who may use the admin listener, and the role under which they change rows.
struct People {
    token: Token,
    proxies: Proxies,
    operator: Operator,
}

impl People {
    fn new(token: Token, proxies: Proxies, database_url: &str) -> anyhow::Result<Self> {
        let operator = Operator::new(database_url).context("--admin.database-url")?;
        Ok(Self {
            token,
            proxies,
            operator,
        })
    }
}

/// Open ports, and what will be served on them.
struct Listeners<'a> {
    metrics: (TcpListener, Guard<Metrics>),
    admin: Option<(TcpListener, Guard<Admin>)>,
    web: Arc<LiveWeb>,
    reloader: Reloader<'a>,
}

impl<'a> Listeners<'a> {
    async fn open(
        flags: &'a Flags,
        exporter: Exporter,
        collectors: Vec<Collector>,
        people: Option<People>,
    ) -> anyhow::Result<Self> {
        let telemetry = Telemetry::new();
        let web = LiveWeb::open(flags.web_config_file.clone(), Arc::clone(&telemetry))?;
        let web = Arc::new(web);
        let (mut reloader, reload) = Reloader::listen(flags, &telemetry, &web, exporter)?;
        let metrics = Metrics {
            exporter: reloader.exporter.subscribe(),
            name: flags.board_name.clone(),
            external: flags.external(),
            telemetry: Arc::clone(&telemetry),
            telemetry_path: flags.telemetry_path.clone(),
            collectors,
            titles: flags.collectors.titles,
            timeout_offset: flags.timeout_offset,
            web: Arc::clone(&web),
            users: Users::new(Guesses::new("metrics", Arc::clone(&telemetry)))?,
        };
        let metrics = Guard {
            hosts: flags.hosts(flags.listen_address, &metrics.external),
            service: metrics,
            web: Arc::clone(&web),
            telemetry: Arc::clone(&telemetry),
        };
        let listener = bind(flags.listen_address, "--web.listen-address").await?;
        let admin = match people {
            Some(People {
                token,
                proxies,
                operator,
            }) => {
                let listener = bind(flags.admin_listen_address, "--admin.listen-address").await?;
                if web.current().tls.is_none() && !flags.admin_listen_address.ip().is_loopback() {
                    tracing::warn!(
                        "the admin token will cross the network in plain text: give \
                         --web.config.file with TLS, or --admin.listen-address on loopback"
                    );
                }
                let token = watch::Sender::new(Arc::new(token));
                let runs = Runs::new(operator, Arc::clone(&telemetry));
                let admin = Admin {
                    exporter: reloader.exporter.subscribe(),
                    name: flags.board_name.clone(),
                    external: flags.admin_external(),
                    runs: Arc::new(runs),
                    guesses: Guesses::new("admin", Arc::clone(&telemetry)),
                    telemetry: Arc::clone(&telemetry),
                    token: token.subscribe(),
                    proxies,
                    reload,
                    lists: Lists::default(),
                };
                reloader.token = Some(token);
                let admin = Guard {
                    hosts: flags.hosts(flags.admin_listen_address, &admin.external),
                    service: admin,
                    web: Arc::clone(&web),
                    telemetry,
                };
                Some((listener, admin))
            }
            None => None,
        };
        Ok(Self {
            metrics: (listener, metrics),
            admin,
            web,
            reloader,
        })
    }

    fn address(&self) -> anyhow::Result<SocketAddr> {
        self.metrics
            .0
            .local_addr()
            .context("asking for the address of the metrics listener")
    }

    fn scheme(&self) -> &'static str {
        match self.web.current().tls {
            Some(_) => "https",
            None => "http",
        }
    }

    fn admin_address(&self) -> anyhow::Result<SocketAddr> {
        let (listener, _) = self.admin.as_ref().context("the admin listener is off")?;
        listener
            .local_addr()
            .context("asking for the address of the admin listener")
    }

    async fn serve(self, stop: watch::Receiver<bool>) {
        let (listener, metrics) = self.metrics;
        let metrics = http::serve(listener, metrics, until(stop.clone()));
        let reloads = self.reloader.run(until(stop.clone()));
        match self.admin {
            Some((listener, admin)) => {
                let admin = http::serve(listener, admin, until(stop));
                tokio::join!(metrics, admin, reloads);
            }
            None => {
                tokio::join!(metrics, reloads);
            }
        }
    }
}

async fn bind(address: SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    listener
        .with_context(|| format!("opening {flag} {address}: choose another, or stop what has it"))
}

fn one_time_token() -> anyhow::Result<String> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("making a token: {error}"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// An address that a person can follow: every interface is also this machine.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    address
}
