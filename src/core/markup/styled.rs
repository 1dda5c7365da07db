//! Text without its Markdown, and the style of each stretch of it.

use std::ops::Range;

/// A whole text and the style of each stretch of it.
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
    pub format: Format,
}

/// The style of a stretch of text. It is a set and not a stack: bold within bold is bold, so ten thousand nested marks
/// cost no more than one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Format {
    pub bold: bool,
    pub italic: bool,
    pub strike: bool,
    pub code: bool,
    /// The number of the link, code block or quote, from 1; 0 means none. Numbers keep two neighbours apart.
    pub link: u32,
    pub pre: u32,
    pub quote: u32,
}

#[derive(Debug)]
pub(super) struct Link {
    pub url: String,
    /// Where its last visible character ends.
    pub end: usize,
    /// Whether its text is its address, so that plain text need not repeat the address.
    pub shows_target: bool,
}

impl StyledText {
    pub fn push(&mut self, text: &str, format: Format) {
        if text.is_empty() {
            return;
        }
        self.text.push_str(text);
        let end = self.text.len();
        match self.runs.last_mut() {
            Some(run) if run.format == format => run.end = end,
            _ => self.runs.push(Run { end, format }),
        }
    }

    /// Removes what was pushed after `end`.
    pub fn truncate(&mut self, end: usize) {
        self.text.truncate(end);
        let whole = self.runs.partition_point(|run| run.end < end);
        self.runs.truncate(if end == 0 { 0 } else { whole + 1 });
        if let Some(run) = self.runs.last_mut() {
            run.end = run.end.min(end);
        }
    }

    /// The text of the last line.
    pub fn last_line(&self) -> &str {
        &self.text[self.text.rfind('\n').map_or(0, |newline| newline + 1)..]
    }

    /// Changes the style of some stretches, given in the order of the text.
    pub fn set_format(&mut self, stretches: &[Range<usize>], change: impl Fn(Format) -> Format) {
        let mut stretches = stretches.iter().peekable();
        if stretches.peek().is_none() {
            return;
        }
        let (mut at, mut runs) = (0, Vec::<Run>::with_capacity(self.runs.len() + 2 * stretches.len()));
        for run in &self.runs {
            while at < run.end {
                while stretches.next_if(|stretch| stretch.end <= at).is_some() {}
                let (end, format) = match stretches.peek() {
                    Some(stretch) if stretch.start <= at => (stretch.end, change(run.format)),
                    Some(stretch) => (stretch.start, run.format),
                    None => (run.end, run.format),
                };
                at = end.min(run.end);
                match runs.last_mut() {
                    Some(last) if last.format == format => last.end = at,
                    _ => runs.push(Run { end: at, format }),
                }
            }
        }
        self.runs = runs;
    }

    pub fn last_format(&self) -> Format {
        self.runs.last().map(|run| run.format).unwrap_or_default()
    }

    pub fn format_at(&self, at: usize) -> Format {
        let run = self.runs.partition_point(|run| run.end <= at);
        self.runs.get(run).map(|run| run.format).unwrap_or_default()
    }

    /// The stretches of `piece` that have the same style.
    pub fn stretches(&self, piece: Range<usize>) -> impl Iterator<Item = (Range<usize>, Format)> {
        let first = self.runs.partition_point(|run| run.end <= piece.start);
        let mut at = piece.start;
        self.runs[first..].iter().map_while(move |run| {
            let range = at..run.end.min(piece.end);
            at = run.end;
            (!range.is_empty()).then_some((range, run.format))
        })
    }

    /// Appends `piece` without marks. With `with_marks`, the end of a link is followed by its address and a quoted line
    /// begins with `> `, so that the plain texts of all parts add up to the whole.
    pub fn write_plain(&self, piece: Range<usize>, with_marks: bool, out: &mut String) {
        if !with_marks {
            out.push_str(&self.text[piece]);
            return;
        }
        for (range, format) in self.stretches(piece) {
            let link = self.link(format).filter(|link| !link.shows_target && range.contains(&(link.end - 1)));
            if let Some(link) = link {
                self.write_lines(range.start..link.end, format, out);
                out.push_str(" (");
                out.push_str(display_target(&link.url));
                out.push(')');
            }
            self.write_lines(link.map_or(range.start, |link| link.end)..range.end, format, out);
        }
    }

    fn write_lines(&self, range: Range<usize>, format: Format, out: &mut String) {
        let mut at = range.start;
        for line in self.text[range].split_inclusive('\n') {
            let begins = at == 0 || self.text.as_bytes()[at - 1] == b'\n';
            if format.quote != 0 && begins && !line.starts_with('\n') {
                out.push_str("> ");
            }
            out.push_str(line);
            at += line.len();
        }
    }

    pub fn link(&self, format: Format) -> Option<&Link> {
        self.links.get((format.link as usize).checked_sub(1)?)
    }
}

/// A link's target as readers see it: without the scheme of a mail address.
pub(super) fn display_target(url: &str) -> &str {
    match url.strip_prefix("mailto:") {
        Some(address) if !address.contains('?') => address,
        _ => url,
    }
}
