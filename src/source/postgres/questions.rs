//! The SQL of each question. The types of its answers are spelt out: whatever types the columns
//! have, and whatever becomes of them, a plan that is kept goes on to hold. What stands in braces
//! depends on the tables, and is written by `relations`.

/// One row is a stage's rows of one model, one way of being deferred, and one pair of hours, if the
/// stage has a trend. Of what happened after `$11` it is also one pair of buckets, and of what is
/// deferred one time. Where there are no indexes for it, one pass over the table is the least: most
/// of its rows fail the first test of each line and no more.
pub(super) const QUEUE: &str = "
SELECT q.stage AS stage,
       d.ai_model_version AS model,
       {deferral} AS deferral,
       CASE WHEN q.stage = ANY($8) THEN width_bucket(q.created_at::timestamptz, $9)::bigint END
           AS created_hour,
       CASE WHEN q.stage = ANY($8) AND q.is_completed
            THEN width_bucket(q.completed_at::timestamptz, $9)::bigint END AS completed_hour,
       CASE WHEN q.created_at > $11 AND q.created_at <= $1 THEN {created_bucket} END
           AS created_bucket,
       CASE WHEN q.is_completed AND q.completed_at > $11 AND q.completed_at <= $1
            THEN {completed_bucket} END AS completed_bucket,
       CASE WHEN $11 < $1 THEN {until} END AS until,
       count(*) AS count,
       count(*) FILTER (WHERE q.created_at > $11 AND {never_failed} AND {is_inside_or_done})
           AS clean_created,
       count(*) FILTER (WHERE q.completed_at > $11 AND {is_done}) AS completed,
       count(*) FILTER (WHERE q.completed_at > $11 AND {is_done} AND {had_waited}) AS waited,
       coalesce(sum({worked}) FILTER (WHERE q.completed_at > $11 AND {is_done}), 0)::float8
           AS worked_seconds,
       count(*) FILTER (WHERE q.completed_at > $11 AND {is_done} AND {never_failed})
           AS clean_completed,
       count(*) FILTER (WHERE $11 < $1 AND {is_inside} AND {never_failed}) AS clean,
       count(*) FILTER (WHERE q.is_pending) AS pending,
       count(*) FILTER (WHERE q.is_processing) AS processing,
       count(*) FILTER (WHERE q.is_failed) AS failed,
       count(*) FILTER (WHERE q.is_unknown) AS unknown_status,
       count(*) FILTER (WHERE q.is_completed AND q.completed_at > $2) AS completed_15m,
       count(*) FILTER (WHERE q.is_completed AND q.completed_at > $3) AS completed_1h,
       count(*) FILTER (WHERE q.is_completed AND q.completed_at > $4) AS completed_today,
       count(*) FILTER (WHERE q.is_completed AND q.completed_at > $2 AND q.is_skipped) AS skipped_15m,
       count(*) FILTER (WHERE q.is_completed AND q.completed_at > $3 AND q.is_skipped) AS skipped_1h,
       count(*) FILTER (WHERE q.is_completed AND q.completed_at > $4 AND q.is_skipped) AS skipped_today,
       count(*) FILTER (WHERE q.created_at > $3) AS created_1h,
       extract(epoch FROM min(q.created_at::timestamptz)
           FILTER (WHERE q.is_pending AND isfinite(q.created_at)))::float8 AS oldest_pending,
       extract(epoch FROM min(q.started_at::timestamptz)
           FILTER (WHERE q.is_processing AND isfinite(q.started_at)))::float8 AS oldest_processing,
       {waits} FILTER (WHERE q.is_completed AND q.completed_at > $3 AND q.is_skipped IS NOT TRUE) AS waits,
       {works} FILTER (WHERE q.is_completed AND q.completed_at > $3 AND q.is_skipped IS NOT TRUE) AS works,
       greatest({latest_created}, {latest_started}, {latest_completed}) AS latest_naive,
       0::bigint AS unreadable
FROM {queue} AS q
LEFT JOIN {documents} AS d ON {of_document}
    AND q.is_completed AND q.completed_at > $5
    AND q.stage = ANY($6) AND d.ai_model_version = ANY($7)
WHERE (q.created_at >= least($10, $11)
       AND (q.created_at > least($3, $11) OR q.stage = ANY($8)))
   OR (q.completed_at >= least($10, $11) AND q.is_completed
       AND (q.completed_at > least($5, $11) OR q.stage = ANY($8)))
   OR q.is_unfinished
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8";

