-- The pipeline's tables as SQLite keeps them: timestamps are RFC 3339 text in UTC.
CREATE TABLE documents (
    id INTEGER PRIMARY KEY,
    title TEXT,
    original_filename TEXT,
    file_path TEXT,
    ai_model_version TEXT
);

CREATE TABLE processing_queue (
    id INTEGER PRIMARY KEY,
    document_id INTEGER NOT NULL,
    stage TEXT NOT NULL,
    status TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL DEFAULT 3,
    error_message TEXT,
    payload TEXT,
    created_at TEXT NOT NULL,
    started_at TEXT,
    completed_at TEXT
);

CREATE UNIQUE INDEX uq_queue_active ON processing_queue (document_id, stage)
    WHERE status IN ('pending', 'processing');

CREATE TABLE background_jobs (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    label TEXT,
    state TEXT NOT NULL,
    processed INTEGER,
    total INTEGER,
    started_at TEXT,
    updated_at TEXT,
    finished_at TEXT,
    error TEXT
);
