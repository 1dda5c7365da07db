//! Text without its Markdown, and how each stretch of it looks.

use std::ops::Range;

/// A whole answer: its text, and how each stretch of it looks.
#[derive(Debug, Default)]
pub(super) struct StyledText {
    pub text: String,
    /// In the order of the text, without gaps: a run begins where the one before it ends.
    pub runs: Vec<Run>,
    pub links: Vec<Link>,
    /// The languages of the code blocks.
    pub blocks: Vec<Option<String>>,
}

#[derive(Debug)]
pub(super) struct Run {
    pub end: usize,
    pub look: Look,
}

/// How a stretch of text looks. A look is a set and not a stack: bold in bold is bold, so ten thousand
/// nested marks cost no more than one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Look {
    pub bold: bool,
    pub italic: bool,
    pub strike: bool,
    pub code: bool,
    /// Number of the link, block or quote, from 1; 0 is none. Two neighbours must stay two.
    pub link: u32,
    pub pre: u32,
    pub quote: u32,
}

#[derive(Debug)]
pub(super) struct Link {
    pub url: String,
    /// Where its last visible character ends.
    pub end: usize,
    /// Whether its text is its address, so that plain text need not repeat it.
    pub told: bool,
}

impl StyledText {
    pub fn push(&mut self, text: &str, look: Look) {
        if text.is_empty() {
            return;
        }
        self.text.push_str(text);
        let end = self.text.len();
        match self.runs.last_mut() {
            Some(run) if run.look == look => run.end = end,
            _ => self.runs.push(Run { end, look }),
        }
    }

    /// Takes back what was pushed after `end`.
    pub fn truncate(&mut self, end: usize) {
        self.text.truncate(end);
        let whole = self.runs.partition_point(|run| run.end < end);
        self.runs.truncate(if end == 0 { 0 } else { whole + 1 });
        if let Some(run) = self.runs.last_mut() {
            run.end = run.end.min(end);
        }
    }

    /// What stands in the last line.
    pub fn last_line(&self) -> &str {
        &self.text[self.text.rfind('\n').map_or(0, |newline| newline + 1)..]
    }

    /// Changes how some stretches of the text look; they come in the order of the text.
    pub fn set_look(&mut self, stretches: &[Range<usize>], change: impl Fn(Look) -> Look) {
        let mut stretches = stretches.iter().peekable();
        if stretches.peek().is_none() {
            return;
        }
        let (mut at, mut runs) = (0, Vec::<Run>::with_capacity(self.runs.len() + 2 * stretches.len()));
        for run in &self.runs {
            while at < run.end {
                while stretches.next_if(|stretch| stretch.end <= at).is_some() {}
                let (end, look) = match stretches.peek() {
                    Some(stretch) if stretch.start <= at => (stretch.end, change(run.look)),
                    Some(stretch) => (stretch.start, run.look),
                    None => (run.end, run.look),
                };
                at = end.min(run.end);
                match runs.last_mut() {
                    Some(last) if last.look == look => last.end = at,
                    _ => runs.push(Run { end: at, look }),
                }
            }
        }
        self.runs = runs;
    }

    pub fn last_look(&self) -> Look {
        self.runs.last().map(|run| run.look).unwrap_or_default()
    }

    pub fn look_at(&self, at: usize) -> Look {
        let run = self.runs.partition_point(|run| run.end <= at);
        self.runs.get(run).map(|run| run.look).unwrap_or_default()
    }

    /// The stretches of `piece` that look alike.
    pub fn stretches(&self, piece: Range<usize>) -> impl Iterator<Item = (Range<usize>, Look)> {
        let first = self.runs.partition_point(|run| run.end <= piece.start);
        let mut at = piece.start;
        self.runs[first..].iter().map_while(move |run| {
            let range = at..run.end.min(piece.end);
            at = run.end;
            (!range.is_empty()).then_some((range, run.look))
        })
    }

    /// Appends `piece` without marks. Dressed, a link is followed by its address where it ends, and a
    /// quoted line begins with `> ` where it begins: the plain texts of all parts make up the whole.
    pub fn write_plain(&self, piece: Range<usize>, dressed: bool, out: &mut String) {
        if !dressed {
            out.push_str(&self.text[piece]);
            return;
        }
        for (range, look) in self.stretches(piece) {
            let link = self.link(look).filter(|link| !link.told && range.contains(&(link.end - 1)));
            if let Some(link) = link {
                self.write_lines(range.start..link.end, look, out);
                out.push_str(" (");
                out.push_str(told(&link.url));
                out.push(')');
            }
            self.write_lines(link.map_or(range.start, |link| link.end)..range.end, look, out);
        }
    }

    fn write_lines(&self, range: Range<usize>, look: Look, out: &mut String) {
        let mut at = range.start;
        for line in self.text[range].split_inclusive('\n') {
            let begins = at == 0 || self.text.as_bytes()[at - 1] == b'\n';
            if look.quote != 0 && begins && !line.starts_with('\n') {
                out.push_str("> ");
            }
            out.push_str(line);
            at += line.len();
        }
    }

    pub fn link(&self, look: Look) -> Option<&Link> {
        self.links.get((look.link as usize).checked_sub(1)?)
    }
}

/// A link's target as it is told to a reader: of a mail address only the address.
pub(super) fn told(url: &str) -> &str {
    match url.strip_prefix("mailto:") {
        Some(address) if !address.contains('?') => address,
        _ => url,
    }
}
