//! Telegram's HTML (Bot API, "HTML style"): `parse_mode` is `HTML`.
//!
//! The nesting follows the Bot API: `pre` and `code` contain no other tag and may only be inside a `blockquote`; a
//! `blockquote` contains no other one. Core never nests quotes or links.

mod link;
mod words;

use frontdesk_core::delivery::Post;
use frontdesk_core::markup::{Dialect, Marks, Rendering, Style};
use teloxide_core::types::ParseMode;

/// Telegram's markup.
pub static DIALECT: Dialect = Dialect {
    name: "telegram",
    rendering: Rendering::Formatted(Marks {
        escape,
        escape_code: escape,
        open,
        close,
        line_quote: None,
        code_alone: true,
        per_line: false,
        // Bot API: a message has at most 100 entities; the others are ignored.
        max: 100,
        tab_stops: Some(4),
        code_words: words::found,
    }),
};

/// The parse mode of a post. Text that looks the same without markup is sent without it, so that no server can misread
/// it.
pub(crate) fn parse_mode(post: &Post) -> Option<ParseMode> {
    (post.part.body != post.part.plain).then_some(ParseMode::Html)
}

fn escape(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', RING]) {
        out.push_str(&rest[..at]);
        let mut chars = rest[at..].chars();
        match chars.next() {
            Some('&') => out.push_str("&amp;"),
            Some('<') => out.push_str("&lt;"),
            Some('>') => out.push_str("&gt;"),
            _ => put_ring(out),
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
}

/// The combining ring, which macOS uses in file names. Telegram removes it from every text, and `å` would become `a`.
const RING: char = '\u{30a}';

fn put_ring(out: &mut String) {
    let ringed = match out.chars().next_back() {
        Some('a') => 'å',
        Some('A') => 'Å',
        Some('u') => 'ů',
        Some('U') => 'Ů',
        Some('w') => 'ẘ',
        Some('y') => 'ẙ',
        _ => return out.push(RING),
    };
    out.pop();
    out.push(ringed);
}

fn escape_attribute(text: &str, out: &mut String) {
    for (index, piece) in text.split('"').enumerate() {
        if index > 0 {
            out.push_str("&quot;");
        }
        escape(piece, out);
    }
}

fn open(style: Style<'_>, out: &mut String) -> bool {
    match style {
        Style::Quote => out.push_str("<blockquote>"),
        Style::Pre { language: Some(language) } => {
            out.push_str("<pre><code class=\"language-");
            escape_attribute(language, out);
            out.push_str("\">");
        }
        Style::Pre { language: None } => out.push_str("<pre>"),
        Style::Link { url } if !link::is_kept(url) => return false,
        Style::Link { url } => {
            out.push_str("<a href=\"");
            escape_attribute(url, out);
            out.push_str("\">");
        }
        Style::Bold => out.push_str("<b>"),
        Style::Italic => out.push_str("<i>"),
        Style::Strike => out.push_str("<s>"),
        Style::Code => out.push_str("<code>"),
    }
    true
}

fn close(style: Style<'_>, out: &mut String) {
    out.push_str(match style {
        Style::Quote => "</blockquote>",
        Style::Pre { language: Some(_) } => "</code></pre>",
        Style::Pre { language: None } => "</pre>",
        Style::Link { .. } => "</a>",
        Style::Bold => "</b>",
        Style::Italic => "</i>",
        Style::Strike => "</s>",
        Style::Code => "</code>",
    });
}

#[cfg(test)]
mod tests;
