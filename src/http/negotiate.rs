//! Which text format and which encoding a client asks for, by q-values. Pure.

use crate::render::exposition::Format;

/// Returns the format that an `Accept` header prefers.
///
/// OpenMetrics is for those who name it; whoever takes anything gets the classic format, and so
/// does whoever takes neither, since an answer that may be read beats a refusal.
pub fn format(accept: &str) -> Format {
    let accept = accept.to_ascii_lowercase();
    let ranges: Vec<Range> = ranges(&accept).collect();
    let open_metrics = best(&ranges, |range| match (range.value, range.version) {
        ("application/openmetrics-text", Some("1.0.0")) => Some(3),
        ("application/openmetrics-text", None) => Some(2),
        ("application/*", _) => Some(1),
        ("*/*", _) => Some(0),
        _ => None,
    });
    let classic = best(&ranges, |range| match (range.value, range.version) {
        ("text/plain", Some("0.0.4")) => Some(3),
        ("text/plain", None) => Some(2),
        ("text/*", _) => Some(1),
        ("*/*", _) => Some(0),
        _ => None,
    });
    let named = open_metrics.specificity >= 2;
    if open_metrics.q > classic.q || (named && open_metrics.q > 0.0 && open_metrics.q == classic.q)
    {
        Format::OpenMetrics
    } else {
        Format::Classic
    }
}

/// Returns whether an `Accept-Encoding` header allows gzip, and does not like plain text better.
pub fn gzip(accept_encoding: &str) -> bool {
    let accept_encoding = accept_encoding.to_ascii_lowercase();
    let ranges: Vec<Range> = ranges(&accept_encoding).collect();
    let gzip = best(&ranges, |range| match range.value {
        "gzip" | "x-gzip" => Some(1),
        "*" => Some(0),
        _ => None,
    });
    let plain = best(&ranges, |range| (range.value == "identity").then_some(0));
    gzip.q > 0.0 && gzip.q >= plain.q
}

/// One member of a header's list.
#[derive(Debug, Clone, Copy)]
struct Range<'a> {
    value: &'a str,
    version: Option<&'a str>,
    q: f32,
}

/// How a client values something, and by how specific a range it said so.
#[derive(Debug, Clone, Copy, Default)]
struct Preference {
    specificity: u8,
    q: f32,
}

/// The preference of the most specific range that matches; of equals the one valued most.
fn best(ranges: &[Range], specificity: impl Fn(&Range) -> Option<u8>) -> Preference {
    let mut best = Preference::default();
    let mut matched = false;
    for range in ranges {
        let Some(specificity) = specificity(range) else {
            continue;
        };
        let better = (specificity, range.q) > (best.specificity, best.q);
        if !matched || better {
            best = Preference {
                specificity,
                q: range.q,
            };
        }
        matched = true;
    }
    best
}

fn ranges(header: &str) -> impl Iterator<Item = Range<'_>> {
    split(header, ',').filter_map(range)
}

/// Splits at the separators that stand outside quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |c| {
        let is_literal = is_escaped;
        is_escaped = is_quoted && c == '\\' && !is_literal;
        is_quoted ^= c == '"' && !is_literal;
        c == separator && !is_quoted
    })
}

/// Reads one range; one whose q is nonsense is as if it were not there.
fn range(text: &str) -> Option<Range<'_>> {
    let mut parts = split(text, ';').map(str::trim);
    let mut range = Range {
        value: parts.next()?,
        version: None,
        q: 1.0,
    };
    for part in parts {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let value = value.trim().trim_matches('"');
        match name.trim() {
            "q" => range.q = quality(value)?,
            "version" => range.version = Some(value),
            _ => {}
        }
    }
    Some(range)
}

fn quality(text: &str) -> Option<f32> {
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let q = text.parse().ok().filter(|_| is_plain);
    q.filter(|q| (0.0..=1.0).contains(q))
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preferred_format_is_chosen() {
        use Format::{Classic, OpenMetrics};
        let prometheus_2 = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let prometheus_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for (accept, expected) in [
            ("", Classic),
            ("*/*", Classic),
            ("text/html, */*;q=0.8", Classic),
            ("text/plain", Classic),
            (prometheus_2, OpenMetrics),
            (prometheus_3, OpenMetrics),
            ("application/openmetrics-text", OpenMetrics),
            (
                "application/openmetrics-text;version=\"1.0.0\"",
                OpenMetrics,
            ),
            ("application/openmetrics-text;version=2.0.0", Classic),
            (
                "application/openmetrics-text;q=0.4, text/plain;q=0.5",
                Classic,
            ),
            (
                "application/openmetrics-text;q=0.5, text/plain;q=0.5",
                OpenMetrics,
            ),
            ("application/openmetrics-text;q=0, text/plain;q=0", Classic),
            ("application/openmetrics-text;q=0, */*", Classic),
            (
                "application/openmetrics-text, text/plain;q=0.9, */*;q=0.1",
                OpenMetrics,
            ),
            ("application/openmetrics-text;q=2", Classic),
            ("application/openmetrics-text;q=abc, text/plain", Classic),
            ("Application/OpenMetrics-Text; Version=1.0.0", OpenMetrics),
            ("application/openmetrics-text;;version=1.0.0;", OpenMetrics),
            (
                "application/openmetrics-text;title=\"a, b;q=0\"",
                OpenMetrics,
            ),
            (
                "application/openmetrics-text;version=1.0.0;q=0.1, application/openmetrics-text, text/plain;q=0.5",
                Classic,
            ),
            (
                "text/plain;version=0.0.4;q=0.1, text/plain, application/openmetrics-text;q=0.5",
                OpenMetrics,
            ),
            ("application/openmetrics-text;q=1e-1", Classic),
            ("image/png", Classic),
            (",;,q=;;=,", Classic),
        ] {
            assert_eq!(format(accept), expected, "{accept}");
        }
    }

    #[test]
    fn gzip_is_used_only_where_it_is_welcome() {
        for (accept, expected) in [
            ("", false),
            ("gzip", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0", false),
            ("gzip;q=0.001", true),
            ("identity", false),
            ("*", true),
            ("*;q=0", false),
            ("gzip;q=0, *", false),
            ("gzip, *;q=0", true),
            ("deflate, br", false),
            ("gzip;q=nonsense", false),
            ("GZip", true),
            ("gzip;;q=0, *", false),
            ("gzip;q=0.5, identity", false),
            ("gzip;q=0.5, identity;q=0.5", true),
        ] {
            assert_eq!(gzip(accept), expected, "{accept}");
        }
    }
}
