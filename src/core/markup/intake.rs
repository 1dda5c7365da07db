//! What a text has to go through before and beside the parser.

use std::borrow::Cow;
use std::ops::Range;

use pulldown_cmark::{Event, LinkType, Parser, Tag};

use super::parse::options;

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

/// One kind of line break, and no control characters: no platform shows them and some refuse them.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(unwelcome) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\r' if chars.peek() != Some(&'\n') => out.push('\n'),
            char if unwelcome(char) => {}
            char => out.push(char),
        }
    }
    Cow::Owned(out)
}

pub(super) fn unwelcome(char: char) -> bool {
    char.is_control() && char != '\n' && char != '\t'
}

/// Lines that look like the definition of a link (`[INFO]: started`) though no link refers to them. The
/// parser swallows them; a reader must not miss them. Only those at the top level are found.
pub(super) struct Strays<'t> {
    text: &'t str,
    /// Definitions that links refer to, in the order of the text.
    used: Vec<Range<usize>>,
    at: usize,
}

impl<'t> Strays<'t> {
    pub(super) fn find(text: &'t str) -> Self {
        let parser = Parser::new_ext(text, options());
        let mut used = Vec::new();
        if parser.reference_definitions().iter().next().is_some() {
            let mut ids = Vec::new();
            let mut events = parser.into_offset_iter();
            for (event, _) in events.by_ref() {
                if let Event::Start(Tag::Link { link_type, id, .. } | Tag::Image { link_type, id, .. }) =
                    event
                    && matches!(link_type, LinkType::Reference | LinkType::Collapsed | LinkType::Shortcut)
                {
                    ids.push(id);
                }
            }
            let definitions = events.reference_definitions();
            used.extend(ids.iter().filter_map(|id| Some(definitions.get(id)?.span.clone())));
            used.sort_by_key(|span| span.start);
            used.dedup();
        }
        Strays { text, used, at: 0 }
    }

    /// What the parser has passed over in silence, up to `to`.
    pub(super) fn before(&mut self, to: usize) -> Vec<&'t str> {
        let (mut lines, mut at) = (Vec::new(), self.at);
        let text = self.text;
        if at < to && text[at..to].trim_start().starts_with('[') {
            let mut take = |range: Range<usize>| {
                lines.extend(text[range].lines().map(str::trim).filter(|line| !line.is_empty()));
            };
            let first = self.used.partition_point(|span| span.start < at);
            for span in self.used[first..].iter().take_while(|span| span.start < to) {
                take(at.min(span.start)..span.start);
                at = span.end;
            }
            take(at.min(to)..to);
        }
        self.pass(to);
        lines
    }

    /// The parser has told of everything up to here.
    pub(super) fn pass(&mut self, to: usize) {
        self.at = self.at.max(to);
    }
}