/// What is asked of stages, where each part has its index: unfinished rows, then completions and
/// creations from indexes alone, and the rows of the last hour themselves for how long they took. A
/// document is looked up for a pool's completion only; a join would read all of them. The key of a
/// stage is what many rows are told apart by at least cost.
pub(super) const STAGES_BY_INDEX: &str = "
SELECT q.stage AS stage,
       NULL::text AS model,
       {deferral} AS deferral,
       count(*) FILTER (WHERE q.is_pending) AS pending,
       count(*) FILTER (WHERE q.is_processing) AS processing,
       count(*) FILTER (WHERE q.is_failed) AS failed,
       count(*) FILTER (WHERE q.is_unknown) AS unknown_status,
       0::bigint AS completed_15m, 0::bigint AS completed_1h, 0::bigint AS completed_today,
       0::bigint AS skipped_15m, 0::bigint AS skipped_1h, 0::bigint AS skipped_today,
       0::bigint AS created_1h,
       extract(epoch FROM min(q.created_at::timestamptz)
           FILTER (WHERE q.is_pending AND isfinite(q.created_at)))::float8 AS oldest_pending,
       extract(epoch FROM min(q.started_at::timestamptz)
           FILTER (WHERE q.is_processing AND isfinite(q.started_at)))::float8 AS oldest_processing,
       NULL::text AS waits, NULL::text AS works, {latest_started} AS latest_naive,
       0::bigint AS unreadable
FROM {queue} AS q
WHERE q.is_unfinished
GROUP BY 1, 2, 3
UNION ALL
SELECT q.stage_key::text, NULL, 0, 0, 0, 0, 0,
       count(*) FILTER (WHERE q.completed_at > $2),
       count(*) FILTER (WHERE q.completed_at > $3),
       count(*) FILTER (WHERE q.completed_at > $4),
       0, 0, 0, 0, NULL, NULL, NULL, NULL, {latest_completed}, 0
FROM {queue} AS q
WHERE q.is_completed AND q.completed_at > $5 AND ({in_pool}) IS NOT TRUE
GROUP BY q.stage_key
UNION ALL
SELECT q.stage_key::text,
       (SELECT d.ai_model_version FROM {documents} AS d
        WHERE {of_document} AND d.ai_model_version = ANY($7)) AS model, 0, 0, 0, 0, 0,
       count(*) FILTER (WHERE q.completed_at > $2),
       count(*) FILTER (WHERE q.completed_at > $3),
       count(*) FILTER (WHERE q.completed_at > $4),
       0, 0, 0, 0, NULL, NULL, NULL, NULL, {latest_completed}, 0
FROM {queue} AS q
WHERE q.is_completed AND q.completed_at > $5 AND {in_pool}
GROUP BY q.stage_key, 2
UNION ALL
SELECT q.stage,
       CASE WHEN q.stage = ANY($6) THEN
           (SELECT d.ai_model_version FROM {documents} AS d
            WHERE {of_document} AND d.ai_model_version = ANY($7)) END AS model, 0, 0, 0, 0, 0,
       0, 0, 0,
       count(*) FILTER (WHERE q.completed_at > $2),
       count(*) FILTER (WHERE q.completed_at > $3),
       count(*) FILTER (WHERE q.completed_at > $4),
       0, NULL, NULL, NULL, NULL, NULL, 0
FROM {queue} AS q
WHERE q.is_completed AND q.is_skipped AND q.completed_at > $5
GROUP BY 1, 2
UNION ALL
SELECT q.stage_key::text, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, count(*), NULL, NULL, NULL, NULL,
       {latest_created}, 0
FROM {queue} AS q
WHERE q.created_at > $3
GROUP BY q.stage_key
UNION ALL
SELECT q.stage, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, {waits}, {works}, NULL, 0
FROM {queue} AS q
WHERE q.is_completed AND q.completed_at > $3 AND q.is_skipped IS NOT TRUE
GROUP BY 1";

/// What each stage did since `$2`, by bucket, and what is in it now. Each part has its index.
pub(super) const ACTIVITY: &str = "
SELECT q.stage AS stage, {created_bucket} AS created_bucket, NULL::bigint AS completed_bucket,
       NULL::float8 AS until, count(*) AS count,
       count(*) FILTER (WHERE {never_failed} AND {is_inside_or_done}) AS clean_created,
       0::bigint AS completed, 0::bigint AS waited, 0::float8 AS worked_seconds,
       0::bigint AS clean_completed, 0::bigint AS pending, 0::bigint AS processing,
       0::bigint AS clean
