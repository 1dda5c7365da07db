//! Slack's text as people read it: escapes, links and mentions are written out, and the bot's own mention is removed.

use frontdesk_core::message::{FirstLine, Link};

/// A text that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Read {
    pub text: String,
    /// Links whose target the text does not show.
    pub links: Vec<Link>,
    /// Whether the bot is mentioned.
    pub mentioned: bool,
    /// Whether it begins with the bot's mention.
    pub called: bool,
    pub first_line: FirstLine,
}

/// Reads a text. `us` is the bot's user id, whose mention is removed.
pub(super) fn read(raw: &str, us: &str) -> Read {
    let (mut text, mut links, mut mentioned) = (String::with_capacity(raw.len()), Vec::new(), false);
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('<') {
        unescape(before, &mut text);
        let Some((inside, after)) = after.split_once('>') else {
            text.push('<');
            rest = after;
            continue;
        };
        rest = after;
        match Mark::of(inside) {
            Mark::Person(id, _) if id == us => {
                mentioned = true;
                // Without this, "hello <@U1> there" would become "hello  there" with two spaces.
                if text.is_empty() || text.ends_with(char::is_whitespace) {
                    rest = rest.trim_start_matches([' ', ',', ':']);
                }
            }
            Mark::Person(id, name) => {
                text.push_str(&format!("@{}", name.unwrap_or(id).trim_start_matches('@')))
            }
            Mark::Channel(id, name) => {
                text.push_str(&format!("#{}", name.filter(|name| !name.is_empty()).unwrap_or(id)))
            }
            Mark::Special(word, label) => {
                let shown = label.unwrap_or(word);
                let group = word.strip_prefix("subteam^");
                if group.is_some() || ["here", "channel", "everyone"].contains(&word) {
                    text.push('@');
                    text.push_str(group.filter(|_| label.is_none()).unwrap_or(shown).trim_start_matches('@'));
                } else {
                    unescape(shown, &mut text);
                }
            }
            Mark::Link(url, label) => link(url, label, &mut text, &mut links),
        }
    }
    unescape(rest, &mut text);
    let text = without_code_marks(text.trim()).to_owned();
    let called = mentioned && raw.trim_start().starts_with(&format!("<@{us}"));
    Read { first_line: first_line(raw, us), text, links, mentioned, called }
}

/// A text that is nothing but code, without the marks of the code. Elsewhere marks are kept as they were typed.
fn without_code_marks(text: &str) -> &str {
    for mark in ["```", "`"] {
        let inside = text.strip_prefix(mark).and_then(|rest| rest.strip_suffix(mark));
        if let Some(code) = inside.map(str::trim).filter(|code| !code.is_empty() && !code.contains('`')) {
            return code;
        }
    }
    text
}

/// What stands between `<` and `>`.
enum Mark<'t> {
    Person(&'t str, Option<&'t str>),
    Channel(&'t str, Option<&'t str>),
    Special(&'t str, Option<&'t str>),
    Link(&'t str, Option<&'t str>),
}

impl<'t> Mark<'t> {
    fn of(inside: &'t str) -> Self {
        let (target, label) = match inside.split_once('|') {
            Some((target, label)) => (target, Some(label)),
            None => (inside, None),
        };
        match target.as_bytes().first() {
            Some(b'@') => Mark::Person(&target[1..], label),
            Some(b'#') => Mark::Channel(&target[1..], label),
            // `<!date^1392734382^{date}|February 18>` is read by its label.
            Some(b'!') => Mark::Special(&target[1..], label),
            _ => Mark::Link(target, label),
        }
    }
}

/// A link is written as its label, and with its target behind it unless the label says as much.
fn link(url: &str, label: Option<&str>, text: &mut String, links: &mut Vec<Link>) {
    let plain = |raw: &str| {
        let mut out = String::new();
        unescape(raw, &mut out);
        out
    };
    let url = plain(url);
    let label = label.map(plain).filter(|label| !label.is_empty()).unwrap_or_else(|| url.clone());
    text.push_str(&label);
    // Slack links words such as `example.org` and addresses by itself, and shows them as they were typed.
    let shown = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest).trim_end_matches('/');
    let shown = shown.strip_prefix("mailto:").or(shown.strip_prefix("tel:")).unwrap_or(shown);
    if label != url && label.trim_end_matches('/') != shown {
        let link = Link { label, url };
        text.push_str(&link.beside());
        links.push(link);
    }
}

fn unescape(raw: &str, out: &mut String) {
    let mut rest = raw;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let known = [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>')];
        match known.iter().find(|(escape, _)| rest.starts_with(escape)) {
            Some((escape, char)) => {
                out.push(*char);
                rest = &rest[escape.len()..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
}

/// How the first line is formatted. Slack sends the marks as they were typed.
fn first_line(raw: &str, us: &str) -> FirstLine {
    let mut line = raw.trim_start();
    while let Some(rest) = line.strip_prefix(&format!("<@{us}")) {
        let Some((_, rest)) = rest.split_once('>') else { break };
        line = rest.trim_start_matches([' ', ',', ':']);
    }
    let line = line.lines().next().unwrap_or_default();
    let is_formatted = |text: &str| text.contains(['`', '<']) || text.starts_with("&gt;");
    let is_marked = |word: &str| word.starts_with(['*', '_', '~']);
    let (first, others) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    match () {
        () if is_formatted(first) || is_marked(first) => FirstLine::Formatted,
        () if is_formatted(others) => FirstLine::PlainFirstWord,
        () => FirstLine::Plain,
    }
}
