//! The SQL of each question. What stands in braces depends on the tables, and is written by
//! `relations`.

pub(super) const OPENING: &str = "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now') AS now";

/// A number that changes whenever a table does.
pub(super) const SCHEMA_VERSION: &str = "PRAGMA schema_version";

/// One row is a column of one of the tables.
pub(super) const COLUMNS: &str = "
SELECT s.name AS relation, s.type AS form, c.name AS name, c.type AS declared
FROM sqlite_schema AS s, pragma_table_xinfo(s.name) AS c
WHERE s.name IN ('processing_queue', 'documents', 'background_jobs')
  AND s.type IN ('table', 'view')
ORDER BY s.name, c.cid";

/// One row is a stage's rows of one model, one way of being deferred, and one pair of hours, if the
/// stage has a trend; an hour is the number of the hours that began before. Since `?11` it is also
/// one pair of buckets, or deferred to one time. Only live rows and recent windows are counted,
/// never the finished ones whole.
pub(super) const QUEUE: &str = "
WITH hours AS MATERIALIZED (SELECT value FROM json_each(?9)),
trends AS MATERIALIZED (SELECT value FROM json_each(?8)),
q AS (SELECT *, stage IN (SELECT value FROM trends) AS has_trend,
             CASE WHEN is_completed THEN completed_at END AS done_at, ?11 AS since
      FROM {queue} LIMIT -1)
SELECT q.stage,
       d.ai_model_version AS model,
       {deferral} AS deferral,
       CASE WHEN q.has_trend AND q.created_at IS NOT NULL
            THEN (SELECT count(*) FROM hours WHERE value <= q.created_at) END AS created_hour,
       CASE WHEN q.has_trend AND q.done_at IS NOT NULL
            THEN (SELECT count(*) FROM hours WHERE value <= q.done_at) END AS completed_hour,
       {created_bucket} AS created_bucket, {completed_bucket} AS completed_bucket,
       CASE WHEN q.since < ?1 THEN {until} END AS until,
       count(*) AS count,
       {activity},
       count(*) FILTER (WHERE q.is_failed) AS failed,
       count(*) FILTER (WHERE q.is_unknown) AS unknown_status,
       count(*) FILTER (WHERE q.done_at > ?2) AS completed_15m,
       count(*) FILTER (WHERE q.done_at > ?3) AS completed_1h,
       count(*) FILTER (WHERE q.done_at > ?4) AS completed_today,
       count(*) FILTER (WHERE q.done_at > ?2 AND q.is_skipped) AS skipped_15m,
       count(*) FILTER (WHERE q.done_at > ?3 AND q.is_skipped) AS skipped_1h,
       count(*) FILTER (WHERE q.done_at > ?4 AND q.is_skipped) AS skipped_today,
       count(*) FILTER (WHERE q.created_at > ?3) AS created_1h,
       min(q.created_at) FILTER (WHERE q.is_pending AND abs(q.created_at) < 9e99) AS oldest_pending,
       min(q.started_at) FILTER (WHERE q.is_processing AND abs(q.started_at) < 9e99) AS oldest_processing,
       group_concat(CAST(round((q.started_at - q.created_at) * 1e6) AS INTEGER), ',')
           FILTER (WHERE q.done_at > ?3 AND q.is_skipped IS NOT TRUE
                     AND abs(q.started_at - q.created_at) < 9e99) AS waits,
       group_concat(CAST(round((q.done_at - q.started_at) * 1e6) AS INTEGER), ',')
           FILTER (WHERE q.done_at > ?3 AND q.is_skipped IS NOT TRUE
                     AND abs(q.done_at - q.started_at) < 9e99) AS works,
       nullif(max(coalesce({latest_created}, 0), coalesce({latest_started}, 0),
                  coalesce({latest_completed}, 0)), 0) AS latest_naive,
       {unreadable_of_today} AS unreadable
FROM q
LEFT JOIN {documents} AS d ON d.id = q.document_id
    AND q.done_at > ?5
    AND q.stage IN (SELECT value FROM json_each(?6))
    AND d.ai_model_version IN (SELECT value FROM json_each(?7))
WHERE q.is_completed IS NOT TRUE OR q.done_at > min(?5, ?11) OR q.created_at > min(?3, ?11)
   OR (q.has_trend AND (q.created_at >= ?10 OR q.done_at >= ?10))
   OR (q.has_created AND q.created_at IS NULL) OR (q.has_completed AND q.completed_at IS NULL)
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8";

