-- A board on which everything that the dashboards can say is said, at 2026-11-24 05:30:00 UTC,
-- 14:30 in Seoul.
INSERT INTO documents (id, title, original_filename, file_path, ai_model_version) VALUES
    (1, '3월 회의록', NULL, NULL, NULL),
    (2, NULL, 'scan "A4".pdf', NULL, NULL),
    (5, 'Weekly report', NULL, NULL, 'qwen-macmini'),
    (6, 'Monthly report', NULL, NULL, 'qwen-macbook');

INSERT INTO processing_queue
    (id, document_id, stage, status, payload, created_at, started_at, completed_at) VALUES
    -- gpu is active: two rows in processing, one of them for too long.
    (1, 1, 'extract', 'processing', NULL, '2026-11-24T02:20:00Z', '2026-11-24T02:29:00Z', NULL),
    (2, 2, 'embed', 'processing', NULL, '2026-11-24T04:20:00Z', '2026-11-24T05:28:30Z', NULL),
    (3, 9, 'embed', 'failed', NULL, '2026-11-20T00:00:00Z', NULL, NULL),
    -- embed drains, and slowly: 26 wait, one is done in an hour.
    (4, 5, 'embed', 'completed', NULL, '2026-11-24T02:00:00Z', '2026-11-24T04:58:00Z', '2026-11-24T05:00:00Z'),
    -- chunk did more than came in, and nothing is left.
    (5, 5, 'chunk', 'completed', NULL, '2026-11-24T02:00:00Z', '2026-11-24T04:58:00Z', '2026-11-24T05:00:00Z'),
    -- summarize drains in 1 hour and 30 minutes: 3 wait, 2 are done in an hour. Nobody did one in
    -- the last 15 minutes, so the macmini is idle. One row waits for the macbook.
    (10, 1, 'summarize', 'pending', NULL, '2026-11-24T04:00:00Z', NULL, NULL),
    (11, 2, 'summarize', 'pending', '{"deferred_until": "2026-11-24T18:00:00+09:00"}', '2026-11-24T04:10:00Z', NULL, NULL),
    (12, 3, 'summarize', 'pending', '{"deferred_until": "tomorrow"}', '2026-11-24T04:20:00Z', NULL, NULL),
    (14, 5, 'summarize', 'completed', NULL, '2026-11-24T01:00:00Z', '2026-11-24T04:30:00Z', '2026-11-24T05:10:00Z'),
    (15, 6, 'summarize', 'completed', NULL, '2026-11-24T01:00:00Z', '2026-11-24T04:30:00Z', '2026-11-24T04:45:00Z'),
    (16, 5, 'summarize', 'completed', NULL, '2026-11-23T14:00:00Z', '2026-11-23T14:58:00Z', '2026-11-23T15:00:01Z'),
    -- deep_summary waits for the macbook and grows.
    (20, 1, 'deep_summary', 'pending', '{"deferred_until": "2026-11-25T00:00:00Z"}', '2026-11-24T05:10:00Z', NULL, NULL),
    -- A person skipped two rows of classify, one of them just now; nobody did any.
    (21, 1, 'classify', 'completed', '{"skipped_by_user": true}', '2026-11-20T00:00:00Z', NULL, '2026-11-24T05:25:00Z'),
    (22, 2, 'classify', 'completed', '{"skipped_by_user": true}', '2026-11-20T00:00:00Z', NULL, '2026-11-24T04:40:00Z'),
    -- A stage that nobody configured stands still, and has a row by a word that nobody knows.
    (30, 1, 'translate', 'pending', NULL, '2026-11-23T04:00:00Z', NULL, NULL),
    (31, 2, 'translate', 'cancelled', NULL, '2026-11-23T04:00:00Z', NULL, NULL);

INSERT INTO processing_queue (id, document_id, stage, status, created_at)
    WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < 25)
    SELECT 100 + n, 100 + n, 'embed', 'pending', '2026-11-24T03:00:00Z' FROM numbers;

-- One that runs, one that is stale and does not know its total, one that failed, one that is done.
INSERT INTO background_jobs
    (id, kind, label, state, processed, total, started_at, updated_at, finished_at, error) VALUES
    (1, 'global_digest', '오늘의 다이제스트', 'running', 25, 100, '2026-11-24T05:00:00Z', '2026-11-24T05:29:50Z', NULL, NULL),
    (2, 'hier_backfill', 'backfill "2025"', 'running', 10, NULL, '2026-11-24T01:00:00Z', '2026-11-24T05:20:00Z', NULL, NULL),
    (3, 'reindex', NULL, 'failed', 3, 9, '2026-11-24T01:00:00Z', '2026-11-24T01:01:00Z', '2026-11-24T01:01:30Z', 'disk full'),
    (4, 'reindex', NULL, 'completed', 9, 9, '2026-11-23T23:30:00Z', '2026-11-24T00:30:00Z', '2026-11-24T00:30:00Z', NULL);
