//! What would keep the exporter from telling the truth: each finding with its fix.
//!
//! The same sentence as a scrape's: [`mod@facts`] are collected from the database ([`postgres`],
//! [`sqlite`]), judged by [`schema`] and [`verdict`], which are pure, and rendered elsewhere.

pub mod facts;
pub mod finding;
pub mod postgres;
pub mod schema;
pub mod sqlite;
pub mod verdict;

use std::time::Duration;

use anyhow::Context;
use tokio::time::{Instant, timeout};

use crate::exporter::Exporter;
use crate::judge::Board;
use crate::snapshot::Collector;
use crate::source::{self, Options};

use facts::Facts;
use finding::Finding;

/// How long a database may take to be looked at, and a scrape as Prometheus asks it by default.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Looks at the database that is read, and at the one in which people act, if they may.
pub async fn check(exporter: &Exporter, url: &str, admin_url: Option<&str>) -> Vec<Finding> {
    let mut findings = vec![verdict::configuration(exporter.pipeline())];
    match facts(url).await {
        Ok(facts) => {
            findings.extend(verdict::reading(&facts));
            let board = warm_board(exporter).await;
            findings.extend(verdict::board(&board, &facts));
        }
        Err(error) => {
            let flag = "--database-url";
            findings.push(verdict::unreachable("connection", flag, &error));
        }
    }
    if let Some(url) = admin_url {
        match facts(url).await {
            Ok(facts) => findings.push(verdict::acting(&facts)),
            Err(error) => {
                let flag = "--admin.database-url";
                findings.push(verdict::unreachable("retry and skip", flag, &error));
            }
        }
    }
    findings
}

async fn facts(url: &str) -> anyhow::Result<Facts> {
    let gather = async {
        match source::options(url)? {
            Options::Postgres(options) => postgres::facts(&options).await,
            Options::Sqlite(options) => sqlite::facts(&options).await,
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
