//! The web channel sends text as the agent wrote it: clients render Markdown themselves.

use frontdesk_core::markup::{Dialect, Rendering};

/// The web channel's text format.
pub static DIALECT: Dialect = Dialect { name: "web", rendering: Rendering::Verbatim };

#[cfg(test)]
mod tests {
    use super::*;
    use frontdesk_core::markup::render;
    use frontdesk_core::profile::{Limit, Unit};

    #[test]
    fn markdown_reaches_the_page_as_it_was_written() {
        let text = "# Hi\r\n\n* **a** <b>\n\n```rust\nlet x = 1;\n```\n";
        let parts = render(text, &DIALECT, Limit { max: 1000, unit: Unit::Bytes });
        assert_eq!(parts.len(), 1);
        assert_eq!(parts[0].body, text);
        assert_eq!(parts[0].plain, "Hi\n\n• a <b>\n\nlet x = 1;");
    }
}
