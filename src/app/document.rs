//! A configuration file as it was written: values with their positions.

use std::fmt;

/// A line and a column, both from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Position {
    /// The position of what is not in the file.
    pub const NOWHERE: Position = Position { line: 0, column: 0 };
}

/// Finds the positions of bytes in a text, fast for long lines and many lines.
pub struct Positions<'t> {
    text: &'t str,
    /// The byte at which each line begins.
    lines: Vec<usize>,
    /// The number of characters before every `STEP`th byte.
    chars: Vec<usize>,
}

/// Bytes between two counts of characters.
const STEP: usize = 512;

impl<'t> Positions<'t> {
    /// Indexes `text`.
    pub fn new(text: &'t str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        let mut count = 0;
        let chars = text.as_bytes().chunks(STEP).map(|chunk| {
            let before = count;
            count += begun(chunk);
            before
        });
        Self { text, lines, chars: chars.collect() }
    }

    /// The position of a byte.
    pub fn of(&self, byte: usize) -> Position {
        let byte = self.text.floor_char_boundary(byte);
        let line = self.lines.partition_point(|start| *start <= byte);
        let start = self.lines.get(line - 1).copied().unwrap_or_default();
        Position { line, column: self.before(byte) - self.before(start) + 1 }
    }

    /// The number of characters that begin before a byte.
    fn before(&self, byte: usize) -> usize {
        let step = (byte / STEP).min(self.chars.len().saturating_sub(1));
        let counted = self.chars.get(step).copied().unwrap_or_default();
        counted + begun(&self.text.as_bytes()[step * STEP..byte])
    }
}

/// The number of characters that begin in a piece of UTF-8.
fn begun(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| (**byte & 0xC0) != 0x80).count()
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A value and its position.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its position.
    pub position: Position,
    /// The value.
    pub value: Value,
}

/// A value of either syntax.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Only in JSON; means that the key is not written.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// A text.
    String(Text),
    /// A list.
    Array(Vec<Node>),
    /// Keys and values, in the file's order.
    Table(Vec<(Key, Node)>),
    /// Something that no key accepts, such as a TOML date; what it is, for an error.
    Unsupported(&'static str),
}

/// A text, before and after `${VAR}` was put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The text with variables replaced.
    pub value: String,
    /// The text as it was written, if it contains variables. Such a text may stand for a number, and its value is not
    /// shown, because a variable may hold a secret.
    pub written: Option<String>,
}

/// A key and its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its position.
    pub position: Position,
    /// Its name.
    pub name: String,
}

impl Value {
    /// A text without variables.
    pub fn text(value: impl Into<String>) -> Value {
        Value::String(Text { value: value.into(), written: None })
    }

    /// What it is, for an error.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "true or false",
            Value::Integer(_) => "a whole number",
            Value::Float(_) => "a number with a fraction",
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            Value::Table(_) => "a table",
            Value::Unsupported(what) => what,
        }
    }
}

impl Node {
    /// The table's entries; none if it is not a table.
    pub fn entries(&self) -> &[(Key, Node)] {
        match &self.value {
            Value::Table(entries) => entries,
            _ => &[],
        }
    }

    /// Whether the file has any key.
    pub fn has_keys(&self) -> bool {
        self.entries().iter().any(|(key, _)| key.position != Position::NOWHERE)
    }

    /// The value under `name`.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.entries().iter().find(|(key, _)| key.name == name).map(|(_, node)| node)
    }

    /// The value under `name`, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Node> {
        match &mut self.value {
            Value::Table(entries) => {
                entries.iter_mut().find(|(key, _)| key.name == name).map(|(_, node)| node)
            }
            _ => None,
        }
    }

    /// The position of the value at a dotted path, or of the innermost table around it that is written; `None` if not
    /// even the first key is written. A key with dots in it is quoted; `[2]` at the end is the third item of a list.
    pub fn position_of(&self, path: &str) -> Option<Position> {
        let (path, item) = split_item(path);
        let mut node = self;
        let mut position = None;
        for name in names(path) {
            let Some((key, inner)) = node.entries().iter().find(|(key, _)| key.name == name) else {
                return position;
            };
            position = Some(key.position);
            node = inner;
        }
        match (&node.value, item) {
            (Value::Array(items), Some(n)) => items.get(n).map(|item| item.position).or(position),
            _ => position,
        }
    }
}

/// Splits a path from the index of a list item at its end.
fn split_item(path: &str) -> (&str, Option<usize>) {
    let split = path.strip_suffix(']').and_then(|path| path.rsplit_once('['));
    match split.and_then(|(path, n)| Some((path, n.parse().ok()?))) {
        Some((path, n)) => (path, Some(n)),
        None => (path, None),
    }
}

/// The keys of a dotted path.
fn names(path: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut quoted = false;
    for c in path.chars() {
        match c {
            '"' => quoted = !quoted,
            '.' if !quoted => names.push(String::new()),
            _ => names.last_mut().into_iter().for_each(|name| name.push(c)),
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_characters_and_survives_any_byte() {
        let text = "a = 1\nß = \"é\"\n";
        let place = |byte| Positions::new(text).of(byte);
        assert_eq!(place(0), Position { line: 1, column: 1 });
        assert_eq!(place(6), Position { line: 2, column: 1 });
        assert_eq!(place(8), Position { line: 2, column: 2 });
        assert_eq!(place(7), Position { line: 2, column: 1 });
        assert_eq!(place(999), Position { line: 3, column: 1 });
        assert_eq!(Positions::new("").of(7), Position { line: 1, column: 1 });
    }

    proptest::proptest! {
        #[test]
        fn a_place_is_what_counting_says(text in "[aé\\n]{0,1500}", byte in 0_usize..3000) {
            let before = &text[..text.floor_char_boundary(byte)];
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            proptest::prop_assert_eq!(Positions::new(&text).of(byte), Position { line, column });
        }
    }

    #[test]
    fn a_path_leads_to_the_nearest_key_that_is_written() {
        let key = |line, name: &str| Key { position: Position { line, column: 1 }, name: name.into() };
        let node = |value| Node { position: Position { line: 0, column: 0 }, value };
        let chats = node(Value::Table(vec![(key(3, "-1.5"), node(Value::Bool(true)))]));
        let root = node(Value::Table(vec![(key(2, "chats"), chats)]));
        assert_eq!(root.position_of("chats.\"-1.5\".reset").map(|p| p.line), Some(3));
        assert_eq!(root.position_of("chats.other").map(|p| p.line), Some(2));
        assert_eq!(root.position_of("nothing.here"), None);
    }

    #[test]
    fn a_path_leads_to_an_item_of_a_list() {
        let at = |column, value| Node { position: Position { line: 1, column }, value };
        let list = at(8, Value::Array(vec![at(9, Value::text("a")), at(14, Value::text("b"))]));
        let key = Key { position: Position { line: 1, column: 1 }, name: "allow".into() };
        let root = at(1, Value::Table(vec![(key, list)]));
        let column = |path: &str| root.position_of(path).map(|position| position.column);
        assert_eq!((column("allow[1]"), column("allow[7]"), column("allow")), (Some(14), Some(1), Some(1)));
    }

    #[test]
    fn a_quoted_key_of_a_path_is_one_name() {
        assert_eq!(names("channels.web.chats.\"a.b\""), ["channels", "web", "chats", "a.b"]);
    }
}
