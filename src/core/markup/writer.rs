//! Writes a piece of styled text with a dialect's marks.

use std::ops::Range;

use super::styled::{Format, StyledText};
use super::{Marks, Style};

/// Appends `piece` to `out`, with marks if `with_marks`, and returns the number of pairs of marks.
pub(super) fn write(
    styled: &StyledText,
    marks: &Marks,
    piece: Range<usize>,
    with_marks: bool,
    out: &mut String,
) -> usize {
    let mut writer = Writer { styled, marks, open: Vec::new(), pairs: 0, out };
    for (range, format) in styled.stretches(piece) {
        writer.write(&styled.text[range], if with_marks { format } else { Format::default() });
    }
    writer.turn_to(Format::default());
    writer.pairs
}

struct Writer<'a> {
    styled: &'a StyledText,
    marks: &'a Marks,
    open: Vec<Mark>,
    pairs: usize,
    out: &'a mut String,
}

/// A mark that is open. The order is the order of nesting, from the outside to the inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Quote(u32),
    Pre(u32),
    Link(u32),
    Bold,
    Italic,
    Strike,
    Code,
}

impl Mark {
    /// Marks of the same rank may be nested in either order.
    fn rank(self) -> u8 {
        match self {
            Mark::Quote(_) => 0,
            Mark::Pre(_) => 1,
            Mark::Link(_) => 2,
            Mark::Bold | Mark::Italic | Mark::Strike => 3,
            Mark::Code => 4,
        }
    }
}

impl Writer<'_> {
    fn write(&mut self, text: &str, format: Format) {
        let by_line = self.marks.per_line || self.marks.line_quote.is_some();
        if !by_line || format.pre != 0 {
            self.turn_to(format);
            return self.escape(text, format);
        }
        for line in text.split_inclusive('\n') {
            let (words, ends) = line.strip_suffix('\n').map_or((line, false), |words| (words, true));
            if !words.is_empty() {
                // Marks that must end with the line are closed before the line break, so this prefix is outside of
                // them.
                if let (Some(quote), true) = (self.marks.line_quote, format.quote != 0 && self.line_begins())
                {
                    self.out.push_str(quote);
                }
                self.turn_to(format);
                self.escape(words, format);
            }
            if ends {
                if self.marks.per_line {
                    self.turn_to(Format { quote: format.quote, ..Format::default() });
                }
                self.out.push('\n');
            }
        }
    }

    fn line_begins(&self) -> bool {
        self.out.is_empty() || self.out.ends_with('\n')
    }

    fn escape(&mut self, text: &str, format: Format) {
        if format.code || format.pre != 0 {
            (self.marks.escape_code)(text, self.out);
        } else {
            (self.marks.escape)(text, self.out);
        }
    }

    /// Closes and opens marks to continue in this style. Marks that both have stay open.
    fn turn_to(&mut self, format: Format) {
        let wanted = self.wanted(format);
        let has = |mark: &Mark| wanted.contains(&Some(*mark));
        let mut keep = self.open.iter().take_while(|mark| has(mark)).count();
        // A quote cannot begin inside bold: a new mark must be allowed inside the marks that stay open.
        while keep > 0
            && wanted
                .iter()
                .flatten()
                .any(|mark| !self.open[..keep].contains(mark) && mark.rank() < self.open[keep - 1].rank())
        {
            keep -= 1;
        }
        while self.open.len() > keep {
            if let Some(mark) = self.open.pop() {
                (self.marks.close)(style(self.styled, mark), self.out);
            }
        }
        for mark in wanted.into_iter().flatten() {
            if !self.open.contains(&mark) && (self.marks.open)(style(self.styled, mark), self.out) {
                self.open.push(mark);
                self.pairs += 1;
            }
        }
    }

    fn wanted(&self, format: Format) -> [Option<Mark>; 7] {
        [
            (format.quote != 0 && self.marks.line_quote.is_none()).then_some(Mark::Quote(format.quote)),
            (format.pre != 0).then_some(Mark::Pre(format.pre)),
            (format.link != 0).then_some(Mark::Link(format.link)),
            format.bold.then_some(Mark::Bold),
            format.italic.then_some(Mark::Italic),
            format.strike.then_some(Mark::Strike),
            format.code.then_some(Mark::Code),
        ]
    }
}

fn style(styled: &StyledText, mark: Mark) -> Style<'_> {
    match mark {
        Mark::Quote(_) => Style::Quote,
        Mark::Pre(block) => Style::Pre {
            language: styled.blocks.get(block as usize - 1).and_then(|language| language.as_deref()),
        },
        Mark::Link(link) => {
            Style::Link { url: styled.links.get(link as usize - 1).map_or("", |link| link.url.as_str()) }
        }
        Mark::Bold => Style::Bold,
        Mark::Italic => Style::Italic,
        Mark::Strike => Style::Strike,
        Mark::Code => Style::Code,
    }
}
