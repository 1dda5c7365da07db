//! Compares a document with the schema: finds unknown keys and wrong types with their positions, and converts texts that
//! came from variables to the type of their key.

use std::collections::BTreeSet;

use serde_json::{Map, Number, Value as Json};

use frontdesk_core::config::join;
use frontdesk_core::nearest::nearest;

use super::problem::Problem;
use super::schema::{Choice, Schema};
use super::unknown::unknown_key;
use crate::document::{Node, Text, Value};

/// Returns the document's values with their types. Errors are added to `problems`, and the wrong values left out.
pub fn walk(schema: Schema<'_>, document: &Node, problems: &mut Vec<Problem>) -> Json {
    let mut walk = Walk { problems };
    walk.value(schema, document, "").unwrap_or_else(|| Json::Object(Map::new()))
}

struct Walk<'p> {
    problems: &'p mut Vec<Problem>,
}

impl Walk<'_> {
    fn wrong(&mut self, node: &Node, path: &str, message: String) -> Option<Json> {
        self.problems.push(Problem::at(node.position, message).about(path));
        None
    }

    fn value(&mut self, schema: Schema<'_>, node: &Node, path: &str) -> Option<Json> {
        if node.value == Value::Null {
            // `null` means "not written". For a list it is refused, because it could be meant as "none" or as "all".
            let list = schema.types() == BTreeSet::from(["array"]);
            return if list { self.wrong(node, path, mismatch(node, "a list")) } else { None };
        }
        match schema.choice() {
            Choice::One => self.plain(schema, node, path),
            Choice::Words(words) => self.word(&words, node, path),
            Choice::Tagged { tag, kinds } => self.tagged(tag, &kinds, node, path),
            Choice::Several(alternatives) => match best(&alternatives, node) {
                Some(schema) => self.value(schema, node, path),
                None => {
                    let expected: Vec<String> = alternatives.iter().map(|s| expected(*s)).collect();
                    self.wrong(node, path, mismatch(node, &one_of(&expected)))
                }
            },
        }
    }

    fn word(&mut self, words: &[&str], node: &Node, path: &str) -> Option<Json> {
        let list = || one_of(&words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>());
        let Value::String(text) = &node.value else {
            return self.wrong(node, path, mismatch(node, &list()));
        };
        if words.contains(&text.value.as_str()) {
            return Some(Json::String(text.value.clone()));
        }
        let hint = nearest(&text.value, words.iter().copied());
        let hint = hint.map_or_else(String::new, |word| format!(" (did you mean {word:?}?)"));
        self.wrong(node, path, format!("{} is not a valid value{hint}; expected {}", shown(text), list()))
    }

    fn tagged(&mut self, tag: &str, kinds: &[(&str, Schema<'_>)], node: &Node, path: &str) -> Option<Json> {
        let words: Vec<&str> = kinds.iter().map(|(word, _)| *word).collect();
        if !matches!(node.value, Value::Table(_)) {
            return self.wrong(node, path, mismatch(node, "a table"));
        }
        let Some(given) = node.get(tag) else {
            let list = one_of(&words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>());
            return self.wrong(node, path, format!("the key `{tag}` is missing; it is {list}"));
        };
        let word = self.word(&words, given, &join(path, tag))?;
        let (word, schema) = kinds.iter().find(|(known, _)| word == *known)?;
        let kind = format!(" of {tag} = {word:?}");
        self.table(*schema, node, path, &kind)
    }

    fn plain(&mut self, schema: Schema<'_>, node: &Node, path: &str) -> Option<Json> {
        let types = schema.types();
        // A node without a type accepts any value, such as a parameter of a model.
        let takes = |name| types.is_empty() || types.contains(name);
        match &node.value {
            Value::Table(_) if takes("object") => self.table(schema, node, path, ""),
            Value::Array(items) if takes("array") => self.list(schema, items, path),
            Value::Bool(value) if takes("boolean") => Some(Json::Bool(*value)),
            Value::String(text) if takes("string") => Some(Json::String(text.value.clone())),
            Value::String(text) if text.written.is_some() => self.typed(schema, text, node, path),
            Value::Integer(n) if takes("integer") || takes("number") => self.number(schema, *n, node, path),
            Value::Float(n) if takes("number") => match Number::from_f64(*n) {
                Some(n) => Some(Json::Number(n)),
                None => self.wrong(node, path, "expected a finite number".into()),
            },
            _ => self.wrong(node, path, mismatch(node, &expected(schema))),
        }
    }

    /// Converts a text that came from a variable to the expected type.
    fn typed(&mut self, schema: Schema<'_>, text: &Text, node: &Node, path: &str) -> Option<Json> {
        let (types, word) = (schema.types(), text.value.trim());
        if types.contains("boolean") && ["true", "false"].contains(&word) {
            return Some(Json::Bool(word == "true"));
        }
        if types.contains("integer") || types.contains("number") {
            if let Ok(n) = word.parse() {
                return self.number(schema, n, node, path);
            }
            let float = types.contains("number").then(|| word.parse().ok().and_then(Number::from_f64));
            if let Some(Some(n)) = float {
                return Some(Json::Number(n));
            }
        }
        let message = format!("{} is not {}", shown(text), expected(schema));
        self.wrong(node, path, message)
    }

    fn number(&mut self, schema: Schema<'_>, n: i64, node: &Node, path: &str) -> Option<Json> {
        let (least, most) = schema.bounds();
        #[expect(clippy::cast_precision_loss, reason = "bounds are far below 2^53")]
        let out = least.is_some_and(|least| (n as f64) < least) || most.is_some_and(|most| n as f64 > most);
        if out {
            return self.wrong(node, path, format!("{n} is out of range: expected {}", expected(schema)));
        }
        Some(Json::Number(n.into()))
    }

    fn list(&mut self, schema: Schema<'_>, items: &[Node], path: &str) -> Option<Json> {
        let inner = schema.items();
        let values = items.iter().enumerate().filter_map(|(n, item)| {
            let path = format!("{path}[{n}]");
            match inner {
                Some(inner) if item.value == Value::Null => {
                    self.wrong(item, &path, mismatch(item, &expected(inner)))
                }
                Some(inner) => self.value(inner, item, &path),
                None => None,
            }
        });
        Some(Json::Array(values.collect()))
    }

    fn table(&mut self, schema: Schema<'_>, node: &Node, path: &str, kind: &str) -> Option<Json> {
        let known = schema.properties();
        let mut values = Map::new();
        for (key, inner) in node.entries() {
            let path = join(path, &key.name);
            let entry = known.iter().find(|(name, _)| *name == key.name).map(|(_, schema)| *schema);
            match entry.or_else(|| schema.others()) {
                Some(entry) => {
                    if let Some(value) = self.value(entry, inner, &path) {
                        values.insert(key.name.clone(), value);
                    }
                }
                None => {
                    let message = unknown_key(schema, key, &path, kind);
                    self.problems.push(Problem::at(key.position, message).about(path));
                }
            }
        }
        let written = |name: &str| node.get(name).is_some_and(|node| node.value != Value::Null);
        for name in schema.required().into_iter().filter(|name| !written(name)) {
            let message = format!("the key `{name}`{kind} is missing; it has no default");
            self.problems.push(Problem::at(node.position, message).about(path));
        }
        Some(Json::Object(values))
    }
}

/// The alternative that was most likely meant: it has the right type and the most keys in common.
fn best<'s>(alternatives: &[Schema<'s>], node: &Node) -> Option<Schema<'s>> {
    let name = match node.value {
        Value::Table(_) => "object",
        Value::Array(_) => "array",
        Value::Bool(_) => "boolean",
        Value::Integer(_) => "integer",
        Value::Float(_) => "number",
        Value::String(_) => "string",
        Value::Null | Value::Unsupported(_) => return None,
    };
    if let [only] = alternatives {
        return Some(*only);
    }
    let common =
        |schema: &Schema<'_>| schema.properties().iter().filter(|(name, _)| node.get(name).is_some()).count();
    let fits = |schema: &&Schema<'_>| {
        let types = schema.types();
        types.contains(name)
            || (name == "integer" && types.contains("number"))
            || (name == "string" && matches!(schema.choice(), Choice::Words(_)))
    };
    let fitting: Vec<&Schema<'_>> = alternatives.iter().filter(fits).collect();
    match fitting.as_slice() {
        [only] => Some(**only),
        several => several.iter().filter(|s| common(s) > 0).max_by_key(|s| common(s)).map(|s| **s),
    }
}

