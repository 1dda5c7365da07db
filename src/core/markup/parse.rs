//! From Markdown to a sheet: blocks become lines, marks become looks.

use std::borrow::Cow;

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd};

use super::sheet::{Link, Look, Sheet};
use super::{Marks, Style};
use crate::profile::Limit;

/// What a rule across the page becomes.
const RULE: &str = "———";

/// Lists and quotes nested deeper than this are not indented further.
const DEEPEST: usize = 8;

/// A language's name longer than this is none.
const LONGEST_LANGUAGE: usize = 32;

/// The extensions to CommonMark that agents write.
pub(super) fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS
}

/// The sheet of `text` with those looks that `marks` can show within `limit`.
pub(super) fn parse(text: &str, marks: &Marks, limit: Limit) -> Sheet {
    let clean = clean(text);
    let mut reader = Reader::new(marks, limit, clean.len());
    for event in Parser::new_ext(&clean, options()) {
        reader.read(event);
    }
    reader.sheet
}

/// One kind of line break, and no control characters: no platform shows them and some refuse them.
fn clean(text: &str) -> Cow<'_, str> {
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

fn unwelcome(char: char) -> bool {
    char.is_control() && char != '\n' && char != '\t'
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
    sheet: Sheet,
    /// The look of text that comes now, if the dialect can show all of it.
    look: Look,
    /// The looks to return to, and the links that end there.
    outer: Vec<(Look, Option<Anchor>)>,
    in_link: bool,
    /// Line breaks to be written before the next text.
    gap: usize,
    /// A list item's bullet, to be written before its first text, and how far its line is indented.
    marker: Option<(usize, String)>,
    /// What every line begins with, list by list and quote by quote.
    indents: Vec<&'static str>,
    /// The number of the next item of each open list; `None` for bullets.
    lists: Vec<Option<u64>>,
    /// For each open quote, whether it is an indent and not a look.
    quotes: Vec<bool>,
    quote_count: u32,
    /// Bars to be written before the next text of a table's row.
    bars: usize,
    /// Whether the current row has had a cell.
    in_row: bool,
}

