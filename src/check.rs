//! What would keep the exporter from telling the truth: each finding with its fix.
//!
//! The same sentence as a scrape's: [`mod@facts`] are collected from the database ([`postgres`],
//! [`sqlite`]), judged by [`schema`] and [`verdict`], which are pure, and rendered elsewhere.

pub mod facts;
pub mod finding;
pub mod postgres;
pub mod schema;
pub mod sqlite;
pub mod values;
pub mod verdict;

use std::time::Duration;

use anyhow::Context;
use tokio::time::{Instant, timeout};

use crate::admin::operator::Operator;
use crate::exporter::Exporter;
use crate::judge::Board;
use crate::snapshot::{Collector, Scope};
use crate::source::{self, Limits, Options};

use facts::Facts;
use finding::Finding;

/// How long a database may take to be looked at, and a scrape as Prometheus asks it by default.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What people do, as findings name it, and the flag with the URL for it.
const ACTING: &str = "retry and skip";
const ADMIN_FLAG: &str = "--admin.database-url";

/// How long one question may take that is no scrape's.
const LIMITS: Limits = Limits {
    statement: Duration::from_secs(8),
    lock: Duration::from_secs(1),
    idle: Duration::from_secs(8),
};

/// Looks at the database that is read, and at the one in which people act, if they may.
pub async fn check(exporter: &Exporter, url: &str, admin_url: Option<&str>) -> Vec<Finding> {
    let pipeline = exporter.pipeline();
    let scope = pipeline.scope();
    let mut findings = vec![verdict::configuration(pipeline)];
    match facts(url, &scope).await {
        Ok(facts) => {
            findings.extend(verdict::reading(&facts));
            findings.extend(values::findings(&facts, pipeline));
            let board = warm_board(exporter).await;
            findings.extend(verdict::board(&board, &facts));
        }
        Err(error) => {
            let flag = "--database-url";
            findings.push(verdict::unreachable("connection", flag, &error));
        }
    }
    if let Some(url) = admin_url {
        findings.push(acting(url, &scope).await);
    }
    findings
}

/// Does to a row what retry and skip would, and takes it back.
async fn acting(url: &str, scope: &Scope) -> Finding {
    match facts(url, scope).await {
        Ok(facts) => {
            let rehearsed = match Operator::new(url) {
                Ok(operator) => operator.rehearse(scope).await,
                Err(error) => return verdict::unreachable(ACTING, ADMIN_FLAG, &error),
            };
            verdict::acting(&facts, rehearsed)
        }
        Err(error) => verdict::unreachable(ACTING, ADMIN_FLAG, &error),
    }
}

async fn facts(url: &str, scope: &Scope) -> anyhow::Result<Facts> {
    let gather = async {
        match source::options(url)? {
            Options::Postgres(options) => postgres::facts(&options, scope).await,
            Options::Sqlite(options) => sqlite::facts(&options, scope).await,
        }
    };
    timeout(TIMEOUT, gather)
        .await
        .context("it gave no answer within 10 seconds")?
}

/// The first collection connects and warms; the second costs what each scrape will.
async fn warm_board(exporter: &Exporter) -> Board {
    let collect = || exporter.board(Collector::ALL.to_vec(), Instant::now() + TIMEOUT);
    collect().await;
    collect().await
}
