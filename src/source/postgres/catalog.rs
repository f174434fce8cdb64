//! What PostgreSQL knows of the tables that are read.

use sqlx::{PgConnection, query_as, query_scalar};

use crate::source::shape::{Column, Form, Kind, Relation, Shape};

/// What a transaction begins with. The fingerprint changes whenever the shape, the indexes or the
/// policies do; the shape itself is only read when it has changed.
pub(super) const OPENING: &str = "
SELECT now() AS now, pg_backend_pid() AS backend,
       (SELECT coalesce(string_agg(name, ' '), '') FROM pg_prepared_statements) AS prepared,
       concat_ws(E'\\n',
           (SELECT string_agg(concat_ws(' ', oid, relname, relkind, relrowsecurity), ',' ORDER BY oid)
            FROM pg_class WHERE oid = ANY(relations)),
           (SELECT string_agg(concat_ws(' ', attrelid, attname, atttypid, attgenerated), ','
                              ORDER BY attrelid, attnum)
            FROM pg_attribute WHERE attrelid = ANY(relations) AND attnum > 0 AND NOT attisdropped),
           (SELECT string_agg(enumlabel, ',' ORDER BY oid) FROM pg_enum
            WHERE enumtypid IN (SELECT CASE typtype WHEN 'd' THEN typbasetype ELSE t.oid END
                                FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
                                WHERE attrelid = relations[1] AND attname IN ('status', 'stage'))),
           (SELECT string_agg(concat_ws(' ', polname, xmin), ',' ORDER BY oid) FROM pg_policy
            WHERE polrelid = ANY(relations)),
           (SELECT string_agg(concat_ws(' ', indexrelid, indisvalid), ',' ORDER BY indexrelid)
            FROM pg_index WHERE indexrelid = ANY((SELECT ARRAY[
                to_regclass('queueboard_unfinished'), to_regclass('queueboard_completed'),
                to_regclass('queueboard_skipped'), to_regclass('queueboard_created')])::oid[]))
       ) AS fingerprint
FROM (SELECT ARRAY[to_regclass('processing_queue'), to_regclass('documents'),
                   to_regclass('background_jobs')]::oid[] AS relations) AS tables";

/// One row is a column; a domain is looked through down to the type below it.
const COLUMNS: &str = "
WITH RECURSIVE typed AS (
    SELECT a.attrelid, a.attnum, a.attname, a.atttypid,
           format_type(a.atttypid, a.atttypmod) AS declared
    FROM pg_attribute a
    WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid IN (to_regclass('processing_queue'),
        to_regclass('documents'), to_regclass('background_jobs'))
    UNION ALL
    SELECT t.attrelid, t.attnum, t.attname, d.typbasetype, t.declared
    FROM typed t JOIN pg_type d ON d.oid = t.atttypid AND d.typtype = 'd'
)
SELECT c.relname::text AS relation, c.relkind::text AS form, t.attname::text AS name,
       t.declared, b.typname::text AS base, b.typtype = 'e' AS is_enum,
       ARRAY(SELECT enumlabel::text FROM pg_enum WHERE enumtypid = b.oid
             ORDER BY enumsortorder) AS labels
FROM typed t
JOIN pg_type b ON b.oid = t.atttypid AND b.typtype <> 'd'
JOIN pg_class c ON c.oid = t.attrelid
ORDER BY c.oid, t.attnum";

/// The tables whose row level security holds for this role, and whether policies let it see every
/// row all the same. Of policies that admit, one is enough; those that restrict all hold.
const ROW_SECURITY: &str = "
SELECT c.relname::text AS relation,
       (SELECT coalesce(bool_or(p.is_open) FILTER (WHERE p.polpermissive), FALSE)
           AND coalesce(bool_and(p.is_open) FILTER (WHERE NOT p.polpermissive), TRUE)
        FROM (SELECT polpermissive, pg_get_expr(polqual, polrelid) = 'true' AS is_open
              FROM pg_policy
              WHERE polrelid = c.oid AND polcmd IN ('r', '*') AND (polroles = '{0}' OR EXISTS (
                  SELECT FROM unnest(polroles) AS member WHERE pg_has_role(member, 'USAGE')))
             ) AS p) AS is_open
