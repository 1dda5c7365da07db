//! Markdown as a tree, for a client that builds its own display from it.

use std::borrow::Cow;

use pulldown_cmark::{Alignment, Event, LinkType, Parser, Tag, TagEnd};
use schemars::JsonSchema;
use serde::Serialize;

use super::definitions::UnusedDefinitions;
use super::intake;
use super::parse::{extra_cells, options, words_of_fence};
use crate::visible::shows;

/// Maximum depth of the tree. What is nested deeper is shown at this depth.
pub(super) const DEEPEST: usize = 24;

/// A longer text, in bytes, has no tree: it may take many times its own length.
const LONGEST: usize = 256 * 1024;

/// A piece of text, or what it is part of. In JSON a text is a string.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "MarkupNode")]
pub enum Node {
    /// Text, with the line breaks that its author made.
    Text(String),
    /// Anything else.
    Element(Element),
}

/// An element of a text in Markdown. Raw HTML is text.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schemars(rename = "MarkupElement")]
#[expect(missing_docs, reason = "each variant says what its fields hold")]
pub enum Element {
    /// Words.
    Paragraph { children: Vec<Node> },
    /// A heading of a level from 1 to 6.
    Heading { level: u8, children: Vec<Node> },
    /// A quote: it holds blocks.
    Quote { children: Vec<Node> },
    /// A list of items, numbered from `start` if it is numbered.
    List {
        #[serde(skip_serializing_if = "Option::is_none")]
        start: Option<u64>,
        children: Vec<Node>,
    },
    /// An item of a list: words, blocks or both. `done` says whether a task is done.
    Item {
        #[serde(skip_serializing_if = "Option::is_none")]
        done: Option<bool>,
        children: Vec<Node>,
    },
    /// A code block. The text ends without a line break.
    Pre {
        #[serde(skip_serializing_if = "Option::is_none")]
        language: Option<String>,
        text: String,
    },
    /// A table. Its first row is the head; `align` has `left`, `center`, `right` or nothing for each column.
    Table { align: Vec<Option<&'static str>>, children: Vec<Node> },
    /// A row of a table.
    Row { children: Vec<Node> },
    /// A cell of a row.
    Cell { children: Vec<Node> },
    /// A thematic break.
    Rule {},
    /// Strong emphasis.
    Bold { children: Vec<Node> },
    /// Emphasis.
    Italic { children: Vec<Node> },
    /// Text struck through.
    Strike { children: Vec<Node> },
    /// Inline code.
    Code { text: String },
    /// A link, or an image by its address. The address is not checked.
    Link { url: String, children: Vec<Node> },
}

/// The tree of a text; `None` if the text is one paragraph without any markup, or too long. Such a text is shown as it is.
pub fn tree(text: &str) -> Option<Vec<Node>> {
    if text.len() > LONGEST || is_plain(text) {
        return None;
    }
    parsed(text)
}

/// The same for a text of any length, by parsing it.
pub(super) fn parsed(text: &str) -> Option<Vec<Node>> {
    let clean = intake::clean(text);
    if intake::is_too_deep(&clean) {
        return None;
    }
    let nodes = Builder::default().build(&clean);
    let [Node::Element(Element::Paragraph { children })] = nodes.as_slice() else {
        return (!nodes.is_empty()).then_some(nodes);
    };
    match children.as_slice() {
        [Node::Text(words)] if words == text => None,
        _ => Some(nodes),
    }
}

/// Whether a text is certainly one paragraph without markup: it need not be parsed.
pub(super) fn is_plain(text: &str) -> bool {
    let begins = |char: char| char.is_whitespace() || char.is_ascii_digit() || "#>-+=".contains(char);
    let is_words = |line: &str| {
        line.starts_with(|char: char| !begins(char))
            && !line.ends_with(char::is_whitespace)
            && !line.contains(|char: char| "\\`*_~[<&|".contains(char))
    };
    matches!(intake::clean(text), Cow::Borrowed(_)) && text.split('\n').all(is_words)
}

/// An element that is being read. `kind` is `None` for one that is too deep: its children go to the element around it.
#[derive(Default)]
struct Open {
    kind: Option<Element>,
    children: Vec<Node>,
}

#[derive(Default)]
struct Builder {
    blocks: Vec<Node>,
    open: Vec<Open>,
    /// The number of open links: a link within a link belongs to the outer one.
    links: usize,
    is_visible: bool,
    /// Where the last cell of the current row ended in the source.
    row_read: usize,
}

impl Builder {
    fn build(mut self, text: &str) -> Vec<Node> {
        let mut definitions = UnusedDefinitions::find(text);
        for (event, range) in Parser::new_ext(text, options()).into_offset_iter() {
            self.stray(&definitions.before(&event, &range));
            match event {
                Event::Start(Tag::TableRow) => self.row_read = range.start,
                Event::End(TagEnd::TableCell) => self.row_read = self.row_read.max(range.end),
                Event::End(TagEnd::TableRow) if self.row_read < range.end => {
                    for cell in extra_cells(&text[self.row_read..range.end]) {
                        self.element(Element::Cell { children: vec![Node::Text(cell)] });
                    }
                }
                _ => {}
            }
            self.read(event);
        }
        self.stray(&definitions.rest());
        while !self.open.is_empty() {
            self.end();
        }
        // Text of which nothing would be visible is shown unchanged.
        if self.is_visible { self.blocks } else { Vec::new() }
    }

