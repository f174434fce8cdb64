//! Scrapes as Prometheus makes them, over one connection that is kept alive.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use flate2::read::GzDecoder;

const REQUEST: &str = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\
    User-Agent: Prometheus/2.42.0\r\n\
    Accept: application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n\
    Accept-Encoding: gzip\r\n\
    X-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n";

/// A client of one exporter.
pub(crate) struct Scraper {
    connection: BufReader<TcpStream>,
}

/// A page, and how long it took from the request to its last byte.
pub(crate) struct Page {
    pub took: Duration,
    text: String,
}

impl Scraper {
    pub(crate) fn connect(exporter: SocketAddr) -> Result<Self> {
        let connection = TcpStream::connect(exporter)?;
        connection.set_nodelay(true)?;
        connection.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self {
            connection: BufReader::new(connection),
        })
    }

    pub(crate) fn scrape(&mut self) -> Result<Page> {
        let begun = Instant::now();
        self.ask()?;
        let body = self.answer()?;
        let took = begun.elapsed();
        let mut text = String::new();
        GzDecoder::new(&body[..]).read_to_string(&mut text)?;
        let failed = |line: &&str| {
            line.ends_with(" 0")
                && (line.starts_with("queueboard_up") || line.starts_with("queueboard_collector_s"))
        };
        let failed = text.lines().find(failed);
        ensure!(failed.is_none(), "a scrape failed: {failed:?}");
        Ok(Page { took, text })
    }

    pub(crate) fn ask(&mut self) -> Result<()> {
        Ok(self.connection.get_mut().write_all(REQUEST.as_bytes())?)
    }

    pub(crate) fn answer(&mut self) -> Result<Vec<u8>> {
        let mut length = None;
        let mut line = String::new();
        self.connection.read_line(&mut line)?;
        ensure!(line.contains(" 200 "), "a scrape was answered {line}");
        while line != "\r\n" {
            line.clear();
            ensure!(self.connection.read_line(&mut line)? > 0, "a half answer");
            let header = line.to_ascii_lowercase();
            if let Some(value) = header.strip_prefix("content-length:") {
                length = Some(value.trim().parse()?);
            }
        }
        let mut body = vec![0; length.context("no Content-Length")?];
        self.connection.read_exact(&mut body)?;
        Ok(body)
    }
}

impl Page {
    /// Returns the value of a series, given as it stands on the page.
    pub(crate) fn value(&self, series: &str) -> Result<f64> {
        let mut lines = self.text.lines();
        let value = lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        Ok(value.with_context(|| format!("no {series}"))?.parse()?)
    }
}
