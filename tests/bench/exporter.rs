//! The release binary, run as its users run it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::scrapes::Scraper;
use crate::zone::Zone;

const BINARY: &str = env!("CARGO_BIN_EXE_queueboard-exporter");

/// A scrape is warm after this many: the server makes up its mind about a prepared statement
/// with the sixth.
const WARM_UP: usize = 8;

/// A running exporter with all collectors on; it is stopped when dropped.
pub(crate) struct Exporter {
    child: Child,
    pub address: SocketAddr,
    _log: BufReader<ChildStderr>,
    _configuration: tempfile::NamedTempFile,
}

impl Exporter {
    pub(crate) fn serve(database_url: &str, zone: &Zone) -> Result<Self> {
        Self::serve_with(database_url, zone, &[])
    }

    /// Serves with more flags.
    pub(crate) fn serve_with(database_url: &str, zone: &Zone, flags: &[&str]) -> Result<Self> {
        let configuration = tempfile::NamedTempFile::new()?;
        std::fs::write(configuration.path(), zone.configuration())?;
        let mut child = Command::new(BINARY)
            .env_clear()
            .args(["--database-url", database_url, "--collector.current"])
            .arg("--web.listen-address=127.0.0.1:0")
            .arg("--config.file")
            .arg(configuration.path())
            .args(flags)
            .stderr(Stdio::piped())
            .spawn()?;
        let mut log = BufReader::new(child.stderr.take().context("no log")?);
        let address = address(&mut log)?;
        Ok(Self {
            child,
            address,
            _log: log,
            _configuration: configuration,
        })
    }

    /// Returns a client whose scrapes find connections and prepared statements.
    pub(crate) fn warm(&self) -> Result<Scraper> {
        let mut scraper = Scraper::connect(self.address)?;
        for _ in 0..WARM_UP {
            scraper.scrape()?;
        }
        Ok(scraper)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn address(log: &mut impl BufRead) -> Result<SocketAddr> {
    let mut all = String::new();
    loop {
        let mut line = String::new();
        if log.read_line(&mut line)? == 0 {
            bail!("the exporter ended:\n{all}");
        }
        if let Some((_, address)) = line.trim_end().rsplit_once("address=") {
            return Ok(address.parse()?);
        }
        all += &line;
    }
}

/// Runs the statements that the exporter proposes: `queueboard-exporter indexes | psql`.
pub(crate) fn indexes(database_url: &str) -> Result<()> {
    let mut exporter = Command::new(BINARY)
        .args(["indexes", "--database-url", database_url])
        .env_clear()
        .stdout(Stdio::piped())
        .spawn()?;
    let statements = exporter.stdout.take().context("no statements")?;
    let psql = Command::new("psql")
        .args(["-q", "-v", "ON_ERROR_STOP=1", database_url])
        .stdin(statements)
        .status()?;
    ensure!(exporter.wait()?.success() && psql.success(), "no indexes");
    Ok(())
}

/// Returns the size of the binary in bytes.
pub(crate) fn size() -> Result<u64> {
    Ok(Path::new(BINARY).metadata()?.len())
}
