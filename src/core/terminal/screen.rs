//! The last lines of a text, with a cursor that can move back into them.

use std::collections::VecDeque;

use vte::{Params, Perform};

/// The maximum number of cells in a row. A longer line continues in another row.
const COLUMNS: usize = 4096;
/// The number of rows that the cursor can go back, as on a terminal of that height.
const ROWS: usize = 50;
/// The maximum number of cells in all rows.
const CELLS: usize = 4 * COLUMNS;

pub(super) struct Screen {
    rows: VecDeque<Row>,
    row: usize,
    column: usize,
    /// The target of the open link and its text so far.
    link: Option<(String, String)>,
    /// Whether an escape sequence may have begun that has not ended.
    pub(super) in_sequence: bool,
}

#[derive(Default)]
struct Row {
    cells: Vec<char>,
    /// Continues the row above, without a line break between them.
    wrapped: bool,
    /// The cursor has gone back into it, so that it may be rewritten.
    returned: bool,
    /// It was rewritten: spaces at its end may be the rest of a longer text.
    rewritten: bool,
}

impl Default for Screen {
    fn default() -> Self {
        Self { rows: [Row::default()].into(), row: 0, column: 0, link: None, in_sequence: false }
    }
}

impl Row {
    fn shown(&self) -> &[char] {
        let blanks = self.cells.iter().rev().take_while(|c| **c == ' ').count();
        let kept = if self.rewritten { self.cells.len() - blanks } else { self.cells.len() };
        &self.cells[..kept]
    }
}

impl Screen {
    /// Whether plain text can be appended as it is.
    pub(super) fn is_at_end(&self) -> bool {
        let last = self.rows.back();
        let at_end = last.is_some_and(|row| self.column == row.cells.len() && !row.rewritten);
        at_end && self.row + 1 == self.rows.len() && !self.in_sequence && self.link.is_none()
    }

    /// Writes text without control characters other than line breaks and tabs.
    pub(super) fn write_text(&mut self, text: &str) {
        for c in text.chars() {
            if c == '\n' { self.break_line() } else { self.write(c) }
        }
    }

    /// The text of all rows that are kept.
    pub(super) fn text(&self) -> String {
        self.text_from(0)
    }

    /// The number of bytes of the text that may still be rewritten.
    pub(super) fn unsettled(&self) -> usize {
        let is_last = self.row + 1 == self.rows.len();
        let settled = is_last && self.rows.get(self.row).is_none_or(|row| !row.returned);
        if settled { 0 } else { self.text_from(self.row).len() }
    }

    fn text_from(&self, first: usize) -> String {
        let mut text = String::new();
        for (at, row) in self.rows.iter().enumerate().skip(first) {
            if at > first && !row.wrapped {
                text.push('\n');
            }
            text.extend(row.shown());
        }
        text
    }

    /// Drops rows that are too far up.
    pub(super) fn forget(&mut self) {
        let mut cells: usize = self.rows.iter().map(|row| row.cells.len()).sum();
        while self.row > 0 && (self.rows.len() > ROWS || cells > CELLS) {
            cells -= self.rows.pop_front().map_or(0, |row| row.cells.len());
            self.row -= 1;
        }
    }

    /// Ends a link: its target is written after its text, so that everybody sees it.
    pub(super) fn close_link(&mut self) {
        let Some((target, text)) = self.link.take() else { return };
        if is_web(&target) && !text.trim().is_empty() && text.trim() != target {
            self.write_text(&format!(" ({target})"));
        }
    }

    fn here(&mut self) -> &mut Row {
        // The cursor is always within the rows. If it were not, this adds a row instead of panicking.
        while self.rows.len() <= self.row {
            self.rows.push_back(Row::default());
        }
        &mut self.rows[self.row]
    }

