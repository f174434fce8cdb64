//! Numbers, and what they measure.

/// What stands for a span of time.
pub(super) const DURATION: &str = "<duration>";

/// What stands for a number of bytes.
pub(super) const SIZE: &str = "<size>";

const SPANS: [&str; 29] = [
    "ns",
    "us",
    "µs",
    "μs",
    "ms",
    "msec",
    "msecs",
    "s",
    "sec",
    "secs",
    "second",
    "seconds",
    "min",
    "mins",
    "minute",
    "minutes",
    "h",
    "hr",
    "hrs",
    "hour",
    "hours",
    "day",
    "days",
    "milliseconds",
    "week",
    "weeks",
    "초",
    "분",
    "시간",
];

const SIZES: [&str; 18] = [
    "byte",
    "bytes",
    "Bytes",
    "kB",
    "KB",
    "MB",
    "GB",
    "TB",
    "PB",
    "kb",
    "KiB",
    "MiB",
    "GiB",
    "TiB",
    "mb",
    "gb",
    "kiB",
    "바이트",
];

/// Units that are one only right after their number: `5m`, but not `5 m`.
const GLUED: [(&str, &str); 8] = [
    ("m", DURATION),
    ("d", DURATION),
    ("w", DURATION),
    ("B", SIZE),
    ("K", SIZE),
    ("M", SIZE),
    ("G", SIZE),
    ("T", SIZE),
];

/// What a number with its unit is, and how long it is: `-1.5 GiB`, `1h30m`.
pub(super) fn measured(rest: &str) -> Option<(&'static str, usize)> {
    let mut length = 0;
    let mut measured = None;
    loop {
        let number = match measured {
            None => signed(rest).unwrap_or_else(|| number(rest)),
            Some(_) => number(&rest[length..]),
        };
        if number == 0 {
            break;
        }
        let after = &rest[length + number..];
        let apart = usize::from(after.starts_with(' ') && measured.is_none());
        let ends = |c: char| !c.is_alphabetic();
        let unit = &after[apart..];
        let unit = &unit[..unit.find(ends).unwrap_or(unit.len())];
        let mark = mark(unit, apart)?;
        measured = Some(mark).filter(|mark| measured.is_none_or(|measured| measured == *mark));
        measured?;
        length += number + apart + unit.len();
    }
    let goes_on = rest[length..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
    measured.filter(|_| !goes_on).map(|mark| (mark, length))
}

fn mark(unit: &str, apart: usize) -> Option<&'static str> {
    let glued = || GLUED.iter().find(|(glued, _)| apart == 0 && *glued == unit);
    if SPANS.contains(&unit) {
        Some(DURATION)
    } else if SIZES.contains(&unit) {
        Some(SIZE)
    } else {
        glued().map(|(_, mark)| *mark)
    }
}

/// The length of a number with a sign.
pub(super) fn signed(rest: &str) -> Option<usize> {
    let unsigned = rest.strip_prefix(['-', '+', '±', '−'])?;
    let length = number(unsigned);
    (length > 0).then_some(rest.len() - unsigned.len() + length)
}

/// The length of a number without a sign, with its fraction, its thousands and its exponent.
pub(super) fn number(rest: &str) -> usize {
    let mut length = digits(rest);
    while length > 0 {
        let more = rest[length..].strip_prefix(['.', ',']).map_or(0, digits);
        if more == 0 {
            break;
        }
        length += 1 + more;
    }
    let exponent = rest[length..]
        .strip_prefix(['e', 'E'])
        .filter(|_| length > 0);
    let exponent = exponent.map_or(0, |exponent| {
        let sign = usize::from(exponent.starts_with(['-', '+']));
        let power = digits(&exponent[sign..]);
        let ends = !exponent[sign + power..].starts_with(char::is_alphanumeric);
        if power > 0 && ends {
            1 + sign + power
        } else {
            0
        }
    });
    length + exponent
}

/// How many digits the rest begins with.
pub(super) fn digits(rest: &str) -> usize {
    rest.bytes().take_while(u8::is_ascii_digit).count()
}

/// Whether letters make the number before them an ordinal.
pub(super) fn is_ordinal(letters: &str) -> bool {
    ["st", "nd", "rd", "th"].contains(&letters)
}

/// A text with each run of digits replaced.
pub(super) fn without_digits(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        match c {
            '0'..='9' if plain.ends_with('#') => {}
            '0'..='9' => plain.push('#'),
            c => plain.push(c),
        }
    }
    plain
}
