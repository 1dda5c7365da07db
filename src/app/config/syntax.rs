//! Parses TOML and JSONC into the same document.

use std::collections::HashMap;
use std::path::Path;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use toml_edit::{Item, TableLike, Value as Toml};

use super::problem::Problem;
use crate::document::{Key, Node, Position, Positions, Value};

/// The syntax of a configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// `frontdesk.toml`.
    Toml,
    /// `frontdesk.jsonc`: JSON with comments and trailing commas.
    Jsonc,
}

impl Syntax {
    /// The syntax by the file's name: `.json`, `.jsonc` and `.json5` are JSONC, everything else TOML.
    pub fn of(path: &Path) -> Syntax {
        match path.extension().and_then(|ext| ext.to_str()) {
            Some("json" | "jsonc" | "json5") => Syntax::Jsonc,
            _ => Syntax::Toml,
        }
    }

    /// Parses a text.
    pub fn parse(self, text: &str) -> Result<Node, Problem> {
        match self {
            Syntax::Toml => parse_toml(text),
            Syntax::Jsonc => parse_jsonc(text),
        }
    }
}

fn parse_toml(text: &str) -> Result<Node, Problem> {
    let positions = Positions::new(text);
    let document = toml_edit::Document::parse(text).map_err(|error| {
        let position = positions.of(error.span().map_or(0, |span| span.start));
        Problem::at(position, format!("this is not TOML: {}", error.message().replace('\n', ", ")))
    })?;
    Ok(Node { position: positions.of(0), value: toml_table(&positions, document.as_table()) })
}

fn toml_position(positions: &Positions<'_>, span: Option<std::ops::Range<usize>>) -> Position {
    positions.of(span.map_or(0, |span| span.start))
}

fn toml_table(positions: &Positions<'_>, table: &dyn TableLike) -> Value {
    let entries = table.iter().map(|(name, item)| {
        // A dotted key has one key per segment; the key of the entry has the position.
        let span = table.get_key_value(name).and_then(|(key, _)| key.span());
        let key =
            Key { position: toml_position(positions, span.or_else(|| item.span())), name: name.to_owned() };
        (key, toml_item(positions, item))
    });
    Value::Table(entries.collect())
}

fn toml_item(positions: &Positions<'_>, item: &Item) -> Node {
    let position = toml_position(positions, item.span());
    let value = match item {
        Item::None => Value::Null,
        Item::Value(value) => toml_value(positions, value),
        Item::Table(table) => toml_table(positions, table),
        Item::ArrayOfTables(tables) => Value::Array(
            tables
                .iter()
                .map(|table| Node {
                    position: toml_position(positions, table.span()),
                    value: toml_table(positions, table),
                })
                .collect(),
        ),
    };
    Node { position, value }
}

fn toml_value(positions: &Positions<'_>, value: &Toml) -> Value {
    match value {
        Toml::String(s) => Value::text(s.value()),
        Toml::Integer(n) => Value::Integer(*n.value()),
        Toml::Float(n) => Value::Float(*n.value()),
        Toml::Boolean(b) => Value::Bool(*b.value()),
        Toml::Datetime(_) => Value::Unsupported("a date or a time"),
        Toml::Array(items) => Value::Array(
            items
                .iter()
                .map(|item| Node {
                    position: toml_position(positions, item.span()),
                    value: toml_value(positions, item),
                })
                .collect(),
        ),
        Toml::InlineTable(table) => toml_table(positions, table),
    }
}

fn parse_jsonc(text: &str) -> Result<Node, Problem> {
    let positions = Positions::new(text);
    let options = ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        ..ParseOptions::default()
    };
    let parsed = parse_to_ast(text, &CollectOptions::default(), &options).map_err(|error| {
        Problem::at(positions.of(error.range().start), format!("this is not JSONC: {}", error.kind()))
    })?;
    match parsed.value {
        Some(value) => json_node(&positions, &value),
        None => Ok(Node { position: positions.of(0), value: Value::Table(Vec::new()) }),
    }
}

