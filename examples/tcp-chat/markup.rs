//! The chat's text format: plain text without control characters.

use frontdesk_core::markup::{Dialect, Marks, Rendering};

/// The chat's text format.
pub static DIALECT: Dialect = Dialect {
    name: "tcp",
    rendering: Rendering::Formatted(Marks { escape, escape_code: escape, ..Marks::PLAIN }),
};

/// Control characters would do things in a terminal.
fn escape(text: &str, out: &mut String) {
    out.extend(text.chars().filter(|c| !c.is_control() || *c == '\n'));
}