/// Where a link's text began.
struct Anchor {
    url: String,
    start: usize,
    /// Whether the address has to be spelled out, the dialect having no mark for it.
    spell: bool,
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
        let sheet = Sheet { text: String::with_capacity(capacity), ..Sheet::default() };
        Reader {
            marks,
            limit,
            able,
            // A line's quote mark, and the longest way to escape one character.
            trappings: trappings + 16,
            sheet,
            look: Look::default(),
            outer: Vec::new(),
            in_link: false,
            gap: 0,
            marker: None,
            indents: Vec::new(),
            lists: Vec::new(),
            quotes: Vec::new(),
            quote_count: 0,
            bars: 0,
            in_row: false,
        }
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
            Tag::Link { link_type, dest_url, .. } => self.start_link(link_type, &dest_url),
            Tag::Image { dest_url, .. } => self.start_link(LinkType::Inline, &dest_url),
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
                if self.quotes.pop() == Some(true) {
                    self.indents.pop();
                } else {
                    self.look.quote = 0;
                }
                self.block();
            }
            TagEnd::CodeBlock => {
                if self.look.pre as usize == self.sheet.blocks.len() {
                    self.sheet.drop_last_newline();
                }
                self.look.pre = 0;
                self.block();
            }
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

    /// A block begins or ends here: an empty line at the top, a new line inside a list.
    fn block(&mut self) {
        self.break_line(if self.lists.is_empty() { 2 } else { 1 });
    }

    fn break_line(&mut self, lines: usize) {
        self.gap = self.gap.max(lines);
    }

    fn start_quote(&mut self) {
        self.block();
        let nested = self.look.quote != 0 || !self.able.quote;
        self.quotes.push(nested);
        if nested {
            self.indents.push("> ");
        } else {
            self.quote_count += 1;
            self.look.quote = self.quote_count;
        }
    }

    fn start_code(&mut self, kind: &CodeBlockKind<'_>) {
        self.block();
        let language = match kind {
            CodeBlockKind::Fenced(info) => info.split_whitespace().next(),
            CodeBlockKind::Indented => None,
        };
        let language = language.filter(|word| word.len() <= LONGEST_LANGUAGE).map(str::to_owned);
        self.sheet.blocks.push(language);
        self.look.pre = self.sheet.blocks.len() as u32;
    }

    fn start_item(&mut self) {
        self.break_line(1);
        let mut marker = "• ".to_owned();
        let mut indent = "  ";
        if let Some(Some(number)) = self.lists.last_mut() {
            marker = format!("{number}. ");
            indent = "   ";
            *number = number.saturating_add(1);
        }
        match &mut self.marker {
            // `1. - a`: both stand in one line, within reason.
            Some((_, outer)) if outer.len() < 32 => outer.push_str(&marker),
            Some(_) => {}
            None => self.marker = Some((self.indents.len(), marker)),
        }
        self.indents.push(indent);
    }

    fn task(&mut self, done: bool) {
        let tick = if done { "☑ " } else { "☐ " };
        match &mut self.marker {
            Some((_, marker)) if marker.ends_with("• ") => {
                marker.truncate(marker.len() - "• ".len());
                marker.push_str(tick);
            }
            _ => self.text(tick),
        }
    }

    fn start_row(&mut self) {
        self.break_line(1);
        self.bars = 0;
        self.in_row = false;
    }

    fn start_link(&mut self, link_type: LinkType, url: &str) {
        self.flush();
        if self.in_link {
            // An image inside a link: its text is the link's.
            return self.outer.push((self.look, None));
        }
        self.in_link = true;
        let url = match link_type {
            LinkType::Email => format!("mailto:{url}"),
            _ => url.chars().filter(|char| !char.is_control()).collect(),
        };
        let spell = !self.fits_a_link(&url);
        let outer = self.look;
        if !spell {
            self.sheet.links.push(Link { url: url.clone(), end: 0, told: false });
            self.look.link = self.sheet.links.len() as u32;
        }
        self.outer.push((outer, Some(Anchor { url, start: self.sheet.text.len(), spell })));
    }

    /// Whether the dialect can show this link, and some text of it in every part. An address that takes
    /// half a message or more is spelled out, because text can be cut and a mark cannot.
    fn fits_a_link(&self, url: &str) -> bool {
        let mut mark = String::new();
        if self.look.pre != 0 || !(self.marks.open)(Style::Link { url }, &mut mark) {
            return false;
        }
        (self.marks.close)(Style::Link { url }, &mut mark);
        let unit = self.limit.unit;
        let longest = unit.len(&mark).max(unit.len(url) + " ()".len());
        longest <= self.limit.max / 2 && self.trappings <= self.limit.max / 2
    }

    fn end_link(&mut self, anchor: Anchor, outer: Look) {
        let Anchor { url, start, spell } = anchor;
        self.in_link = false;
        if self.sheet.text[start..].trim().is_empty() {
            self.text(&url);
        }
        let shown = &self.sheet.text[start..];
        let told = shown.trim() == url || url.strip_prefix("mailto:") == Some(shown.trim());
        let end = start + shown.trim_end().len();
        if !spell {
            if let Some(link) = self.sheet.links.last_mut() {
                (link.end, link.told) = (end, told);
            }
        } else if !told && !url.is_empty() {
            self.look = outer;
            self.text(&format!(" ({url})"));
        }
    }

    fn line_break(&mut self) {
        if self.gap > 0 {
            return;
        }
        self.sheet.push("\n", self.worn());
        for indent in self.indents.iter().take(DEEPEST) {
            self.sheet.push(indent, worn(self.look, self.marks, &self.able));
        }
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.flush();
        // An entity such as `&#7;` brings back what was cleaned away.
        if text.contains(unwelcome) {
            let clean: String = text.chars().filter(|char| !unwelcome(*char)).collect();
            return self.sheet.push(&clean, self.worn());
        }
        self.sheet.push(text, self.worn());
    }

    /// Writes what has to stand before the next text: line breaks, indents, bullets, bars.
    fn flush(&mut self) {
        let begins = self.sheet.text.is_empty();
        let gap = std::mem::take(&mut self.gap);
        let quiet = Look { quote: self.worn().quote, ..Look::default() };
        if !begins && gap > 0 {
            let between = if self.sheet.last_look().quote == quiet.quote { quiet } else { Look::default() };
            self.sheet.push(&"\n\n"[..gap.min(2)], between);
        }
        if begins || gap > 0 {
            let marker = self.marker.take();
            // Code keeps its own indentation and no other.
            let depth = match &marker {
                Some((depth, _)) => *depth,
                None if self.look.pre != 0 => 0,
                None => self.indents.len(),
            };
            for indent in &self.indents[..depth.min(DEEPEST)] {
                self.sheet.push(indent, quiet);
            }
            if let Some((_, marker)) = marker {
                if self.look.pre != 0 {
                    self.sheet.push(marker.trim_end(), quiet);
                    self.sheet.push("\n", quiet);
                } else {
                    self.sheet.push(&marker, quiet);
                }
            }
        }
        for _ in 0..std::mem::take(&mut self.bars) {
            self.sheet.push(" | ", self.worn());
        }
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
