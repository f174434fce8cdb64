//! Which line of a message tells what happened: that of the exception, not of its stack.
//!
//! Where errors are chained, Python ends with the one that was raised at last, and that line
//! counts. Elsewhere the first line tells what was tried and the innermost cause why it failed:
//! one reason fails many things, and one thing fails for many reasons, so both are kept, the
//! reason first as it is what someone on call repairs.

use std::borrow::Cow;

use super::places::file_name;

/// What an inner cause is announced by: Java, Node, .NET.
const CAUSES: [&str; 3] = ["Caused by: ", "[cause]: ", "---> "];

/// Returns the line that tells what happened; of chained errors, the reason and what it failed.
pub(super) fn telling(message: &str) -> Cow<'_, str> {
    let lines: Vec<&str> = message.lines().map(str::trim_end).collect();
    None.or_else(|| python(&lines).map(Cow::from))
        .or_else(|| panic_of_rust(&lines).map(Cow::from))
        .or_else(|| panic_of_go(&lines).map(Cow::from))
        .or_else(|| after_code(&lines).map(Cow::from))
        .or_else(|| after_banner(&lines).map(Cow::from))
        .unwrap_or_else(|| chained(&lines))
}

/// The line after the frames of the last traceback. Groups of exceptions have a bar before each.
fn python<'a>(lines: &[&'a str]) -> Option<&'a str> {
    let is_head = |line: &&str| {
        let line = line.trim_start_matches([' ', '|', '+']);
        line.contains("Traceback (most recent call last)")
            || (line.starts_with("File \"") && line.contains(", line "))
    };
    let head = lines.iter().rposition(is_head)?;
    let lines = lines[head + 1..].iter().map(|line| {
        let bar = line.trim_start().strip_prefix('|');
        bar.map_or(*line, |line| line.strip_prefix(' ').unwrap_or(line))
    });
    let is_frame = |line: &&str| line.is_empty() || line.starts_with([' ', '\t']);
    lines.into_iter().find(|line| !is_frame(line))
}

/// The message of a panic, and in which file: many have the message of `unwrap`.
fn panic_of_rust(lines: &[&str]) -> Option<String> {
    let is_panic = |line: &&str| line.starts_with("thread '") && line.contains(" panicked at ");
    let at = lines.iter().position(is_panic)?;
    let (_, told) = lines[at].split_once(" panicked at ")?;
    let quoted = told
        .strip_prefix('\'')
        .and_then(|told| told.rsplit_once("', "));
    let (message, place) = match quoted {
        Some((message, place)) => (message, place),
        None => (lines.get(at + 1).copied().unwrap_or_default(), told),
    };
    let file = file_name(place.split(':').next().unwrap_or_default());
    Some(format!("panicked at {file}: {message}"))
}

/// Why a program in Go ended, whatever it logged before.
fn panic_of_go<'a>(lines: &[&'a str]) -> Option<&'a str> {
    let is_goroutine = |line: &&str| line.starts_with("goroutine ") && line.ends_with(':');
    lines.iter().find(|line| is_goroutine(line))?;
    let is_panic = |line: &&&str| line.starts_with("panic: ") || line.starts_with("fatal error: ");
    lines.iter().find(is_panic).copied()
}

/// The line after a place and its code, which Node shows before what it says.
fn after_code<'a>(lines: &[&'a str]) -> Option<&'a str> {
    let first = lines.iter().position(|line| !line.is_empty())?;
    let (_, number) = lines[first].rsplit_once(':')?;
    let is_place = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let is_marked =
        |line: &&str| line.contains('^') && line.trim_matches(['^', ' ', '\t', '~']).is_empty();
    let code = lines[first + 1..].iter().take(6);
    let marked = code.clone().position(is_marked).filter(|_| is_place)?;
    let mut after = lines[first + marked + 2..].iter();
    after.find(|line| !line.is_empty()).copied()
}

/// What tools say after their name and version.
fn after_banner<'a>(lines: &[&'a str]) -> Option<&'a str> {
    let mut told = lines.iter().filter(|line| !line.is_empty());
    let first = told.next()?;
    if first.starts_with("Tesseract Open Source OCR Engine") {
        return told.next().copied();
    }
    let is_banner = first.contains(" version ") && first.contains("Copyright");
    let tells = |line: &&&str| !line.starts_with("Conversion failed");
    told.rfind(tells).copied().filter(|_| is_banner)
}

/// The innermost cause and the first line.
fn chained<'a>(lines: &[&'a str]) -> Cow<'a, str> {
    let told = |line: &&&str| line.contains(char::is_alphanumeric) && **line != "Error:";
    let first = lines
        .iter()
        .find(told)
        .or_else(|| lines.iter().find(|line| !line.is_empty()))
        .map_or("", |line| line.trim());
    let first = without_thread(unnumbered(first).unwrap_or(first));
    match innermost(lines).or_else(|| last_listed(lines)) {
        Some(cause) if cause != first => format!("{cause}, in {first}").into(),
        _ => first.into(),
    }
}

fn without_thread(line: &str) -> &str {
    let named = line.strip_prefix("Exception in thread \"");
    let after = named.and_then(|named| named.split_once("\" "));
    after.map_or(line, |(_, exception)| exception)
}

fn innermost<'a>(lines: &[&'a str]) -> Option<&'a str> {
    // What Java suppressed has causes of its own, further in.
    let is_suppressed = |line: &str| line.starts_with('\t') && line.contains("Caused by: ");
    let cause = |line: &&'a str| {
        let text = line.trim_start();
        let cause = CAUSES.iter().find_map(|mark| text.strip_prefix(mark));
        cause.filter(|cause| !is_suppressed(line) && !cause.is_empty())
    };
    lines.iter().skip(1).rev().find_map(cause)
}

/// The last of the causes that stand, numbered if there are many, under `Caused by:`; some reports
/// in Rust number all their errors under `Error:`.
fn last_listed<'a>(lines: &[&'a str]) -> Option<&'a str> {
    let is_head = |line: &&str| ["Caused by:", "Error:"].contains(&line.trim());
    let head = lines.iter().position(is_head)?;
    let listed = lines[head + 1..].iter().take_while(|line| !line.is_empty());
    let numbered = listed.clone().filter_map(|line| unnumbered(line.trim()));
    numbered
        .last()
        .or_else(|| listed.clone().next().map(|line| line.trim()))
}

/// What stands after its number in a list.
fn unnumbered(line: &str) -> Option<&str> {
    let (number, error) = line.split_once(": ")?;
    let is_number = number.len() <= 2 && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(error)
}
