//! How long a scrape may take: what Prometheus says in its header, less an offset. Pure.

use std::time::Duration;

/// What a scrape may take when its client does not say: the ecosystem's usual scrape timeout.
const DEFAULT: Duration = Duration::from_secs(10);

/// The most that a client can ask for.
const MOST: Duration = Duration::from_secs(300);

/// Returns the time for the whole scrape.
///
/// The offset leaves time to send the answer; it never takes more than half. A header that is no
/// positive number of seconds is ignored.
pub fn budget(header: Option<&str>, offset: Duration) -> Duration {
    let asked = header.and_then(|text| text.trim().parse::<f64>().ok());
    let asked = asked.filter(|seconds| *seconds > 0.0 && seconds.is_finite());
    let total = match asked {
        Some(seconds) => Duration::try_from_secs_f64(seconds)
            .unwrap_or(MOST)
            .min(MOST),
        None => DEFAULT,
    };
    total.saturating_sub(offset).max(total / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_bounds_the_scrape() {
        let offset = Duration::from_millis(500);
        for (header, millis) in [
            (None, 9500),
            (Some("30"), 29_500),
            (Some("2.5"), 2000),
            (Some("0.6"), 300),
            (Some("0.000001"), 0),
            (Some("1e300"), 299_500),
            (Some(" 5 "), 4500),
            (Some("nonsense"), 9500),
            (Some("NaN"), 9500),
            (Some("inf"), 9500),
            (Some("-1"), 9500),
            (Some("0"), 9500),
            (Some(""), 9500),
        ] {
            assert_eq!(budget(header, offset).as_millis(), millis, "{header:?}");
        }
    }
}