FROM pg_class c
WHERE c.relrowsecurity AND row_security_active(c.oid)
  AND c.oid IN (to_regclass('processing_queue'), to_regclass('documents'),
                to_regclass('background_jobs'))
ORDER BY 1";

/// A table whose row level security holds for this role.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Secured {
    /// The table.
    pub(crate) relation: String,
    /// Whether its policies show every row.
    pub(crate) is_open: bool,
}

#[derive(sqlx::FromRow)]
struct ColumnRow {
    relation: String,
    form: String,
    name: String,
    declared: String,
    base: String,
    is_enum: bool,
    labels: Vec<String>,
}

/// Reads the shape of the tables.
///
/// # Errors
///
/// What the database says.
pub(crate) async fn shape(connection: &mut PgConnection) -> sqlx::Result<Shape> {
    // Behind a pooler nothing is prepared for later.
    let columns = query_as(COLUMNS).persistent(false);
    let columns: Vec<ColumnRow> = columns.fetch_all(connection).await?;
    Ok(Shape {
        queue: relation("processing_queue", &columns),
        documents: relation("documents", &columns),
        jobs: relation("background_jobs", &columns),
    })
}

/// Reads which tables have row level security that holds for this role.
///
/// # Errors
///
/// What the database says.
pub(crate) async fn secured(connection: &mut PgConnection) -> sqlx::Result<Vec<Secured>> {
    let question = query_as(ROW_SECURITY).persistent(false);
    question.fetch_all(connection).await
}

/// Returns the statements, if any, that a transaction on these tables begins with: where row level
/// security hides nothing the server need not refuse, and where a database takes every byte for
/// text it need not refuse one that is none.
///
/// # Errors
///
/// What the database says.
pub(crate) async fn settings(
    connection: &mut PgConnection,
    secured: &[Secured],
) -> sqlx::Result<String> {
    let encoding = query_scalar("SELECT current_setting('server_encoding')").persistent(false);
    let encoding: String = encoding.fetch_one(connection).await?;
    let mut settings = Vec::new();
    if !secured.is_empty() && secured.iter().all(|table| table.is_open) {
        settings.push("SET LOCAL row_security = on");
    }
    if encoding == "SQL_ASCII" {
        settings.push("SET LOCAL client_encoding = 'SQL_ASCII'");
    }
    Ok(settings.join(";"))
}

fn relation(name: &str, columns: &[ColumnRow]) -> Relation {
    let own = || columns.iter().filter(|column| column.relation == name);
    Relation {
        form: own().next().map_or(Form::Absent, |row| form(&row.form)),
        columns: own().map(column).collect(),
    }
}

fn form(relkind: &str) -> Form {
    match relkind {
        "p" => Form::Partitioned,
        "v" => Form::View,
        "m" => Form::Materialized,
        _ => Form::Table,
    }
}

fn column(row: &ColumnRow) -> Column {
    let kind = match row.base.as_str() {
        _ if row.is_enum => Kind::Enum(row.labels.clone()),
        "text" | "varchar" | "bpchar" | "name" | "citext" => Kind::Text,
        "int2" | "int4" | "int8" => Kind::Integer,
        "numeric" => Kind::Numeric,
        "uuid" => Kind::Uuid,
        "json" => Kind::Json,
        "jsonb" => Kind::Jsonb,
        "timestamptz" => Kind::Instant,
        "timestamp" => Kind::NaiveInstant,
        _ => Kind::Other,
    };
    Column {
        name: row.name.clone(),
        kind,
        declared: row.declared.clone(),
    }
}
