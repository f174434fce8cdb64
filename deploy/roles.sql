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

-- The reader, for --database-url, reads the tables that are there. The operator, for
-- --admin.database-url, reads as much; retry and skip change these columns, as far as they are
-- there, and no others.
DO $$
DECLARE
    relation regclass;
    columns text;
BEGIN
    FOREACH relation IN ARRAY ARRAY[to_regclass('processing_queue'), to_regclass('documents'),
                                    to_regclass('background_jobs')] LOOP
        IF relation IS NOT NULL THEN
            EXECUTE format('GRANT SELECT ON %s TO queueboard_reader, queueboard_operator', relation);
        END IF;
    END LOOP;
    SELECT string_agg(quote_ident(attname), ', ') INTO columns FROM pg_attribute
    WHERE attrelid = 'processing_queue'::regclass AND NOT attisdropped
      AND attname IN ('status', 'attempts', 'started_at', 'completed_at', 'payload');
    EXECUTE format('GRANT UPDATE (%s) ON processing_queue TO queueboard_operator', columns);
END
$$;