    fn write(&mut self, c: char) {
        if self.column >= COLUMNS {
            self.row += 1;
            self.column = 0;
            self.rows.insert(self.row.min(self.rows.len()), Row { wrapped: true, ..Row::default() });
        }
        let column = self.column;
        let row = self.here();
        match row.cells.get_mut(column) {
            Some(cell) => {
                row.rewritten |= *cell != c;
                *cell = c;
            }
            None => {
                row.cells.resize(column, ' ');
                row.cells.push(c);
            }
        }
        self.column += 1;
    }

    fn break_line(&mut self) {
        self.row += 1;
        self.column = 0;
        self.here();
    }

    fn go_to_column(&mut self, column: usize) {
        self.column = column.min(COLUMNS - 1);
        self.here().returned = true;
    }

    fn go_to_row(&mut self, row: usize) {
        self.row = row.min(self.rows.len().saturating_sub(1));
        self.here().returned = true;
    }

    fn erase_in_line(&mut self, mode: u16) {
        let column = self.column;
        let row = self.here();
        let (from, to) = match mode {
            0 => (column, row.cells.len()),
            1 => (0, (column + 1).min(row.cells.len())),
            _ => (0, row.cells.len()),
        };
        if from < to {
            row.cells[from..to].fill(' ');
            row.rewritten = true;
        }
    }
}

/// Whether a chat may show this target as a link.
fn is_web(target: &str) -> bool {
    let web = target.starts_with("https://") || target.starts_with("http://");
    web && target.chars().all(|c| !c.is_whitespace() && !c.is_control())
}

impl Perform for Screen {
    fn print(&mut self, c: char) {
        self.in_sequence = false;
        if c.is_control() {
            return;
        }
        if let Some((_, text)) = self.link.as_mut().filter(|(_, text)| text.len() < COLUMNS) {
            text.push(c);
        }
        self.write(c);
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\n' | 0x0b | 0x0c => {
                self.close_link();
                self.break_line();
            }
            b'\r' => self.go_to_column(0),
            0x08 => self.go_to_column(self.column.saturating_sub(1)),
            b'\t' => self.write('\t'),
            0x18 | 0x1a => self.in_sequence = false,
            _ => {}
        }
    }

    fn hook(&mut self, _: &Params, _: &[u8], _: bool, _: char) {}

    fn put(&mut self, _: u8) {}

    fn unhook(&mut self) {}

    fn osc_dispatch(&mut self, params: &[&[u8]], _: bool) {
        self.in_sequence = false;
        // A link: `8;PARAMETERS;TARGET`. All other commands concern a window: its title, its clipboard.
        if let [b"8", _, target @ ..] = params {
            self.close_link();
            let target = String::from_utf8_lossy(&target.join(&b';')).into_owned();
            self.link = Some((target, String::new())).filter(|(target, _)| !target.is_empty());
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], _: bool, action: char) {
        self.in_sequence = false;
        if !intermediates.is_empty() {
            return;
        }
        let first = params.iter().next().and_then(|param| param.first().copied()).unwrap_or_default();
        let n = usize::from(first.max(1));
        match action {
            'A' => self.go_to_row(self.row.saturating_sub(n)),
            'B' => self.go_to_row(self.row.saturating_add(n)),
            'C' => self.go_to_column(self.column.saturating_add(n)),
            'D' => self.go_to_column(self.column.saturating_sub(n)),
            'E' | 'F' => {
                let row = if action == 'E' { self.row.saturating_add(n) } else { self.row.saturating_sub(n) };
                self.go_to_row(row);
                self.go_to_column(0);
            }
            'G' | '`' => self.go_to_column(n - 1),
            'K' => self.erase_in_line(first),
            'J' if first == 0 => {
                self.erase_in_line(0);
                self.rows.truncate(self.row + 1);
            }
            // Colours, and the commands that clear a whole screen, which must not delete text here.
            _ => {}
        }
    }

    fn esc_dispatch(&mut self, _: &[u8], _: bool, byte: u8) {
        self.in_sequence = false;
        if byte == b'E' {
            self.close_link();
            self.break_line();
        }
    }
}
