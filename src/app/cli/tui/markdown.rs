//! Markdown as lines of the terminal, from the same tree that the page shows.

mod table;

use frontdesk_core::markup::{self, Element, Node};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::text::{chop, clean, clean_line, width, wrap};
use super::theme::Theme;

/// The longest rule, in columns.
const RULE: usize = 40;

/// The lines of a text in Markdown, each with `indent` before it.
pub fn lines(text: &str, indent: &str, columns: usize, theme: Theme) -> Vec<Line<'static>> {
    let mut writer = Writer::new(columns, theme, indent);
    match markup::tree(text) {
        Some(nodes) => writer.blocks(&nodes, Style::new()),
        None => writer.wrapped(&[Span::raw(clean(text))]),
    }
    writer.lines
}

/// Writes lines. Each begins with the marks of the quotes and lists around it.
struct Writer {
    lines: Vec<Line<'static>>,
    columns: usize,
    theme: Theme,
    /// What stands before every line.
    margin: Vec<Span<'static>>,
    /// What stands before the next line instead: the mark of an item of a list.
    mark: Option<Vec<Span<'static>>>,
}

impl Writer {
    fn new(columns: usize, theme: Theme, indent: &str) -> Writer {
        let margin = if indent.is_empty() { Vec::new() } else { vec![Span::raw(indent.to_owned())] };
        Writer { lines: Vec::new(), columns, theme, margin, mark: None }
    }

    /// How many columns are left beside the margin.
    fn left(&self) -> usize {
        let margin: usize = self.margin.iter().map(|span| width(&span.content)).sum();
        self.columns.saturating_sub(margin).max(1)
    }

    fn line(&mut self, spans: Vec<Span<'static>>) {
        let mut line = self.mark.take().unwrap_or_else(|| self.margin.clone());
        line.extend(spans);
        self.lines.push(Line::from(line));
    }

