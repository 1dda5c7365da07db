//! Converts Markdown to styled text: blocks become lines, marks become styles.

mod code;
mod line;
mod link;
mod table;

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

use super::definitions::UnusedDefinitions;
use super::intake;
use super::styled::{Format, StyledText};
use super::{Marks, Style};
use crate::limit::Limit;
use crate::visible::{is_visible, shows};
pub(super) use code::words_of_fence;
use line::{DEEPEST, ItemMarker};
use link::OpenLink;
pub(super) use table::extra_cells;

/// What a thematic break becomes.
const RULE: &str = "———";

/// The extensions to CommonMark that agents use.
pub(super) fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS
}

/// The styled text of `text`, with those styles that `marks` can show within `limit`.
///
/// Text of which nothing would be visible (`>`, an empty fence) is shown unchanged, so that an answer that is not blank
/// never becomes empty.
pub(super) fn parse(text: &str, marks: &Marks, limit: Limit) -> StyledText {
    let clean = intake::clean(text);
    let mut reader = Reader::new(marks, limit, clean.len());
    if !intake::is_too_deep(&clean) {
        let mut styled = reader.read_all(&clean);
        if is_visible(&styled.text) {
            code::set_words(&mut styled, marks);
            return styled;
        }
        reader = Reader::new(marks, limit, clean.len());
    }
    reader.text(&clean);
    code::set_words(&mut reader.styled, marks);
    reader.styled
}

/// The styles that the dialect has marks for.
struct Supported {
    quote: bool,
    pre: bool,
    bold: bool,
    italic: bool,
    strike: bool,
    code: bool,
}

struct Reader<'m> {
    marks: &'m Marks,
    limit: Limit,
    supported: Supported,
    /// The space that all marks except a link's can take around one character, in units of the limit.
    mark_length: usize,
    styled: StyledText,
    /// The style of the next text, if the dialect can show all of it.
    format: Format,
    /// The styles to return to, and the links that end there.
    outer: Vec<(Format, Option<OpenLink>)>,
    in_link: bool,
    /// Line breaks to be written before the next text.
    pending_breaks: usize,
    /// A list item's bullet or number, to be written before its first text.
    marker: Option<ItemMarker>,
    /// The indents of the open lists and quotes, with which every line begins.
    indents: Vec<&'static str>,
    /// The number of the next item of each open list; `None` for bullets.
    lists: Vec<Option<u64>>,
    /// For each open quote, whether it is an indent and not a style.
    quotes: Vec<bool>,
    quote_count: u32,
    /// The number of indents before the quote that is a style. Its lines begin without these.
    before_quote: usize,
    /// The length of the text when the code block began.
    before_code: usize,
    /// The number of visible characters, without indents and bullets.
    visible: usize,
    /// Column separators to be written before the next text of a table row.
    separators: usize,
    /// The format of the current cell, which its column separator has whatever the cell begins with.
    cell: Format,
    /// Whether the current row has had a cell.
    in_row: bool,
    /// Where the last cell of the current row ended in the source.
    row_read: usize,
}

impl<'m> Reader<'m> {
    fn new(marks: &'m Marks, limit: Limit, capacity: usize) -> Self {
        let mut mark_length = 0;
        let mut can = |style| {
            let mut text = String::new();
            let can = (marks.open)(style, &mut text);
            if can {
                (marks.close)(style, &mut text);
            }
            mark_length += limit.unit.len(&text);
            can
        };
        let supported = Supported {
            quote: can(Style::Quote) || marks.line_quote.is_some(),
            bold: can(Style::Bold),
            italic: can(Style::Italic),
            strike: can(Style::Strike),
            code: can(Style::Code),
            pre: (marks.open)(Style::Pre { language: None }, &mut String::new()),
        };
        let styled = StyledText { text: String::with_capacity(capacity), ..StyledText::default() };
        Reader {
            marks,
            limit,
            supported,
            // The prefix of a quoted line, and the longest escape of one character.
            mark_length: mark_length + 16,
            styled,
            format: Format::default(),
            outer: Vec::new(),
            in_link: false,
            pending_breaks: 0,
            marker: None,
            indents: Vec::new(),
            lists: Vec::new(),
            quotes: Vec::new(),
            quote_count: 0,
            before_quote: 0,
            before_code: 0,
            visible: 0,
            separators: 0,
            cell: Format::default(),
            in_row: false,
            row_read: 0,
        }
    }

    fn read_all(mut self, text: &str) -> StyledText {
        let mut definitions = UnusedDefinitions::find(text);
        for (event, range) in Parser::new_ext(text, options()).into_offset_iter() {
            self.stray(definitions.before(&event, &range));
            match event {
                Event::Start(Tag::TableRow) => self.row_read = range.start,
                Event::End(TagEnd::TableCell) => self.row_read = self.row_read.max(range.end),
                Event::End(TagEnd::TableRow) if self.row_read < range.end => {
                    self.extra_cells(&text[self.row_read..range.end]);
                }
                _ => {}
            }
            self.read(event);
        }
        self.stray(definitions.rest());
        self.styled
    }

    fn stray(&mut self, lines: Vec<&str>) {
        if lines.is_empty() {
            return;
        }
        self.block();
        for line in lines {
            self.text(line);
            self.break_line(1);
        }
        self.block();
    }

