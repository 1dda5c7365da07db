//! Writes a piece of a sheet with a dialect's marks.

use std::ops::Range;

use super::styled::{Look, StyledText};
use super::{Marks, Style};

/// Appends `piece` to `out`, with marks if `dressed`, and says how many pairs of marks that took.
pub(super) fn write(
    styled: &StyledText,
    marks: &Marks,
    piece: Range<usize>,
    dressed: bool,
    out: &mut String,
) -> usize {
    let mut writer = Writer { styled, marks, open: Vec::new(), pairs: 0, out };
    for (range, look) in styled.stretches(piece) {
        writer.write(&styled.text[range], if dressed { look } else { Look::default() });
    }
    writer.turn_to(Look::default());
    writer.pairs
}

struct Writer<'a> {
    styled: &'a StyledText,
    marks: &'a Marks,
    open: Vec<Mark>,
    pairs: usize,
    out: &'a mut String,
}

/// A mark that stands open. The order is the order of nesting, from outside in.
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
    /// Marks of one rank may stand inside each other either way.
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
    fn write(&mut self, text: &str, look: Look) {
        let by_line = self.marks.per_line || self.marks.line_quote.is_some();
        if !by_line || look.pre != 0 {
            self.turn_to(look);
            return self.escape(text, look);
        }
        for line in text.split_inclusive('\n') {
            let (words, ends) = line.strip_suffix('\n').map_or((line, false), |words| (words, true));
            if !words.is_empty() {
                // Marks that outlive their line are closed before the break, so this is outside of them.
                if let (Some(quote), true) = (self.marks.line_quote, look.quote != 0 && self.line_begins()) {
                    self.out.push_str(quote);
                }
                self.turn_to(look);
                self.escape(words, look);
            }
            if ends {
                if self.marks.per_line {
                    self.turn_to(Look { quote: look.quote, ..Look::default() });
                }
                self.out.push('\n');
            }
        }
    }

    fn line_begins(&self) -> bool {
        self.out.is_empty() || self.out.ends_with('\n')
    }

    fn escape(&mut self, text: &str, look: Look) {
        if look.code || look.pre != 0 {
            (self.marks.escape_code)(text, self.out);
        } else {
            (self.marks.escape)(text, self.out);
        }
    }

    /// Closes and opens what it takes to go on in `look`, leaving open what both have.
    fn turn_to(&mut self, look: Look) {
        let wanted = self.wanted(look);
        let has = |mark: &Mark| wanted.contains(&Some(*mark));
        let mut keep = self.open.iter().take_while(|mark| has(mark)).count();
        // A quote cannot begin inside bold: what opens now must be allowed inside what stays open.
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

    fn wanted(&self, look: Look) -> [Option<Mark>; 7] {
        [
            (look.quote != 0 && self.marks.line_quote.is_none()).then_some(Mark::Quote(look.quote)),
            (look.pre != 0).then_some(Mark::Pre(look.pre)),
            (look.link != 0).then_some(Mark::Link(look.link)),
            look.bold.then_some(Mark::Bold),
            look.italic.then_some(Mark::Italic),
            look.strike.then_some(Mark::Strike),
            look.code.then_some(Mark::Code),
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
