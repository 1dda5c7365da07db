//! Splits a text that is too long for one message.
//!
//! This knows neither Markdown nor a platform: the caller says whether a piece fits, by writing it out and measuring
//! it. One such call costs about as much as the piece is long, and a piece takes about a dozen calls, so the time grows
//! linearly with the length of the text.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::visible::is_visible;

/// One piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Its range in bytes, without the white space at the cuts.
    pub range: Range<usize>,
    /// How much of its formatting fits.
    pub fit: Fit,
}

/// How much of a piece's formatting fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// All of it.
    Full,
    /// None: a single grapheme with its marks is over the limit.
    Unmarked,
    /// Not even the single code point of the piece fits, and a placeholder is sent instead.
    Placeholder,
}

/// Splits `text` into pieces for which `fits(range, with_marks)` holds. Invisible pieces are left out. No piece is
/// longer than `max` code points. Where `keep_marks(at)` holds, keeping the marks is preferred to keeping a grapheme
/// that is too long.
pub(crate) fn split(
    text: &str,
    max: usize,
    mut fits: impl FnMut(Range<usize>, bool) -> bool,
    keep_marks: impl Fn(usize) -> bool,
) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = skip(text, 0);
    let mut guess = max;
    while at < text.len() {
        let piece = next(text, at, max, guess, &mut fits, &keep_marks);
        guess = piece.range.len();
        at = skip(text, piece.range.end);
        if is_visible(&text[piece.range.clone()]) {
            pieces.push(piece);
        }
    }
    pieces
}

/// Where the text continues after a cut at `at`: after white space, but before the indentation of a line.
pub(crate) fn skip(text: &str, at: usize) -> usize {
    let rest = &text[at..];
    let blank = rest.len() - rest.trim_start().len();
    if blank == rest.len() {
        return text.len();
    }
    match rest[..blank].rfind('\n') {
        Some(newline) => at + newline + 1,
        None if at == 0 || text[..at].ends_with('\n') => at,
        None => at + blank,
    }
}

fn next(
    text: &str,
    at: usize,
    max: usize,
    guess: usize,
    fits: &mut impl FnMut(Range<usize>, bool) -> bool,
    keep_marks: &impl Fn(usize) -> bool,
) -> Piece {
    for (with_marks, fit) in [(true, Fit::Full), (false, Fit::Unmarked)] {
        let mut fits = |end: usize| fits(at..trimmed(text, at, end), with_marks);
        let longest = longest(text, at, max, guess, &mut fits);
        if longest == at {
            continue;
        }
        let cut_points = CutPoints::find(text, at, longest);
        let nicest = cut_points.nicest(text, at, longest);
        if nicest > at {
            // A shorter piece rarely needs more space for its marks, but a dialect may do that.
            let end = if fits(nicest) { nicest } else { longest };
            return Piece { range: at..trimmed(text, at, end), fit };
        }
        if !with_marks || keep_marks(at) {
            return Piece { range: at..trimmed(text, at, longest), fit };
        }
    }
    let one = text[at..].chars().next().map_or(text.len() - at, char::len_utf8);
    Piece { range: at..at + one, fit: Fit::Placeholder }
}

/// `end` without the white space before it. A piece of white space only stays unchanged.
fn trimmed(text: &str, at: usize, end: usize) -> usize {
    match text[at..end].trim_end().len() {
        0 => end,
        len => at + len,
    }
}

/// The furthest end between two code points up to which the text from `at` fits.
fn longest(text: &str, at: usize, max: usize, guess: usize, fits: &mut impl FnMut(usize) -> bool) -> usize {
    let cap = text.floor_char_boundary(at.saturating_add(max.saturating_mul(4)).min(text.len()));
    let (mut good, mut bad) = (at, text.len() + 1);
    let mut step = guess.max(1);
    while good < cap && bad > text.len() {
        let end = text.ceil_char_boundary(good.saturating_add(step).min(cap));
        if fits(end) {
            good = end;
            step = step.saturating_mul(2);
        } else {
            bad = end;
        }
    }
    while bad <= text.len() {
        let middle = text.floor_char_boundary(good + (bad - good) / 2);
        let middle = if middle > good { middle } else { text.ceil_char_boundary(good + 1) };
        if middle >= bad {
            break;
        }
        if fits(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    good
}

/// The positions in a stretch of text that do not lie within a grapheme cluster; `None` if all positions do not.
struct CutPoints(Option<Vec<usize>>);

impl CutPoints {
    /// Examines the text from `at` to one code point after `end`.
    fn find(text: &str, at: usize, end: usize) -> CutPoints {
        let window = &text[at..text.ceil_char_boundary((end + 1).min(text.len()))];
        if window.is_ascii() {
            return CutPoints(None);
        }
        let mut starts: Vec<usize> = window.grapheme_indices(true).map(|(start, _)| at + start).collect();
        if end == text.len() {
            starts.push(end);
        }
        CutPoints(Some(starts))
    }

    fn has(&self, at: usize) -> bool {
        self.0.as_ref().is_none_or(|starts| starts.binary_search(&at).is_ok())
    }

    /// The last such position at or before `end`.
    fn before(&self, end: usize) -> usize {
        let Some(starts) = &self.0 else { return end };
        let behind = starts.partition_point(|start| *start <= end);
        behind.checked_sub(1).map_or(end, |last| starts[last])
    }

    /// The best position for a cut at or before `end`: the end of a paragraph, else of a line, of a sentence, of a
    /// word, of a grapheme. The first three count only if the piece is then at least a quarter full, so that a heading
    /// does not become a message of its own.
    fn nicest(&self, text: &str, at: usize, end: usize) -> usize {
        if end == text.len() {
            return end;
        }
        let quarter = at + (end - at) / 4;
        let (mut best, mut nicest) = (Break::Grapheme, self.before(end));
        let ahead = text[end..].chars().next().map(|next| (end, next));
        let mut after: Option<(usize, char)> = None;
        for (index, char) in
            ahead.into_iter().chain(text[at..end].char_indices().rev().map(|(i, c)| (at + i, c)))
        {
            if let Some((cut, next)) = after.replace((index, char)) {
                let mut found = Break::between(char, next, &text[cut..]);
                if cut <= quarter {
                    found = found.min(Break::Word);
                }
                if found > best && self.has(cut) {
                    // The position after the white space must not lie within a grapheme either, as far as it is in the
                    // window.
                    let onward = skip(text, cut);
                    if onward > end || self.has(onward) {
                        (best, nicest) = (found, cut);
                    }
                }
                if best == Break::Paragraph || (index <= quarter && best != Break::Grapheme) {
                    break;
                }
            }
        }
        nicest
    }
}

/// The kinds of positions for a cut, in ascending order of preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Break {
    Grapheme,
    Word,
    Sentence,
    Line,
    Paragraph,
}

impl Break {
    /// The kind of position between two neighbours; `rest` begins with the second.
    fn between(before: char, next: char, rest: &str) -> Break {
        if matches!(before, '。' | '！' | '？') {
            return Break::Sentence;
        }
        if before.is_whitespace() || !next.is_whitespace() {
            return Break::Grapheme;
        }
        let blank = &rest[..rest.len() - rest.trim_start().len()];
        match blank.bytes().filter(|byte| *byte == b'\n').count() {
            0 if matches!(before, '.' | '!' | '?' | '…' | ':') => Break::Sentence,
            0 => Break::Word,
            1 => Break::Line,
            _ => Break::Paragraph,
        }
    }
}

#[cfg(test)]
mod tests;
