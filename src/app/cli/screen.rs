//! Printing. All output of commands goes through here, so that no text can control the terminal. A closed pipe is no
//! error: the reader has seen enough.

use std::io::{ErrorKind, IsTerminal, Write};

use frontdesk_core::visible;
use serde::Serialize;

use super::{Done, Failure};

/// Prints a text and a newline.
pub fn line(text: impl AsRef<str>) -> Done {
    print(&format!("{}\n", harmless(text.as_ref())))
}

/// Prints a text without a newline, unbuffered.
pub fn raw(text: &str) -> Done {
    print(&harmless(text))
}

/// Prints the lines of a table, whose cells are escaped already and whose header may have colours.
pub fn rows(lines: &str) -> Done {
    print(&format!("{lines}\n"))
}

fn print(text: &str) -> Done {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).or_else(|error| unprinted(&error))
}

/// The result of a command whose output could not be written.
pub fn unprinted(error: &std::io::Error) -> Done {
    match error.kind() {
        ErrorKind::BrokenPipe => Ok(()),
        _ => Err(Failure::new(format!("cannot write to standard output: {error}"))),
    }
}

/// Prints a note on standard error. A failed write is ignored: the note is not part of the output.
pub fn note(text: &str) {
    drop(writeln!(std::io::stderr(), "{}", harmless(text)));
}

/// Prints a value as JSON: one line, or several on a terminal.
pub fn json(value: &impl Serialize) -> Done {
    let pretty = is_terminal();
    written(if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) })
}

/// Prints a value as one line of JSON.
pub fn json_line(value: &impl Serialize) -> Done {
    written(serde_json::to_string(value))
}

/// Prints a value as several lines of JSON.
pub fn json_lines(value: &impl Serialize) -> Done {
    written(serde_json::to_string_pretty(value))
}

fn written(json: serde_json::Result<String>) -> Done {
    let json = json.map_err(|error| Failure::new(format!("cannot write JSON: {error}")))?;
    print(&format!("{}\n", visible::json(&json)))
}

/// Whether the output is a terminal.
pub fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether to use colours: on a terminal, unless NO_COLOR is set (no-color.org).
pub fn colours() -> bool {
    is_terminal() && super::env("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Replaces every character of a text that could control the terminal, change the direction of the line or is
/// invisible. Line breaks stay.
pub fn harmless(text: &str) -> String {
    let odd = |c: char| visible::is_deceptive(c) && c != '\n' && c != '\t';
    text.chars().map(|c| if odd(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Like [`harmless`], with line breaks replaced as well, for names and cells.
pub fn one_line(text: &str) -> String {
    let odd = |c: char| visible::is_deceptive(c) && c != '\t';
    text.chars().map(|c| if odd(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// The first line of a text, cut to `width` characters.
pub fn brief(text: &str, width: usize) -> String {
    let first = text.lines().next().unwrap_or_default();
    let more = text.trim_end().contains('\n') || first.chars().count() > width;
    let cut: String = harmless(first).chars().take(width).collect();
    if more { format!("{cut}…") } else { cut }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_steer_the_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\u{7}"), "a\u{fffd}[2Jb\u{fffd}");
        assert_eq!(harmless("a\u{202e}b\u{200b}"), "a\u{fffd}b\u{fffd}");
        assert_eq!(harmless("a\n\u{9b}2J\rb"), "a\n\u{fffd}2J\u{fffd}b");
        assert_eq!(one_line("a\nm5 Anna, now"), "a\u{fffd}m5 Anna, now");
        assert_eq!(harmless("family: 👩\u{200d}👧 🏳\u{fe0f}"), "family: 👩\u{200d}👧 🏳\u{fe0f}");
    }

    #[test]
    fn a_brief_text_says_that_there_is_more() {
        assert_eq!(brief("one", 10), "one");
        assert_eq!(brief("one two", 3), "one…");
        assert_eq!(brief("one\ntwo", 10), "one…");
    }
}
