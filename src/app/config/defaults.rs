//! A configuration with everything that was not written, from the schema's defaults.
//!
//! A key that is left out of a table that is written keeps the default that it has *there*: with
//! `[limits.user] burst = 5` the rate stays what it was. serde would take that of a rate in general.

use serde_json::{Map, Value as Json};

use super::schema::{Choice, Schema};

/// `written` with its defaults. Keys without any stay out.
pub fn fill(schema: Schema<'_>, written: Option<&Json>) -> Json {
    complete(schema, written, None).unwrap_or_else(|| Json::Object(Map::new()))
}

/// `inherited` is what the table around says about this place.
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
    for (name, place) in schema.properties() {
        let inherited = default.and_then(|default| default.get(name));
        if let Some(value) = complete(place, entries.get(name), inherited) {
            all.insert(name.to_owned(), value);
        }
    }
    if let Some(place) = schema.others() {
        for (name, value) in entries {
            if let Some(value) = complete(place, Some(value), None) {
                all.entry(name.clone()).or_insert(value);
            }
        }
    }
    Json::Object(all)
}

impl<'s> Schema<'s> {
    /// The alternative that `value` takes; this place itself where there is nothing to choose.
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

    /// Whether it may be left out without there being a value for it.
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