fn mismatch(node: &Node, expected: &str) -> String {
    match &node.value {
        Value::String(text) if text.written.is_some() => {
            format!("expected {expected}, found {}", shown(text))
        }
        value => format!("expected {expected}, found {}", value.kind()),
    }
}

/// A text for an error: as it was written, never the value of a variable.
fn shown(text: &Text) -> String {
    let shown: String = text.written.as_ref().unwrap_or(&text.value).chars().take(60).collect();
    format!("{shown:?}")
}

/// Describes the values that a node accepts.
fn expected(schema: Schema<'_>) -> String {
    if let Choice::Words(words) = schema.choice() {
        return one_of(&words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>());
    }
    let names: Vec<String> = schema
        .types()
        .into_iter()
        .filter_map(|name| match name {
            "object" => Some(match schema.required().into_iter().collect::<Vec<_>>().as_slice() {
                [] => "a table".to_owned(),
                keys => format!("a table with `{}`", keys.join("`, `")),
            }),
            "array" => Some("a list".to_owned()),
            "boolean" => Some("true or false".to_owned()),
            "string" => Some("a text".to_owned()),
            "integer" => Some(format!("a whole number{}", range(schema))),
            "number" => Some("a number".to_owned()),
            _ => None,
        })
        .collect();
    one_of(&names)
}

fn range(schema: Schema<'_>) -> String {
    match schema.bounds() {
        (Some(least), Some(most)) => format!(" from {least} to {most}"),
        (Some(least), None) => format!(" of at least {least}"),
        (None, Some(most)) => format!(" of at most {most}"),
        (None, None) => String::new(),
    }
}

fn one_of(names: &[String]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}
