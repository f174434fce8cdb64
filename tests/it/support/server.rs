//! A PostgreSQL server of a test's own, to be stopped and started.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A server; it is stopped, and its data removed, when dropped.
pub(crate) struct Server {
    folder: TempDir,
    port: u16,
    language: &'static str,
}

impl Server {
    /// Makes a server with further settings and starts it.
    pub(crate) fn start_new(settings: &str) -> Self {
        Self::start_speaking("", settings)
    }

    /// Makes one whose messages are in a language, where PostgreSQL's translations are installed.
    pub(crate) fn start_speaking(language: &'static str, settings: &str) -> Self {
        let mut server = Self::prepare();
        server.language = language;
        // The locale C is in no language but English.
        let settings = &format!("lc_messages = 'C.UTF-8'\n{settings}");
        let initdb = ["-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8"];
        run(program("initdb")
            .args(initdb)
            .arg("--locale=C")
            .arg("-D")
            .arg(server.data()));
        let settings = format!("fsync = off\nlisten_addresses = '127.0.0.1'\n{settings}");
        server.configure(&settings);
        server.start();
        server
    }

    /// Makes a hot standby of this server and starts it.
    pub(crate) fn standby(&self, settings: &str) -> Self {
        let standby = Self::prepare();
        let primary = format!("{}/postgres", self.url());
        let mut backup = program("pg_basebackup");
        backup.args([
            "-R",
            "-X",
            "stream",
            "-c",
            "fast",
            "--no-sync",
            "-d",
            &primary,
            "-D",
        ]);
        run(backup.arg(standby.data()));
        standby.configure(settings);
        standby.start();
        standby
    }

    fn prepare() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(folder.path()));
        }
        Self {
            folder,
            port: free_port(),
            language: "",
        }
    }

    fn configure(&self, settings: &str) {
        use std::io::Write;
        let file = self.data().join("postgresql.conf");
        let file = std::fs::OpenOptions::new().append(true).open(file);
        let mut file = file.expect("the server's settings");
        let (port, folder) = (self.port, self.folder.path().display());
        let own = format!("port = {port}\nunix_socket_directories = '{folder}'\n{settings}");
        file.write_all(own.as_bytes()).expect("they are written");
    }

    /// Starts it, and waits until it answers.
    pub(crate) fn start(&self) {
        run(self
            .control("start")
            .arg("-w")
            .arg("-l")
            .arg(self.folder.path().join("log")));
    }

    /// Stops it, as if it had crashed.
    pub(crate) fn stop(&self) {
        run(&mut self.control("stop"));
    }

    /// Returns its URL, to which a database's name is added.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@{}", self.address())
    }

    /// Returns its address.
    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn control(&self, action: &str) -> Command {
        let mut control = program("pg_ctl");
        control
            .env("LANGUAGE", self.language)
            .args(["-s", "-m", "immediate", action, "-D"])
            .arg(self.data());
        control
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been stopped already.
        let _ = self.control("stop").stderr(Stdio::null()).status();
    }
}

/// Returns a port that nothing listens on.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").port()
}

/// Returns whether the tests run as root, as whom no server of PostgreSQL's world will run.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// Prepares to run a program as a user who may run servers.
pub(crate) fn unprivileged(program: &Path) -> Command {
    let mut command = Command::new(program);
    if is_root() {
        command = Command::new("setpriv");
        command
            .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
            .arg(program);
    }
    command.current_dir("/");
    command
}

/// One of the newest PostgreSQL's programs.
fn program(name: &str) -> Command {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL; use tests/run");
    let versions = versions
        .flatten()
        .map(|entry| entry.path().join("bin").join(name));
    let number = |path: &PathBuf| {
        path.iter()
            .nth(4)
            .and_then(|n| n.to_str()?.parse::<u32>().ok())
    };
    let newest = versions.filter(|path| path.exists()).max_by_key(number);
    unprivileged(&newest.expect("PostgreSQL's programs; use tests/run"))
}

fn run(command: &mut Command) {
    let output = command.stdout(Stdio::null()).status();
    assert!(
        output.is_ok_and(|status| status.success()),
        "{command:?} failed"
    );
}
