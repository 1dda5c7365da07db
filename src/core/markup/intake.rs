//! What happens to a text before and besides parsing.

use std::borrow::Cow;

/// Whether parsing would take too long. For every line, the parser goes through all open lists and quotes, so a
/// megabyte of nothing else would take minutes. Such a text is not meant to be read, and it is shown unchanged.
pub(super) fn is_too_deep(text: &str) -> bool {
    const MOST_STEPS: usize = 4_000_000;
    let (mut lines, mut deepest) = (0, 0);
    for line in text.split(['\n', '\r']) {
        lines += 1;
        deepest = deepest.max(depth(line.as_bytes()));
    }
    deepest.saturating_mul(lines) > MOST_STEPS
}

/// The maximum number of open lists and quotes in this line: one for each marker at its beginning, and one for every
/// two columns of white space.
fn depth(mut line: &[u8]) -> usize {
    let (mut marks, mut columns) = (0, 0);
    while let Some(first) = line.first() {
        let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let ends = |at: usize| matches!(line.get(at), None | Some(b' ' | b'\t'));
        let taken = match first {
            b' ' | b'\t' => {
                columns += if *first == b' ' { 1 } else { 4 };
                1
            }
            b'>' => 1,
            b'-' | b'+' | b'*' if ends(1) => 1,
            b'0'..=b'9' if matches!(line.get(digits), Some(b'.' | b')')) && ends(digits + 1) => digits + 1,
            _ => break,
        };
        marks += usize::from(!matches!(first, b' ' | b'\t'));
        line = &line[taken..];
    }
    marks + columns / 2
}

/// Unifies line breaks and removes control characters, which no platform shows and some refuse. Unicode's own line
/// breaks count as line breaks, because Telegram would drop them and join the words on both sides.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(|char| unwelcome(char) || breaks(char)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\r' if chars.peek() != Some(&'\n') => out.push('\n'),
            char if breaks(char) => out.push('\n'),
            char if unwelcome(char) => {}
            char => out.push(char),
        }
    }
    Cow::Owned(out)
}

/// Whether a character is a line break other than the usual line feed and carriage return.
fn breaks(char: char) -> bool {
    matches!(char, '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

pub(super) fn unwelcome(char: char) -> bool {
    char.is_control() && char != '\n' && char != '\t'
}

/// `text` with each tab replaced by spaces up to the next of `stops` columns; `before` precedes it in its line. On a
/// platform that shows a tab as one space, code would otherwise lose its indentation.
pub(super) fn expand_tabs<'t>(text: Cow<'t, str>, before: &str, stops: usize) -> Cow<'t, str> {
    if !text.contains('\t') {
        return text;
    }
    let mut column = before.chars().count();
    let mut out = String::with_capacity(text.len() + 64);
    for char in text.chars() {
        let width = stops - column % stops;
        match char {
            '\t' => out.extend(std::iter::repeat_n(' ', width)),
            char => out.push(char),
        }
        column = match char {
            '\n' => 0,
            '\t' => column + width,
            _ => column + 1,
        };
    }
    Cow::Owned(out)
}
