//! A line from a persistent program (see [`wire`](super::wire)).

use std::path::PathBuf;

use frontdesk_core::ask::Question;
use frontdesk_core::delta::Usage;
use frontdesk_core::progress::Progress;
use serde_json::Value;

use super::fields::{Fields, LineId, WrongField};
use super::question;
use crate::process::json_line;

/// A line, with the turn that it names.
#[derive(Debug, PartialEq)]
pub(super) struct Line {
    pub(super) turn: Option<String>,
    pub(super) content: Content,
}

/// What a line says. A request that is not understood is refused; every other wrong line is an error of [`Line::read`].
#[derive(Debug, PartialEq)]
pub(super) enum Content {
    Delta(String),
    ToolStart { id: LineId, name: String, params: Value },
    ToolEnd { id: LineId, failed: bool, result: String },
    Ask { id: LineId, question: Result<Box<Question>, WrongField> },
    Progress(Progress),
    Restart,
    Session(String),
    Compacting,
    Compacted { summary: Option<String>, tokens: Option<u64> },
    History { id: Option<LineId>, page: Result<Page, WrongField> },
    Media { path: PathBuf, caption: Option<String> },
    Steered { taken: bool },
    Done { text: Option<String>, usage: WireUsage },
    Error(String),
    Unknown,
}

/// The page of the history that the program asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Page {
    pub(super) before: Option<String>,
    pub(super) messages: Option<u64>,
    pub(super) bytes: Option<u64>,
}

/// The usage is optional information: an invalid value in it is left out and does not fail the answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct WireUsage {
    pub(super) usage: Option<Usage>,
    pub(super) wrong: Vec<WrongField>,
}

/// The largest number that the database can store.
const MOST_TOKENS: u64 = i64::MAX.unsigned_abs();

impl Line {
    /// Parses a line; `None` for an empty one. The error says what is wrong without quoting the line.
    pub(super) fn read(line: &[u8]) -> Result<Option<Self>, String> {
        let Some(value) = json_line::read(line)? else { return Ok(None) };
        let mut fields = Fields::of(value).ok_or("JSON that is not an object")?;
        let Value::String(kind) = fields.value("type") else {
            return Err("an object without a `type`".into());
        };
        let read = |mut fields: Fields| {
            let turn = fields.text_if_any("turn")?;
            Ok(Self { turn, content: Content::read(&kind, &mut fields)? })
        };
        // The type is one that is known: of another one no field is read but `turn`.
        read(fields)
            .map(Some)
            .map_err(|wrong: WrongField| format!("a line of type `{}` whose {wrong}", known(&kind)))
    }
}

/// A type of the protocol. Another one is the program's own text, which is not logged.
fn known(kind: &str) -> &str {
    let plain = kind.len() <= 16 && kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if plain { kind } else { "(unknown)" }
}

impl Content {
    fn read(kind: &str, fields: &mut Fields) -> Result<Self, WrongField> {
        Ok(match kind {
            "delta" => Self::Delta(fields.text("text")?),
            "tool_start" => Self::ToolStart {
                id: fields.id("id")?,
                name: fields.text("name")?,
                params: fields.value("params"),
            },
            "tool_end" => Self::ToolEnd {
                id: fields.id("id")?,
                failed: fields.flag_if_any("failed")?.unwrap_or_default(),
                result: fields.text_if_any("result")?.unwrap_or_default(),
            },
            "ask" => Self::Ask { id: fields.id("id")?, question: question::read(fields).map(Box::new) },
            "progress" => Self::Progress(Progress {
                percent: fields.whole_number("percent")?.map(|percent| u8::try_from(percent).unwrap_or(100)),
                line: fields.text_if_any("text")?,
            }),
            "restart" => Self::Restart,
            "session" => Self::Session(fields.text("ref")?),
            "compacting" => Self::Compacting,
            "compacted" => Self::Compacted {
                summary: fields.text_if_any("summary")?,
                tokens: fields.whole_number("tokens")?.map(|tokens| tokens.min(MOST_TOKENS)),
            },
            "history" => Self::History { id: fields.id_if_any("id")?, page: page(fields) },
            "media" => {
                Self::Media { path: fields.text("path")?.into(), caption: fields.text_if_any("caption")? }
            }
            "steered" => Self::Steered { taken: fields.flag("taken")? },
            "done" => Self::Done { text: fields.text_if_any("text")?, usage: usage(fields.value("usage")) },
            "error" => Self::Error(fields.text("message")?),
            _ => Self::Unknown,
        })
    }
}

fn page(fields: &mut Fields) -> Result<Page, WrongField> {
    Ok(Page {
        before: fields.text_if_any("before")?,
        messages: fields.whole_number("messages")?,
        bytes: fields.whole_number("bytes")?,
    })
}

