//! Replaces `${VAR}` and `${VAR:-default}` in texts; `$$` is a dollar sign. This happens before types are checked.

use frontdesk_core::config::join;

use super::problem::Problem;
use crate::document::{Node, Text, Value};

/// Looks up an environment variable.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Replaces variables in every text of `node`; errors are added to `problems`.
pub fn interpolate(node: &mut Node, env: Lookup<'_>, problems: &mut Vec<Problem>) {
    visit(node, "", env, problems);
}

fn visit(node: &mut Node, path: &str, env: Lookup<'_>, problems: &mut Vec<Problem>) {
    match &mut node.value {
        Value::String(text) => match expand(&text.value, env) {
            Ok(Some(expanded)) => *text = expanded,
            Ok(None) => {}
            Err(message) => problems.push(Problem::at(node.position, message).about(path)),
        },
        Value::Array(items) => {
            for (n, item) in items.iter_mut().enumerate() {
                visit(item, &format!("{path}[{n}]"), env, problems);
            }
        }
        Value::Table(entries) => {
            for (key, inner) in entries {
                visit(inner, &join(path, &key.name), env, problems);
            }
        }
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Unsupported(_) => {}
    }
}

/// Returns the text with variables replaced; `None` if it has none.
fn expand(written: &str, env: Lookup<'_>) -> Result<Option<Text>, String> {
    if !written.contains('$') {
        return Ok(None);
    }
    let (mut value, mut rest, mut named) = (String::new(), written, false);
    while let Some(at) = rest.find('$') {
        value.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            value.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            let end = after.find('}').ok_or("`${` has no `}`; for a plain dollar sign write `$$`")?;
            value.push_str(&variable(&after[..end], env)?);
            named = true;
            rest = &after[end + 1..];
        } else {
            // A dollar sign without a brace stands for itself.
            value.push('$');
        }
    }
    value.push_str(rest);
    Ok(Some(Text { value, written: named.then(|| written.to_owned()) }))
}

fn variable(inside: &str, env: Lookup<'_>) -> Result<String, String> {
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    let good = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !good {
        return Err(format!("`${{{name}}}` does not name a variable; for a plain dollar sign write `$$`"));
    }
    // As in a shell, the default of `:-` also replaces a variable that is set and empty.
    match (env(name), default) {
        (Some(value), None) => Ok(value),
        (Some(value), Some(_)) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(default.to_owned()),
        (None, None) => Err(format!(
            "the environment variable {name} is not set; set it, or give a default: ${{{name}:-...}}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str) -> Option<String> {
        match name {
            "PORT" => Some("4000".into()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    fn value(written: &str) -> String {
        expand(written, &env).unwrap().map_or_else(|| written.to_owned(), |text| text.value)
    }

    #[test]
    fn a_variable_takes_its_value_or_its_default() {
        assert_eq!(value("${PORT}"), "4000");
        assert_eq!(value("http://x:${PORT}/y"), "http://x:4000/y");
        assert_eq!(value("${NONE:-3847}"), "3847");
        assert_eq!(value("${EMPTY:-x}"), "x");
        assert_eq!(value("${EMPTY}"), "");
        assert_eq!(value("${NONE:-}"), "");
    }

    #[test]
    fn a_dollar_sign_can_be_written() {
        assert_eq!(value("$$"), "$");
        assert_eq!(value("$${PORT}"), "${PORT}");
        assert_eq!(value("5$ or $5"), "5$ or $5");
    }

    proptest::proptest! {
        #[test]
        fn any_text_can_be_written(text: String) {
            proptest::prop_assert_eq!(value(&text.replace('$', "$$")), text);
        }
    }

    #[test]
    fn an_unknown_variable_is_an_error() {
        for (written, expected) in
            [("${NONE}", "NONE is not set"), ("${", "no `}`"), ("${a b}", "does not name a variable")]
        {
            let error = expand(written, &env).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn only_a_text_with_variables_remembers_how_it_was_written() {
        let written = |text: &str| expand(text, &env).unwrap().and_then(|text| text.written);
        assert_eq!(written("${PORT}").as_deref(), Some("${PORT}"));
        assert_eq!(written("$$1"), None);
    }
}
