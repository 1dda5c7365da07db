//! The JSON schema of the configuration, and how to navigate it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use frontdesk_kit::Channel;
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use crate::channels;

/// The schema of the whole file, with the secrets marked (`writeOnly`).
pub fn whole() -> &'static Value {
    static WHOLE: LazyLock<Value> = LazyLock::new(|| generated(&[]));
    &WHOLE
}

/// The schema of the whole file with the sections of further platforms.
pub fn with(platforms: &[Channel]) -> Cow<'static, Value> {
    if platforms.is_empty() { Cow::Borrowed(whole()) } else { Cow::Owned(generated(platforms)) }
}

fn generated(platforms: &[Channel]) -> Value {
    let mut generator = SchemaGenerator::default();
    let added = channels::sections(platforms, &mut generator);
    let mut schema = generator.into_root_schema_for::<super::Config>().to_value();
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".into(), json!("frontdesk.toml"));
        root.insert("additionalProperties".into(), json!(false));
    }
    // The agents' types do not implement `Serialize`, so the derive cannot add their default.
    if let Some(Value::Object(agents)) = schema.pointer_mut("/properties/agents") {
        agents.insert("default".into(), json!({"main": {"kind": "echo"}}));
    }
    let sections = schema.pointer_mut("/$defs/Channels/properties");
    if let (Some(Value::Object(sections)), Value::Object(added)) = (sections, added) {
        sections.extend(added);
    }
    schema
}

/// One node of a schema.
#[derive(Clone, Copy)]
pub struct Schema<'s> {
    root: &'s Value,
    node: &'s Value,
}

/// The alternatives of a node.
pub enum Choice<'s> {
    /// There are none.
    One,
    /// A fixed set of strings.
    Words(Vec<&'s str>),
    /// Tables that are told apart by the value of the key `tag`.
    Tagged {
        /// The key.
        tag: &'s str,
        /// Its values and the table of each.
        kinds: Vec<(&'s str, Schema<'s>)>,
    },
    /// Values of different types.
    Several(Vec<Schema<'s>>),
}

impl<'s> Schema<'s> {
    /// The root of a schema document.
    pub fn root(root: &'s Value) -> Schema<'s> {
        Schema { root, node: root }
    }

    /// The root of the document of this node.
    pub fn whole(self) -> Schema<'s> {
        Schema::root(self.root)
    }

    fn at(self, node: &'s Value) -> Schema<'s> {
        Schema { root: self.root, node }
    }

    /// The node itself and the nodes that `$ref` and `allOf` add to it.
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

    /// The description.
    pub fn description(self) -> Option<&'s str> {
        self.word("description").and_then(Value::as_str)
    }

    /// The default.
    pub fn default(self) -> Option<&'s Value> {
        self.word("default")
    }

    /// Whether the value is a secret, required or optional.
    pub fn secret(self) -> bool {
        self.word("writeOnly") == Some(&Value::Bool(true)) || self.only().is_some_and(Schema::secret)
    }

    /// The only alternative of an optional node.
    fn only(self) -> Option<Schema<'s>> {
        let list = self.word("anyOf")?.as_array()?;
        let mut real =
            list.iter().map(|node| self.at(node)).filter(|schema| schema.types() != BTreeSet::from(["null"]));
        real.next().filter(|_| list.len() == 2 && real.next().is_none())
    }

    /// The JSON types that it accepts; empty if the alternatives have the types.
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
        // schemars writes bounds for the small integer types only.
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

    /// Whether it takes any value, with any keys in it.
    fn is_free(self) -> bool {
        *self.node == Value::Bool(true)
    }

    /// The schema of keys that are not in `properties`; `None` if there are none.
    pub fn others(self) -> Option<Schema<'s>> {
        match self.word("additionalProperties") {
            Some(node @ (Value::Object(_) | Value::Bool(true))) => Some(self.at(node)),
            _ => self.is_free().then_some(self),
        }
    }

    /// The required keys.
    pub fn required(self) -> BTreeSet<&'s str> {
        let lists = self.layers().into_iter().filter_map(|layer| layer.get("required")?.as_array());
        lists.flatten().filter_map(Value::as_str).collect()
    }

    /// The schema of the items of a list.
    pub fn items(self) -> Option<Schema<'s>> {
        self.word("items").map(|node| self.at(node)).or_else(|| self.is_free().then_some(self))
    }

    /// The alternatives of the node. `null` is none of them: it means "not written".
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

/// Finds a key that has a different constant in each alternative.
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