FROM {queue} AS q
WHERE q.created_at > $2 AND q.created_at <= $1
GROUP BY 1, 2
UNION ALL
SELECT q.stage, NULL, {completed_bucket}, NULL, 0, 0,
       count(*) FILTER (WHERE {is_done}), count(*) FILTER (WHERE {is_done} AND {had_waited}),
       coalesce(sum({worked}) FILTER (WHERE {is_done}), 0)::float8,
       count(*) FILTER (WHERE {is_done} AND {never_failed}), 0, 0, 0
FROM {queue} AS q
WHERE q.is_completed AND q.completed_at > $2 AND q.completed_at <= $1
GROUP BY 1, 3
UNION ALL
SELECT q.stage, NULL, NULL, {until}, 0, 0, 0, 0, 0, 0,
       count(*) FILTER (WHERE q.is_pending), count(*) FILTER (WHERE q.is_processing),
       count(*) FILTER (WHERE {never_failed})
FROM {queue} AS q
WHERE {is_inside}
GROUP BY 1, 4";

/// One pass gives both sides of the trend: a row is counted under its pair of hours.
pub(super) const TREND: &str = "
SELECT q.stage AS stage,
       width_bucket(q.created_at::timestamptz, $2)::bigint AS created_hour,
       width_bucket(CASE WHEN q.is_completed THEN q.completed_at::timestamptz END, $2)::bigint
           AS completed_hour,
       count(*) AS count
FROM {queue} AS q
WHERE q.stage = ANY($1) AND (q.created_at >= $3 OR (q.is_completed AND q.completed_at >= $3))
GROUP BY 1, 2, 3";

/// What SQL could not read, the commonest first.
pub(super) const ODD_DEFERRALS: &str = "
SELECT q.stage AS stage, {document} AS document, count(*) AS count
FROM {queue} AS q
WHERE q.is_pending AND {deferral} = {odd}
GROUP BY 1, 2
ORDER BY 3 DESC, 1, 2
LIMIT {max_odd}";

/// Words that are no status, where nothing is completed by any word that is one; whether that is so
/// is looked at only when there is such a word.
pub(super) const DOUBTFUL_STATUSES: &str = "
SELECT coalesce(q.status, '') AS status
FROM {queue} AS q
WHERE q.is_unfinished AND q.is_unknown
  AND CASE WHEN q.is_unknown THEN NOT EXISTS (SELECT FROM {queue} AS c WHERE c.is_completed) END
GROUP BY 1
ORDER BY 1
LIMIT 10";

/// Words that are no status, the commonest first.
pub(super) const UNKNOWN_STATUSES: &str = "
SELECT coalesce(q.status, '') AS status, count(*) AS count
FROM {queue} AS q
WHERE q.is_unfinished AND q.is_unknown
GROUP BY 1
ORDER BY 2 DESC, 1
LIMIT 10";

/// The latest of the timestamps whose zone nobody tells.
pub(super) const LATEST_NAIVE: &str = "
SELECT greatest({latest_created}, {latest_started}, {latest_completed}) FROM {queue} AS q";

pub(super) const JOBS: &str = "
SELECT id::text AS id, kind::text AS kind, {label} AS label, state::text AS state,
       coalesce(processed, 0)::bigint AS processed, total::bigint AS total,
       extract(epoch FROM started_at::timestamptz)::float8 AS started_at,
       extract(epoch FROM updated_at::timestamptz)::float8 AS updated_at,
       extract(epoch FROM finished_at::timestamptz)::float8 AS finished_at,
       left({error}, {job_error_and_one}) AS error
FROM background_jobs AS job
WHERE state::text = 'running' OR finished_at > $1
ORDER BY (state::text = 'running') DESC NULLS LAST, job.started_at DESC NULLS LAST, job.id DESC
LIMIT 20";

pub(super) const JOB_COUNTS: &str = "
SELECT kind::text AS kind, state::text AS state, count(*) AS jobs
FROM background_jobs
WHERE state::text = 'running' OR finished_at > $1
GROUP BY 1, 2";

/// The latest two of each stage hold the latest two of each machine, whoever has the stages.
pub(super) const CURRENT: &str = "
SELECT q.id::text AS id, q.stage AS stage, q.document_id::text AS document_id,
       left(d.title, {name_and_one}) AS title,
       left(d.original_filename, {name_and_one}) AS original_filename,
       right(d.file_path, {name_and_one}) AS file_path,
       extract(epoch FROM q.started_at::timestamptz)::float8 AS started_at
