//! One table in a database, and the commands that look at it.

use tempfile::NamedTempFile;

use super::board;
use super::case::{Case, Expected};
use crate::rows::Rows;
use crate::support::{Database, Engine, Exporter, Options, TOKEN, repository_file, run};

/// Where the pipeline's owner looks for names and makes tables, who knows of no other clock.
const PIPELINES_PATH: &str = "SET search_path = public, pg_catalog";

/// Where the tests look for names.
const TESTS_PATH: &str = "SET search_path = clock, pg_catalog, public";

/// A table in a database, and the board that it should show.
pub(super) struct Table {
    pub case: Case,
    pub engine: Engine,
    pub database: Database,
    pub rows: Rows,
    pub reader: String,
    pub operator: String,
}

impl Table {
    /// Makes the table of a case.
    pub(super) async fn of(case: Case, engine: Engine) -> Self {
        // The indexes are those that this table is said to take.
        let plain = match engine {
            Engine::Indexed => Engine::Postgres,
            engine => engine,
        };
        Self::within(Database::create(plain).await, case, engine).await
    }

    /// Makes the table of a case in a database.
    pub(super) async fn within(mut database: Database, case: Case, engine: Engine) -> Self {
        let mut rows = board::board();
        if engine != Engine::Sqlite {
            database.run(PIPELINES_PATH).await;
        }
        database.load(&rows).await;
        database
            .run(
                "UPDATE processing_queue SET attempts = 3, error_message = 'Error ' || id
                 WHERE status = 'failed'",
            )
            .await;
        (case.rows)(&mut rows);
        let url = database.url().to_owned();
        let mut table = Self {
            case,
            engine,
            database,
            rows,
            reader: url.clone(),
            operator: url,
        };
        table.script(case.sql).await;
        if case.roles {
            table.make_roles().await;
        }
        if engine == Engine::Indexed {
            table.add_indexes().await;
        }
        table
    }

    /// Runs a script as the owner of the tables would.
    pub(super) async fn script(&mut self, sql: &str) {
        if self.engine == Engine::Sqlite {
            return self.database.run(sql).await;
        }
        let clock =
            "GRANT USAGE ON SCHEMA clock TO PUBLIC; GRANT SELECT ON clock.instant TO PUBLIC";
        self.database.run(clock).await;
        self.database.run(PIPELINES_PATH).await;
        self.database.run(sql).await;
        self.database.run(TESTS_PATH).await;
    }

    /// Runs `deploy/roles.sql`, whose roles would be those of every other database too.
    async fn make_roles(&mut self) {
        let (reader, operator) = (self.role("reader"), self.role("operator"));
        let script = repository_file("deploy/roles.sql");
        let script = script.replace("queueboard_reader", &reader);
        self.script(&script.replace("queueboard_operator", &operator))
            .await;
        self.reader = self.url_of(&reader);
        self.operator = self.url_of(&operator);
    }

    /// Returns the name of a role that no other database has.
    pub(super) fn role(&self, what: &str) -> String {
        let name = self.database.url().rsplit('/').next();
        let name = name.and_then(|rest| rest.split('?').next());
        format!("{what}_of_{}", name.expect("a database's name"))
    }

    /// Returns the URL under which a role reads the table.
    pub(super) fn url_of(&self, role: &str) -> String {
        let url = self.database.url();
        url.replace("postgres@", &format!("{role}@"))
    }

    /// Runs what `indexes` prints for this very table, one statement after another.
    async fn add_indexes(&mut self) {
        let configuration = match self.case.expected {
            // Nobody can print indexes for words that are not said yet.
            Expected::Refused(refusal) if !refusal.mend.1.is_empty() => refusal.mend.1,
            _ => self.case.configuration,
        };
        let (is_good, text) = self.command("indexes", configuration, false);
        assert!(is_good, "indexes: {text}");
        let name = self.case.name;
        self.database.run(PIPELINES_PATH).await;
        for statement in text.split_inclusive(";\n") {
            let refusal = self.database.refusal(statement).await;
            assert_eq!(refusal, None, "{name}: the table does not take {statement}");
        }
        self.database.run(TESTS_PATH).await;
    }

    /// Runs a command; returns whether it was content, and what it printed.
    fn command(&self, command: &str, configuration: &str, acts: bool) -> (bool, String) {
        let file = NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), configuration).expect("the configuration is written");
        let file = file.path().display().to_string();
        let arguments = [
            command,
            "--database-url",
            &self.reader,
            "--config.file",
            &file,
        ];
        let environment = [
            ("QUEUEBOARD_ADMIN_TOKEN", TOKEN),
            ("QUEUEBOARD_ADMIN_DATABASE_URL", self.operator.as_str()),
        ];
        let output = run(&arguments, if acts { &environment } else { &[] });
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(
            matches!(output.status.code(), Some(0 | 1)),
            "{command}: {text}"
        );
        (output.status.success(), text)
    }

    /// Runs `check`; returns whether it found nothing broken, and what it said of what is.
    pub(super) async fn check(&mut self, configuration: &str, acts: bool) -> (bool, String) {
        let (is_sound, text) = self.text_of_check(configuration, acts).await;
        let broken = broken(&text);
        assert_eq!(is_sound, broken.is_empty(), "{text}");
        (is_sound, broken)
    }

    /// Runs `check`; returns whether it found nothing broken, and all that it said.
    pub(super) async fn text_of_check(
        &mut self,
        configuration: &str,
        acts: bool,
    ) -> (bool, String) {
        let now = self.rows.now;
        if self.engine != Engine::Sqlite {
            // It may compare the clocks, and the test's stands still.
            self.database
                .run("UPDATE clock.instant SET at = NULL")
                .await;
        }
        let found = self.command("check", configuration, acts);
        self.database.set_clock(now).await;
        found
    }

    /// Serves the table.
    pub(super) fn serve(&self, configuration: &str) -> Exporter {
        let mut arguments = vec![
            "--collector.current".to_owned(),
            "--collector.current.titles".to_owned(),
        ];
        if self.operator != self.reader {
            arguments.push(format!("--admin.database-url={}", self.operator));
        }
        let options = Options {
            arguments,
            configuration: Some(configuration.to_owned()),
            clock: self.database.clock(),
        };
        Exporter::serve(&self.reader, &options)
    }
}

/// Returns the findings of what is broken, with what stands below each.
fn broken(text: &str) -> String {
    let mut is_broken = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        is_broken = line.starts_with("BROKEN") || (is_broken && line.starts_with(' '));
        lines.extend(is_broken.then_some(line));
    }
    lines.join("\n")
}