    fn read(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => {
                if matches!(tag, TagEnd::Link | TagEnd::Image) {
                    self.links = self.links.saturating_sub(1);
                }
                self.end();
            }
            Event::Text(text) | Event::InlineHtml(text) | Event::Html(text) => self.text(&text),
            Event::Code(code) => {
                let text = intake::clean(&code).into_owned();
                self.see(&text);
                self.element(Element::Code { text });
            }
            Event::SoftBreak | Event::HardBreak => self.text("\n"),
            Event::Rule => {
                self.is_visible = true;
                self.element(Element::Rule {});
            }
            Event::TaskListMarker(is_done) => {
                if let Some(Open { kind: Some(Element::Item { done, .. }), .. }) =
                    self.open.iter_mut().rev().find(|open| matches!(open.kind, Some(Element::Item { .. })))
                {
                    *done = Some(is_done);
                }
            }
            // Not enabled in the options.
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                self.text(&text);
            }
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        let children = Vec::new();
        let kind = match tag {
            Tag::Paragraph | Tag::HtmlBlock => Element::Paragraph { children },
            Tag::Heading { level, .. } => Element::Heading { level: level as u8, children },
            Tag::BlockQuote(_) => Element::Quote { children },
            Tag::CodeBlock(kind) => {
                let (language, more) = words_of_fence(&kind);
                self.push(Element::Pre { language: language.map(str::to_owned), text: String::new() });
                if !more.is_empty() {
                    self.text(more);
                    self.text("\n");
                }
                return;
            }
            Tag::List(start) => Element::List { start, children },
            Tag::Item => Element::Item { done: None, children },
            Tag::Table(columns) => {
                Element::Table { align: columns.into_iter().map(alignment).collect(), children }
            }
            Tag::TableHead | Tag::TableRow => Element::Row { children },
            Tag::TableCell => Element::Cell { children },
            Tag::Emphasis => Element::Italic { children },
            Tag::Strong => Element::Bold { children },
            Tag::Strikethrough => Element::Strike { children },
            Tag::Link { link_type, dest_url, .. } => return self.link(link_type, &dest_url),
            Tag::Image { dest_url, .. } => return self.link(LinkType::Inline, &dest_url),
            // Not enabled in the options.
            _ => return self.open.push(Open::default()),
        };
        self.push(kind);
    }

    fn push(&mut self, kind: Element) {
        let kind = (self.open.len() < DEEPEST).then_some(kind);
        self.open.push(Open { kind, children: Vec::new() });
    }