FROM (
    SELECT {id} AS id, q.stage, q.document_id, q.started_at, row_number() OVER (
        PARTITION BY q.stage ORDER BY q.started_at DESC NULLS LAST, {id} DESC) AS place
    FROM {queue} AS q
    WHERE q.is_processing
) AS q
LEFT JOIN {documents} AS d ON {of_document}
WHERE q.place <= 2";

/// Which failed rows are asked for; an index knows them by being unfinished. What is sought stands in a row's error or in the names of its
/// document, or is the id of either.
pub(super) const IS_WANTED: &str = r#"
q.is_unfinished AND q.is_failed
AND ($1::text[] IS NULL OR q.stage COLLATE "C" = ANY($1)) AND q.stage <> ALL($2)
AND ($3::text IS NULL OR q.id::text = $3)
AND ($4::text IS NULL OR q.id::text = $4 OR q.document_id::text = $4
     OR strpos(lower(q.error_message), lower($4)) > 0
     OR EXISTS (SELECT FROM {documents} AS d
                WHERE {of_document} AND strpos(lower(concat_ws(E'\n', d.title, d.original_filename,
                                                               d.file_path)), lower($4)) > 0))
AND ($5::float8 IS NULL
     OR extract(epoch FROM coalesce(q.completed_at, q.started_at)::timestamptz)::float8 < $5)"#;

/// The rows that are asked for, with the columns of their order as an index has them.
pub(super) const WANTED: &str = r#"
SELECT {id} AS id, q.stage COLLATE "C" AS stage, {failing} AS failing, q.document_id,
       {document_is_gone} AS document_is_gone, d.title, d.original_filename, d.file_path,
       q.attempts, q.max_attempts, q.error_message,
       extract(epoch FROM coalesce(q.completed_at, q.started_at)::timestamptz)::float8 AS failed_at
FROM {queue} AS q
LEFT JOIN {documents} AS d ON {of_document}
WHERE {is_wanted}"#;

/// How many of them are read at most, and in which order.
pub(super) const IN_ORDER: &str = "ORDER BY stage, failing DESC, id DESC LIMIT $9 + $10";

/// A text is looked at only of rows that are told: the sorting takes them where they lie. Its
/// characters are counted only where its bytes, which are known without reading it, are too many.
/// What follows a row in its stage, and the stages after it, are each one stretch of the index.
pub(super) const FAILED: &str = r#"
SELECT q.id::text AS id, q.stage, q.document_id::text AS document_id, q.document_is_gone,
       left(q.title, {name_and_one}) AS title,
       left(q.original_filename, {name_and_one}) AS original_filename,
       right(q.file_path, {name_and_one}) AS file_path,
       q.attempts, q.max_attempts, q.failed_at,
       CASE WHEN long.characters > $11 + $12 THEN left(q.error_message, $11)
            ELSE q.error_message END AS error_message,
       CASE WHEN long.characters > $11 + $12 THEN right(q.error_message, $12) END AS error_end,
       greatest(long.characters - $11 - $12, 0)::bigint AS error_left_out
FROM (
    ({wanted} AND q.stage COLLATE "C" = $6::text AND ({failing}, {id}) < ({failed_after}, {after})
     {in_order})
    UNION ALL
    ({wanted} AND ($6::text IS NULL OR q.stage COLLATE "C" > $6)
     {in_order})
    ORDER BY stage, failing DESC, id DESC
    LIMIT $9 OFFSET $10
) AS q
CROSS JOIN LATERAL (
    SELECT CASE WHEN octet_length(q.error_message) > $11 + $12
                THEN char_length(q.error_message) ELSE 0 END AS characters
    OFFSET 0
) AS long
ORDER BY q.stage, q.failing DESC, q.id DESC"#;

/// No further than is told.
pub(super) const FAILED_COUNT: &str = "
SELECT count(*) FROM (
    SELECT FROM {queue} AS q
    WHERE {is_wanted}
    LIMIT {count_and_one}
) AS q";

pub(super) const STATUSES: &str = "
SELECT q.is_pending IS TRUE AS pending, q.is_processing IS TRUE AS processing,
       q.is_failed IS TRUE AS failed, q.is_completed IS TRUE AS completed
FROM {queue} AS q
WHERE {is_asked}";
