//! The message about an unknown key: which key was meant, or where it belongs.

use frontdesk_core::config::join;
use frontdesk_core::nearest::nearest;

use super::schema::{Choice, Schema};
use crate::document::Key;

/// Sections that are planned and not in this version.
const LATER: [&str; 3] = ["redis", "nats", "plugins"];

/// Names that other programs use for our keys, in snake_case.
const ELSEWHERE: [(&str, &str); 5] = [
    ("bot_token", "token"),
    ("allowlist", "allow"),
    ("allow_from", "allow"),
    ("streaming_mode", "streaming"),
    ("stream_mode", "streaming"),
];

/// Returns the message. `schema` is the table with the key, `path` the key's path, and `kind` says which kind of table
/// it is, if there are several.
pub fn unknown_key(schema: Schema<'_>, key: &Key, path: &str, kind: &str) -> String {
    if LATER.contains(&path) {
        return format!("this version does not have `{path}` yet; remove it");
    }
    let name = &key.name;
    let snake = snake_case(name);
    let mut known: Vec<&str> = schema.properties().into_iter().map(|(name, _)| name).collect();
    known.sort_unstable();
    let same = ELSEWHERE.iter().find(|(theirs, ours)| *theirs == snake && known.contains(ours));
    let advice = if let Some((_, ours)) = same {
        format!("here it is called `{ours}`")
    } else if let Some(near) = nearest(&snake, known.iter().copied()) {
        format!("did you mean `{near}`?")
    } else if let Some(entry) = elsewhere(schema.whole(), &snake, "", 0) {
        format!("it belongs to [{entry}]")
    } else if known.is_empty() {
        "this table has no keys".to_owned()
    } else {
        format!("the keys here are: {}", known.join(", "))
    };
    if snake == *name {
        return format!("unknown key `{name}`{kind}; {advice}");
    }
    format!("unknown key `{name}`{kind}: keys are written in snake_case here (`{snake}`); {advice}")
}

/// Finds the table that has this key, among the tables with fixed names.
fn elsewhere(schema: Schema<'_>, name: &str, path: &str, depth: usize) -> Option<String> {
    // Deep enough for every section, and it ends the search in a recursive schema.
    if depth > 4 || !matches!(schema.choice(), Choice::One) {
        return None;
    }
    let known = schema.properties();
    if depth > 0 && known.iter().any(|(known, _)| *known == name) {
        return Some(path.to_owned());
    }
    known.into_iter().find_map(|(inner, entry)| elsewhere(entry, name, &join(path, inner), depth + 1))
}

fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 2);
    let mut after_lower = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && after_lower {
            snake.push('_');
        }
        after_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        snake.push(if c == '-' { '_' } else { c.to_ascii_lowercase() });
    }
    snake
}