/// What each stage did since `?2`, by bucket, and what is in it now.
pub(super) const ACTIVITY: &str = "
WITH q AS (SELECT *, CASE WHEN is_completed THEN completed_at END AS done_at, ?2 AS since
           FROM {queue} LIMIT -1)
SELECT q.stage, {created_bucket} AS created_bucket, {completed_bucket} AS completed_bucket,
       {until} AS until, count(*) AS count, {activity}
FROM q
WHERE q.is_pending OR q.is_processing OR q.done_at > ?2 OR q.created_at > ?2
GROUP BY 1, 2, 3, 4";

/// A row is counted under its pair of hours, each the number of the hours that began before.
pub(super) const TREND: &str = "
WITH hours AS MATERIALIZED (SELECT value FROM json_each(?2)), events AS (
    SELECT stage, created_at AS created, CASE WHEN is_completed THEN completed_at END AS completed
    FROM {queue}
    WHERE stage IN (SELECT value FROM json_each(?1)) LIMIT -1
)
SELECT stage,
       (SELECT count(*) FROM hours WHERE value <= created) AS created_hour,
       (SELECT count(*) FROM hours WHERE value <= completed) AS completed_hour,
       count(*) AS count
FROM events
WHERE created >= ?3 OR completed >= ?3
GROUP BY 1, 2, 3";

/// What SQL could not read, the commonest first.
pub(super) const ODD_DEFERRALS: &str = "
SELECT q.stage AS stage, json_object('deferred_until', q.until) AS document, count(*) AS count
FROM {queue} AS q
WHERE q.is_pending AND {deferral} = {odd}
GROUP BY 1, 2
ORDER BY 3 DESC, 1, 2
LIMIT {max_odd}";

/// Words that are no status, where nothing is completed by any word that is one.
pub(super) const DOUBTFUL_STATUSES: &str = "
SELECT DISTINCT coalesce(q.status, '')
FROM {queue} AS q
WHERE q.is_unknown AND NOT EXISTS (SELECT 1 FROM {queue} AS c WHERE c.is_completed)
ORDER BY 1
LIMIT 10";

/// Words that are no status, the commonest first.
pub(super) const UNKNOWN_STATUSES: &str = "
SELECT coalesce(q.status, '') AS status, count(*) AS count
FROM {queue} AS q
WHERE q.is_unknown
GROUP BY 1
ORDER BY 2 DESC, 1
LIMIT 10";

/// Timestamps that cannot be read, in words.
pub(super) const UNREADABLE: &str = "
SELECT 'created_at of row ' || id || ' is ' || quote(raw_created) FROM {raw}
WHERE raw_created IS NOT NULL AND created_at IS NULL
UNION ALL
SELECT 'started_at of row ' || id || ' is ' || quote(raw_started) FROM {raw}
WHERE raw_started IS NOT NULL AND started_at IS NULL AND NOT is_pending
UNION ALL
SELECT 'completed_at of row ' || id || ' is ' || quote(raw_completed) FROM {raw}
WHERE raw_completed IS NOT NULL AND completed_at IS NULL AND NOT is_pending
LIMIT 5";

/// The latest of the timestamps whose zone nobody tells, and how many cannot be read.
pub(super) const TIMESTAMPS: &str = "
SELECT nullif(max(coalesce({latest_created}, 0), coalesce({latest_started}, 0),
                  coalesce({latest_completed}, 0)), 0) AS latest_naive,
       {unreadable} AS unreadable
FROM (SELECT * FROM {queue} LIMIT -1) AS q";

pub(super) const JOBS: &str = "
SELECT CAST(id AS TEXT) AS id, kind, label, state, coalesce(processed, 0) AS processed, total,
       started AS started_at, updated AS updated_at, finished AS finished_at,
       substr(error, 1, {job_error_and_one}) AS error
FROM (SELECT *, {job_started_at} AS started, {job_updated_at} AS updated,
             {job_finished_at} AS finished FROM background_jobs) AS job
WHERE state = 'running' OR finished > ?1
ORDER BY (state = 'running') DESC, started DESC NULLS LAST, job.id DESC
LIMIT 20";

pub(super) const JOB_COUNTS: &str = "
SELECT kind, state, count(*) AS jobs
FROM background_jobs
WHERE state = 'running' OR {job_finished_at} > ?1
GROUP BY kind, state";

/// The latest two of each stage hold the latest two of each machine, whoever has the stages.
pub(super) const CURRENT: &str = "
SELECT CAST(q.id AS TEXT) AS id, q.stage, CAST(q.document_id AS TEXT) AS document_id,
       substr(d.title, 1, {name_and_one}) AS title,
       substr(d.original_filename, 1, {name_and_one}) AS original_filename,
       substr(d.file_path, -{name_and_one}) AS file_path, q.started_at
