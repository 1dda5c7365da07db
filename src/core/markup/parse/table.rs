//! The rows of a table.

use super::Reader;

impl Reader<'_> {
    pub(super) fn start_row(&mut self) {
        self.break_line(1);
        self.separators = 0;
        self.in_row = false;
    }

    /// Shows the cells of a row that has more cells than the header; `rest` is the row's source after the last cell
    /// that the parser reported. The parser drops such cells, and a `|` within code creates one.
    pub(super) fn extra_cells(&mut self, rest: &str) {
        let (mut cell, mut escaped) = (String::new(), false);
        for char in rest.chars().chain(['|']) {
            match char {
                '|' if !escaped => self.extra_cell(&std::mem::take(&mut cell)),
                // The backslash escapes the bar.
                '|' => {
                    cell.pop();
                    cell.push(char);
                }
                _ => cell.push(char),
            }
            escaped = char == '\\' && !escaped;
        }
    }

    fn extra_cell(&mut self, cell: &str) {
        if !cell.trim().is_empty() {
            self.separators += usize::from(self.in_row);
            self.in_row = true;
            self.text(cell.trim());
        }
    }
}
