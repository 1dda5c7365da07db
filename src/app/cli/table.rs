//! Tables.

use comfy_table::{ContentArrangement, Table, presets};

use super::{Done, screen};

/// The width of a terminal that does not say it, in characters.
const WIDTH: u16 = 80;

/// Prints rows under a header, or `empty` if there are none.
pub fn print(header: &[&str], rows: Vec<Vec<String>>, empty: &str) -> Done {
    if rows.is_empty() {
        return screen::line(empty);
    }
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    // Some terminals do not say how wide they are.
    if screen::is_terminal() && table.width().is_none_or(|width| width == 0) {
        table.set_width(WIDTH);
    }
    if screen::colours() {
        let bold = |name: &&str| comfy_table::Cell::new(name).add_attribute(comfy_table::Attribute::Bold);
        table.enforce_styling().set_header(header.iter().map(bold));
    } else {
        table.force_no_tty().set_header(header);
    }
    for row in rows {
        table.add_row(row.iter().map(|cell| screen::one_line(cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    // No spaces at the ends of lines: tables are pasted into tickets.
    let text: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    screen::rows(&text.join("\n"))
}
