use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::board;
use crate::rows::Rows;
use crate::support::{Database, Engine, Exporter, Options};

/// A file that an exporter serves, and another one that may take its place.
struct Files {
    /// It keeps the clock.
    _old: Database,
    new: Database,
    root: TempDir,
    exporter: Exporter,
}

const OLD: f64 = 60.0;
const NEW: f64 = 7.0;

impl Files {
    async fn serve() -> Self {
        let root = TempDir::new().expect("a folder");
        let folder = root.path().join("data");
        std::fs::create_dir(&folder).expect("a folder");
        let (old, new) = (of_rows(OLD).await, of_rows(NEW).await);
        let path = folder.join("pipeline.db");
        copy(&old, &path);
        let options = Options {
            clock: old.clock(),
            ..Options::default()
        };
        let exporter = Exporter::serve(&format!("sqlite://{}", path.display()), &options);
        let files = Self {
            _old: old,
            new,
            root,
            exporter,
        };
        assert_eq!(files.shown(), Some(OLD));
        files
    }

    fn folder(&self) -> PathBuf {
        self.root.path().join("data")
    }

    fn path(&self) -> PathBuf {
        self.folder().join("pipeline.db")
    }

    /// Returns how many rows it says are failed; none when it is not up, or the collector failed.
    fn shown(&self) -> Option<f64> {
        let page = self.exporter.scrape();
        let items = r#"queueboard_stage_items{machine="gpu",stage="stt",status="failed"}"#;
        let shown = page.get(items).copied();
        let is_up = page["queueboard_up"] == 1.0;
        assert!(
            is_up || shown.is_none(),
            "it is not up, but shows {shown:?}"
        );
        shown
    }

    /// The old numbers are never shown again, and the new ones soon.
    fn shows_the_new_file(&self) {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            match self.shown() {
                Some(shown) if shown == NEW => return,
                None => {}
                shown => panic!("{shown:?} is shown"),
            }
            let log = self.exporter.log();
            assert!(Instant::now() < until, "the new file is not read:\n{log}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Nothing is shown, however often it is asked, and nothing is made in its place.
    fn shows_nothing(&self) {
        for _ in 0..3 {
            let page = self.exporter.page();
            assert!(page.text().contains("queueboard_up 0"), "{}", page.text());
            assert_eq!(self.shown(), None);
        }
        assert_eq!(self.exporter.overview().status, 503);
        assert!(!self.path().exists(), "it made a file of its own");
    }
}

/// A database with so many failed rows.
async fn of_rows(how_many: f64) -> Database {
    let mut database = Database::create(Engine::Sqlite).await;
    let empty = Rows {
        documents: vec![],
        queue: vec![],
        jobs: None,
        ..board::board()
    };
    database.load(&empty).await;
    database
        .run(&format!(
            "INSERT INTO processing_queue (id, document_id, stage, status, created_at)
             WITH RECURSIVE numbers AS
                (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < {how_many})
             SELECT n, n, 'stt', 'failed', '2020-01-01T00:00:00Z' FROM numbers"
        ))
        .await;
    database
}

fn copy(database: &Database, path: &Path) {
    let file = database.url().trim_start_matches("sqlite://");
    std::fs::copy(file, path).expect("the database is copied");
}

#[tokio::test]
async fn a_file_that_another_replaces_is_the_other() {
    let files = Files::serve().await;
    let other = files.root.path().join("other.db");
    copy(&files.new, &other);
    std::fs::rename(&other, files.path()).expect("it takes the other's place");
    files.shows_the_new_file();
}

#[tokio::test]
async fn a_file_that_is_removed_is_unknown_until_there_is_one() {
    let files = Files::serve().await;
    std::fs::remove_file(files.path()).expect("it is removed");
    files.shows_nothing();
    copy(&files.new, &files.path());
    files.shows_the_new_file();
}

#[tokio::test]
async fn a_folder_that_another_replaces_is_the_other() {
    let files = Files::serve().await;
    let other = files.root.path().join("other");
    std::fs::create_dir(&other).expect("a folder");
    copy(&files.new, &other.join("pipeline.db"));
    std::fs::rename(files.folder(), files.root.path().join("before")).expect("it is moved away");
    std::fs::rename(&other, files.folder()).expect("it takes the other's place");
    files.shows_the_new_file();
}

#[tokio::test]
async fn a_folder_that_is_moved_away_is_unknown() {
    let files = Files::serve().await;
    std::fs::rename(files.folder(), files.root.path().join("before")).expect("it is moved away");
    files.shows_nothing();
}

#[tokio::test]
async fn a_file_in_the_same_place_with_a_journal_of_its_own_is_the_other() {
    let mut files = Files::serve().await;
    files.new.run("PRAGMA journal_mode = WAL").await;
    let other = files.root.path().join("other.db");
    copy(&files.new, &other);
    std::fs::rename(&other, files.path()).expect("it takes the other's place");
    files.shows_the_new_file();
}

/// What is changed is what stands there now, and never the file that is gone.
#[tokio::test]
async fn an_action_changes_the_file_that_stands_there() {
    for action in ["retry", "skip"] {
        let files = Files::serve().await;
        let (path, gone) = (
            format!("/api/queue/{action}"),
            files.root.path().join("gone.db"),
        );
        // The connection that acts is made before the file is replaced.
        assert_eq!(files.exporter.act(&path, r#"{"ids": [1]}"#).status, 200);
        std::fs::rename(files.path(), &gone).expect("it is moved away");
        copy(&files.new, &files.path());
        let answer = files.exporter.act(&path, r#"{"ids": [2]}"#);
        if answer.status == 200 {
            assert_eq!(
                failed(&files.path()).await,
                NEW as usize - 1,
                "{}",
                answer.text()
            );
        } else {
            assert!(
                answer.text().contains("nothing was changed"),
                "{}",
                answer.text()
            );
        }
        assert_eq!(failed(&gone).await, OLD as usize - 1, "{action}");
    }
}

async fn failed(path: &Path) -> usize {
    use sqlx::{ConnectOptions, Row};
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = options.connect().await.expect("a database");
    let query = sqlx::query("SELECT count(*) FROM processing_queue WHERE status = 'failed'");
    let row = query.fetch_one(&mut connection).await.expect("a number");
    usize::try_from(row.get::<i64, _>(0)).expect("a number")
}
