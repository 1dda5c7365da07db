//! Where a text that is too long for one message is cut.
//!
//! It knows neither Markdown nor a platform: whether a piece fits is asked of the caller, who writes it
//! out and measures. Asking costs about as much as the piece is long, and a piece takes about a dozen
//! questions, so a text is cut in time that grows with its length alone.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::blank::is_visible;

/// One piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Its bytes, without the white space at the cuts.
    pub range: Range<usize>,
    /// What of its marks there was room for.
    pub dress: Fit,
}

/// What of a piece's marks there was room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// All of them.
    Full,
    /// None: a single grapheme with its marks is over the limit.
    Bare,
    /// Not even the one code point that the piece is.
    StandIn,
}

/// Cuts `text` into pieces for which `fits(range, dressed)` holds. Pieces of which nothing would be
/// seen are left out. No piece can be
/// longer than `max` code points. Where `binds(at)`, the marks matter more than an over-long grapheme.
pub(crate) fn split(
    text: &str,
    max: usize,
    mut fits: impl FnMut(Range<usize>, bool) -> bool,
    binds: impl Fn(usize) -> bool,
) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = skip(text, 0);
    let mut guess = max;
    while at < text.len() {
        let piece = next(text, at, max, guess, &mut fits, &binds);
        guess = piece.range.len();
        at = skip(text, piece.range.end);
        if is_visible(&text[piece.range.clone()]) {
            pieces.push(piece);
        }
    }
    pieces
}

/// Where the text goes on after a cut at `at`: behind white space, but in front of a line's indentation.
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
    binds: &impl Fn(usize) -> bool,
) -> Piece {
    for (dressed, dress) in [(true, Fit::Full), (false, Fit::Bare)] {
        let mut fits = |end: usize| fits(at..trimmed(text, at, end), dressed);
        let longest = longest(text, at, max, guess, &mut fits);
        if longest == at {
            continue;
        }
        let seams = Seams::find(text, at, longest);
        let nicest = seams.nicest(text, at, longest);
        if nicest > at {
            // Marks rarely cost more in a shorter piece, but nothing forbids it to a dialect.
            let end = if fits(nicest) { nicest } else { longest };
            return Piece { range: at..trimmed(text, at, end), dress };
        }
        if !dressed || binds(at) {
            return Piece { range: at..trimmed(text, at, longest), dress };
        }
    }
    let one = text[at..].chars().next().map_or(text.len() - at, char::len_utf8);
    Piece { range: at..at + one, dress: Fit::StandIn }
}

/// `end` without the white space before it; a piece that is nothing else stays as it is.
fn trimmed(text: &str, at: usize, end: usize) -> usize {
    match text[at..end].trim_end().len() {
        0 => end,
        len => at + len,
    }
}

/// The furthest end, between two code points, up to which the text from `at` fits.
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

/// Where one stretch of text may be cut without hurting a grapheme cluster.
struct Seams(Option<Vec<usize>>);

impl Seams {
    /// Looks from `at` to `end` and one code point further; all of it, if that is ASCII.
    fn find(text: &str, at: usize, end: usize) -> Seams {
        let window = &text[at..text.ceil_char_boundary((end + 1).min(text.len()))];
        if window.is_ascii() {
            return Seams(None);
        }
        let mut starts: Vec<usize> = window.grapheme_indices(true).map(|(start, _)| at + start).collect();
        if end == text.len() {
            starts.push(end);
        }
        Seams(Some(starts))
    }

    fn has(&self, at: usize) -> bool {
        self.0.as_ref().is_none_or(|starts| starts.binary_search(&at).is_ok())
    }

    /// The last seam that is not behind `end`.
    fn before(&self, end: usize) -> usize {
        let Some(starts) = &self.0 else { return end };
        let behind = starts.partition_point(|start| *start <= end);
        behind.checked_sub(1).map_or(end, |last| starts[last])
    }

    /// The best place for a cut that is not behind `end`: a paragraph's end, else a line's, a sentence's,
    /// a word's, a grapheme's. The first three only count in a piece that is then a quarter full, lest
    /// a heading make a message of its own.
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
                    // What comes after the white space must be a seam too, as far as we can see it.
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

/// The kinds of places for a cut, the better the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Break {
    Grapheme,
    Word,
    Sentence,
    Line,
    Paragraph,
}

impl Break {
    /// What kind of place lies between two neighbours; `rest` begins with the second.
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
