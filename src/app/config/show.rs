//! The effective configuration, with defaults and without secrets.

use serde_json::{Map, Value as Json};

use super::document::{Node, Value};
use super::schema::{Choice, Schema};
use super::walk::walk;

/// Every value that holds, as JSON. Secrets are `***`, and a text that came from a variable is shown as it
/// was written (`${VAR}`), because nobody knows what a variable holds; numbers and words from a fixed list
/// are shown as they are used.
pub fn effective(document: &Node) -> Json {
    let schema = Schema::root(super::schema::whole());
    // Problems were reported when the file was loaded; what has one is not here.
    let typed = walk(schema, document, &mut Vec::new());
    shown(schema, Some(&typed), Some(document))
}

fn shown(schema: Schema<'_>, typed: Option<&Json>, node: Option<&Node>) -> Json {
    if schema.secret() {
        return typed.map_or(Json::Null, |_| Json::String("***".into()));
    }
    let value = typed.or_else(|| schema.default());
    let schema = match schema.choice() {
        Choice::Tagged { tag, kinds } => {
            let word = value.and_then(|value| value.get(tag)).and_then(Json::as_str);
            kinds.iter().find(|(kind, _)| Some(*kind) == word).map_or(schema, |(_, schema)| *schema)
        }
        Choice::Several(alternatives) => {
            let inner = |schema: &&Schema<'_>| value.is_some_and(|value| fits(**schema, value));
            match alternatives.iter().find(inner) {
                Some(schema) => return shown(*schema, value, node),
                None => schema,
            }
        }
        Choice::Words(_) => return value.cloned().unwrap_or(Json::Null),
        Choice::One => schema,
    };
    match value {
        Some(Json::String(text)) => Json::String(as_written(text, node)),
        Some(Json::Array(items)) => Json::Array(list(schema, items, node)),
        Some(Json::Object(entries)) => Json::Object(table(schema, entries, node)),
        // A table of defaults that the schema gives key by key.
        None if !schema.properties().is_empty() => Json::Object(table(schema, &Map::new(), node)),
        other => other.cloned().unwrap_or(Json::Null),
    }
}

fn fits(schema: Schema<'_>, value: &Json) -> bool {
    let name = match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "integer",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    };
    schema.secret() || schema.types().contains(name) || matches!(schema.choice(), Choice::Tagged { .. })
}

fn as_written(text: &str, node: Option<&Node>) -> String {
    match node.map(|node| &node.value) {
        Some(Value::String(written)) => written.written.clone().unwrap_or_else(|| text.to_owned()),
        _ => text.to_owned(),
    }
}

fn list(schema: Schema<'_>, items: &[Json], node: Option<&Node>) -> Vec<Json> {
    let nodes: &[Node] = match node.map(|node| &node.value) {
        Some(Value::Array(nodes)) => nodes,
        _ => &[],
    };
    let one = |(n, item): (usize, &Json)| match schema.items() {
        Some(schema) => shown(schema, Some(item), nodes.get(n)),
        None => item.clone(),
    };
    items.iter().enumerate().map(one).collect()
}

fn table(schema: Schema<'_>, entries: &Map<String, Json>, node: Option<&Node>) -> Map<String, Json> {
    let known = schema.properties();
    let inner = |name: &str| node.and_then(|node| node.get(name));
    let mut all = Map::new();
    for (name, schema) in &known {
        let value = shown(*schema, entries.get(*name), inner(name));
        all.insert((*name).to_owned(), value);
    }
    if let Some(schema) = schema.others() {
        for (name, value) in entries.iter().filter(|(name, _)| !all.contains_key(*name)).collect::<Vec<_>>() {
            all.insert(name.clone(), shown(schema, Some(value), inner(name)));
        }
    }
    all
}

/// The same as TOML; keys without a value are left out.
pub fn toml(effective: &Json) -> String {
    let mut table = toml_edit::Table::new();
    if let Json::Object(entries) = effective {
        fill(&mut table, entries);
    }
    let mut document = toml_edit::DocumentMut::new();
    *document.as_table_mut() = table;
    document.to_string()
}

fn fill(table: &mut toml_edit::Table, entries: &Map<String, Json>) {
    for (name, value) in entries {
        let item = match value {
            Json::Null => continue,
            Json::Object(inner) => {
                let mut sub = toml_edit::Table::new();
                fill(&mut sub, inner);
                // A header of its own only where there is something under it.
                sub.set_implicit(sub.iter().all(|(_, item)| item.is_table()));
                if sub.is_empty() {
                    continue;
                }
                toml_edit::Item::Table(sub)
            }
            other => match toml_value(other) {
                Some(value) => toml_edit::Item::Value(value),
                None => continue,
            },
        };
        table.insert(name, item);
    }
}

/// A JSON value as TOML, which has no null.
pub(super) fn toml_value(value: &Json) -> Option<toml_edit::Value> {
    Some(match value {
        Json::Null => return None,
        Json::Bool(b) => (*b).into(),
        Json::Number(n) => match n.as_i64() {
            Some(whole) => whole.into(),
            None => n.as_f64()?.into(),
        },
        Json::String(s) => s.as_str().into(),
        Json::Array(items) => toml_edit::Value::Array(items.iter().filter_map(toml_value).collect()),
        Json::Object(entries) => {
            let pairs = entries.iter().filter_map(|(name, value)| Some((name.as_str(), toml_value(value)?)));
            toml_edit::Value::InlineTable(pairs.collect())
        }
    })
}
