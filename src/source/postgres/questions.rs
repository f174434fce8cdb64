//! The SQL of each question. The types of its answers are spelt out: whatever types the columns
//! have, and whatever becomes of them, a plan that is kept goes on to hold.

/// One row is a stage's rows of one model, one `deferred_until`, which is cut where no timestamp is
/// so long, and one pair of hours, if the stage has a trend. Where there are no indexes for it, one
/// pass over the table is the least: most of its rows fail the first test of each line and no more.
pub(super) const QUEUE: &str = "
SELECT q.stage::text AS stage,
       d.ai_model_version::text AS model,
       CASE WHEN q.status = 'pending' THEN left(q.payload ->> 'deferred_until', 200) END
           AS deferred_until,
       CASE WHEN q.stage = ANY($7) THEN width_bucket(q.created_at::timestamptz, $8)::bigint END
           AS created_hour,
       CASE WHEN q.stage = ANY($7) AND q.status = 'completed'
            THEN width_bucket(q.completed_at::timestamptz, $8)::bigint END AS completed_hour,
       count(*) AS count,
       count(*) FILTER (WHERE q.status = 'pending') AS pending,
       count(*) FILTER (WHERE q.status = 'processing') AS processing,
       count(*) FILTER (WHERE q.status = 'failed') AS failed,
       count(*) FILTER (WHERE q.status = 'completed' AND q.completed_at > $1) AS completed_15m,
       count(*) FILTER (WHERE q.status = 'completed' AND q.completed_at > $2) AS completed_1h,
       count(*) FILTER (WHERE q.status = 'completed' AND q.completed_at > $3) AS completed_today,
       count(*) FILTER (WHERE q.created_at > $2) AS created_1h,
       extract(epoch FROM min(q.created_at::timestamptz)
           FILTER (WHERE q.status = 'pending' AND isfinite(q.created_at)))::float8 AS oldest_pending,
       extract(epoch FROM min(q.started_at::timestamptz)
           FILTER (WHERE q.status = 'processing' AND isfinite(q.started_at)))::float8 AS oldest_processing
FROM processing_queue q
LEFT JOIN documents d ON d.id = q.document_id
    AND q.status = 'completed' AND q.completed_at > $4
    AND q.stage = ANY($5) AND d.ai_model_version = ANY($6)
WHERE (q.created_at >= $9 AND (q.created_at > $2 OR q.stage = ANY($7)))
   OR (q.completed_at >= $9 AND q.status = 'completed' AND (q.completed_at > $4 OR q.stage = ANY($7)))
   OR q.status IN ('pending', 'processing', 'failed')
GROUP BY 1, 2, 3, 4, 5";

/// The same where each part has its index: live rows, then completions and creations from indexes
/// alone. A document is looked up for a pool's completion only; a join would read all of them.
pub(super) const STAGES_BY_INDEX: &str = "
SELECT stage::text AS stage,
       NULL::text AS model,
       CASE WHEN status = 'pending' THEN left(payload ->> 'deferred_until', 200) END
           AS deferred_until,
       count(*) FILTER (WHERE status = 'pending') AS pending,
       count(*) FILTER (WHERE status = 'processing') AS processing,
       count(*) FILTER (WHERE status = 'failed') AS failed,
       0::bigint AS completed_15m, 0::bigint AS completed_1h, 0::bigint AS completed_today,
       0::bigint AS created_1h,
       extract(epoch FROM min(created_at::timestamptz)
           FILTER (WHERE status = 'pending' AND isfinite(created_at)))::float8 AS oldest_pending,
       extract(epoch FROM min(started_at::timestamptz)
           FILTER (WHERE status = 'processing' AND isfinite(started_at)))::float8 AS oldest_processing
FROM processing_queue
WHERE status IN ('pending', 'processing', 'failed')
GROUP BY 1, 2, 3
UNION ALL
SELECT stage::text, NULL, NULL, 0, 0, 0,
       count(*) FILTER (WHERE completed_at > $1),
       count(*) FILTER (WHERE completed_at > $2),
       count(*) FILTER (WHERE completed_at > $3),
       0, NULL, NULL
