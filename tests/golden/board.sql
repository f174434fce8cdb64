-- A small board at 2026-11-24 05:30:00 UTC, 14:30 in Seoul; read by both engines.
INSERT INTO documents (id, title, original_filename, file_path, ai_model_version) VALUES
    (1, '3월 회의록', NULL, NULL, NULL),
    (2, NULL, 'scan "A4".pdf', NULL, NULL),
    (3, '', '', '/scans/2026/contract.pdf', NULL),
    (4, NULL, NULL, NULL, 'qwen-macbook'),
    (5, 'Weekly report', NULL, NULL, 'qwen-macmini');

INSERT INTO processing_queue
    (id, document_id, stage, status, payload, created_at, started_at, completed_at) VALUES
    -- gpu works on three items, one of them of unknown start.
    (1, 1, 'extract', 'processing', NULL, '2026-11-24T05:20:00Z', '2026-11-24T05:29:00Z', NULL),
    (2, 2, 'embed', 'processing', NULL, '2026-11-24T05:20:00Z', '2026-11-24T05:29:30Z', NULL),
    (3, 3, 'stt', 'processing', NULL, '2026-11-24T05:20:00Z', NULL, NULL),
    (4, 9, 'embed', 'failed', NULL, '2026-11-20T00:00:00Z', NULL, NULL),
    -- summarize drains: 4 pending, 3 completed and 1 created in an hour.
    (10, 1, 'summarize', 'pending', NULL, '2026-11-24T03:00:00Z', NULL, NULL),
    (11, 2, 'summarize', 'pending', '{"deferred_until": "2026-11-24T18:00:00+09:00"}', '2026-11-24T03:10:00Z', NULL, NULL),
    (12, 3, 'summarize', 'pending', '{"deferred_until": "2026-11-24T05:00"}', '2026-11-24T03:20:00Z', NULL, NULL),
    (13, 6, 'summarize', 'pending', '{"deferred_until": "tomorrow"}', '2026-11-24T05:00:00Z', NULL, NULL),
    (14, 4, 'summarize', 'completed', NULL, '2026-11-24T01:00:00Z', '2026-11-24T05:00:00Z', '2026-11-24T05:25:00Z'),
    (15, 5, 'summarize', 'completed', NULL, '2026-11-24T01:00:00Z', '2026-11-24T04:30:00Z', '2026-11-24T04:45:00Z'),
    (16, 8, 'summarize', 'completed', NULL, '2026-11-24T01:00:00Z', '2026-11-24T04:30:00Z', '2026-11-24T04:31:00Z'),
    (17, 5, 'summarize', 'completed', NULL, '2026-11-23T14:00:00Z', '2026-11-23T14:58:00Z', '2026-11-23T15:00:01Z'),
    (18, 5, 'summarize', 'completed', NULL, '2026-11-23T14:00:00Z', '2026-11-23T14:58:00Z', '2026-11-23T14:59:59Z'),
    -- deep_summary waits for the macbook and grows.
    (20, 1, 'deep_summary', 'pending', '{"deferred_until": "2026-11-25T00:00:00Z", "note": 1}', '2026-11-24T05:10:00Z', NULL, NULL),
    -- A stage that nobody configured.
    (30, 1, 'translate', 'pending', 'null', '2026-11-24T04:00:00Z', NULL, NULL);

INSERT INTO background_jobs
    (id, kind, label, state, processed, total, started_at, updated_at, finished_at, error) VALUES
    (1, 'global_digest', '오늘의 다이제스트', 'running', 25, 100, '2026-11-24T05:20:00Z', '2026-11-24T05:29:50Z', NULL, NULL),
    (2, 'hier_backfill', 'backfill "2025"', 'running', 10, NULL, '2026-11-24T01:00:00Z', '2026-11-24T05:25:00Z', NULL, NULL),
    (3, 'reindex', NULL, 'failed', 3, 9, '2026-11-24T01:00:00Z', '2026-11-24T01:01:00Z', '2026-11-24T01:01:30Z', 'disk full'),
    (4, 'reindex', NULL, 'completed', 9, 9, '2026-11-23T20:00:00Z', '2026-11-23T21:00:00Z', '2026-11-23T21:00:00Z', NULL);
