use super::case::{Case, Expected, SQLITE, judge_all};
use super::table::Table;
use crate::support::{Database, Engine};

/// Puts something of the queue's name before its table, which is called `work` then.
macro_rules! before_the_table {
    ($sql:literal) => {
        concat!("ALTER TABLE processing_queue RENAME TO work; ", $sql)
    };
}

const UPDATABLE: [Case; 5] = [
    Case {
        name: "a view with casts of what is only read",
        sql: before_the_table!(
            "ALTER TABLE work ALTER stage TYPE varchar(40);
             CREATE VIEW processing_queue AS SELECT id, document_id::bigint AS document_id,
                stage::text AS stage, status, attempts, max_attempts::int AS max_attempts,
                error_message::varchar AS error_message, payload, created_at::timestamptz AS created_at,
                started_at, completed_at FROM work"
        ),
        ..Case::RIGHT
    },
    Case {
        name: "a view over another schema",
        sql: "CREATE SCHEMA pipeline;
              ALTER TABLE processing_queue SET SCHEMA pipeline;
              ALTER TABLE documents SET SCHEMA pipeline;
              CREATE VIEW processing_queue AS SELECT * FROM pipeline.processing_queue;
              CREATE VIEW documents AS SELECT DISTINCT * FROM pipeline.documents",
        ..Case::RIGHT
    },
    Case {
        name: "a view of a join whose changes a trigger carries out",
        sql: before_the_table!(
            "CREATE VIEW processing_queue AS SELECT DISTINCT work.* FROM work
                LEFT JOIN documents ON documents.id = work.document_id;
             CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                UPDATE work SET status = NEW.status, attempts = NEW.attempts, payload = NEW.payload,
                    started_at = NEW.started_at, completed_at = NEW.completed_at WHERE id = OLD.id;
                RETURN NEW;
             END $$;
             CREATE TRIGGER change INSTEAD OF UPDATE ON processing_queue
                FOR EACH ROW EXECUTE FUNCTION change()"
        ),
        ..Case::RIGHT
    },
    Case {
        name: "a queue partitioned by created_at",
        sql: before_the_table!(
            "CREATE TABLE processing_queue (LIKE work INCLUDING DEFAULTS)
                PARTITION BY RANGE (created_at);
             CREATE TABLE long_ago PARTITION OF processing_queue
                FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
             CREATE TABLE lately PARTITION OF processing_queue
                FOR VALUES FROM ('2020-01-01') TO (MAXVALUE);
             INSERT INTO processing_queue SELECT * FROM work;
             DROP TABLE work"
        ),
        ..Case::RIGHT
    },
    Case {
        name: "a queue partitioned by stage, and partitions of partitions",
        sql: before_the_table!(
            "CREATE TABLE processing_queue (LIKE work INCLUDING DEFAULTS) PARTITION BY LIST (stage);
             CREATE TABLE of_stt PARTITION OF processing_queue FOR VALUES IN ('stt')
                PARTITION BY HASH (document_id);
             CREATE TABLE of_stt_0 PARTITION OF of_stt FOR VALUES WITH (MODULUS 2, REMAINDER 0);
             CREATE TABLE of_stt_1 PARTITION OF of_stt FOR VALUES WITH (MODULUS 2, REMAINDER 1);
             CREATE TABLE \"Of the others\" PARTITION OF processing_queue DEFAULT;
             INSERT INTO processing_queue SELECT * FROM work;
             DROP TABLE work"
        ),
        ..Case::RIGHT
    },
];

