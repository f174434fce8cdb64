//! The exporter's own numbers, which live as long as it does.

mod process;

use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;

/// The exporter's own metrics.
#[derive(Debug)]
pub struct Telemetry {
    /// Holds every metric of this module.
    pub registry: Registry,
    http_requests: Family<Request, Counter>,
    admin_items: Family<AdminItem, Counter>,
    wrong_credentials: Family<Listener, Counter>,
    reload_successful: Gauge,
    reload_success_time: Gauge<f64, AtomicU64>,
    refused_files: Mutex<BTreeSet<&'static str>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    handler: &'static str,
    code: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AdminItem {
    action: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Listener {
    listener: &'static str,
}

/// What can become of an item on which a person acts.
const ADMIN_OUTCOMES: [(&str, &str); 10] = [
    ("retry", "retried"),
    ("retry", "conflict"),
    ("retry", "not_failed"),
    ("retry", "not_found"),
    ("skip", "skipped"),
    ("skip", "not_failed"),
    ("skip", "not_found"),
    ("undo", "restored"),
    ("undo", "touched"),
    ("undo", "not_found"),
];

impl Telemetry {
    /// Begins counting at zero.
    pub fn new() -> Arc<Self> {
        let mut registry = Registry::default();
        let http_requests = Family::<Request, Counter>::default();
        drop(http_requests.get_or_create(&Request {
            handler: "metrics",
            code: 200,
        }));
        let admin_items = Family::<AdminItem, Counter>::default();
        for (action, outcome) in ADMIN_OUTCOMES {
            drop(admin_items.get_or_create(&AdminItem { action, outcome }));
        }
        registry.register(
            "queueboard_http_requests",
            "HTTP requests answered, by what answered them",
            http_requests.clone(),
        );
        registry.register(
            "queueboard_admin_items",
            "Queue rows on which a person acted, by what became of them",
            admin_items.clone(),
        );
        let wrong_credentials = Family::<Listener, Counter>::default();
        registry.register(
            "queueboard_http_wrong_credentials",
            "Requests whose token or password was wrong, by listener",
            wrong_credentials.clone(),
        );
        let (reload_successful, reload_success_time) = (Gauge::default(), Gauge::default());
        registry.register(
            "queueboard_config_last_reload_successful",
            "Whether every configuration file could be followed when it was last read",
            reload_successful.clone(),
        );
        registry.register(
            "queueboard_config_last_reload_success_timestamp_seconds",
            "When the configuration in force was read",
            reload_success_time.clone(),
        );
        let build =
            Family::<[(&str, &str); 3], ConstGauge>::new_with_constructor(|| ConstGauge::new(1));
        drop(build.get_or_create(&[
            ("version", env!("CARGO_PKG_VERSION")),
            ("revision", env!("QUEUEBOARD_REVISION")),
            ("rustc", env!("QUEUEBOARD_RUSTC")),
        ]));
        registry.register("queueboard_build_info", "The exporter's build", build);
        registry.register_collector(Box::new(process::ProcessMetrics));
        let telemetry = Self {
            registry,
            http_requests,
            admin_items,
            wrong_credentials,
            reload_successful,
            reload_success_time,
            refused_files: Mutex::default(),
        };
        // Whoever serves has read its configuration.
        telemetry.read(&[], true);
        Arc::new(telemetry)
    }

    /// Notes whether configuration files, known by their flags, could be followed.
    pub fn read(&self, files: &[&'static str], followed: bool) {
        let refused = self.refused_files.lock();
        let mut refused = refused.unwrap_or_else(PoisonError::into_inner);
        for file in files {
            match followed {
                true => refused.remove(file),
                false => refused.insert(file),
            };
        }
        self.reload_successful.set(refused.is_empty().into());
        if followed && refused.is_empty() {
            self.reload_success_time.set(clock());
        }
    }

    /// Counts rows on which a person acted.
    pub fn acted(&self, action: &'static str, outcome: &'static str, rows: u64) {
        self.admin_items
            .get_or_create(&AdminItem { action, outcome })
            .inc_by(rows);
    }

    /// Counts wrong credentials that a listener was sent.
    pub fn guessed(&self, listener: &'static str, times: u64) {
        self.wrong_credentials
            .get_or_create(&Listener { listener })
            .inc_by(times);
    }

    /// Counts an answered request.
    pub fn answered(&self, handler: &'static str, code: u16) {
        self.http_requests
            .get_or_create(&Request { handler, code })
            .inc();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "when the exporter read its own files is no number of the pipeline"
)]
fn clock() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}
