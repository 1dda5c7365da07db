//! Lines that the parser takes for link definitions and leaves out.

use std::ops::Range;

use pulldown_cmark::{Event, LinkType, Parser, Tag, TagEnd};

use super::parse::options;

/// Finds lines that look like a link definition (`[INFO]: started`) although no link refers to them. The parser leaves
/// them out, also in lists and quotes, but a reader must see them.
pub(super) struct UnusedDefinitions<'t> {
    text: &'t str,
    /// Definitions that links refer to, in the order of the text.
    used: Vec<Range<usize>>,
    /// The position up to which the parser has produced events.
    at: usize,
    /// The kind of block that the events come from.
    inside: Inside,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// Between blocks, where definitions can stand.
    Blocks,
    /// In a block without child blocks, up to its end.
    Leaf,
    /// In the text of a list item without a paragraph, up to the next block.
    Words,
}

impl<'t> UnusedDefinitions<'t> {
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
        UnusedDefinitions { text, used, at: 0, inside: Inside::Blocks }
    }

    /// What the parser has left out before this event.
    pub(super) fn before(&mut self, event: &Event<'_>, range: &Range<usize>) -> Vec<&'t str> {
        use Inside::{Blocks, Leaf, Words};
        let (to, after, next) = match (self.inside, event) {
            (Leaf, Event::End(tag)) if is_end_of_leaf(tag) => {
                self.pass(range.end);
                self.inside = Blocks;
                return Vec::new();
            }
            (Leaf, _) => return Vec::new(),
            (_, Event::Start(Tag::List(_) | Tag::Item | Tag::BlockQuote(_))) => {
                (range.start, range.start, Blocks)
            }
            (_, Event::End(TagEnd::List(_) | TagEnd::Item | TagEnd::BlockQuote(_))) => {
                (range.end, range.end, Blocks)
            }
            (_, Event::Start(tag)) if is_leaf(tag) => (range.start, range.start, Leaf),
            (_, Event::Rule) => (range.start, range.end, Blocks),
            (Blocks, _) => (range.start, range.end, Words),
            (Words, _) => {
                self.pass(range.end);
                return Vec::new();
            }
        };
        let lines = self.up_to(to);
        self.pass(after);
        self.inside = next;
        lines
    }

    /// What the parser has left out at the end.
    pub(super) fn rest(&mut self) -> Vec<&'t str> {
        self.up_to(self.text.len())
    }

    fn up_to(&mut self, to: usize) -> Vec<&'t str> {
        let (mut lines, mut at) = (Vec::new(), self.at);
        let text = self.text;
        if at < to
            && text[at..to]
                .lines()
                .map(bare)
                .find(|line| !line.is_empty())
                .is_some_and(|line| line.starts_with('['))
        {
            let mut take = |range: Range<usize>| {
                lines.extend(text[range].lines().map(bare).filter(|line| !line.is_empty()));
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

    fn pass(&mut self, to: usize) {
        self.at = self.at.max(to);
    }
}

fn is_leaf(tag: &Tag<'_>) -> bool {
    matches!(tag, Tag::Paragraph | Tag::Heading { .. } | Tag::CodeBlock(_) | Tag::HtmlBlock | Tag::Table(_))
}

fn is_end_of_leaf(tag: &TagEnd) -> bool {
    matches!(
        tag,
        TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::CodeBlock | TagEnd::HtmlBlock | TagEnd::Table
    )
}

/// A line without the markers of the quotes and lists that contain it.
fn bare(line: &str) -> &str {
    let mut line = line.trim();
    loop {
        let digits = line.len() - line.trim_start_matches(|char: char| char.is_ascii_digit()).len();
        let mark = match line.as_bytes().get(digits) {
            Some(b'>') if digits == 0 => 1,
            Some(b'-' | b'+' | b'*') if digits == 0 => 1,
            Some(b'.' | b')') if digits > 0 => digits + 1,
            _ => return line,
        };
        let rest = &line[mark..];
        if !line.starts_with('>') && !rest.is_empty() && !rest.starts_with([' ', '\t']) {
            return line;
        }
        line = rest.trim_start();
    }
}
