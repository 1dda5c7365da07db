//! Error messages for invalid JSON of clients. They contain no names of Rust types.

use serde_json::Error;
use serde_json::error::Category;

/// How the library names what it expects, and how people do. A longer name comes before one that it contains.
const WORDS: [(&str, &str); 18] = [
    ("struct variant", "an object"),
    ("internally tagged enum", "an object"),
    ("adjacently tagged enum", "an object"),
    ("a borrowed string", "a text"),
    ("a string", "a text"),
    ("string", "the text"),
    ("a sequence", "a list"),
    ("sequence", "a list"),
    ("a map", "an object"),
    ("map", "an object"),
    ("a boolean", "true or false"),
    ("boolean", "the value"),
    ("floating point", "the number"),
    ("integer", "the number"),
    ("unit value", "null"),
    ("unit", "null"),
    ("null value", "null"),
    ("newtype struct", "an object"),
];

/// Describes the error. The text follows a colon.
pub(crate) fn words(error: &Error) -> String {
    let what = without_place(error);
    // A body of one line is easily looked through.
    if error.line() > 1 { format!("{what} (line {}, column {})", error.line(), error.column()) } else { what }
}

fn without_place(error: &Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let text = text.strip_suffix(&place).unwrap_or(&text);
    match error.classify() {
        Category::Eof if error.line() <= 1 && error.column() == 0 => "it is empty".to_owned(),
        Category::Eof => "it ends too early".to_owned(),
        Category::Syntax if text.starts_with("recursion limit") => "it is nested too deeply".to_owned(),
        Category::Syntax => format!("it is no valid JSON: {text}"),
        Category::Io | Category::Data => data(text),
    }
}

/// Rewrites `invalid type: integer 1, expected a string`.
fn data(text: &str) -> String {
    let Some((found, expected)) = text.split_once(", expected ") else { return text.to_owned() };
    let Some((_, found)) = found.split_once(": ").filter(|(kind, _)| kind.starts_with("invalid ")) else {
        return text.to_owned();
    };
    format!("{} stands where {} is expected", plain(found), expectation(expected))
}

fn expectation(expected: &str) -> String {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => "a whole number of 0 or more".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        name if name.starts_with("struct ") || name.starts_with("enum ") => "an object".to_owned(),
        other => plain(other),
    }
}

fn plain(text: &str) -> String {
    match WORDS.iter().find_map(|(known, word)| Some((text.strip_prefix(known)?, word))) {
        Some((rest, word)) => format!("{word}{rest}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Body {
        text: String,
        #[serde(default)]
        seconds: u64,
        #[serde(default)]
        wait: bool,
        schedule: Option<Schedule>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Schedule {
        at: String,
    }

    #[test]
    fn mistakes_are_told_without_the_types_of_the_program() {
        for (json, told) in [
            ("", "it is empty"),
            ("{\"text\":", "it ends too early"),
            ("{\"text\":1}", "the number `1` stands where a text is expected"),
            ("{\"text\":null}", "null stands where a text is expected"),
            ("{\"text\":[]}", "a list stands where a text is expected"),
            (
                "{\"text\":\"a\",\"seconds\":-1}",
                "the number `-1` stands where a whole number of 0 or more is expected",
            ),
            (
                "{\"text\":\"a\",\"seconds\":1.5}",
                "the number `1.5` stands where a whole number of 0 or more is expected",
            ),
            ("{\"text\":\"a\",\"wait\":\"yes\"}", "the text \"yes\" stands where true or false is expected"),
            ("{\"text\":\"a\",\"schedule\":\"x\"}", "the text \"x\" stands where an object is expected"),
            ("{}", "missing field `text`"),
            ("{\"text\":\n 1}", "the number `1` stands where a text is expected (line 2, column 2)"),
        ] {
            assert_eq!(words(&serde_json::from_str::<Body>(json).unwrap_err()), told, "{json}");
        }
        let unknown = words(&serde_json::from_str::<Body>("{\"texts\":1}").unwrap_err());
        assert!(unknown.starts_with("unknown field `texts`, expected one of `text`"), "{unknown}");
        let deep = "[".repeat(500);
        assert_eq!(
            words(&serde_json::from_str::<serde_json::Value>(&deep).unwrap_err()),
            "it is nested too deeply"
        );
        let wrong = words(&serde_json::from_str::<Body>("{text}").unwrap_err());
        assert_eq!(wrong, "it is no valid JSON: key must be a string");
    }
}
