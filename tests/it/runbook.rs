use std::collections::BTreeSet;
use std::path::Path;

use tempfile::TempDir;

use crate::support::{
    Alertmanager, Database, Engine, Exporter, Options, Prometheus, TOKEN, get, pipe,
    repository_file, run,
};

const RUNBOOK: &str = "alerts/RUNBOOK.md";

/// What the commands stand in: a command that is refused or finds no page is an error, one that
/// finds no line is none, and what belongs to a real machine is left out.
const SHELL: &str = r#"
set -euo pipefail
curl() { command curl --fail "$@"; }
grep() { command grep "$@" || [ $? = 1 ]; }
psql() { command psql -v ON_ERROR_STOP=1 "$@"; }
systemctl() { :; }; journalctl() { :; }; ssh() { :; }; ping() { :; }
"#;

/// A Prometheus as the README sets one up.
const PROMETHEUS: &str = "\
scrape_configs:
  - job_name: queueboard
    static_configs: [{targets: [\"localhost:9886\"]}]
";

/// Returns the blocks of the runbook in a language, each between its fences.
fn blocks(language: &str) -> Vec<String> {
    let runbook = repository_file(RUNBOOK);
    let fenced = runbook.split("```").skip(1).step_by(2);
    let blocks = fenced.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n'));
    blocks.map(str::to_owned).collect()
}

/// Returns what stands between backticks in the runbook's sentences.
fn spans() -> Vec<String> {
    let runbook = repository_file(RUNBOOK);
    let sentences: String = runbook.split("```").step_by(2).collect();
    let spans = sentences.split('`').skip(1).step_by(2);
    spans.map(str::to_owned).collect()
}

/// The pipeline's database, full, and an exporter of it.
async fn pipeline() -> (Database, Exporter) {
    let mut database = Database::create(Engine::Postgres).await;
    let now = chrono::DateTime::from_timestamp(1_795_500_000, 0).expect("an instant");
    let mut board = crate::random::board(6, 300, now, chrono_tz::Tz::UTC);
    board.jobs.get_or_insert_default();
    database.load(&board).await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    (database, exporter)
}

#[tokio::test]
async fn every_command_of_the_runbook_runs() {
    let (database, exporter) = pipeline().await;
    let alertmanager = Alertmanager::start(&repository_file("alerts/alertmanager.example.yml"));
    let folder = TempDir::new().expect("a folder");
    let at = folder.path();
    for (name, text) in [("token", TOKEN), ("prometheus.yml", PROMETHEUS)] {
        std::fs::write(at.join(name), text).expect("a file");
    }
    let binary = Path::new(env!("CARGO_BIN_EXE_queueboard-exporter"));
    let setting = format!(
        "{SHELL}\namtool() {{ command amtool --alertmanager.url=http://{} \"$@\"; }}\ncd {}\n\
         export PATH={}:$PATH DATABASE_URL='{}'\n",
        alertmanager.address(),
        at.display(),
        binary.parent().expect("its folder").display(),
        database.url()
    );
    let here = |block: String| {
        block
            .replace("localhost:9886", &exporter.metrics.to_string())
            .replace("localhost:9887", &exporter.admin.to_string())
            .replace("the-proxy", &exporter.metrics.to_string())
            .replace("/etc/prometheus/", "")
    };
    let commands = blocks("sh").into_iter().map(here);
    let statements = blocks("sql").into_iter();
    let statements =
        statements.map(|block| format!("psql \"$DATABASE_URL\" <<'SQL'\n{block}SQL\n"));
    let all: Vec<String> = commands.chain(statements).collect();
    assert!(all.len() > 20, "{}", all.len());
    for block in all {
        pipe("bash", &["-c", &format!("{setting}{block}")], "");
    }
}

#[tokio::test]
async fn prometheus_answers_every_query_of_the_runbook() {
    let (_database, exporter) = pipeline().await;
    let target = exporter.metrics.to_string();
    let prometheus = Prometheus::start(&PROMETHEUS.replace("localhost:9886", &target), &[]);
    let readme = repository_file("README.md");
    let lines = blocks("promql").join("");
    let queries = lines.lines().map(str::to_owned);
    let is_query = |span: &String| span.contains("_seconds") || span.contains("queueboard_");
    let queries: Vec<String> = queries
        .chain(spans().into_iter().filter(is_query))
        .collect();
    assert!(queries.len() > 15, "{}", queries.len());
    for query in queries {
        let parameter: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let path = format!("/api/v1/query?query={parameter}");
        let answer = get(prometheus.address(), &path, &[]);
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        let words = query.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        for word in words.filter(|word| word.starts_with("queueboard_")) {
            assert!(readme.contains(&format!("| `{word}` |")), "{query}: {word}");
        }
    }
}

/// What the sentences name is there, and commands stand in blocks, where they are run.
#[test]
fn the_runbook_names_flags_and_files_that_exist() {
    const RUN: [&str; 5] = ["amtool ", "curl ", "promtool ", "SELECT ", "VACUUM "];
    let help = String::from_utf8(run(&["--help"], &[]).stdout).expect("a text");
    let known: BTreeSet<&str> = help.split_whitespace().collect();
    let spans = spans();
    for span in &spans {
        let is_run = RUN.iter().any(|command| span.starts_with(command));
        assert!(!is_run, "not in a block: {span}");
    }
    let words = spans.iter().flat_map(|span| span.split_whitespace());
    let flags = words.clone().filter(|word| word.starts_with("--"));
    let flags: BTreeSet<&str> = flags.collect();
    assert!(flags.len() > 2 && flags.is_subset(&known), "{flags:?}");
    let files: Vec<&str> = words.filter(|word| word.starts_with("deploy/")).collect();
    assert!(!files.is_empty());
    for file in files {
        repository_file(file);
    }
    let languages = ["sh", "sql", "promql"].map(|language| blocks(language).len());
    let fences = repository_file(RUNBOOK).matches("```").count();
    assert_eq!(languages.iter().sum::<usize>() * 2, fences);
}
