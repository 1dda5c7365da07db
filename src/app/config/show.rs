//! Shows the configuration in effect, with defaults and without secrets.

use frontdesk_kit::Channel;
use serde_json::{Map, Value as Json, json};

use super::Config;
use super::defaults::fill;
use super::schema::{Choice, Schema};
use super::walk::walk;
use crate::document::{Node, Value};

/// Returns all values in effect as JSON. Secrets are `***`. A text that came from a variable is shown as it was written
/// (`${VAR}`), because the variable may hold a secret; numbers and values from a fixed set are shown as they are used.
pub fn effective(document: &Node) -> Json {
    effective_with(document, &[])
}

/// The effective configuration, with the sections of further platforms.
pub fn effective_with(document: &Node, platforms: &[Channel]) -> Json {
    let schema = super::schema::with(platforms);
    let schema = Schema::root(&schema);
    // Errors were reported when the file was loaded; values with errors are not in the result.
    let written = walk(schema, document, &mut Vec::new());
    shown(schema, &fill(schema, Some(&written)), Some(document))
}

/// Returns what can be shown of a configuration that a program has made: everything but the settings of agents and
/// channels, which may have secrets.
pub(crate) fn without_file(config: &Config) -> Json {
    let mut shown = match json!(config.runtime) {
        Json::Object(entries) => entries,
        _ => Map::new(),
    };
    shown.insert("gateway".to_owned(), json!(config.gateway));
    shown.insert("default_agent".to_owned(), json!(config.default_agent));
    shown.insert("log".to_owned(), json!(config.log));
    shown.insert("reload".to_owned(), json!(config.reload));
    Json::Object(shown)
}

fn shown(schema: Schema<'_>, value: &Json, node: Option<&Node>) -> Json {
    if matches!(schema.choice(), Choice::Words(_)) {
        return value.clone();
    }
    let taken = schema.taken(Some(value));
    if schema.secret() || taken.secret() {
        return Json::String("***".into());
    }
    match value {
        Json::String(text) => Json::String(as_written(text, node)),
        Json::Array(items) => Json::Array(list(taken, items, node)),
        Json::Object(entries) => Json::Object(table(taken, entries, node)),
        other => other.clone(),
    }
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
    let inner = schema.items().unwrap_or(schema);
    items.iter().enumerate().map(|(n, item)| shown(inner, item, nodes.get(n))).collect()
}

fn table(schema: Schema<'_>, entries: &Map<String, Json>, node: Option<&Node>) -> Map<String, Json> {
    let known = schema.properties();
    let entry = |name: &str| {
        let known = known.iter().find(|(known, _)| *known == name).map(|(_, schema)| *schema);
        known.or_else(|| schema.others())
    };
    let inner = |name: &str| node.and_then(|node| node.get(name));
    entries
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), shown(entry(name)?, value, inner(name)))))
        .collect()
}

/// Formats the values as TOML; keys without a value are left out.
pub fn toml(effective: &Json) -> String {
    let mut document = toml_edit::DocumentMut::new();
    if let Json::Object(entries) = effective {
        fill_table(document.as_table_mut(), entries);
    }
    document.to_string()
}

fn fill_table(table: &mut toml_edit::Table, entries: &Map<String, Json>) {
    for (name, value) in entries {
        let item = match value {
            Json::Object(inner) if inner.is_empty() => continue,
            Json::Object(inner) => {
                let mut sub = toml_edit::Table::new();
                fill_table(&mut sub, inner);
                // A table that only contains tables needs no header.
                let only_tables = sub.iter().all(|(_, item)| item.is_table());
                sub.set_implicit(only_tables);
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
