//! Who may use the admin listener: whoever has the token.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;

/// The secret that opens the admin listener; it is never printed.
pub struct Token(String);

impl Token {
    /// Takes a token; white space around it is not part of it.
    ///
    /// # Errors
    ///
    /// An empty token, which would open the listener to everybody.
    pub fn new(text: &str) -> anyhow::Result<Self> {
        let token = text.trim();
        anyhow::ensure!(
            !token.is_empty(),
            "the admin token is empty: put a long random word there"
        );
        Ok(Self(token.to_owned()))
    }

    /// Returns whether an `Authorization` header holds the token: as Bearer, or as the password
    /// of Basic, whoever the user.
    pub fn admits(&self, authorization: Option<&str>) -> bool {
        let Some((scheme, value)) = authorization.and_then(|header| header.split_once(' ')) else {
            return false;
        };
        let value = value.trim();
        match scheme.to_ascii_lowercase().as_str() {
            "bearer" => self.is(value.as_bytes()),
            "basic" => STANDARD
                .decode(value)
                .is_ok_and(|pair| self.is_password_of(&pair)),
            _ => false,
        }
    }

    fn is_password_of(&self, pair: &[u8]) -> bool {
        let colon = pair.iter().position(|byte| *byte == b':');
        colon.is_some_and(|colon| self.is(&pair[colon + 1..]))
    }

    fn is(&self, candidate: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(candidate).into()
    }
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
        let token = Token::new("s3cret\n").expect("a token");
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        for (header, admitted) in [
            ("Bearer s3cret".to_owned(), true),
            ("bearer s3cret".to_owned(), true),
            (basic("kim:s3cret"), true),
            (basic(":s3cret"), true),
            (basic("kim:s3cre"), false),
            (basic("s3cret"), false),
            (basic("s3cret:"), false),
            ("Bearer s3cre".to_owned(), false),
            ("Bearer s3crets".to_owned(), false),
            ("Bearer ".to_owned(), false),
            ("Bearer".to_owned(), false),
            ("Digest s3cret".to_owned(), false),
            ("s3cret".to_owned(), false),
            ("Basic !!!".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(token.admits(Some(&header)), admitted, "{header}");
        }
        assert!(!token.admits(None));
        assert!(Token::new(" \n").is_err());
    }
}