fn json_node(positions: &Positions<'_>, value: &ast::Value<'_>) -> Result<Node, Problem> {
    let position = positions.of(value.start());
    let value = match value {
        ast::Value::StringLit(s) => Value::text(s.value.as_ref()),
        ast::Value::NumberLit(n) => json_number(position, n.value)?,
        ast::Value::BooleanLit(b) => Value::Bool(b.value),
        ast::Value::NullKeyword(_) => Value::Null,
        ast::Value::Array(items) => {
            let nodes: Result<_, _> = items.elements.iter().map(|item| json_node(positions, item)).collect();
            Value::Array(nodes?)
        }
        ast::Value::Object(object) => json_table(positions, object)?,
    };
    Ok(Node { position, value })
}

fn json_table(positions: &Positions<'_>, object: &ast::Object<'_>) -> Result<Value, Problem> {
    let mut entries: Vec<(Key, Node)> = Vec::new();
    let mut known: HashMap<&str, Position> = HashMap::new();
    for property in &object.properties {
        let position = positions.of(property.range.start);
        let name = property.name.as_str();
        // The TOML parser refuses a repeated key; the JSON parser would use the last one.
        if let Some(at) = known.insert(name, position) {
            return Err(Problem::at(
                position,
                format!("the key `{name}` is written twice; the first is at {at}"),
            ));
        }
        entries.push((Key { position, name: name.to_owned() }, json_node(positions, &property.value)?));
    }
    Ok(Value::Table(entries))
}

fn json_number(position: Position, digits: &str) -> Result<Value, Problem> {
    if let Ok(whole) = digits.parse() {
        return Ok(Value::Integer(whole));
    }
    match digits.parse() {
        Ok(number) => Ok(Value::Float(number)),
        Err(_) => Err(Problem::at(position, format!("`{digits}` is not a number"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_and_positions(node: &Node) -> Vec<(String, String)> {
        node.entries().iter().map(|(key, _)| (key.name.clone(), key.position.to_string())).collect()
    }

    #[test]
    fn both_formats_say_the_same() {
        let toml = "[gateway]\nport = 1\nhosts = [\"a\"]\n[agents.main]\nkind = \"echo\"\n";
        let json = "{ // a comment\n \"gateway\": {\"port\": 1, \"hosts\": [\"a\"],},\n \"agents\": {\"main\": {\"kind\": \"echo\"}} }";
        let (toml, json) = (Syntax::Toml.parse(toml).unwrap(), Syntax::Jsonc.parse(json).unwrap());
        for node in [&toml, &json] {
            let gateway = node.get("gateway").unwrap();
            assert_eq!(gateway.get("port").unwrap().value, Value::Integer(1));
            assert!(matches!(&gateway.get("hosts").unwrap().value, Value::Array(items) if items.len() == 1));
            let agent = node.get("agents").unwrap().get("main").unwrap();
            assert_eq!(agent.get("kind").unwrap().value, Value::text("echo"));
        }
        assert_eq!(names_and_positions(json.get("gateway").unwrap())[0], ("port".into(), "2:14".into()));
        assert_eq!(names_and_positions(toml.get("gateway").unwrap())[0], ("port".into(), "2:1".into()));
    }

    #[test]
    fn a_dotted_key_stands_where_it_is_written() {
        let node = Syntax::Toml.parse("\nsessions.reset.mdoe = \"idle\"\n").unwrap();
        let reset = node.get("sessions").unwrap().get("reset").unwrap();
        assert_eq!(names_and_positions(reset), [("mdoe".into(), "2:16".into())]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_strange_to_be_read_or_refused(text in "[\\[\\]{}=:,\"'#./*\\\\a-c0-9é\\n \\x00]{0,60}") {
            for syntax in [Syntax::Toml, Syntax::Jsonc] {
                if let Err(problem) = syntax.parse(&text) {
                    proptest::prop_assert!(problem.position.is_some());
                }
            }
        }
    }

    #[test]
    fn a_broken_file_says_where() {
        let error = Syntax::Toml.parse("[gateway]\nport = = 1\n").unwrap_err();
        assert_eq!(error.position.unwrap().line, 2, "{error}");
        let error = Syntax::Jsonc.parse("{\n \"a\": 1,\n \"b\" 2 }").unwrap_err();
        assert_eq!(error.position.unwrap().line, 3, "{error}");
        let error = Syntax::Jsonc.parse("{\"a\": 1, \"a\": 2}").unwrap_err();
        assert!(error.to_string().contains("twice"), "{error}");
    }
}
