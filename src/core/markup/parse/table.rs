//! The rows of a table.

use super::Reader;

impl Reader<'_> {
    pub(super) fn start_row(&mut self) {
        self.break_line(1);
        self.bars = 0;
        self.in_row = false;
    }

    /// Shows the cells that a row has beyond its head, as they were written; `rest` is the row's source behind
    /// the last cell that the parser told of. Tables drop them, and a bar within code makes one.
    pub(super) fn excess_cells(&mut self, rest: &str) {
        let (mut cell, mut escaped) = (String::new(), false);
        for char in rest.chars().chain(['|']) {
            match char {
                '|' if !escaped => self.excess_cell(&std::mem::take(&mut cell)),
                // The backslash belongs to the bar.
                '|' => {
                    cell.pop();
                    cell.push(char);
                }
                _ => cell.push(char),
            }
            escaped = char == '\\' && !escaped;
        }
    }

    fn excess_cell(&mut self, cell: &str) {
        if !cell.trim().is_empty() {
            self.bars += usize::from(self.in_row);
            self.in_row = true;
            self.text(cell.trim());
        }
    }
}