    fn link(&mut self, link_type: LinkType, url: &str) {
        self.links += 1;
        if self.links > 1 {
            return self.open.push(Open::default());
        }
        let url = match link_type {
            LinkType::Email => format!("mailto:{url}"),
            _ => url.trim().chars().filter(|char| !char.is_control()).collect(),
        };
        self.push(Element::Link { url, children: Vec::new() });
    }

    /// Ends the innermost element.
    fn end(&mut self) {
        let Some(Open { kind, children: mut inner }) = self.open.pop() else { return };
        let Some(mut kind) = kind else {
            return inner.into_iter().for_each(|node| self.append(node));
        };
        match &mut kind {
            Element::Pre { text, .. } => *text = code(&inner),
            Element::Paragraph { .. } => trim_end(&mut inner),
            // A link without text shows its address.
            Element::Link { url, .. } if inner.is_empty() && !url.is_empty() => {
                self.is_visible = true;
                inner.push(Node::Text(url.clone()));
            }
            _ => {}
        }
        match &mut kind {
            Element::Paragraph { children }
            | Element::Heading { children, .. }
            | Element::Quote { children }
            | Element::List { children, .. }
            | Element::Item { children, .. }
            | Element::Table { children, .. }
            | Element::Row { children }
            | Element::Cell { children }
            | Element::Bold { children }
            | Element::Italic { children }
            | Element::Strike { children }
            | Element::Link { children, .. } => *children = inner,
            Element::Pre { .. } | Element::Rule {} | Element::Code { .. } => {}
        }
        self.element(kind);
    }

    fn element(&mut self, element: Element) {
        self.append(Node::Element(element));
    }

    fn append(&mut self, node: Node) {
        let in_list = matches!(self.open.last(), Some(Open { kind: Some(Element::List { .. }), .. }));
        let children = match self.open.last_mut() {
            Some(open) => &mut open.children,
            None => &mut self.blocks,
        };
        match (node, children.last_mut()) {
            (Node::Text(more), Some(Node::Text(text))) => text.push_str(&more),
            (node, _) if !in_list || matches!(node, Node::Element(Element::Item { .. })) => {
                children.push(node)
            }
            // A line between two items belongs to the one before it.
            (node, Some(Node::Element(Element::Item { children, .. }))) => children.push(node),
            (node, _) => {
                children.push(Node::Element(Element::Item { done: None, children: vec![node] }));
            }
        }
    }

    fn text(&mut self, text: &str) {
        // An entity such as `&#7;` can bring a control character back.
        let text = intake::clean(text);
        if !text.is_empty() {
            self.see(&text);
            self.append(Node::Text(text.into_owned()));
        }
    }

    fn see(&mut self, text: &str) {
        self.is_visible |= text.chars().any(shows);
    }

    /// Lines that the parser has left out.
    fn stray(&mut self, lines: &[&str]) {
        if !lines.is_empty() {
            let words = lines.join("\n");
            self.see(&words);
            self.element(Element::Paragraph { children: vec![Node::Text(words)] });
        }
    }
}

/// The text of a code block, whose every line the parser ends with a line break.
fn code(nodes: &[Node]) -> String {
    let mut text: String = nodes
        .iter()
        .filter_map(|node| match node {
            Node::Text(text) => Some(text.as_str()),
            Node::Element(_) => None,
        })
        .collect();
    if text.ends_with('\n') {
        text.pop();
    }
    text
}

/// Removes the line break with which a block of HTML ends.
fn trim_end(nodes: &mut [Node]) {
    if let Some(Node::Text(text)) = nodes.last_mut() {
        text.truncate(text.trim_end_matches('\n').len());
    }
}

fn alignment(column: Alignment) -> Option<&'static str> {
    match column {
        Alignment::None => None,
        Alignment::Left => Some("left"),
        Alignment::Center => Some("center"),
        Alignment::Right => Some("right"),
    }
}
