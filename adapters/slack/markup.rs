//! Slack's markup, which it calls mrkdwn: for the argument `text` of a message.
//!
//! Slack acts on three characters: `&`, `<` and `>`. Escaped, nothing in a text can mention anybody (`<!channel>`,
//! `<@U1>`) or link anywhere. The marks `*`, `_`, `~` and `` ` `` have no escape, and count only between words.

mod link;

use frontdesk_core::markup::{Dialect, Marks, Rendering, Style};

/// Keeps two characters apart without being seen.
const APART: char = '\u{200b}';

/// Stands for a backtick inside of inline code, which would end there.
const BACKTICK: char = '\u{2cb}';

/// The marks that count only between words.
const MARKS: [char; 4] = ['*', '_', '~', '`'];

/// Slack's markup.
pub static DIALECT: Dialect = Dialect {
    name: "slack",
    rendering: Rendering::Formatted(Marks {
        escape,
        escape_code,
        open,
        close,
        line_quote: Some("> "),
        code_alone: true,
        per_line: true,
        max: usize::MAX,
        tab_stops: Some(4),
        code_words: |_| Vec::new(),
    }),
};

/// A text in which Slack finds nothing to act on.
pub fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    push_literal(text, &mut out);
    out
}

fn push_literal(text: &str, out: &mut String) {
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            char => out.push(char),
        }
    }
}

fn escape(text: &str, out: &mut String) {
    // A mark that was just closed counts only if no letter follows it.
    if text.starts_with(char::is_alphanumeric) && has_closed(out) {
        out.push(APART);
    }
    let begins = out.is_empty() || out.ends_with('\n');
    // At the beginning of a line it would make a quote of it, also when escaped.
    if begins && text.starts_with('>') {
        out.push(APART);
    }
    push_literal(text, out);
}

/// Whether a text ends in a mark that closes another one on the same line.
fn has_closed(out: &str) -> bool {
    let line = out.rsplit('\n').next().unwrap_or_default();
    let Some(mark) = line.chars().next_back().filter(|mark| MARKS.contains(mark)) else { return false };
    let is_second = line.chars().filter(|char| *char == mark).count() % 2 == 0;
    is_second && line.trim_end_matches(MARKS).ends_with(char::is_alphanumeric)
}

/// In a code block three backticks would end it, in inline code one does.
fn escape_code(text: &str, out: &mut String) {
    let in_block = out.rfind("```").is_some_and(|_| out.matches("```").count() % 2 == 1);
    let mut ticks = out.chars().rev().take_while(|char| *char == '`').count() * usize::from(!in_block);
    for char in text.chars() {
        match char {
            '`' if !in_block => out.push(BACKTICK),
            '`' => {
                ticks += 1;
                if ticks % 3 == 0 {
                    out.push(APART);
                }
                out.push('`');
                continue;
            }
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            char => out.push(char),
        }
        ticks = 0;
    }
}

fn open(style: Style<'_>, out: &mut String) -> bool {
    let mark = match style {
        Style::Quote => return false,
        Style::Pre { .. } => {
            // Slack has no languages, and takes what follows the mark for the first line.
            out.push_str("```\n");
            return true;
        }
        Style::Link { url } => {
            let Some(target) = link::target(url) else { return false };
            out.push('<');
            out.push_str(&target);
            out.push('|');
            return true;
        }
        Style::Bold => '*',
        Style::Italic => '_',
        Style::Strike => '~',
        Style::Code => '`',
    };
    // A mark counts only if no letter and no other such mark stands before it.
    if out.ends_with(|char: char| char.is_alphanumeric() || char == mark) {
        out.push(APART);
    }
    out.push(mark);
    true
}

fn close(style: Style<'_>, out: &mut String) {
    out.push_str(match style {
        Style::Quote => "",
        Style::Pre { .. } => "\n```",
        Style::Link { .. } => ">",
        Style::Bold => "*",
        Style::Italic => "_",
        Style::Strike => "~",
        Style::Code => "`",
    });
}

#[cfg(test)]
mod tests;
