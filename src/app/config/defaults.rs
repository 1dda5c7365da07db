//! Adds the schema's defaults for every key that is not written.
//!
//! A key that is missing in a table keeps the default of that table: with `[limits.user] burst = 5` the rate stays the
//! default of `limits.user`. serde would use the default of the type instead.

use serde_json::{Map, Value as Json};

use super::schema::{Choice, Schema};

/// Returns `written` with defaults added. Keys without a default stay out.
pub fn fill(schema: Schema<'_>, written: Option<&Json>) -> Json {
    complete(schema, written, None).unwrap_or_else(|| Json::Object(Map::new()))
}

/// `inherited` is the default that the surrounding table has for this key.
fn complete(schema: Schema<'_>, written: Option<&Json>, inherited: Option<&Json>) -> Option<Json> {
    let default = inherited.or_else(|| schema.default()).filter(|value| !value.is_null());
    let value = written.filter(|value| !value.is_null()).or(default);
    let schema = schema.taken(value);
    let known = schema.properties();
    match value {
        None if known.is_empty() || !schema.required().is_empty() || schema.optional() => None,
        None => Some(table(schema, &Map::new(), None)),
        Some(Json::Object(entries)) if !schema.secret() => Some(table(schema, entries, default)),
        Some(value) => Some(value.clone()),
    }
}

fn table(schema: Schema<'_>, entries: &Map<String, Json>, default: Option<&Json>) -> Json {
    let mut all = Map::new();
    for (name, entry) in schema.properties() {
        let inherited = default.and_then(|default| default.get(name));
        if let Some(value) = complete(entry, entries.get(name), inherited) {
            all.insert(name.to_owned(), value);
        }
    }
    if let Some(entry) = schema.others() {
        for (name, value) in entries {
            if let Some(value) = complete(entry, Some(value), None) {
                all.entry(name.clone()).or_insert(value);
            }
        }
    }
    Json::Object(all)
}

impl<'s> Schema<'s> {
    /// The alternative that `value` matches; the node itself if it has no alternatives.
    pub fn taken(self, value: Option<&Json>) -> Schema<'s> {
        match self.choice() {
            Choice::One | Choice::Words(_) => self,
            Choice::Tagged { tag, kinds } => {
                let word = value.and_then(|value| value.get(tag)).and_then(Json::as_str);
                kinds.iter().find(|(kind, _)| Some(*kind) == word).map_or(self, |(_, schema)| *schema)
            }
            Choice::Several(alternatives) => {
                let fits = |schema: &&Schema<'_>| value.is_some_and(|value| schema.fits(value));
                alternatives.iter().find(fits).map_or(self, |schema| schema.taken(value))
            }
        }
    }

    /// Whether it may be missing and has no default value.
    fn optional(self) -> bool {
        self.default().is_some_and(Json::is_null)
    }

    fn fits(self, value: &Json) -> bool {
        let name = match value {
            Json::Null => "null",
            Json::Bool(_) => "boolean",
            Json::Number(n) if n.is_f64() => "number",
            Json::Number(_) => "integer",
            Json::String(_) => "string",
            Json::Array(_) => "array",
            Json::Object(_) => "object",
        };
        self.types().contains(name)
            || self.secret()
            || matches!(self.choice(), Choice::Tagged { .. } if value.is_object())
            || matches!(self.choice(), Choice::Words(words) if value.as_str().is_some_and(|v| words.contains(&v)))
    }
}