FROM (
    SELECT id, stage, document_id, started_at, row_number() OVER (
               PARTITION BY stage ORDER BY started_at DESC NULLS LAST, id DESC) AS place
    FROM {queue}
    WHERE is_processing
) AS q
LEFT JOIN {documents} AS d ON d.id = q.document_id
WHERE q.place <= 2";

/// Which failed rows are asked for. What is sought stands in a row's error or in the names of its
/// document, or is the id of either.
pub(super) const IS_WANTED: &str = "
q.is_failed
AND (?1 IS NULL OR q.stage IN (SELECT value FROM json_each(?1)))
AND q.stage NOT IN (SELECT value FROM json_each(?2))
AND (?3 IS NULL OR CAST(q.id AS TEXT) = ?3)
AND (?4 IS NULL OR CAST(q.id AS TEXT) = ?4 OR CAST(q.document_id AS TEXT) = ?4
     OR EXISTS (SELECT 1 FROM {errors} AS e
                WHERE e.id = q.id AND instr(lower(e.error_message), lower(?4)) > 0)
     OR EXISTS (SELECT 1 FROM {documents} AS d
                WHERE d.id = q.document_id
                  AND instr(lower(concat_ws(char(10), d.title, d.original_filename, d.file_path)),
                            lower(?4)) > 0))
AND (?5 IS NULL OR coalesce(q.completed_at, q.started_at) < ?5)";

/// A text is read only of rows that are told. Each is copied as seldom as can be, some are of a
/// mebibyte: how long it is is told first, and only its ends go through the sorting. One with fewer
/// characters than its bytes can be, having a NUL in it, is cut by its bytes.
pub(super) const FAILED: &str = "
SELECT CAST(r.id AS TEXT) AS id, r.stage, CAST(r.document_id AS TEXT) AS document_id,
       {document_is_gone} AS document_is_gone,
       substr(d.title, 1, {name_and_one}) AS title,
       substr(d.original_filename, 1, {name_and_one}) AS original_filename,
       substr(d.file_path, -{name_and_one}) AS file_path, r.attempts, r.max_attempts, r.failed_at,
       CASE WHEN r.has_nul THEN substr(CAST(e.error_message AS BLOB), 1, ?11 + iif(left_out > 0, 0, ?12))
            ELSE substr(e.error_message, 1, ?11 + iif(left_out > 0, 0, ?12)) END AS error_message,
       CASE WHEN left_out <= 0 THEN NULL
            WHEN r.has_nul THEN substr(CAST(e.error_message AS BLOB), -?12)
            ELSE substr(e.error_message, -?12) END AS error_end,
       max(left_out, 0) AS error_left_out
FROM (
    SELECT *, bytes > 4 * characters AS has_nul,
           coalesce(iif(bytes > 4 * characters, bytes, characters) - ?11 - ?12, 0) AS left_out
    FROM (
        SELECT q.*, length(e.error_message) AS characters, octet_length(e.error_message) AS bytes
        FROM (
            SELECT id, stage, document_id, attempts, max_attempts,
                   coalesce(completed_at, started_at) AS failed_at
            FROM {queue} AS q
            WHERE {is_wanted}
              AND (?6 IS NULL OR stage > ?6 OR (stage = ?6 AND (
                  coalesce(completed_at, started_at, -9e999) < ?7 OR (coalesce(completed_at, started_at, -9e999) = ?7 AND id < ?8))))
            ORDER BY stage, coalesce(completed_at, started_at, -9e999) DESC, id DESC
            LIMIT ?9 OFFSET ?10
        ) AS q
        LEFT JOIN {errors} AS e ON e.id = q.id
        LIMIT -1
    )
) AS r
LEFT JOIN {errors} AS e ON e.id = r.id
LEFT JOIN {documents} AS d ON d.id = r.document_id
ORDER BY r.stage, coalesce(r.failed_at, -9e999) DESC, r.id DESC
LIMIT -1";

/// No further than is told.
pub(super) const FAILED_COUNT: &str = "
SELECT count(*) FROM (
    SELECT 1 FROM {queue} AS q
    WHERE {is_wanted}
    LIMIT {count_and_one}
)";

pub(super) const STATUSES: &str = "
SELECT q.is_pending IS TRUE AS pending, q.is_processing IS TRUE AS processing,
       q.is_failed IS TRUE AS failed, q.is_completed IS TRUE AS completed
FROM {queue} AS q
WHERE q.id IN (SELECT value FROM json_each(?1))";
