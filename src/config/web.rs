//! The web configuration file, in the format that exporters share: TLS, passwords, headers.

mod clients;
mod demands;
mod files;
mod headers;
mod tls;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use bcrypt::HashParts;
use hyper::header::{HeaderName, HeaderValue};
use serde::Deserialize;

use super::file::{self, Name, Spanned};
use super::validate::Refusal;

use files::Files;
use tls::Tls;

/// How the listeners are reached; without a file, in plain HTTP and by everybody.
#[derive(Debug, Default)]
pub struct Web {
    /// How TLS is spoken, if it is.
    pub tls: Option<Tls>,
    /// Headers that every answer has.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The bcrypt hash of each user's password.
    pub users: BTreeMap<String, String>,
    files: Files,
}

/// The whole file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    tls_server_config: Option<Spanned<tls::Section>>,
    http_server_config: Option<headers::Section>,
    basic_auth_users: Option<BTreeMap<String, Name>>,
}

/// Reads a web configuration file and the files that it names, relative to its own folder.
///
/// # Errors
///
/// One line with the file, the place and the reason.
pub fn load(path: &Path) -> anyhow::Result<Web> {
    let mut files = Files::beside(path);
    let text = files.read_text(path);
    let text =
        text.with_context(|| format!("reading the web configuration file {}", path.display()))?;
    let web = parse(&text, &mut files);
    let web = web.map_err(|refusal| anyhow::anyhow!("{}:{refusal}", path.display()))?;
    Ok(Web { files, ..web })
}

fn parse(text: &str, files: &mut Files) -> Result<Web, Refusal> {
    let file: File = file::parse(text)?;
    let tls = file.tls_server_config.as_ref();
    Ok(Web {
        tls: tls.map(|section| tls::load(section, files)).transpose()?,
        headers: headers::headers(&file.http_server_config.unwrap_or_default())?,
        users: users(file.basic_auth_users.unwrap_or_default())?,
        files: Files::default(),
    })
}

fn users(users: BTreeMap<String, Name>) -> Result<BTreeMap<String, String>, Refusal> {
    let checked = users.into_iter().map(|(user, hash)| {
        if user.contains(':') {
            let reason = format!("user `{user}`: a name with a colon cannot be sent");
            return Err(Refusal::at(&hash, reason));
        }
        let cost = hash
            .value
            .parse::<HashParts>()
            .map(|parts| parts.get_cost());
        if !cost.is_ok_and(|cost| (4..=31).contains(&cost)) {
            let reason = format!(
                "user `{user}`: this is no bcrypt hash; make one with `htpasswd -nBC 10 {user}`"
            );
            return Err(Refusal::at(&hash, reason));
        }
        Ok((user, hash.value))
    });
    checked.collect()
}

impl Web {
    /// Returns whether a file that this was read from is no longer what it was.
    pub fn is_outdated(&self) -> bool {
        self.files.have_changed()
    }

    /// Returns whether this asks less of a client than another does: no TLS, no certificate or no
    /// password any more.
    pub fn opens(&self, other: &Self) -> bool {
        let asks = |web: &Self| {
            [
                web.tls.is_some(),
                web.tls.as_ref().is_some_and(|tls| tls.demands.required),
                !web.users.is_empty(),
            ]
        };
        asks(self)
            .into_iter()
            .zip(asks(other))
            .any(|(now, before)| before && !now)
    }

    /// Returns whether a connection that began under another may not have begun under this.
    pub fn closes(&self, other: &Self) -> bool {
        match (&self.tls, &other.tls) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(now), Some(before)) => now.demands.exceed(&before.demands),
        }
    }
}
