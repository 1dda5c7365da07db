//! `config/frontdesk.toml`: every key with its meaning and its default, generated from the schema.
//!
//! A line that begins with `#` and no space is a key that is not set by default; `# ` begins a comment.

use std::fmt::Write as _;

use frontdesk_core::config::join;
use serde_json::Value as Json;

use super::defaults::fill;
use super::schema::{self, Choice, Schema};
use super::show::toml_value;

const HEAD: &str = "\
# Frontdesk: every key with its meaning and its default.
#
# You need none of it: with an empty file the gateway runs at http://127.0.0.1:3847 with a web chat and an agent
# that repeats each message, or with a model if OPENAI_API_KEY is set. Copy the keys that you want to change. A key or table behind `#` without a space is
# not set; remove the `#` to set it. NAME stands for a name of your choice.
#
# Any value may contain ${VAR} or ${VAR:-default} from the environment, numbers too; `$$` is a dollar sign.
# A secret is a text, { file = \"...\" } or { command = [\"...\"] }. A command has 10 seconds and no terminal.
# `frontdesk config check` reports errors, `frontdesk config show` prints the values in effect.
";

/// The file.
pub fn toml() -> String {
    let root = Schema::root(schema::whole());
    let mut page = Page { text: HEAD.to_owned() };
    page.text.push('\n');
    page.table(root, Some(&fill(root, None)), "");
    page.text
}

struct Page {
    text: String,
}

impl Page {
    /// Writes a table: first its keys, then the tables in it. `holds` is the default content of the table; without it
    /// every key is commented out.
    fn table(&mut self, schema: Schema<'_>, holds: Option<&Json>, path: &str) {
        let known = schema.properties();
        let (tables, mut keys): (Vec<_>, Vec<_>) =
            known.into_iter().partition(|(_, entry)| is_table(*entry) || entry_of_list(*entry).is_some());
        let required = schema.required();
        keys.sort_by_key(|(name, _)| !required.contains(name));
        for (name, entry) in keys {
            self.key(name, entry, holds.and_then(|holds| holds.get(name)));
        }
        for (name, entry) in tables {
            self.section(&join(path, name), entry, holds.and_then(|holds| holds.get(name)), holds.is_none());
        }
    }

    fn key(&mut self, name: &str, schema: Schema<'_>, holds: Option<&Json>) {
        self.prose(schema);
        let value = holds.or_else(|| schema.default()).and_then(toml_value);
        let value = value.unwrap_or_else(|| placeholder(schema));
        self.line(holds.is_none(), &format!("{name} = {value}"));
    }

    fn section(&mut self, path: &str, schema: Schema<'_>, holds: Option<&Json>, off: bool) {
        self.gap();
        self.prose(schema);
        if let Some(entry) = entry_of_list(schema) {
            self.line(true, &format!("[[{path}]]"));
            return self.table(entry, None, path);
        }
        let schema = inside(schema);
        match (schema.others(), schema.others().map(Schema::choice)) {
            (Some(_), Some(Choice::Tagged { tag, kinds })) => self.kinds(path, tag, &kinds, holds),
            (Some(inner), _) if is_table(inner) => {
                let path = join(path, "NAME");
                self.line(true, &format!("[{path}]"));
                self.table(inside(inner), None, &path);
            }
            (Some(inner), _) => {
                self.line(true, &format!("[{path}]"));
                self.line(true, &format!("NAME = {}", placeholder(inner)));
            }
            (None, _) => {
                self.line(off, &format!("[{path}]"));
                self.table(schema, holds, path);
            }
        }
    }

    /// Writes one example of each kind; the one that exists by default is not commented out.
    fn kinds(&mut self, path: &str, tag: &str, kinds: &[(&str, Schema<'_>)], holds: Option<&Json>) {
        let there = holds.and_then(Json::as_object);
        for (word, schema) in kinds {
            let is_this = |value: &Json| value.get(tag).and_then(Json::as_str) == Some(word);
            let ours = there.and_then(|there| there.iter().find(|(_, value)| is_this(value)));
            let name = ours.map_or_else(|| format!("NAME-{word}"), |(name, _)| name.clone());
            let path = join(path, &name);
            self.gap();
            self.prose(*schema);
            self.line(ours.is_none(), &format!("[{path}]"));
            self.table(*schema, ours.map(|(_, value)| value), &path);
        }
    }

    fn gap(&mut self) {
        if !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    fn prose(&mut self, schema: Schema<'_>) {
        for line in schema.description().unwrap_or_default().lines() {
            self.push("# ", line);
        }
    }

    fn line(&mut self, off: bool, line: &str) {
        self.push(if off { "#" } else { "" }, line);
    }

    fn push(&mut self, mark: &str, line: &str) {
        // Writing to a String cannot fail.
        if writeln!(self.text, "{mark}{line}").is_err() {
            self.text.push('\n');
        }
    }
}

/// Whether the node is a separate table in the file.
fn is_table(schema: Schema<'_>) -> bool {
    let schema = inside(schema);
    !schema.secret() && schema.types().contains("object")
}

/// The tables of a list of tables.
fn entry_of_list(schema: Schema<'_>) -> Option<Schema<'_>> {
    let entry = schema.types().contains("array").then(|| schema.items())??;
    is_table(entry).then_some(entry)
}

/// The only alternative of an optional table.
fn inside(schema: Schema<'_>) -> Schema<'_> {
    match schema.choice() {
        Choice::Several(alternatives) => match alternatives.as_slice() {
            [only] => *only,
            _ => schema,
        },
        _ => schema,
    }
}

/// An example value of the right type, for a key without a default.
fn placeholder(schema: Schema<'_>) -> toml_edit::Value {
    match schema.choice() {
        Choice::Words(words) => return words.first().copied().unwrap_or_default().into(),
        Choice::Several(alternatives) => {
            // The first that is not null.
            if let Some(first) = alternatives.into_iter().find(|one| !one.types().contains("null")) {
                return placeholder(first);
            }
        }
        Choice::One | Choice::Tagged { .. } => {}
    }
    let types = schema.types();
    if types.contains("integer") || types.contains("number") {
        return 1.into();
    }
    if types.contains("boolean") {
        return false.into();
    }
    if types.contains("array") {
        return toml_edit::Value::Array(toml_edit::Array::new());
    }
    "...".into()
}
