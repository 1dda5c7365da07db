//! The JSON schema of the configuration, and how to find one's way in it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

/// The schema of the whole file, with the secrets marked (`writeOnly`).
pub fn whole() -> &'static Value {
    static WHOLE: LazyLock<Value> = LazyLock::new(|| {
        let mut schema = schemars::schema_for!(super::Config).to_value();
        if let Some(root) = schema.as_object_mut() {
            root.insert("title".into(), json!("frontdesk.toml"));
            root.insert("additionalProperties".into(), json!(false));
        }
        // The agents' types are not for writing, so the derive cannot tell their default.
        if let Some(Value::Object(agents)) = schema.pointer_mut("/properties/agents") {
            agents.insert("default".into(), json!({"main": {"kind": "echo"}}));
        }
        schema
    });
    &WHOLE
}

/// One place in a schema.
#[derive(Clone, Copy)]
pub struct Schema<'s> {
    root: &'s Value,
    node: &'s Value,
}

/// How the alternatives of a place are told apart.
pub enum Choice<'s> {
    /// There is one way only.
    One,
    /// A fixed set of words.
    Words(Vec<&'s str>),
    /// Tables whose key `tag` says which they are.
    Tagged {
        /// The key.
        tag: &'s str,
        /// Its words and what goes with each.
        kinds: Vec<(&'s str, Schema<'s>)>,
    },
    /// Values of different types.
    Several(Vec<Schema<'s>>),
}

impl<'s> Schema<'s> {
    /// The top of a schema document.
    pub fn root(root: &'s Value) -> Schema<'s> {
        Schema { root, node: root }
    }

    /// The top of the document that this place is in.
    pub fn whole(self) -> Schema<'s> {
        Schema::root(self.root)
    }

    fn at(self, node: &'s Value) -> Schema<'s> {
        Schema { root: self.root, node }
    }

    /// This place and everything that holds here too: what `$ref` and `allOf` lead to.
    fn layers(self) -> Vec<&'s Map<String, Value>> {
        let mut layers = Vec::new();
        let mut open = vec![self.node];
        while let Some(Value::Object(layer)) = open.pop() {
            layers.push(layer);
            let target = layer.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix('#'));
            open.extend(layer.get("allOf").and_then(Value::as_array).into_iter().flatten());
            open.extend(target.and_then(|pointer| self.root.pointer(pointer)));
        }
        layers
    }

    fn word(self, key: &str) -> Option<&'s Value> {
        self.layers().into_iter().find_map(|layer| layer.get(key))
    }

    /// The first sentence or sentences that say what it is.
    pub fn description(self) -> Option<&'s str> {
        self.word("description").and_then(Value::as_str)
    }

    /// What holds when it is not written.
    pub fn default(self) -> Option<&'s Value> {
        self.word("default")
    }

    /// Whether it must not be shown, also where it may be left out.
    pub fn secret(self) -> bool {
        self.word("writeOnly") == Some(&Value::Bool(true)) || self.only().is_some_and(Schema::secret)
    }

    /// The one alternative of an optional place.
    fn only(self) -> Option<Schema<'s>> {
        let list = self.word("anyOf")?.as_array()?;
        let mut real =
            list.iter().map(|node| self.at(node)).filter(|schema| schema.types() != BTreeSet::from(["null"]));
        real.next().filter(|_| list.len() == 2 && real.next().is_none())
    }

    /// The JSON types that it may have; empty if its alternatives say it.
    pub fn types(self) -> BTreeSet<&'s str> {
        match self.word("type") {
            Some(Value::String(one)) => BTreeSet::from([one.as_str()]),
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => BTreeSet::new(),
        }
    }

    /// The bounds of a number.
    pub fn bounds(self) -> (Option<f64>, Option<f64>) {
        let bound = |key| self.word(key).and_then(Value::as_f64);
        // schemars writes the bounds of the small types alone.
        let widest = match self.word("format").and_then(Value::as_str) {
            Some("uint32") => Some(f64::from(u32::MAX)),
            Some("int32") => Some(f64::from(i32::MAX)),
            _ => None,
        };
        (bound("minimum"), bound("maximum").or(widest))
    }

    /// The known keys of a table, in no particular order.
    pub fn properties(self) -> Vec<(&'s str, Schema<'s>)> {
        let mut found: Vec<(&'s str, Schema<'s>)> = Vec::new();
        for properties in self.layers().into_iter().filter_map(|l| l.get("properties")?.as_object()) {
            for (name, node) in properties {
                if !found.iter().any(|(known, _)| known == name) {
                    found.push((name, self.at(node)));
                }
            }
        }
        found
    }

    /// What any other key of a table holds; `None` if there are no others.
    pub fn others(self) -> Option<Schema<'s>> {
        match self.word("additionalProperties") {
            Some(node @ Value::Object(_)) => Some(self.at(node)),
            _ => None,
        }
    }

    /// The keys that must be there.
    pub fn required(self) -> BTreeSet<&'s str> {
        let lists = self.layers().into_iter().filter_map(|layer| layer.get("required")?.as_array());
        lists.flatten().filter_map(Value::as_str).collect()
    }

    /// What a list holds.
    pub fn items(self) -> Option<Schema<'s>> {
        self.word("items").map(|node| self.at(node))
    }

    /// How its alternatives are told apart. `null` is no alternative: it means "not written".
    pub fn choice(self) -> Choice<'s> {
        if let Some(words) = self.word("enum").and_then(Value::as_array) {
            return Choice::Words(words.iter().filter_map(Value::as_str).collect());
        }
        if let Some(word) = self.word("const").and_then(Value::as_str) {
            return Choice::Words(vec![word]);
        }
        let Some(list) = self.word("oneOf").or_else(|| self.word("anyOf")).and_then(Value::as_array) else {
            return Choice::One;
        };
        let alternatives: Vec<Schema<'s>> =
            list.iter().map(|node| self.at(node)).filter(|s| s.types() != BTreeSet::from(["null"])).collect();
        if let [only] = alternatives.as_slice() {
            return match only.choice() {
                Choice::One => Choice::Several(alternatives),
                inner => inner,
            };
        }
        let words: Option<Vec<Vec<&str>>> = alternatives
            .iter()
            .map(|schema| match schema.choice() {
                Choice::Words(words) => Some(words),
                _ => None,
            })
            .collect();
        if let Some(words) = words {
            return Choice::Words(words.concat());
        }
        tagged(&alternatives).unwrap_or(Choice::Several(alternatives))
    }
}

/// Tables that share a key which has one fixed word in each of them.
fn tagged<'s>(alternatives: &[Schema<'s>]) -> Option<Choice<'s>> {
    let fixed = |schema: &Schema<'s>, key: &str| {
        let (_, node) = schema.properties().into_iter().find(|(name, _)| *name == key)?;
        node.word("const").and_then(Value::as_str)
    };
    let first = alternatives.first()?;
    let (tag, _) = first
        .properties()
        .into_iter()
        .find(|(name, _)| alternatives.iter().all(|schema| fixed(schema, name).is_some()))?;
    let kinds = alternatives.iter().filter_map(|schema| Some((fixed(schema, tag)?, *schema))).collect();
    Some(Choice::Tagged { tag, kinds })
}
