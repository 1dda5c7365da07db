//! What a text has to go through before and beside the parser.

use std::borrow::Cow;

/// Whether parsing would take too long: for each line the parser walks through all lists and quotes that
/// stand open, so that a megabyte of nothing else takes it minutes. Nobody wrote that to be read, and it is
/// shown as it is.
pub(super) fn is_too_deep(text: &str) -> bool {
    const MOST_STEPS: usize = 4_000_000;
    let (mut lines, mut deepest) = (0, 0);
    for line in text.split(['\n', '\r']) {
        lines += 1;
        deepest = deepest.max(depth(line.as_bytes()));
    }
    deepest.saturating_mul(lines) > MOST_STEPS
}

/// How many lists and quotes may stand open in this line: at most one for each mark it begins with and
/// one for two columns of white space.
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

/// One kind of line break, and no control characters: no platform shows them and some refuse them. Unicode's
/// own breaks count as breaks, because Telegram drops them and the words at both sides would become one.
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

/// Whether a line ends here, besides at the usual line feed and carriage return.
fn breaks(char: char) -> bool {
    matches!(char, '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

pub(super) fn unwelcome(char: char) -> bool {
    char.is_control() && char != '\n' && char != '\t'
}

/// `text` with each tab replaced by the spaces up to the next of `stops` columns; `before` is what stands in
/// front of it in its line. A platform that makes one space of a tab would take the shape from code.
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
