//! Dates and times of day, in the forms of ISO 8601, RFC 2822, syslog and logs.

/// What stands for a date, a time of day or both.
pub(super) const TIME: &str = "<time>";

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const ZONES: [&str; 10] = [
    "Z", "UTC", "GMT", "KST", "EST", "EDT", "PST", "PDT", "CET", "CEST",
];

/// The length of the time that the rest begins with.
pub(super) fn length(rest: &str) -> Option<usize> {
    if !rest.starts_with(char::is_alphanumeric) {
        return None;
    }
    let mut reader = Reader { rest };
    reader.eat(is_weekday);
    let dated = reader.date();
    let timed = reader.eat(is_clock) || (dated == Date::Whole && reader.eat(is_minute));
    if timed {
        reader.fraction();
        reader.eat(|word| ["AM", "PM"].contains(&word));
        reader.eat(is_zone);
    }
    if timed && dated == Date::WithoutYear {
        reader.eat(is_year);
    }
    let is_time = timed || matches!(dated, Date::Whole | Date::Instant);
    if dated == Date::Instant {
        reader.eat(is_zone);
    }
    is_time.then_some(rest.len() - reader.rest.len())
}

/// What was read of a date.
#[derive(PartialEq)]
enum Date {
    None,
    WithoutYear,
    Whole,
    Instant,
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    /// Goes on after the next word if it is such a one.
    fn eat(&mut self, is_such: fn(&str) -> bool) -> bool {
        let text = self.rest.trim_start_matches([' ', ',']);
        let ends = |c: char| !c.is_alphanumeric() && !"-+:./".contains(c);
        let word = &text[..text.find(ends).unwrap_or(text.len())];
        let word = word.trim_end_matches([':', '.', '/', '-']);
        let is_such = is_such(word);
        if is_such {
            self.rest = &text[word.len()..];
        }
        is_such
    }

    fn date(&mut self) -> Date {
        let begin = self.rest;
        if self.eat(is_instant) {
            self.fraction();
            return Date::Instant;
        }
        if self.eat(is_date) {
            return Date::Whole;
        }
        for order in [[is_day, is_month], [is_month, is_day]] {
            if order.into_iter().all(|part| self.eat(part)) {
                let has_year = self.eat(is_year);
                return if has_year {
                    Date::Whole
                } else {
                    Date::WithoutYear
                };
            }
            self.rest = begin;
        }
        Date::None
    }

    /// Python writes the fraction of a second after a comma.
    fn fraction(&mut self) {
        let digits = self
            .rest
            .strip_prefix(',')
            .map_or(0, super::amounts::digits);
        if digits > 0 {
            self.rest = &self.rest[1 + digits..];
        }
    }
}

/// Whether a text has a form, in which `0` is a digit and all else is itself.
fn has_form(text: &str, form: &str) -> bool {
    let same = |(byte, form): (u8, u8)| match form {
        b'0' => byte.is_ascii_digit(),
        form => byte == form,
    };
    text.len() == form.len() && text.bytes().zip(form.bytes()).all(same)
}

fn is_weekday(word: &str) -> bool {
    DAYS.contains(&word)
}

fn is_month(word: &str) -> bool {
    MONTHS.contains(&word)
}

fn is_day(word: &str) -> bool {
    has_form(word, "0") || has_form(word, "00")
}

fn is_year(word: &str) -> bool {
    has_form(word, "0000")
}

fn is_date(word: &str) -> bool {
    let forms = [
        "0000-00-00",
        "0000/00/00",
        "0000.00.00",
        "00/00/0000",
        "00.00.0000",
    ];
    forms.iter().any(|form| has_form(word, form))
}

/// `24/Nov/2026:10:00:00`, as web servers log it.
fn is_logged(word: &str) -> bool {
    let parts: Vec<&str> = word.splitn(4, ['/', ':']).collect();
    let [day, month, year, clock] = parts[..] else {
        return false;
    };
    is_day(day) && is_month(month) && is_year(year) && is_clock(clock)
}

/// A date, `T`, a time of day and perhaps a zone.
fn is_instant(word: &str) -> bool {
    if is_logged(word) {
        return true;
    }
    let Some((date, time)) = word.split_once(['T', 't']) else {
        return false;
    };
    let zone = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(zone);
    let clock = is_clock(clock)
        || ["00:00", "0000", "000000"]
            .iter()
            .any(|form| has_form(clock, form));
    let zone = zone.is_empty() || zone == "z" || is_zone(zone);
    (is_date(date) || has_form(date, "00000000")) && clock && zone
}

fn is_minute(word: &str) -> bool {
    has_form(word, "00:00")
}

/// Hours, minutes, seconds and perhaps a fraction, after which a zone may stand without a blank.
fn is_clock(word: &str) -> bool {
    let zone = word.find(['Z', '+', '-']).unwrap_or(word.len());
    let (word, zone) = word.split_at(zone);
    let (clock, fraction) = word.split_once('.').unwrap_or((word, ""));
    let whole = has_form(clock, "00:00:00") || has_form(clock, "0:00:00");
    let digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    whole && digits && (zone.is_empty() || is_zone(zone))
}

fn is_zone(word: &str) -> bool {
    let offsets = ["00", "0000", "00:00"];
    let offset = word.strip_prefix(['+', '-']);
    let offset = offset.is_some_and(|text| offsets.iter().any(|form| has_form(text, form)));
    offset || ZONES.contains(&word)
}
