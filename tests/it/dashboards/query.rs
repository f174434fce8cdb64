use std::collections::BTreeSet;

/// What a query asks for.
#[derive(Debug, Default)]
pub(super) struct Query {
    pub(super) selectors: Vec<Selector>,
    /// Labels by which it groups or matches.
    pub(super) labels: BTreeSet<String>,
    /// Labels that it makes itself.
    pub(super) made: BTreeSet<String>,
}

#[derive(Debug, Default)]
pub(super) struct Selector {
    pub(super) metric: String,
    /// Labels, each with its operator and value.
    pub(super) matchers: Vec<(String, String)>,
    pub(super) range: Option<String>,
    /// The function that it is the first argument of.
    pub(super) function: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Range(String),
    Sign(char),
}

fn tokens(query: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = query.trim_start();
    while let Some(first) = rest.chars().next() {
        let inside = |end: char| {
            let (inside, after) = rest[1..].split_once(end).expect("its end");
            (inside.to_owned(), after)
        };
        let is_word = |letter: char| letter.is_alphanumeric() || "_.:".contains(letter);
        let (token, after) = match first {
            '"' => {
                let (text, after) = inside('"');
                (Token::Text(text), after)
            }
            '[' => {
                let (range, after) = inside(']');
                (Token::Range(range), after)
            }
            letter if is_word(letter) => {
                let end = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
                (Token::Word(rest[..end].to_owned()), &rest[end..])
            }
            sign => (Token::Sign(sign), &rest[sign.len_utf8()..]),
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    tokens
}

impl Query {
    pub(super) fn read(query: &str) -> Self {
        const GROUPING: [&str; 6] = [
            "by",
            "without",
            "on",
            "ignoring",
            "group_left",
            "group_right",
        ];
        const OPERATORS: [&str; 4] = ["and", "or", "unless", "bool"];
        let tokens = tokens(query);
        let mut read = Self::default();
        let mut makes_label = false;
        let mut at = 0;
        while at < tokens.len() {
            let is_called = tokens.get(at + 1) == Some(&Token::Sign('('));
            let is_grouped = matches!(tokens.get(at + 1), Some(Token::Word(next)) if GROUPING.contains(&next.as_str()));
            match &tokens[at] {
                Token::Text(label) if makes_label => {
                    read.made.insert(label.clone());
                    makes_label = false;
                }
                Token::Word(word) if GROUPING.contains(&word.as_str()) => {
                    let inside = tokens[at + 1..]
                        .iter()
                        .take_while(|token| is_called && **token != Token::Sign(')'));
                    let labels = inside.filter_map(|token| match token {
                        Token::Word(label) => Some(label.clone()),
                        _ => None,
                    });
                    let labels: Vec<String> = labels.collect();
                    if is_called {
                        let end = tokens[at..]
                            .iter()
                            .position(|token| *token == Token::Sign(')'));
                        at += end.expect("the end of the labels");
                    }
                    read.labels.extend(labels);
                }
                Token::Word(word) if OPERATORS.contains(&word.as_str()) => {}
                Token::Word(word) if is_called || is_grouped => {
                    makes_label |= word == "label_replace";
                }
                Token::Word(word) if !word.starts_with(|digit: char| digit.is_ascii_digit()) => {
                    let (selector, end) = Selector::read(&tokens, at);
                    read.selectors.push(selector);
                    at = end;
                }
                _ => {}
            }
            at += 1;
        }
        read
    }
}

impl Selector {
    /// Reads the selector that begins at a token; returns its last token as well.
    fn read(tokens: &[Token], start: usize) -> (Self, usize) {
        let mut read = Self::default();
        if let Token::Word(metric) = &tokens[start] {
            read.metric.clone_from(metric);
        }
        if let Some([Token::Word(function), Token::Sign('(')]) =
            start.checked_sub(2).map(|before| &tokens[before..start])
        {
            read.function.clone_from(function);
        }
        let mut at = start + 1;
        if tokens.get(at) == Some(&Token::Sign('{')) {
            let mut operator = String::new();
            let mut label = String::new();
            while tokens[at] != Token::Sign('}') {
                match &tokens[at] {
                    Token::Word(word) => (label, operator) = (word.clone(), String::new()),
                    Token::Text(value) => {
                        let value = format!("{operator}{value}");
                        read.matchers.push((label.clone(), value));
                    }
                    Token::Sign(sign) => operator.push(*sign),
                    Token::Range(_) => {}
                }
                at += 1;
            }
            at += 1;
        }
        if let Some(Token::Range(range)) = tokens.get(at) {
            read.range = Some(range.clone());
            at += 1;
        }
        (read, at - 1)
    }
}
