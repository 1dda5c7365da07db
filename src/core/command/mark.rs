//! Commands in texts of the gateway's own, as they are typed on a platform.

use std::borrow::Cow;

use super::list;

/// A text that names commands (`/new`), with the character that begins a command on the platform in place of the slash.
/// Anything else that begins with a slash stays as it is.
pub fn with_mark(text: &str, mark: char) -> Cow<'_, str> {
    if mark == '/' || !text.contains('/') {
        return Cow::Borrowed(text);
    }
    let mut marked = String::with_capacity(text.len());
    let mut before = None;
    for (at, character) in text.char_indices() {
        let begins = character == '/' && before.is_none_or(is_gap) && is_command(&text[at + 1..]);
        marked.push(if begins { mark } else { character });
        before = Some(character);
    }
    Cow::Owned(marked)
}

/// Whether a command can stand behind this character.
fn is_gap(before: char) -> bool {
    before.is_whitespace() || matches!(before, '`' | '(' | '"' | '\'' | '*' | '_')
}

/// Whether a text begins with the name of a command.
fn is_command(text: &str) -> bool {
    let length = text.find(|next: char| !next.is_ascii_alphanumeric()).unwrap_or(text.len());
    let (name, rest) = text.split_at(length);
    let is_known = list().iter().any(|spec| spec.name == name || spec.aliases.contains(&name));
    is_known && !rest.starts_with(['/', '_', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_shown_as_they_are_typed() {
        for (text, expected) in [
            ("Send /resume 1 to return.", "Send !resume 1 to return."),
            ("`/gateway pair CODE`", "`!gateway pair CODE`"),
            ("(interrupted, /retry)", "(interrupted, !retry)"),
            ("/bg", "!bg"),
            ("/new, /stop", "!new, !stop"),
            ("/etc/new and /new/x", "/etc/new and /new/x"),
            ("https://example.com/new", "https://example.com/new"),
            ("and/stop /newer /new_one", "and/stop /newer /new_one"),
        ] {
            assert_eq!(with_mark(text, '!'), expected);
            assert_eq!(with_mark(text, '/'), text);
        }
    }
}