    fn read(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::InlineHtml(text) => self.text(&text),
            Event::Code(code) => {
                let outer = self.format;
                self.format.code = true;
                self.text(&code);
                self.format = outer;
            }
            Event::Html(html) => {
                self.text(html.trim_end_matches('\n'));
                self.break_line(1);
            }
            Event::SoftBreak | Event::HardBreak => self.line_break(),
            Event::Rule => {
                self.block();
                self.text(RULE);
                self.block();
            }
            Event::TaskListMarker(done) => self.task(done),
            // Not enabled in the options.
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                self.text(&text);
            }
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph => self.break_line(2),
            Tag::Heading { .. } => {
                self.break_line(2);
                self.enter(|format| format.bold = true);
            }
            Tag::BlockQuote(_) => self.start_quote(),
            Tag::CodeBlock(kind) => self.start_code(&kind),
            Tag::List(first) => {
                self.block();
                self.lists.push(first);
            }
            Tag::Item => self.start_item(),
            Tag::HtmlBlock | Tag::Table(_) => self.block(),
            Tag::TableHead => {
                self.start_row();
                self.enter(|format| format.bold = true);
            }
            Tag::TableRow => self.start_row(),
            Tag::TableCell => {
                self.separators += usize::from(self.in_row);
                self.cell = self.format;
                self.in_row = true;
            }
            Tag::Emphasis => self.enter(|format| format.italic = true),
            Tag::Strong => self.enter(|format| format.bold = true),
            Tag::Strikethrough => self.enter(|format| format.strike = true),
            Tag::Link { link_type, dest_url, title, .. } => self.start_link(link_type, &dest_url, &title),
            Tag::Image { dest_url, title, .. } => self.start_link(LinkType::Inline, &dest_url, &title),
            // Not enabled in the options.
            Tag::FootnoteDefinition(_)
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::Superscript
            | Tag::Subscript
            | Tag::MetadataBlock(_) => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock | TagEnd::Table => self.block(),
            TagEnd::Heading(_) => {
                self.leave();
                self.break_line(2);
            }
            TagEnd::BlockQuote(_) => {
                self.indents.pop();
                if self.quotes.pop() == Some(false) {
                    self.format.quote = 0;
                }
                self.block();
            }
            TagEnd::CodeBlock => self.end_code(),
            TagEnd::List(_) => {
                self.lists.pop();
                self.block();
            }
            TagEnd::Item => {
                self.indents.pop();
                self.marker = None;
            }
            TagEnd::TableHead => {
                self.leave();
                self.separators = 0;
            }
            TagEnd::TableRow => self.separators = 0,
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Image => {
                self.leave()
            }
            TagEnd::TableCell
            | TagEnd::FootnoteDefinition
            | TagEnd::DefinitionList
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition
            | TagEnd::Superscript
            | TagEnd::Subscript
            | TagEnd::MetadataBlock(_) => {}
        }
    }

    fn enter(&mut self, change: impl FnOnce(&mut Format)) {
        self.outer.push((self.format, None));
        change(&mut self.format);
    }

    fn leave(&mut self) {
        if let Some((outer, link)) = self.outer.pop() {
            if let Some(link) = link {
                self.end_link(link, outer);
            }
            self.format = outer;
        }
    }

    fn start_quote(&mut self) {
        self.block();
        let nested = self.format.quote != 0 || !self.supported.quote || self.indents.len() >= DEEPEST;
        self.quotes.push(nested);
        self.indents.push(if nested { "> " } else { "" });
        if !nested {
            self.quote_count += 1;
            self.format.quote = self.quote_count;
            self.before_quote = self.indents.len();
        }
    }

    fn start_item(&mut self) {
        self.break_line(1);
        let mut text = "• ".to_owned();
        let mut indent = "  ";
        if let Some(Some(number)) = self.lists.last_mut() {
            text = format!("{number}. ");
            indent = "   ";
            *number = number.saturating_add(1);
        }
        match &mut self.marker {
            // `1. - a`: both markers stand on one line, up to a limit.
            Some(outer) if outer.text.len() < 32 => outer.text.push_str(&text),
            Some(_) => {}
            None => {
                self.marker = Some(ItemMarker { text, depth: self.indents.len(), quote: self.format.quote });
            }
        }
        self.indents.push(indent);
    }

    fn task(&mut self, done: bool) {
        let tick = if done { "☑ " } else { "☐ " };
        match &mut self.marker {
            Some(marker) if marker.text.ends_with("• ") => {
                marker.text.truncate(marker.text.len() - "• ".len());
                marker.text.push_str(tick);
            }
            _ => self.text(tick),
        }
    }

    fn text(&mut self, text: &str) {
        // An entity such as `&#7;` can bring a control character back.
        let mut text = intake::clean(text);
        if text.is_empty() {
            return;
        }
        self.flush();
        if let Some(stops) = self.marks.tab_stops {
            text = intake::expand_tabs(text, self.styled.last_line(), stops);
        }
        self.visible += text.chars().filter(|char| shows(*char)).count();
        self.styled.push(&text, self.shown_format());
    }

    fn shown_format(&self) -> Format {
        shown_format(self.format, self.marks, &self.supported)
    }
}

/// The part of a style that the dialect can show.
fn shown_format(format: Format, marks: &Marks, supported: &Supported) -> Format {
    if format.pre != 0 {
        // If quotes are line prefixes, the fences and lines of a code block cannot carry them.
        let quote = if marks.line_quote.is_none() { format.quote } else { 0 };
        return Format { pre: if supported.pre { format.pre } else { 0 }, quote, ..Format::default() };
    }
    let linked = marks.code_alone && format.link != 0;
    let code = format.code && supported.code && !linked;
    let bare = marks.code_alone && code;
    Format {
        bold: format.bold && supported.bold && !bare,
        italic: format.italic && supported.italic && !bare,
        strike: format.strike && supported.strike && !bare,
        code,
        ..format
    }
}
