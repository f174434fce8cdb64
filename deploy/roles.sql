-- The two roles of the exporter. Run it in the pipeline's database as the owner of its tables:
--
--     psql -f deploy/roles.sql pipeline
--
-- and then give each role its password with \password. It may be run again at any time, for
-- example when the table of background jobs has come.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'queueboard_reader') THEN
        CREATE ROLE queueboard_reader LOGIN CONNECTION LIMIT 5;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'queueboard_operator') THEN
        CREATE ROLE queueboard_operator LOGIN CONNECTION LIMIT 5;
    END IF;
END
$$;

-- A session whose network has gone silent ends within two minutes, and not after hours.
ALTER ROLE queueboard_reader SET tcp_keepalives_idle = 60;
ALTER ROLE queueboard_reader SET tcp_keepalives_interval = 15;
ALTER ROLE queueboard_reader SET tcp_keepalives_count = 4;
ALTER ROLE queueboard_operator SET tcp_keepalives_idle = 60;
ALTER ROLE queueboard_operator SET tcp_keepalives_interval = 15;
ALTER ROLE queueboard_operator SET tcp_keepalives_count = 4;

-- The reader, for --database-url: everything but retry and skip. The operator, for
-- --admin.database-url, reads as much.
GRANT SELECT ON processing_queue, documents TO queueboard_reader, queueboard_operator;

-- Retry and skip change these columns and no others.
GRANT UPDATE (status, attempts, started_at, completed_at, payload)
    ON processing_queue TO queueboard_operator;

-- The table of background jobs may be absent.
DO $$
BEGIN
    IF to_regclass('background_jobs') IS NOT NULL THEN
        GRANT SELECT ON background_jobs TO queueboard_reader, queueboard_operator;
    END IF;
END
$$;
