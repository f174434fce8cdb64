//! The statements for indexes, as the table at hand takes them.

use anyhow::Context;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

use crate::snapshot::Scope;
use crate::source::postgres::{catalog, indexes};
use crate::source::shape::{Form, Relation};
use crate::source::{self, Options};

/// Writes the statements for the table of a database, or for the usual one where none is named.
pub(super) async fn script(url: Option<&str>, scope: &Scope) -> anyhow::Result<String> {
    let Some(url) = url else {
        let usual = Relation::usual_queue();
        let indexes = indexes::all(&usual, scope);
        return Ok(indexes::script(Form::Table, &indexes, &[]));
    };
    match source::options(url).context("--database-url")? {
        Options::Postgres(options) => of_table(&options, scope)
            .await
            .context("looking at processing_queue, whose indexes depend on what it is"),
        Options::Sqlite(_) => Ok(
            "-- The exporter passes over the whole of an SQLite table, and has no index for it.\n"
                .to_owned(),
        ),
    }
}

async fn of_table(options: &PgConnectOptions, scope: &Scope) -> anyhow::Result<String> {
    let mut connection = options.connect().await?;
    let queue = catalog::shape(&mut connection).await?.queue;
    let partitions = match queue.form {
        Form::Partitioned => indexes::partitions(&mut connection).await?,
        _ => Vec::new(),
    };
    let indexes = indexes::all(&queue, scope);
    Ok(indexes::script(queue.form, &indexes, &partitions))
}
