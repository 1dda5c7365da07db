//! Markdown, parsed once and written in a platform's dialect.
//!
//! `parse` converts Markdown to a `StyledText`: plain text, and the style of each stretch of it. `split` cuts it where
//! the *written* piece just fits. `writer` writes a piece with the dialect's marks. Because marks are only written
//! around text that is already cut, no cut can fall inside a mark. `tree` gives the same text to a client that shows it
//! itself. Raw HTML is treated as text, so underline and
//! spoilers do not exist: CommonMark has no syntax for them.

mod definitions;
mod intake;
mod open_block;
mod parse;
mod source;
mod styled;
mod tree;
mod writer;

use std::ops::Range;

use crate::limit::{Limit, Unit};
use crate::split::{self, Fit};
use crate::visible::is_visible;
pub use open_block::{closing, followed_by};
use styled::StyledText;
pub use tree::{Element, Node, tree};

/// The markup of one platform. Each adapter defines its own in its `markup.rs`.
#[derive(Debug)]
pub struct Dialect {
    /// Its name, for logs and `frontdesk format`.
    pub name: &'static str,
    /// How the agent's Markdown is rendered.
    pub rendering: Rendering,
}

/// How the agent's Markdown is rendered.
#[derive(Debug)]
pub enum Rendering {
    /// Unchanged, because the client renders Markdown itself. It is only cut where it is over the limit.
    Verbatim,
    /// Parsed, and written with these marks.
    Formatted(Marks),
}

/// The marks of a dialect, as data and pure functions.
#[derive(Debug)]
pub struct Marks {
    /// Appends plain text, escaped. It gets the output so far, so it can recognise the start of a line. It is the place
    /// to neutralise `@everyone` and the like.
    pub escape: fn(&str, &mut String),
    /// Appends text inside [`Style::Code`] or [`Style::Pre`], escaped.
    pub escape_code: fn(&str, &mut String),
    /// Appends the opening mark of a style. Returns `false` and appends nothing if the dialect has no such mark: the
    /// text then stands without it, a link's address is written out, and the lines of a quote begin with `> `.
    pub open: fn(Style<'_>, &mut String) -> bool,
    /// Appends the closing mark of a style.
    pub close: fn(Style<'_>, &mut String),
    /// The prefix of each line of a quote, where a quote has no pair of marks.
    pub line_quote: Option<&'static str>,
    /// Whether code may not stand inside other marks except a quote (Telegram).
    pub code_alone: bool,
    /// Whether a mark must be closed on the line where it was opened (Slack, WhatsApp, Discord), except for code
    /// blocks.
    pub per_line: bool,
    /// The maximum number of pairs of marks in one part.
    pub max: usize,
    /// The distance between two tab stops in columns, on a platform that does not keep tabs: they are replaced by
    /// spaces.
    pub tab_stops: Option<usize>,
    /// The words of a plain text that the platform would turn into links although nobody meant one, in the order of the
    /// text. They are written as [`Style::Code`].
    pub code_words: fn(&str) -> Vec<Range<usize>>,
}

impl Marks {
    /// A dialect without marks: IRC, SMS, and the plain text of every other dialect.
    pub const PLAIN: Marks = Marks {
        escape: verbatim,
        escape_code: verbatim,
        open: |_, _| false,
        close: |_, _| {},
        line_quote: None,
        code_alone: false,
        per_line: false,
        max: usize::MAX,
        tab_stops: None,
        code_words: |_| Vec::new(),
    };
}

/// A style of text that a dialect may have a mark for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style<'a> {
    /// A quote of one or more lines. It may contain any other style, but no other quote.
    Quote,
    /// A code block. Its text ends without a line break.
    Pre {
        /// The first word after the fence, if it looks like the name of a language.
        language: Option<&'a str>,
    },
    /// A link, not escaped yet.
    Link {
        /// The target.
        url: &'a str,
    },
    /// Strong emphasis, headings, the head of a table.
    Bold,
    /// Emphasis.
    Italic,
    /// Text struck through.
    Strike,
    /// Inline code.
    Code,
}

/// One part of an outgoing text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its position among the parts of the text, from 0.
    pub key: u32,
    /// The text that is sent, within the platform's limit.
    pub body: String,
    /// The same text without marks, for a platform that refuses `body`. Also within the limit.
    pub plain: String,
}

/// The parts of `text` in `dialect`, each within `limit`, whatever the limit is. No part is invisible; the result is
/// empty if `text` is.
///
/// Where one character with its marks does not fit, the marks are dropped; where one grapheme cluster does not fit, it
/// is cut between code points; where one code point does not fit, it is replaced by `?`. A limit of zero gives no
/// parts.
pub fn render(text: &str, dialect: &Dialect, limit: Limit) -> Vec<Part> {
    if limit.max == 0 || !is_visible(text) {
        return Vec::new();
    }
    match &dialect.rendering {
        Rendering::Verbatim => source::render(text, limit),
        Rendering::Formatted(marks) => render_marked(&parse::parse(text, marks, limit), marks, limit),
    }
}

/// `text` without its Markdown, as a reader sees it while an answer is still being written.
pub fn plain(text: &str) -> String {
    let styled = parse::parse(text, &ALL_STYLES, Limit { max: usize::MAX, unit: Unit::Bytes });
    let mut out = String::with_capacity(styled.text.len());
    styled.write_plain(split::skip(&styled.text, 0)..styled.text.trim_end().len(), true, &mut out);
    out
}

fn render_marked(styled: &StyledText, marks: &Marks, limit: Limit) -> Vec<Part> {
    let (mut body, mut plain) = (String::new(), String::new());
    let pieces = split::split(
        &styled.text,
        limit.max,
        |range, with_marks| {
            body.clear();
            if writer::write(styled, marks, range.clone(), with_marks, &mut body) > marks.max
                || !limit.holds(&body)
            {
                return false;
            }
            plain.clear();
            styled.write_plain(range, with_marks, &mut plain);
            limit.holds(&plain)
        },
        |at| styled.format_at(at).link != 0,
    );
    let parts = pieces.into_iter().map(|piece| {
        let (mut body, mut plain) = (String::new(), String::new());
        let with_marks = piece.fit == Fit::Full;
        styled.write_plain(piece.range.clone(), with_marks, &mut plain);
        if piece.fit == Fit::Placeholder {
            body.push_str(PLACEHOLDER);
        } else {
            writer::write(styled, marks, piece.range, with_marks, &mut body);
        }
        if !limit.holds(&plain) {
            plain = PLACEHOLDER.to_owned();
        }
        (body, plain)
    });
    number(parts)
}

/// Marks for every style: a text parsed with them keeps all styles, so that its plain text is that of the parts.
static ALL_STYLES: Marks = Marks { open: |_, _| true, ..Marks::PLAIN };

/// Replaces a code point that is longer than the limit.
const PLACEHOLDER: &str = "?";

fn number(parts: impl Iterator<Item = (String, String)>) -> Vec<Part> {
    (0..).zip(parts).map(|(key, (body, plain))| Part { key, body, plain }).collect()
}

fn verbatim(text: &str, out: &mut String) {
    out.push_str(text);
}

#[cfg(test)]
mod tests;