fn usage(value: Value) -> WireUsage {
    if value.is_null() {
        return WireUsage::default();
    }
    let mut wrong = Vec::new();
    let Some(mut fields) = Fields::of(value) else {
        wrong.push(WrongField { field: "usage".into(), expected: "an object".into() });
        return WireUsage { usage: None, wrong };
    };
    let model = fields.text_if_any("model").unwrap_or_else(|problem| {
        wrong.push(problem);
        None
    });
    let mut number = |name: &str| match fields.whole_number(name) {
        Ok(Some(number)) if number > MOST_TOKENS => {
            wrong.push(fields.wrong(name, format!("at most {MOST_TOKENS}")));
            None
        }
        Ok(number) => number,
        Err(problem) => {
            wrong.push(problem);
            None
        }
    };
    let usage = Usage {
        model,
        input: number("input"),
        output: number("output"),
        cache_read: number("cache_read"),
        cache_write: number("cache_write"),
        cost_micro: number("cost_micro"),
        context_used: number("context_used"),
        context_window: number("context_window"),
    };
    wrong.iter_mut().for_each(|wrong| wrong.field.insert_str(0, "usage."));
    WireUsage { usage: Some(usage), wrong }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Line {
        Line::read(text.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn lines_are_read_with_and_without_what_may_be_left_out() {
        let content = |text: &str| read(text).content;
        let done = Content::Done { text: None, usage: WireUsage::default() };
        assert_eq!(read(r#"{"type":"done"}"#), Line { turn: None, content: done });
        assert_eq!(read(r#"{"type":"tool_end","id":"1","turn":"t1"}"#).turn.as_deref(), Some("t1"));
        assert_eq!(content(r#"{"type":"session","ref":"a"}"#), Content::Session("a".into()));
        assert_eq!(content(r#"{"type":"compacted"}"#), Content::Compacted { summary: None, tokens: None });
        let page = Ok(Page::default());
        assert_eq!(content(r#"{"type":"history"}"#), Content::History { id: None, page });
        assert_eq!(content(r#"{"type":"delta","text":"a","later":[1]}"#), Content::Delta("a".into()));
        let media = Content::Media { path: "a.png".into(), caption: None };
        assert_eq!(content(r#"{"type":"media","path":"a.png"}"#), media);
        assert_eq!(content(r#"{"type":"from the future","text":7}"#), Content::Unknown);
        assert_eq!(Line::read(b" \r"), Ok(None));
    }

    #[test]
    fn an_invalid_usage_does_not_fail_the_answer_and_is_named() {
        let cost =
            |usage: &str| match read(&format!(r#"{{"type":"done","text":"a","usage":{usage}}}"#)).content {
                Content::Done { text: Some(_), usage: WireUsage { usage, wrong } } => (
                    usage.map(|Usage { model, input, output, .. }| (model, input, output)),
                    wrong.into_iter().map(|wrong| wrong.field).collect::<Vec<_>>(),
                ),
                other => panic!("{usage}: {other:?}"),
            };
        let all = (Some("m".into()), Some(1), Some(2));
        assert_eq!(cost(r#"{"model":"m","input":1,"output":2}"#), (Some(all), vec![]));
        let named = ["usage.model", "usage.input", "usage.output"].map(str::to_owned).to_vec();
        assert_eq!(cost(r#"{"model":7,"input":-1,"output":"2"}"#), (Some((None, None, None)), named));
        assert_eq!(cost(r#"{"input":1.5,"output":2}"#).0, Some((None, None, Some(2))));
        assert_eq!(cost(r#"{"input":18446744073709551615}"#).0, Some((None, None, None)));
        assert_eq!(cost("null"), (None, vec![]));
        for odd in ["7", "\"much\"", "[1]"] {
            assert_eq!(cost(odd), (None, vec!["usage".to_owned()]), "{odd}");
        }
    }

    #[test]
    fn an_error_about_a_line_does_not_quote_the_line() {
        let wrong = |bytes: &[u8]| Line::read(bytes).unwrap_err();
        assert_eq!(wrong(b"secret\xff"), "invalid UTF-8 at byte 6");
        assert_eq!(wrong(b"secret"), "invalid JSON at byte 1");
        assert_eq!(wrong(br#"{"type":"delta","text":"secret"#), "invalid JSON at byte 30");
        assert_eq!(
            wrong(br#"{"type":"delta","text":7}"#),
            "a line of type `delta` whose `text` must be text"
        );
        assert_eq!(
            wrong(br#"{"type":"a secret","turn":7}"#),
            "a line of type `(unknown)` whose `turn` must be text"
        );
        assert_eq!(
            wrong(br#"{"type":"steered","taken":"yes"}"#),
            "a line of type `steered` whose `taken` must be true or false"
        );
        assert_eq!(wrong(br#""secret""#), "JSON that is not an object");
        assert_eq!(wrong(br#"{"text":"secret"}"#), "an object without a `type`");
        assert_eq!(wrong(r#"{"a":"#.repeat(100_000).as_bytes()).split(" at").next(), Some("invalid JSON"));
    }
}
