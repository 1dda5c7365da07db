//! Discord's Markdown ("Markdown Text 101" in its help center).

use frontdesk_core::markup::{Dialect, Marks, Rendering, Style};

/// Discord's markup.
pub static DIALECT: Dialect = Dialect {
    name: "discord",
    rendering: Rendering::Formatted(Marks {
        escape,
        escape_code,
        open,
        close,
        line_quote: Some("> "),
        code_alone: false,
        per_line: true,
        max: usize::MAX,
        tab_stops: None,
        code_words: |_| Vec::new(),
    }),
};

/// Is not shown, and keeps signs apart that would mean something together.
const APART: char = '\u{200b}';

/// Signs that mean something anywhere in a line.
const SIGNS: [char; 8] = ['\\', '*', '_', '~', '`', '|', '[', '<'];

/// Addresses in a text stay as they are, because a backslash would become a part of them.
const ADDRESSES: [&str; 2] = ["https://", "http://"];

/// Words that notify everybody. Nobody is notified in any case (`allowed_mentions`); this keeps them from looking so.
const EVERYBODY: [&str; 2] = ["everyone", "here"];

fn escape(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if ADDRESSES.iter().any(|scheme| rest.starts_with(scheme)) && starts_word(out) {
            let end = rest.find(|c: char| c.is_whitespace() || c == '<').unwrap_or(rest.len());
            out.push_str(&rest[..end]);
            rest = &rest[end..];
            continue;
        }
        rest = &rest[c.len_utf8()..];
        let means = SIGNS.contains(&c) || "#>-".contains(c) && starts_line(out) && heads(c, rest);
        if means {
            out.push('\\');
        }
        out.push(c);
        if c == '@' && EVERYBODY.iter().any(|word| rest.starts_with(word)) {
            out.push(APART);
        }
    }
}

/// Whether a sign at the beginning of a line makes it a heading, a quote, a list or small print.
fn heads(sign: char, rest: &str) -> bool {
    let behind = rest.trim_start_matches([sign, '#']);
    behind.is_empty() || behind.starts_with(' ')
}

fn starts_line(out: &str) -> bool {
    let line = out.rsplit('\n').next().unwrap_or_default();
    line.trim_start_matches("> ").chars().all(char::is_whitespace)
}

fn starts_word(out: &str) -> bool {
    !out.ends_with(char::is_alphanumeric)
}

/// Two backticks in a row could end the code.
fn escape_code(text: &str, out: &mut String) {
    for c in text.chars() {
        if c == '`' && out.ends_with('`') {
            out.push(APART);
        }
        out.push(c);
    }
}

fn open(style: Style<'_>, out: &mut String) -> bool {
    match style {
        // Each line begins with `> `.
        Style::Quote => return false,
        Style::Pre { language } => {
            out.push_str("```");
            out.push_str(language.filter(|name| is_language(name)).unwrap_or_default());
            out.push('\n');
        }
        Style::Link { url } if !is_kept(url) => return false,
        Style::Link { .. } => out.push('['),
        Style::Bold => mark("**", out),
        Style::Italic => mark("*", out),
        Style::Strike => mark("~~", out),
        Style::Code => mark("``", out),
    }
    true
}

fn close(style: Style<'_>, out: &mut String) {
    match style {
        Style::Quote => {}
        Style::Pre { .. } => out.push_str("\n```"),
        Style::Link { url } => {
            // An address that is its own label is shown as it is: Discord shows no label that looks like an address.
            if let Some(at) = out.rfind('[')
                && [&out[at + 1..], out[at + 1..].trim_matches(['*', '~', APART])].contains(&url)
            {
                out.remove(at);
                return;
            }
            out.push_str("](");
            // A bracket would end the address.
            out.push_str(&url.replace('(', "%28").replace(')', "%29"));
            out.push(')');
        }
        Style::Bold => out.push_str("**"),
        Style::Italic => out.push('*'),
        Style::Strike => out.push_str("~~"),
        Style::Code => mark("``", out),
    }
}

/// Appends a mark, apart from a mark of the same sign that ends before it.
fn mark(mark: &str, out: &mut String) {
    if out.chars().next_back().is_some_and(|last| mark.starts_with(last)) {
        out.push(APART);
    }
    out.push_str(mark);
}

/// Discord shows labels only for these addresses; a space or a line would end the address.
fn is_kept(url: &str) -> bool {
    ADDRESSES.iter().any(|scheme| url.starts_with(scheme))
        && !url.chars().any(|c| c.is_whitespace() || c.is_control() || "<>\"\\".contains(c))
}

/// Whether Discord reads a word behind the fence as the name of a language.
fn is_language(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+-.#".contains(&byte))
}

#[cfg(test)]
mod tests;
