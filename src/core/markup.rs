//! Markdown, parsed once and written in a platform's dialect.
//!
//! `parse` turns Markdown into a sheet: plain text, and for each stretch of it how it looks. `split`
//! cuts the sheet where the *written* piece just fits. `pen` writes a piece with the dialect's marks.
//! Because marks are only ever written around text that is already cut, no cut can fall inside one.
//! Raw HTML is text here, so underline and spoilers do not exist: CommonMark has no word for them.

mod intake;
mod parse;
mod source;
mod strays;
mod styled;
mod writer;

use std::ops::Range;

use crate::blank::is_visible;
use crate::profile::{Limit, Profile, Unit};
use crate::split::{self, Fit};
use styled::StyledText;

/// How text is written on one platform. Each adapter defines its own in its `markup.rs`.
#[derive(Debug)]
pub struct Dialect {
    /// Its name, for logs and `frontdesk format`.
    pub name: &'static str,
    /// What happens to the agent's Markdown.
    pub writing: Writing,
}

/// What happens to the agent's Markdown.
#[derive(Debug)]
pub enum Writing {
    /// Nothing: the reader's side renders Markdown itself. Cut only where it is over the limit.
    AsWritten,
    /// It is parsed, and written anew with these marks.
    Marked(Marks),
}

/// The marks of a dialect: plain data and pure functions.
#[derive(Debug)]
pub struct Marks {
    /// Appends a text node, escaped. It sees what was written before it, so it can tell a line's start,
    /// and it is the place to neutralise `@everyone` and its like.
    pub escape: fn(&str, &mut String),
    /// The same for text inside [`Style::Code`] and [`Style::Pre`].
    pub escape_code: fn(&str, &mut String),
    /// Appends the mark that begins a style. `false`, with nothing appended, where the dialect has none:
    /// the text then stands without it, a link's address is spelled out, a quote's lines begin with `> `.
    pub open: fn(Style<'_>, &mut String) -> bool,
    /// Appends the mark that ends a style.
    pub close: fn(Style<'_>, &mut String),
    /// What each line of a quote begins with, where quotes are no pair of marks.
    pub line_quote: Option<&'static str>,
    /// Whether code may not stand inside other marks except a quote (Telegram).
    pub bare_code: bool,
    /// Whether a mark must end on the line it began on (Slack, WhatsApp, Discord); code blocks excepted.
    pub per_line: bool,
    /// How many pairs of marks one part may carry.
    pub max: usize,
    /// How many columns lie between two tab stops, where the platform keeps no tabs: spaces then stand for them.
    pub tab_stops: Option<usize>,
    /// The words of a plain text, in its order, that the platform would make links of though nobody meant one.
    /// They are written as [`Style::Code`].
    pub code_words: fn(&str) -> Vec<Range<usize>>,
}

impl Marks {
    /// No marks at all: IRC, SMS, and the plain text of every other dialect.
    pub const PLAIN: Marks = Marks {
        escape: verbatim,
        escape_code: verbatim,
        open: |_, _| false,
        close: |_, _| {},
        line_quote: None,
        bare_code: false,
        per_line: false,
        max: usize::MAX,
        tab_stops: None,
        code_words: |_| Vec::new(),
    };
}

/// A look of text that a dialect may have a mark for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style<'a> {
    /// A quotation of one or more lines; it holds any other style, but never another quote.
    Quote,
    /// A block of code; its text ends without a line break.
    Pre {
        /// The first word after the fence, where it looks like the name of a language.
        language: Option<&'a str>,
    },
    /// A link, not escaped yet.
    Link {
        /// Where it leads.
        url: &'a str,
    },
    /// Strong emphasis, headings, the head of a table.
    Bold,
    /// Emphasis.
    Italic,
    /// Text struck through.
    Strike,
    /// Code within a line.
    Code,
}

/// One outgoing piece of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its place among the parts of the answer, from 0.
    pub key: u32,
    /// Exactly what is sent, within the platform's limit.
    pub body: String,
    /// The same piece without marks, for a platform that refuses the body. Within the limit as well.
    pub plain: String,
}

/// The parts of `text` as `profile`'s platform gets them: something is to be seen in each of them. Empty where
/// there is nothing to show.
pub fn render(text: &str, profile: &Profile) -> Vec<Part> {
    render_with(text, profile.dialect, profile.limit)
}

/// The parts of `text` in `dialect`, each within `limit` whatever the limit is.
///
/// Where one character with its marks does not fit, the marks are dropped; where one grapheme cluster
/// does not fit, it is cut between code points; where one code point does not fit, `?` stands for it.
/// A limit of zero gives no parts.
pub fn render_with(text: &str, dialect: &Dialect, limit: Limit) -> Vec<Part> {
    if limit.max == 0 || !is_visible(text) {
        return Vec::new();
    }
    match &dialect.writing {
        Writing::AsWritten => source::render(text, limit),
        Writing::Marked(marks) => render_marked(&parse::parse(text, marks, limit), marks, limit),
    }
}

/// `text` without its Markdown: what a reader sees while an answer is still being written.
pub fn plain(text: &str) -> String {
    let styled = parse::parse(text, &EVERY_LOOK, Limit { max: usize::MAX, unit: Unit::Bytes });
    let mut out = String::with_capacity(styled.text.len());
    styled.write_plain(split::skip(&styled.text, 0)..styled.text.trim_end().len(), true, &mut out);
    out
}

fn render_marked(styled: &StyledText, marks: &Marks, limit: Limit) -> Vec<Part> {
    let (mut body, mut plain) = (String::new(), String::new());
    let pieces = split::split(
        &styled.text,
        limit.max,
        |range, dressed| {
            body.clear();
            if writer::write(styled, marks, range.clone(), dressed, &mut body) > marks.max
                || !limit.holds(&body)
            {
                return false;
            }
            plain.clear();
            styled.write_plain(range, dressed, &mut plain);
            limit.holds(&plain)
        },
        |at| styled.look_at(at).link != 0,
    );
    let parts = pieces.into_iter().map(|piece| {
        let (mut body, mut plain) = (String::new(), String::new());
        let dressed = piece.dress == Fit::Full;
        styled.write_plain(piece.range.clone(), dressed, &mut plain);
        if piece.dress == Fit::StandIn {
            body.push_str(STAND_IN);
        } else {
            writer::write(styled, marks, piece.range, dressed, &mut body);
        }
        if !limit.holds(&plain) {
            plain = STAND_IN.to_owned();
        }
        (body, plain)
    });
    number(parts)
}

/// A sheet for these marks tells the most, and its plain text is what a part's plain text is.
static EVERY_LOOK: Marks = Marks { open: |_, _| true, ..Marks::PLAIN };

/// Stands for a code point that is longer than the limit.
const STAND_IN: &str = "?";

fn number(parts: impl Iterator<Item = (String, String)>) -> Vec<Part> {
    (0..).zip(parts).map(|(key, (body, plain))| Part { key, body, plain }).collect()
}

fn verbatim(text: &str, out: &mut String) {
    out.push_str(text);
}

impl Limit {
    /// Whether `text` is within the limit.
    pub fn holds(self, text: &str) -> bool {
        // Bytes are never fewer than the other units: most texts need no counting.
        text.len() <= self.max || self.unit.len(text) <= self.max
    }
}

#[cfg(test)]
mod tests;