/// Read right; but what retries and skips would change cannot be changed.
const READ_ONLY: [Case; 7] = [
    Case {
        name: "a view with GROUP BY",
        sql: before_the_table!(
            "CREATE VIEW processing_queue AS SELECT id, document_id, stage, status, attempts,
                max_attempts, error_message, payload, created_at, started_at, completed_at
                FROM work GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11"
        ),
        expected: Expected::ReadOnly,
        ..Case::RIGHT
    },
    Case {
        name: "a view with DISTINCT",
        sql: before_the_table!("CREATE VIEW processing_queue AS SELECT DISTINCT * FROM work"),
        expected: Expected::ReadOnly,
        ..Case::RIGHT
    },
    Case {
        name: "a view of a join",
        sql: before_the_table!(
            "CREATE VIEW processing_queue AS SELECT work.* FROM work
                LEFT JOIN documents ON documents.id = work.document_id"
        ),
        expected: Expected::ReadOnly,
        ..Case::RIGHT
    },
    Case {
        name: "a view that casts what would be changed",
        sql: before_the_table!(
            "CREATE VIEW processing_queue AS SELECT id, document_id, stage,
                (status || '')::text AS status, attempts, max_attempts, error_message, payload,
                created_at, started_at, completed_at FROM work"
        ),
        expected: Expected::ReadOnly,
        ..Case::RIGHT
    },
    Case {
        name: "a materialised view",
        sql: before_the_table!("CREATE MATERIALIZED VIEW processing_queue AS SELECT * FROM work"),
        expected: Expected::ReadOnly,
        ..Case::RIGHT
    },
    Case {
        name: "a generated status",
        sql: "ALTER TABLE processing_queue ADD state text;
              UPDATE processing_queue SET state = status;
              ALTER TABLE processing_queue DROP COLUMN status;
              ALTER TABLE processing_queue
                ADD status text GENERATED ALWAYS AS (lower(state)) STORED",
        expected: Expected::ReadOnly,
        ..Case::RIGHT
    },
    Case {
        name: "a view of SQLite without a trigger",
        engines: SQLITE,
        sql: before_the_table!("CREATE VIEW processing_queue AS SELECT * FROM work"),
        expected: Expected::ReadOnly,
        ..Case::RIGHT
    },
];

const OF_SQLITE: [Case; 2] = [
    Case {
        name: "a view whose changes a trigger carries out",
        engines: SQLITE,
        sql: before_the_table!(
            "CREATE VIEW processing_queue AS SELECT * FROM work;
             CREATE TRIGGER change INSTEAD OF UPDATE ON processing_queue BEGIN
                UPDATE work SET status = NEW.status, attempts = NEW.attempts, payload = NEW.payload,
                    started_at = NEW.started_at, completed_at = NEW.completed_at WHERE id = OLD.id;
             END"
        ),
        ..Case::RIGHT
    },
    Case {
        name: "a generated status in SQLite",
        engines: SQLITE,
        sql: "DROP INDEX uq_queue_active;
              ALTER TABLE processing_queue RENAME COLUMN status TO state;
              ALTER TABLE processing_queue ADD status TEXT AS (lower(state)) VIRTUAL",
        expected: Expected::ReadOnly,
        ..Case::RIGHT
    },
];

#[tokio::test]
async fn views_and_partitions_that_can_be_changed_are() {
    judge_all(&UPDATABLE).await;
}

#[tokio::test]
async fn what_cannot_be_changed_is_read_and_said_to_be_so() {
    judge_all(&READ_ONLY).await;
}

#[tokio::test]
async fn views_of_sqlite_are_changed_by_their_triggers() {
    judge_all(&OF_SQLITE).await;
}

/// The indexes lie under the view, but no statement can use them.
#[tokio::test]
async fn indexes_that_a_view_keeps_from_use_are_not_all_there() {
    let case = Case {
        sql: before_the_table!(
            "CREATE VIEW processing_queue AS SELECT id, document_id, (stage || '')::text AS stage,
                (status || '')::text AS status, attempts, max_attempts, error_message, payload,
                created_at, started_at, completed_at FROM work"
        ),
        ..Case::RIGHT
    };
    let database = Database::create(Engine::Indexed).await;
    let mut table = Table::within(database, case, Engine::Postgres).await;
    super::judge::numbers(&table, &table.serve(""));
    let (_, text) = table.text_of_check("", false).await;
    let line = text
        .lines()
        .find(|line| line.contains("indexes"))
        .unwrap_or_default();
    assert!(!line.contains("are there"), "{text}");
}

/// What `indexes` prints for a partitioned queue makes indexes that are whole.
#[tokio::test]
async fn a_partitioned_queue_gets_its_indexes() {
    const INDEXES: &str = "SELECT CAST(indisvalid AS text) FROM pg_index
        JOIN pg_class ON pg_class.oid = indexrelid
        WHERE relname LIKE 'queueboard%' AND indrelid = 'processing_queue'::regclass";
    for case in UPDATABLE
        .iter()
        .filter(|case| case.name.contains("partitioned"))
    {
        let mut table = Table::of(*case, Engine::Indexed).await;
        let indexes = table.database.texts(INDEXES).await;
        assert!(indexes.len() >= 3, "{}: {indexes:?}", case.name);
        assert!(indexes.iter().all(|valid| valid == "true"), "{}", case.name);
    }
}
