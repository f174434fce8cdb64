//! Credentials as they are sent, and who may use the admin listener: whoever has the token.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use subtle::ConstantTimeEq;

/// How many characters a name has at most in the log.
const MAX_NAME: usize = 100;

/// How many characters a token has at least: fewer can be guessed.
const MIN_TOKEN: usize = 16;

/// The secret that opens the admin listener; it is never printed.
pub struct Token(String);

impl Token {
    /// Takes a token; white space around it is not part of it.
    ///
    /// # Errors
    ///
    /// A token that is empty, which would open the listener to everybody, or that can be guessed.
    pub fn new(text: &str) -> anyhow::Result<Self> {
        let token = text.trim();
        let length = match token.chars().count() {
            0 => "empty".to_owned(),
            length => format!("shorter than {MIN_TOKEN} characters, it has {length}"),
        };
        anyhow::ensure!(
            token.chars().count() >= MIN_TOKEN,
            "the admin token is {length}: `openssl rand -hex 24` makes one that nobody guesses"
        );
        Ok(Self(token.to_owned()))
    }

    /// Returns who sends an `Authorization` header that holds the token: the user of Basic, whose
    /// password it is, or whoever has it as Bearer. Nobody, when it holds anything else.
    pub fn actor(&self, authorization: Option<&str>) -> Option<String> {
        let authorization = authorization?;
        let (scheme, value) = authorization.split_once(' ')?;
        if scheme.eq_ignore_ascii_case("bearer") {
            return self.is(value.trim().as_bytes()).then(|| "token".to_owned());
        }
        let (user, password) = basic(authorization)?;
        self.is(&password).then(|| sayable(&user))
    }

    fn is(&self, candidate: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(candidate).into()
    }
}

/// Returns the `Authorization` header of a request, empty if it is no text.
pub fn sent(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?;
    Some(value.to_str().unwrap_or_default())
}

/// Returns the user and the password of an `Authorization` header of the scheme Basic.
pub fn basic(authorization: &str) -> Option<(String, Vec<u8>)> {
    let (scheme, value) = authorization.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = STANDARD.decode(value.trim()).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    let user = String::from_utf8_lossy(&pair[..colon]).into_owned();
    Some((user, pair[colon + 1..].to_vec()))
}

/// Returns a name as it may stand in the log, whoever sent it.
pub fn sayable(name: &str) -> String {
    let name = name.trim().chars().take(MAX_NAME);
    name.map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_is_admitted() {
        let token = Token::new("correct-horse-battery\n").expect("a token");
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        for (header, admitted) in [
            ("Bearer correct-horse-battery".to_owned(), Some("token")),
            ("bearer correct-horse-battery".to_owned(), Some("token")),
            (basic("kim:correct-horse-battery"), Some("kim")),
            (basic(":correct-horse-battery"), Some("")),
            (basic("a\nb:correct-horse-battery"), Some("a\u{fffd}b")),
            (basic("kim:correct-horse-batter"), None),
            (basic("correct-horse-battery"), None),
            (basic("correct-horse-battery:"), None),
            ("Bearer correct-horse-batter".to_owned(), None),
            ("Bearer correct-horse-batterys".to_owned(), None),
            ("Bearer ".to_owned(), None),
            ("Bearer".to_owned(), None),
            ("Digest correct-horse-battery".to_owned(), None),
            ("correct-horse-battery".to_owned(), None),
            ("Basic !!!".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(token.actor(Some(&header)).as_deref(), admitted, "{header}");
        }
        assert_eq!(token.actor(None), None);
        assert!(Token::new(" \n").is_err());
    }
}
