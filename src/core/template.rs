//! Templates that put values of a JSON document into a text: `New issue: {{ issue.title }}`.
//!
//! There are no expressions, loops or filters, so a template needs no sandbox and no limits of its own: filling it takes one
//! pass, and a value that looks like a placeholder stays as it is.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

/// The longest text of one value, in bytes. What is longer is cut.
const LONGEST: usize = 32 * 1024;

/// A text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Value(Path),
}

/// Where a value stands in a document: `issue.labels.0.name`, `.` for the whole of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    names: Vec<String>,
    /// Whether the document may lack it.
    optional: bool,
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A placeholder does not end.
    #[error("the placeholder at character {0} has no end: write {{{{ path.to.field }}}}")]
    Open(usize),
    /// A placeholder is no path.
    #[error(
        "{{{{{0}}}}} is no path: write {{{{ path.to.field }}}}, {{{{ path.to.field? }}}} for one that may be missing, or {{{{ . }}}} for everything"
    )]
    NoPath(String),
    /// It says nothing.
    #[error("the template is empty")]
    Empty,
}

/// A document lacks a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no `{0}` in it; write {{{{ {0}? }}}} in the template if it may be missing")]
pub struct Missing(pub String);

impl Template {
    /// The text with the values of a document, each as `write` writes it. What is `null`, and what may be missing and is
    /// missing, is left out.
    pub fn fill(&self, document: &Value, write: impl Fn(&str) -> String) -> Result<String, Missing> {
        let mut filled = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Value(path) => match path.find(document) {
                    Some(Value::Null) => {}
                    Some(value) => filled.push_str(&write(&words(value))),
                    None if path.optional => {}
                    None => return Err(Missing(path.to_string())),
                },
            }
        }
        Ok(filled.trim().to_owned())
    }
}

impl Path {
    /// The value at this place.
    pub fn find<'v>(&self, document: &'v Value) -> Option<&'v Value> {
        self.names.iter().try_fold(document, |value, name| match value {
            Value::Array(items) => items.get(name.parse::<usize>().ok()?),
            Value::Object(fields) => fields.get(name),
            _ => None,
        })
    }
}

/// A value as text: a text as it is, anything else as JSON. A long one is cut, which the text says.
pub fn words(value: &Value) -> String {
    let mut text = match value {
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => format!("{value:#}"),
        other => other.to_string(),
    };
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push_str("\n(the rest is cut off)");
    }
    text
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some(start) = rest.find("{{") {
            let inner = &rest[start + 2..];
            let open = || TemplateError::Open(text[..text.len() - rest.len() + start].chars().count() + 1);
            let end = inner.find("}}").ok_or_else(open)?;
            if start > 0 {
                pieces.push(Piece::Text(rest[..start].to_owned()));
            }
            let path = &inner[..end];
            pieces.push(Piece::Value(path.parse().map_err(|NoPath| TemplateError::NoPath(path.to_owned()))?));
            rest = &inner[end + 2..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        match text.trim().is_empty() {
            true => Err(TemplateError::Empty),
            false => Ok(Self(pieces)),
        }
    }
}

/// A text is no path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no path: write names with a dot between two of them, such as `issue.title`")]
pub struct NoPath;

impl FromStr for Path {
    type Err = NoPath;

    fn from_str(text: &str) -> Result<Self, NoPath> {
        let text = text.trim();
        let (text, optional) = match text.strip_suffix('?') {
            Some(text) => (text, true),
            None => (text, false),
        };
        if text == "." {
            return Ok(Self { names: Vec::new(), optional });
        }
        let is_name = |name: &str| {
            !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || "{}()|\"'?".contains(c))
        };
        let names: Vec<String> = text.split('.').map(str::to_owned).collect();
        names.iter().all(|name| is_name(name)).then_some(Self { names, optional }).ok_or(NoPath)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.names.is_empty() {
            true => f.write_str("."),
            false => f.write_str(&self.names.join(".")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filled(template: &str, document: &Value) -> Result<String, Missing> {
        template.parse::<Template>().unwrap().fill(document, |text| format!("<{text}>"))
    }

    #[test]
    fn values_are_put_in_the_place_of_their_paths() {
        let document =
            json!({"issue": {"title": "{{ issue.n }}", "n": 7, "labels": [{"name": "bug"}], "body": null}});
        let template =
            "Issue {{issue.n}}: {{ issue.title }} ({{issue.labels.0.name}}){{ issue.body }}{{ issue.x? }}";
        // A value that looks like a placeholder is none.
        assert_eq!(filled(template, &document).unwrap(), "Issue <7>: <{{ issue.n }}> (<bug>)");
        assert_eq!(filled("{{ . }}", &json!([1])).unwrap(), "<[\n  1\n]>");
        assert_eq!(filled("a {{ issue.body.x }}", &document), Err(Missing("issue.body.x".to_owned())));
        assert_eq!(filled("a {{ issue.labels.1 }}", &document), Err(Missing("issue.labels.1".to_owned())));
    }

    #[test]
    fn a_broken_template_says_what_to_write() {
        for (text, says) in [
            ("ü {{ a", "character 3"),
            ("{{ a.b | upper }}", "{{ a.b | upper }} is no path"),
            ("{{ }}", "is no path"),
            ("{{ a..b }}", "is no path"),
            ("{{ a?.b }}", "is no path"),
            (" ", "empty"),
        ] {
            let error = text.parse::<Template>().unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn a_long_value_is_cut() {
        let text = filled("{{ a }}", &json!({"a": "ü".repeat(LONGEST)})).unwrap();
        assert!(text.len() < LONGEST + 100 && text.ends_with("(the rest is cut off)>"));
    }
}
