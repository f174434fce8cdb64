use std::path::{Path, PathBuf};

/// What each room may not know: judging and rendering touch nothing outside, and nobody but the
/// binary knows the command line.
const FORBIDDEN: [(&str, &[&str]); 7] = [
    (
        "judge",
        &[
            "sqlx",
            "tokio",
            "tracing",
            "hyper",
            "std::env",
            "std::fs",
            "std::time",
            "Utc::now",
            "crate::source",
            "crate::collect",
            "crate::render",
            "crate::http",
            "crate::telemetry",
            "crate::exporter",
            "crate::demo",
            "crate::cli",
        ],
    ),
    (
        "render",
        &[
            "sqlx",
            "tokio",
            "tracing",
            "hyper",
            "std::env",
            "std::fs",
            "std::time",
            "Utc::now",
            "crate::source",
            "crate::collect",
            "crate::snapshot",
            "crate::http",
            "crate::telemetry",
            "crate::config",
            "crate::exporter",
            "crate::demo",
            "crate::cli",
        ],
    ),
    (
        "admin",
        &[
            "crate::render",
            "crate::http",
            "crate::collect",
            "crate::cli",
            "crate::demo",
        ],
    ),
    ("snapshot", &["crate::"]),
    ("windows", &["crate::"]),
    ("telemetry", &["crate::"]),
    (
        "source",
        &[
            "crate::judge",
            "crate::render",
            "crate::http",
            "crate::config",
            "crate::cli",
        ],
    ),
];

#[test]
fn the_forbidden_arrows_are_not_drawn() {
    for (room, forbidden) in FORBIDDEN {
        let files = files_of(room);
        assert!(!files.is_empty(), "there is no room {room}");
        for file in files {
            let text = std::fs::read_to_string(&file).expect("a source file");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for (number, line) in code.lines().enumerate() {
                let line = line.split("//").next().unwrap_or_default();
                let arrow = forbidden.iter().find(|arrow| line.contains(**arrow));
                let place = format!("{}:{}", file.display(), number + 1);
                assert_eq!(arrow, None, "{place}: {room} may not know that: {line}");
            }
        }
    }
}

#[test]
fn nothing_but_the_binary_knows_the_command_line() {
    for file in rust_files(&source()) {
        let text = std::fs::read_to_string(&file).expect("a source file");
        let mut code = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let knows = code.any(|line| line.contains("crate::cli"));
        let is_cli = file.starts_with(source().join("cli")) || file.ends_with("cli.rs");
        let is_binary = file.ends_with("main.rs") || file.ends_with("lib.rs");
        assert!(is_cli || is_binary || !knows, "{}", file.display());
    }
}

/// What only the room of faults may say: it alone knows what a database error means.
const OF_FAULTS: [&str; 4] = [
    ".code()",
    "as_database_error",
    "sqlx::Error::Database",
    "DatabaseError>",
];

#[test]
fn the_codes_of_a_database_are_read_in_one_room() {
    let room = files_of("source/fault");
    let others = rust_files(&source())
        .into_iter()
        .filter(|file| !room.contains(file));
    for file in others {
        let text = std::fs::read_to_string(&file).expect("a source file");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for line in code.lines() {
            let read = OF_FAULTS.iter().find(|word| line.contains(**word));
            assert_eq!(read, None, "{}: {line}", file.display());
        }
    }
}

fn files_of(room: &str) -> Vec<PathBuf> {
    let mut files = rust_files(&source().join(room));
    files.extend(Some(source().join(format!("{room}.rs"))).filter(|file| file.exists()));
    files
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                rust_files(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}
