//! Printing, where a closed pipe is a reader who has seen enough.

use std::io::{ErrorKind, IsTerminal, Write};

use serde::Serialize;

use super::{Done, Failure};

/// Prints a text and a line end.
pub fn line(text: impl AsRef<str>) -> Done {
    raw(&format!("{}\n", text.as_ref()))
}

/// Prints a text as it is, at once.
pub fn raw(text: &str) -> Done {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Says something beside what is printed. Whether it is heard does not matter.
pub fn aside(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// Prints a value as one line of JSON, or as several for a person.
pub fn json(value: &impl Serialize) -> Done {
    let pretty = std::io::stdout().is_terminal();
    let text = if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    line(text.map_err(|error| Failure::new(format!("cannot write JSON: {error}")))?)
}

/// Whether colours are welcome: on a terminal, unless NO_COLOR says otherwise (no-color.org).
pub fn colours() -> bool {
    std::io::stdout().is_terminal() && super::env("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A text from somewhere else with everything taken out that could steer a terminal, turn the direction of the line
/// or hide in it.
pub fn harmless(text: &str) -> String {
    let odd = |c: char| {
        c.is_control() && c != '\n' && c != '\t'
            || matches!(c, '\u{61c}' | '\u{feff}' | '\u{200b}' | '\u{200e}' | '\u{200f}')
            || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{e0000}'..='\u{e007f}')
    };
    text.chars().map(|c| if odd(c) { '\u{fffd}' } else { c }).collect()
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
        assert_eq!(harmless("family: 👩\u{200d}👧 🏳\u{fe0f}"), "family: 👩\u{200d}👧 🏳\u{fe0f}");
    }

    #[test]
    fn a_brief_text_says_that_there_is_more() {
        assert_eq!(brief("one", 10), "one");
        assert_eq!(brief("one two", 3), "one…");
        assert_eq!(brief("one\ntwo", 10), "one…");
    }
}