    fn wrapped(&mut self, spans: &[Span<'static>]) {
        for line in wrap(spans, self.left()) {
            self.line(line);
        }
    }

    /// Writes blocks with an empty line between two of them. Words beside blocks are a paragraph.
    fn blocks(&mut self, nodes: &[Node], style: Style) {
        self.stacked(nodes, style, true);
    }

    fn stacked(&mut self, nodes: &[Node], style: Style, spaced: bool) {
        let mut words: Vec<&Node> = Vec::new();
        let mut is_first = true;
        let mut gap = |writer: &mut Writer| {
            if !std::mem::take(&mut is_first) && spaced {
                writer.line(Vec::new());
            }
        };
        for node in nodes {
            match node {
                Node::Element(element) if is_block(element) => {
                    if !words.is_empty() {
                        gap(self);
                        self.words(&std::mem::take(&mut words), style);
                    }
                    gap(self);
                    self.block(element, style);
                }
                node => words.push(node),
            }
        }
        if !words.is_empty() {
            gap(self);
            self.words(&words, style);
        }
    }

    fn words(&mut self, nodes: &[&Node], style: Style) {
        let mut spans = Vec::new();
        for node in nodes {
            inline(node, style, self.theme, &mut spans);
        }
        self.wrapped(&spans);
    }

    fn block(&mut self, element: &Element, style: Style) {
        match element {
            Element::Heading { level, children } => {
                let style = style.patch(self.theme.heading(*level));
                self.words(&children.iter().collect::<Vec<_>>(), style);
            }
            Element::Quote { children } => {
                let theme = self.theme;
                self.within(Span::styled("│ ", theme.dim()), None, |writer| writer.blocks(children, style));
            }
            Element::List { start, children } => self.list(*start, children, style),
            Element::Pre { language, text } => self.code(language.as_deref(), text),
            Element::Table { align, children } => {
                let rows = table::lines(align, children, self.left(), self.theme, style);
                rows.into_iter().for_each(|row| self.line(row));
            }
            Element::Rule {} => {
                let rule = "─".repeat(self.left().min(RULE));
                self.line(vec![Span::styled(rule, self.theme.dim())]);
            }
            Element::Paragraph { children } | Element::Item { children, .. } => {
                self.stacked(children, style, false);
            }
            other => self.words(&[&Node::Element(other.clone())], style),
        }
    }

    /// Writes with `margin` before each line, and with `mark` in its place before the first one.
    fn within(
        &mut self,
        margin: Span<'static>,
        mark: Option<Span<'static>>,
        write: impl FnOnce(&mut Writer),
    ) {
        if let Some(mark) = mark {
            // The first line of a list in an item stands beside the mark of that item.
            let mut before = self.mark.take().unwrap_or_else(|| self.margin.clone());
            before.push(mark);
            self.mark = Some(before);
        } else if let Some(mark) = &mut self.mark {
            mark.push(margin.clone());
        }
        self.margin.push(margin);
        write(self);
        self.margin.pop();
        // Nothing was written: the mark stands alone.
        if let Some(mark) = self.mark.take() {
            self.lines.push(Line::from(mark));
        }
    }

    fn list(&mut self, start: Option<u64>, items: &[Node], style: Style) {
        for (n, item) in (start.unwrap_or(0)..).zip(items) {
            let (done, children) = match item {
                Node::Element(Element::Item { done, children }) => (*done, children.as_slice()),
                other => (None, std::slice::from_ref(other)),
            };
            let mark = match (done, start) {
                (Some(true), _) => "[x] ".to_owned(),
                (Some(false), _) => "[ ] ".to_owned(),
                (None, Some(_)) => format!("{n}. "),
                (None, None) => "• ".to_owned(),
            };
            let margin = Span::raw(" ".repeat(width(&mark)));
            self.within(margin, Some(Span::raw(mark)), |writer| writer.stacked(children, style, false));
        }
    }

    fn code(&mut self, language: Option<&str>, text: &str) {
        let theme = self.theme;
        if let Some(language) = language {
            self.line(vec![Span::styled(format!("  {}", clean_line(language)), theme.dim())]);
        }
        self.within(Span::raw("  "), None, |writer| {
            for line in chop(&[Span::styled(clean(text), theme.code())], writer.left()) {
                writer.line(line);
            }
        });
    }
}

fn is_block(element: &Element) -> bool {
    !matches!(
        element,
        Element::Bold { .. }
            | Element::Italic { .. }
            | Element::Strike { .. }
            | Element::Code { .. }
            | Element::Link { .. }
    )
}

/// Appends a node within a paragraph.
fn inline(node: &Node, style: Style, theme: Theme, spans: &mut Vec<Span<'static>>) {
    let mut all =
        |children: &[Node], style| children.iter().for_each(|node| inline(node, style, theme, spans));
    match node {
        Node::Text(text) => spans.push(Span::styled(clean(text), style)),
        Node::Element(Element::Bold { children }) => all(children, style.add_modifier(Modifier::BOLD)),
        Node::Element(Element::Italic { children }) => all(children, style.add_modifier(Modifier::ITALIC)),
        Node::Element(Element::Strike { children }) => {
            all(children, style.add_modifier(Modifier::CROSSED_OUT))
        }
        Node::Element(Element::Code { text }) => {
            spans.push(Span::styled(clean(text), style.patch(theme.code())));
        }
        Node::Element(Element::Link { url, children }) => {
            all(children, style.patch(theme.link()));
            // A text can claim another address than that of the link.
            let address = url.strip_prefix("mailto:").unwrap_or(url);
            if words(children) != address {
                spans.push(Span::styled(format!(" ({})", clean_line(url)), style.patch(theme.dim())));
            }
        }
        Node::Element(Element::Pre { text, .. }) => spans.push(Span::styled(clean(text), theme.code())),
        Node::Element(Element::Rule {}) => {}
        Node::Element(
            Element::Paragraph { children }
            | Element::Heading { children, .. }
            | Element::Quote { children }
            | Element::List { children, .. }
            | Element::Item { children, .. }
            | Element::Table { children, .. }
            | Element::Row { children }
            | Element::Cell { children },
        ) => all(children, style),
    }
}

/// The text of nodes without their markup.
fn words(nodes: &[Node]) -> String {
    let mut spans = Vec::new();
    nodes.iter().for_each(|node| inline(node, Style::new(), Theme::new(false), &mut spans));
    spans.iter().map(|span| span.content.as_ref()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, columns: usize) -> Vec<String> {
        let plain = |line: &Line<'_>| line.spans.iter().map(|span| span.content.as_ref()).collect::<String>();
        lines(text, "", columns, Theme::new(true)).iter().map(plain).collect()
    }

    #[test]
    fn headings_lists_and_quotes_are_legible_without_their_marks() {
        assert_eq!(shown("# Tea\n\nIt is **good** and *hot*.", 40), ["Tea", "", "It is good and hot."]);
        assert_eq!(
            shown("- one two three\n- four\n  1. five\n", 10),
            ["• one two", "  three", "• four", "  1. five"]
        );
        assert_eq!(shown("3. a\n4. b", 10), ["3. a", "4. b"]);
        assert_eq!(shown("- [x] done\n- [ ] open", 20), ["[x] done", "[ ] open"]);
        assert_eq!(shown("> one two\n>\n> three", 7), ["│ one", "│ two", "│ ", "│ three"]);
        assert_eq!(shown("a\n\n---\n\nb", 5), ["a", "", "─────", "", "b"]);
    }

    #[test]
    fn code_keeps_its_lines_and_names_its_language() {
        let text = "Run:\n\n```sh\nls  -la\n\tx\n```\n\n`a b`";
        assert_eq!(shown(text, 40), ["Run:", "", "  sh", "  ls  -la", "      x", "", "a b"]);
        assert_eq!(shown("```\nabcdefgh\n```", 6), ["  abcd", "  efgh"]);
    }

    #[test]
    fn a_link_shows_where_it_leads() {
        assert_eq!(shown("[shop](https://a.example/b)", 60), ["shop (https://a.example/b)"]);
        assert_eq!(shown("<https://a.example/>", 60), ["https://a.example/"]);
        let deceiving = "[https://good.example](https://bad.example)";
        assert_eq!(shown(deceiving, 60), ["https://good.example (https://bad.example)"]);
    }

    #[test]
    fn tables_are_aligned_and_wrapped_where_they_are_too_wide() {
        let text = "| tea | price |\n|:--|--:|\n| Assam | 3 |\n| Oolong from far away | 12 |";
        assert_eq!(
            shown(text, 60),
            [
                "tea                  │ price",
                "─────────────────────┼──────",
                "Assam                │     3",
                "Oolong from far away │    12",
            ]
        );
        let narrow = shown(text, 20);
        assert!(narrow.iter().all(|line| width(line) <= 20), "{narrow:#?}");
        assert!(narrow.iter().any(|line| line.contains("Oolong")), "{narrow:#?}");
    }

    #[test]
    fn markup_cannot_control_the_terminal() {
        let evil = "**a\u{1b}[2J** [x\u{1b}]0;t\u{7}](https://e.example/\u{9b}) `\u{1b}c` &#27;[31m\n\n```\u{1b}[A\n\u{1b}[5i\n```\n";
        for line in shown(evil, 80) {
            assert!(!line.chars().any(char::is_control), "{line:?}");
        }
    }

    #[test]
    fn styles_follow_the_markup() {
        let line = &lines("**b** `c`", "", 20, Theme::new(false))[0];
        assert!(line.spans[0].style.add_modifier.contains(Modifier::BOLD));
        assert_eq!(lines("# a", "", 9, Theme::new(false))[0].spans[0].style.fg, None, "no colours");
    }
}
