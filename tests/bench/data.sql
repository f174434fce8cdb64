-- A pipeline that completes {a_day} rows a day and has {live} live ones, of {rows} in all.
CREATE TABLE documents (
    id bigint PRIMARY KEY, title text, original_filename text, file_path text, ai_model_version text);
CREATE TABLE processing_queue (
    id bigint PRIMARY KEY, document_id bigint NOT NULL, stage text NOT NULL, status text NOT NULL,
    attempts int NOT NULL DEFAULT 0, max_attempts int NOT NULL DEFAULT 3, error_message text,
    payload jsonb, created_at timestamptz NOT NULL, started_at timestamptz, completed_at timestamptz);
CREATE TABLE background_jobs (
    id bigint PRIMARY KEY, kind text, label text, state text, processed bigint, total bigint,
    started_at timestamptz, updated_at timestamptz, finished_at timestamptz, error text);
CREATE FUNCTION pg_temp.stage(g bigint) RETURNS text LANGUAGE sql IMMUTABLE RETURN
    (ARRAY['extract', 'embed', 'chunk', 'markdown', 'preview', 'thumbnail', 'fulltext', 'stt',
           'classify', 'summarize', 'deep_summary'])[1 + g % 11];

INSERT INTO documents
SELECT g, 'Document ' || g, 'scan-' || g || '.pdf', '/scans/2026/' || g || '.pdf',
       CASE g % 3 WHEN 0 THEN 'qwen-macbook' WHEN 1 THEN 'qwen-macmini' END
FROM generate_series(1, {rows} / 10 + 1) g;

-- The finished rows, evenly over the days until now.
INSERT INTO processing_queue
SELECT g, 1 + g / 10, pg_temp.stage(g), 'completed', 1, 3, NULL,
       CASE WHEN g % 10 = 0 THEN '{"source": "scan"}'::jsonb END,
       at - interval '20 minutes', at - interval '1 minute', at
FROM (SELECT g, now() - ({rows} - {live} - g) * (interval '1 day' / {a_day}) AS at
      FROM generate_series(1::bigint, {rows} - {live}) g) finished;

-- One live row in 100 is worked on, four have failed, and some summaries wait for the macbook.
INSERT INTO processing_queue
SELECT {rows} - {live} + g, 1 + g % ({rows} / 10), pg_temp.stage(g),
       CASE WHEN g % 100 = 0 THEN 'processing' WHEN g % 20 = 0 THEN 'failed' ELSE 'pending' END, 0, 3,
       CASE WHEN g % 20 = 0 THEN 'connection refused' END,
       CASE WHEN g % 11 = 9 AND g % 5 = 0 THEN
           jsonb_build_object('deferred_until', to_char(now() + interval '6 hours', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) END,
       now() - g * interval '30 seconds', CASE WHEN g % 20 = 0 THEN now() - g * interval '1 second' END, NULL
FROM generate_series(1::bigint, {live}) g;
CREATE UNIQUE INDEX uq_queue_active ON processing_queue (document_id, stage)
    WHERE status IN ('pending', 'processing');

INSERT INTO background_jobs
SELECT g, (ARRAY['global_digest', 'hier_backfill', 'reindex'])[1 + g % 3], 'job ' || g,
       CASE WHEN g < 5 THEN 'running' ELSE 'completed' END, g, 100, now() - interval '1 hour', now(),
       CASE WHEN g >= 5 THEN now() - interval '1 minute' END, NULL
FROM generate_series(1, 20) g;