FROM processing_queue
WHERE status = 'completed' AND completed_at > $4 AND (stage = ANY($5)) IS NOT TRUE
GROUP BY 1
UNION ALL
SELECT q.stage::text,
       (SELECT d.ai_model_version::text FROM documents d
        WHERE d.id = q.document_id AND d.ai_model_version = ANY($6)) AS model,
       NULL, 0, 0, 0,
       count(*) FILTER (WHERE q.completed_at > $1),
       count(*) FILTER (WHERE q.completed_at > $2),
       count(*) FILTER (WHERE q.completed_at > $3),
       0, NULL, NULL
FROM processing_queue q
WHERE q.status = 'completed' AND q.completed_at > $4 AND q.stage = ANY($5)
GROUP BY 1, 2
UNION ALL
SELECT stage::text, NULL, NULL, 0, 0, 0, 0, 0, 0, count(*), NULL, NULL
FROM processing_queue
WHERE created_at > $2
GROUP BY 1";

/// One pass gives both sides of the trend: a row is counted under its pair of hours.
pub(super) const TREND: &str = "
SELECT stage::text AS stage,
       width_bucket(created_at::timestamptz, $2)::bigint AS created_hour,
       width_bucket(CASE WHEN status = 'completed' THEN completed_at::timestamptz END, $2)::bigint
           AS completed_hour,
       count(*) AS count
FROM processing_queue
WHERE stage = ANY($1) AND (created_at >= $3 OR (status = 'completed' AND completed_at >= $3))
GROUP BY 1, 2, 3";

pub(super) const JOBS: &str = "
SELECT id::text AS id, kind::text AS kind, label::text AS label, state::text AS state,
       processed::bigint AS processed, total::bigint AS total,
       extract(epoch FROM started_at::timestamptz)::float8 AS started_at,
       extract(epoch FROM updated_at::timestamptz)::float8 AS updated_at,
       extract(epoch FROM finished_at::timestamptz)::float8 AS finished_at,
       error::text AS error
FROM background_jobs AS job
WHERE state = 'running' OR finished_at > $1
ORDER BY (state = 'running') DESC NULLS LAST, job.started_at DESC NULLS LAST, job.id DESC
LIMIT 20";

pub(super) const JOB_COUNTS: &str = "
SELECT kind::text AS kind, state::text AS state, count(*) AS jobs
FROM background_jobs
WHERE state = 'running' OR finished_at > $1
GROUP BY 1, 2";

/// The latest two of each stage hold the latest two of each machine, whoever has the stages.
pub(super) const CURRENT: &str = "
SELECT q.id::bigint AS id, q.stage::text AS stage, q.document_id::bigint AS document_id,
       d.title::text AS title, d.original_filename::text AS original_filename,
       d.file_path::text AS file_path,
       extract(epoch FROM q.started_at::timestamptz)::float8 AS started_at
FROM (
    SELECT id, stage, document_id, started_at, row_number() OVER (
        PARTITION BY stage ORDER BY started_at DESC NULLS LAST, id DESC) AS place
    FROM processing_queue
    WHERE status = 'processing'
) AS q
LEFT JOIN documents d ON d.id = q.document_id
WHERE q.place <= 2";

pub(super) const FAILED: &str = r#"
SELECT q.id, q.stage, q.document_id::bigint AS document_id, d.title, d.original_filename, d.file_path,
       q.attempts, q.max_attempts, q.error_message, q.failed_at
FROM (
    SELECT id::bigint AS id, stage, document_id, attempts::bigint AS attempts,
           max_attempts::bigint AS max_attempts, error_message,
           extract(epoch FROM coalesce(completed_at, started_at)::timestamptz)::float8 AS failed_at
    FROM processing_queue
    WHERE status = 'failed' AND ($1::text[] IS NULL OR stage = ANY($1)) AND stage <> ALL($2)
) AS q
LEFT JOIN documents d ON d.id = q.document_id
WHERE $3::text IS NULL OR q.stage COLLATE "C" > $3 OR (q.stage = $3 AND (
    coalesce(q.failed_at, '-Infinity') < $4 OR
    (coalesce(q.failed_at, '-Infinity') = $4 AND q.id < $5)))
ORDER BY q.stage COLLATE "C", coalesce(q.failed_at, '-Infinity') DESC, q.id DESC
LIMIT $6"#;

pub(super) const FAILED_COUNT: &str = "
SELECT count(*) FROM processing_queue
WHERE status = 'failed' AND ($1::text[] IS NULL OR stage = ANY($1)) AND stage <> ALL($2)";
