//! The fake platform's markup: bold has tags, everything else is plain text.

use frontdesk_core::markup::{Dialect, Marks, Rendering, Style};

/// The fake platform's markup.
pub static DIALECT: Dialect =
    Dialect { name: "fake", rendering: Rendering::Formatted(Marks { open, close, ..Marks::PLAIN }) };

fn open(style: Style<'_>, out: &mut String) -> bool {
    let bold = style == Style::Bold;
    if bold {
        out.push_str("<b>");
    }
    bold
}

fn close(style: Style<'_>, out: &mut String) {
    if style == Style::Bold {
        out.push_str("</b>");
    }
}
