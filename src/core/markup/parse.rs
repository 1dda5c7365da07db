//! From Markdown to a sheet: blocks become lines, marks become looks.

mod code;
mod line;
mod link;
mod table;

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

use super::intake;
use super::strays::Strays;
use super::styled::{Look, StyledText};
use super::{Marks, Style};
use crate::blank::{is_visible, shows};
use crate::profile::Limit;
use line::{DEEPEST, Marker};
use link::Anchor;

/// What a rule across the page becomes.
const RULE: &str = "———";

/// The extensions to CommonMark that agents write.
pub(super) fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS
}

/// The sheet of `text` with those looks that `marks` can show within `limit`.
///
/// Text of which nothing would be seen (`>`, an empty fence) is shown as it was written: an answer that was
/// not blank never becomes nothing.
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

/// What the dialect has marks for.
struct Able {
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
    able: Able,
    /// The units that all marks but a link's own can take around one character.
    trappings: usize,
    styled: StyledText,
    /// The look of text that comes now, if the dialect can show all of it.
    look: Look,
    /// The looks to return to, and the links that end there.
    outer: Vec<(Look, Option<Anchor>)>,
    in_link: bool,
    /// Line breaks to be written before the next text.
    gap: usize,
    /// A list item's bullet, to be written before its first text.
    marker: Option<Marker>,
    /// What every line begins with, list by list and quote by quote.
    indents: Vec<&'static str>,
    /// The number of the next item of each open list; `None` for bullets.
    lists: Vec<Option<u64>>,
    /// For each open quote, whether it is an indent and not a look.
    quotes: Vec<bool>,
    quote_count: u32,
    /// How many indents stand before the quote that is a look: its lines begin without them.
    before_quote: usize,
    /// Where the text stood when the code block began.
    before_code: usize,
    /// How much visible text there is, indents and bullets not counted.
    ink: usize,
    /// Bars to be written before the next text of a table's row.
    bars: usize,
    /// Whether the current row has had a cell.
    in_row: bool,
    /// Where the last cell of the current row ended, in the source.
    row_read: usize,
}

impl<'m> Reader<'m> {
    fn new(marks: &'m Marks, limit: Limit, capacity: usize) -> Self {
        let mut trappings = 0;
        let mut can = |style| {
            let mut text = String::new();
            let can = (marks.open)(style, &mut text);
            if can {
                (marks.close)(style, &mut text);
            }
            trappings += limit.unit.len(&text);
            can
        };
        let able = Able {
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
            able,
            // A line's quote mark, and the longest way to escape one character.
            trappings: trappings + 16,
            styled,
            look: Look::default(),
            outer: Vec::new(),
            in_link: false,
            gap: 0,
            marker: None,
            indents: Vec::new(),
            lists: Vec::new(),
            quotes: Vec::new(),
            quote_count: 0,
            before_quote: 0,
            before_code: 0,
            ink: 0,
            bars: 0,
            in_row: false,
            row_read: 0,
        }
    }

    fn read_all(mut self, text: &str) -> StyledText {
        let mut strays = Strays::find(text);
        for (event, range) in Parser::new_ext(text, options()).into_offset_iter() {
            self.stray(strays.before(&event, &range));
            match event {
                Event::Start(Tag::TableRow) => self.row_read = range.start,
                Event::End(TagEnd::TableCell) => self.row_read = self.row_read.max(range.end),
                Event::End(TagEnd::TableRow) if self.row_read < range.end => {
                    self.excess_cells(&text[self.row_read..range.end]);
                }
                _ => {}
            }
            self.read(event);
        }
        self.stray(strays.rest());
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
                let outer = self.look;
                self.look.code = true;
                self.text(&code);
                self.look = outer;
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
            // Not asked for in the options.
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
                self.enter(|look| look.bold = true);
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
                self.enter(|look| look.bold = true);
            }
            Tag::TableRow => self.start_row(),
            Tag::TableCell => {
                self.bars += usize::from(self.in_row);
                self.in_row = true;
            }
            Tag::Emphasis => self.enter(|look| look.italic = true),
            Tag::Strong => self.enter(|look| look.bold = true),
            Tag::Strikethrough => self.enter(|look| look.strike = true),
            Tag::Link { link_type, dest_url, title, .. } => self.start_link(link_type, &dest_url, &title),
            Tag::Image { dest_url, title, .. } => self.start_link(LinkType::Inline, &dest_url, &title),
            // Not asked for in the options.
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
                    self.look.quote = 0;
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
                self.bars = 0;
            }
            TagEnd::TableRow => self.bars = 0,
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

    fn enter(&mut self, change: impl FnOnce(&mut Look)) {
        self.outer.push((self.look, None));
        change(&mut self.look);
    }

    fn leave(&mut self) {
        if let Some((outer, anchor)) = self.outer.pop() {
            if let Some(anchor) = anchor {
                self.end_link(anchor, outer);
            }
            self.look = outer;
        }
    }

    fn start_quote(&mut self) {
        self.block();
        let nested = self.look.quote != 0 || !self.able.quote || self.indents.len() >= DEEPEST;
        self.quotes.push(nested);
        self.indents.push(if nested { "> " } else { "" });
        if !nested {
            self.quote_count += 1;
            self.look.quote = self.quote_count;
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
            // `1. - a`: both stand in one line, within reason.
            Some(outer) if outer.text.len() < 32 => outer.text.push_str(&text),
            Some(_) => {}
            None => {
                self.marker = Some(Marker { text, depth: self.indents.len(), quote: self.look.quote });
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
        // An entity such as `&#7;` brings back what was cleaned away.
        let mut text = intake::clean(text);
        if text.is_empty() {
            return;
        }
        self.flush();
        if let Some(stops) = self.marks.tab_stops {
            text = intake::expand_tabs(text, self.styled.last_line(), stops);
        }
        self.ink += text.chars().filter(|char| shows(*char)).count();
        self.styled.push(&text, self.worn());
    }

    fn worn(&self) -> Look {
        worn(self.look, self.marks, &self.able)
    }
}

/// What the dialect shows of a look.
fn worn(look: Look, marks: &Marks, able: &Able) -> Look {
    if look.pre != 0 {
        // Without marks around quotes, a block's fences and lines cannot carry the quote's prefix.
        let quote = if marks.line_quote.is_none() { look.quote } else { 0 };
        return Look { pre: if able.pre { look.pre } else { 0 }, quote, ..Look::default() };
    }
    let linked = marks.bare_code && look.link != 0;
    let code = look.code && able.code && !linked;
    let bare = marks.bare_code && code;
    Look {
        bold: look.bold && able.bold && !bare,
        italic: look.italic && able.italic && !bare,
        strike: look.strike && able.strike && !bare,
        code,
        ..look
    }
}
