-- Indexes that make a scrape cost the same however many finished rows the queue keeps, and a page of
-- failed rows however many failed. Whoever owns processing_queue runs them once; they are built beside
-- the pipeline's work and lock nothing out:
--
--   queueboard-exporter indexes | psql "$OWNER_DATABASE_URL"
--
-- One that is stopped while it is built stays behind as INVALID and is not used: drop it, and run
-- these again. The exporter finds them by their names.

-- Rows that wait, are worked on, failed, or have a status that is none of the four.
CREATE INDEX CONCURRENTLY IF NOT EXISTS queueboard_unfinished
    ON processing_queue (status, stage) WHERE (status IN ('completed')) IS NOT TRUE;

-- What was completed lately, and of which document, read from the index alone.
CREATE INDEX CONCURRENTLY IF NOT EXISTS queueboard_completed
    ON processing_queue (completed_at, stage) INCLUDE (document_id) WHERE status IN ('completed');

-- What was skipped by a person; it stays small.
CREATE INDEX CONCURRENTLY IF NOT EXISTS queueboard_skipped
    ON processing_queue (completed_at, stage) INCLUDE (document_id) WHERE status IN ('completed') AND payload @> '{"skipped_by_user": true}';

-- What was created lately, read from the index alone.
CREATE INDEX CONCURRENTLY IF NOT EXISTS queueboard_created
    ON processing_queue (created_at, stage);

-- Failed rows in the order of their list.
CREATE INDEX CONCURRENTLY IF NOT EXISTS queueboard_failed
    ON processing_queue (stage COLLATE "C", coalesce(completed_at, started_at, '-infinity') DESC, id DESC) WHERE status IN ('failed');
