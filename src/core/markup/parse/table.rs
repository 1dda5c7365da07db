//! The rows of a table.

use super::Reader;

impl Reader<'_> {
    pub(super) fn start_row(&mut self) {
        self.break_line(1);
        self.separators = 0;
        self.in_row = false;
    }

    /// Shows the cells of a row that has more cells than the header; `rest` is the row's source after the last cell
    /// that the parser reported.
    pub(super) fn extra_cells(&mut self, rest: &str) {
        for cell in extra_cells(rest) {
            self.separators += usize::from(self.in_row);
            self.in_row = true;
            self.text(&cell);
        }
    }
}

/// The cells in the source of a row after the last cell that the parser reported. The parser drops such cells, and a `|`
/// within code creates one.
pub(in crate::markup) fn extra_cells(rest: &str) -> Vec<String> {
    let (mut cells, mut cell, mut escaped) = (Vec::new(), String::new(), false);
    for char in rest.chars().chain(['|']) {
        match char {
            '|' if !escaped => cells.push(std::mem::take(&mut cell)),
            // The backslash escapes the bar.
            '|' => {
                cell.pop();
                cell.push(char);
            }
            _ => cell.push(char),
        }
        escaped = char == '\\' && !escaped;
    }
    cells.iter().map(|cell| cell.trim().to_owned()).filter(|cell| !cell.is_empty()).collect()
}
