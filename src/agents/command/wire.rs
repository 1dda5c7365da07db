//! The protocol between Frontdesk and a persistent program: one JSON object per line, in UTF-8, ended by `\n`.
//!
//! To the program:
//!
//! ```text
//! {"type":"prompt","turn":"t12","session":"agent:main:web:dm:main","epoch":1,"attempt":1,"resumed":false,
//!  "text":"hello","messages":[{"id":"m7","kind":"message","from":{"id":"web:main","kind":"person","name":null},
//!    "text":"hello","received":"2026-...","forwarded":null,"replies_to":null,"links":[],"files":[],
//!    "retried_by":null}],"nearby":[],"context":[]}
//! {"type":"steer","turn":"t12","text":"...","message":{...}}  answer with steered; only with `steer = true`
//! {"type":"compact","turn":"t13","instructions":"keep the names", ...}  in place of a prompt, with the facts of a turn
//!                                                      without messages: answer with compacted and then done; only with
//!                                                      `compact = true`. instructions may be null
//! {"type":"history","turn":"t12","id":1,"entries":[...],"next":"m5"}  the page that a history line asked for, or an error
//! {"type":"tool_ok","turn":"t12","id":"1","params":{}} the call with this id may begin, with these parameters
//! {"type":"tool_denied","turn":"t12","id":"1","reason":"..."}
//! {"type":"answer","turn":"t12","id":"1","choice":"a","by":{"id":"web:main","name":null}}   or "text" instead of "choice";
//!                                                      or "expired":true, with the default if there is one and without "by";
//!                                                      or "error":"why the question was not asked"
//! {"type":"abort","turn":"t12"}                        end the turn soon, with done or error
//! ```
//!
//! `text` is the messages' text and nothing else, for programs that read only this field. People can write anything in
//! it. The other fields are the facts of the turn (`frontdesk_core::prompt::facts`), which `docs/agents.md` describes
//! one by one. Names, quotes and nearby messages come from third parties: they are data, not instructions.
//!
//! The end of stdin means: exit now. From the program (a line for a turn that is not running is dropped; a line without
//! `turn` counts for the running turn, so a program that may answer late must name it):
//!
//! ```text
//! {"type":"delta","turn":"t12","text":"hel"}
//! {"type":"tool_start","id":"1","name":"shell","params":{}}   and then wait for tool_ok or tool_denied
//! {"type":"tool_end","id":"1","failed":false,"result":"what it returned, for hooks; optional"}
//! {"type":"ask","id":"1","kind":"choice","text":"Which one?","choices":[{"id":"a","label":"This one","style":"primary"}],
//!  "deadline_s":600,"default":"a"}                     and then wait for answer; the last two are optional
//! {"type":"progress"}                                  alive, nothing to say yet
//! {"type":"restart"}                                   forget the text and the files of this turn so far: it begins again
//! {"type":"session","ref":"abc"}                       its own name for the conversation, at most 4096 bytes: stored at
//!                                                      once, and in `agent_ref` of every later prompt of the epoch
//! {"type":"compacting"}                                it begins to compact its context by itself
//! {"type":"compacted","summary":"...","tokens":12000}  it has done so: what is left, and the size before; both optional
//! {"type":"history","id":1,"before":"m5","messages":50,"bytes":65536}  asks for the conversation, the newest first;
//!                                                      every field is optional
//! {"type":"media","path":"chart.png","caption":"..."}  a file for the chat, within $FRONTDESK_MEDIA, sent after the
//!                                                      answer and needed until then; the caption is optional
//! {"type":"steered","taken":true}
//! {"type":"done","text":"the whole answer where it is not the deltas","usage":{"model":"m","input":1,"output":2,
//!  "cache_read":3,"cache_write":4,"cost_micro":5,"context_used":6,"context_window":7}}
//! {"type":"error","message":"why there is no answer"}
//! ```
//!
//! An unknown type is ignored, so that a program may be newer than its gateway. Any other line that does not follow the
//! protocol means that the program is broken: it is killed, and the next turn gets a new one.

use std::path::PathBuf;

use frontdesk_core::ask::{AskAnswer, AskEnd};
use frontdesk_core::delta::{ToolDecision, Usage};
use frontdesk_core::id::TurnId;
use frontdesk_core::port::{Prompt, Turn};
use frontdesk_core::prompt;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::question::WireQuestion;
use crate::process::json_line;

/// A line from the program.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Line {
    Delta {
        turn: Option<String>,
        text: String,
    },
    ToolStart {
        turn: Option<String>,
        id: String,
        name: String,
        #[serde(default)]
        params: Value,
    },
    ToolEnd {
        turn: Option<String>,
        id: String,
        #[serde(default)]
        failed: bool,
        #[serde(default)]
        result: String,
    },
    Ask {
        turn: Option<String>,
        id: String,
        #[serde(flatten)]
        question: Box<WireQuestion>,
    },
    Progress {
        turn: Option<String>,
    },
    Restart {
        turn: Option<String>,
    },
    Session {
        turn: Option<String>,
        #[serde(rename = "ref")]
        name: String,
    },
    Compacting {
        turn: Option<String>,
    },
    Compacted {
        turn: Option<String>,
        summary: Option<String>,
        tokens: Option<u64>,
    },
    History {
        turn: Option<String>,
        #[serde(default)]
        id: Value,
        before: Option<String>,
        messages: Option<u32>,
        bytes: Option<usize>,
    },
    Media {
        turn: Option<String>,
        path: PathBuf,
        caption: Option<String>,
    },
    Steered {
        turn: Option<String>,
        taken: bool,
    },
    Done {
        turn: Option<String>,
        text: Option<String>,
        #[serde(default, deserialize_with = "usage")]
        usage: Option<Usage>,
    },
    Error {
        turn: Option<String>,
        message: String,
    },
    #[serde(other)]
    Unknown,
}

/// The usage is optional information: an invalid value in it is left out and does not fail the answer.
fn usage<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Usage>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let number = |name: &str| value.get(name).and_then(Value::as_u64).filter(|n| *n <= MOST_TOKENS);
    let model = value.get("model").and_then(Value::as_str).map(str::to_owned);
    Ok(value.is_object().then(|| Usage {
        model,
        input: number("input"),
        output: number("output"),
        cache_read: number("cache_read"),
        cache_write: number("cache_write"),
        cost_micro: number("cost_micro"),
        context_used: number("context_used"),
        context_window: number("context_window"),
    }))
}

/// The largest number that the database can store.
const MOST_TOKENS: u64 = i64::MAX.unsigned_abs();

impl Line {
    /// Parses a line; `None` for an empty one. The error says what is wrong without quoting the line.
    pub(super) fn read(line: &[u8]) -> Result<Option<Self>, String> {
        json_line::read(line)
    }

    /// The turn that the line names.
    pub(super) fn turn(&self) -> Option<&str> {
        match self {
            Line::Delta { turn, .. }
            | Line::ToolStart { turn, .. }
            | Line::ToolEnd { turn, .. }
            | Line::Ask { turn, .. }
            | Line::Progress { turn }
            | Line::Restart { turn }
            | Line::Session { turn, .. }
            | Line::Compacting { turn }
            | Line::Compacted { turn, .. }
            | Line::History { turn, .. }
            | Line::Media { turn, .. }
            | Line::Steered { turn, .. }
            | Line::Done { turn, .. }
            | Line::Error { turn, .. } => turn.as_deref(),
            Line::Unknown => None,
        }
    }
}

pub(super) fn prompt(turn: &Turn) -> Vec<u8> {
    let mut fields = prompt::facts(turn);
    fields.insert("type".into(), "prompt".into());
    fields.insert("text".into(), prompt::text(turn).into());
    json_line::write(&fields.into())
}

/// The line that asks for a compaction: the facts of the turn, which has no messages.
pub(super) fn compact(turn: &Turn, instructions: Option<&str>) -> Vec<u8> {
    let mut fields = prompt::facts(turn);
    fields.insert("type".into(), "compact".into());
    fields.insert("instructions".into(), instructions.into());
    json_line::write(&fields.into())
}

pub(super) fn abort(turn: TurnId) -> Vec<u8> {
    json_line::write(&json!({"type": "abort", "turn": turn.to_string()}))
}

pub(super) fn steer(turn: TurnId, prompt: &Prompt) -> Vec<u8> {
    let message = prompt::message(prompt);
    json_line::write(
        &json!({"type": "steer", "turn": turn.to_string(), "text": prompt.text, "message": message}),
    )
}

pub(super) fn tool(turn: TurnId, id: &str, decision: &ToolDecision) -> Vec<u8> {
    let turn = turn.to_string();
    json_line::write(&match decision {
        ToolDecision::Allow(params) => json!({"type": "tool_ok", "turn": turn, "id": id, "params": params}),
        ToolDecision::Deny(reason) => {
            json!({"type": "tool_denied", "turn": turn, "id": id, "reason": reason})
        }
    })
}

/// The end of a question.
pub(super) fn answer(turn: TurnId, id: &str, end: &Result<AskEnd, String>) -> Vec<u8> {
    let mut line = Map::new();
    line.insert("type".into(), "answer".into());
    line.insert("turn".into(), turn.to_string().into());
    line.insert("id".into(), id.into());
    match end {
        Err(why) => drop(line.insert("error".into(), why.as_str().into())),
        Ok(end) => {
            match end.answer() {
                Some(AskAnswer::Choice(choice)) => drop(line.insert("choice".into(), choice.as_str().into())),
                Some(AskAnswer::Text(text)) => drop(line.insert("text".into(), text.as_str().into())),
                None => {}
            }
            match end {
                AskEnd::Answered { by, .. } => {
                    let name = by.name.as_deref().map(prompt::sanitized);
                    line.insert("by".into(), json!({"id": by.id.as_str(), "name": name}));
                }
                AskEnd::Expired { .. } | AskEnd::Cancelled => {
                    drop(line.insert("expired".into(), true.into()))
                }
            }
        }
    }
    json_line::write(&line.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_with_and_without_what_may_be_left_out() {
        let read = |text: &str| Line::read(text.as_bytes()).unwrap().unwrap();
        assert_eq!(read(r#"{"type":"done"}"#), Line::Done { turn: None, text: None, usage: None });
        assert_eq!(read(r#"{"type":"tool_end","id":"1","turn":"t1"}"#).turn(), Some("t1"));
        assert_eq!(read(r#"{"type":"session","ref":"a"}"#), Line::Session { turn: None, name: "a".into() });
        assert_eq!(
            read(r#"{"type":"compacted"}"#),
            Line::Compacted { turn: None, summary: None, tokens: None }
        );
        let none = (None, None, None);
        assert!(
            matches!(read(r#"{"type":"history"}"#), Line::History { id: Value::Null, before, messages, bytes, .. } if (before.clone(), messages, bytes) == none)
        );
        assert_eq!(
            read(r#"{"type":"delta","text":"a","later":[1]}"#),
            Line::Delta { turn: None, text: "a".into() }
        );
        assert_eq!(
            read(r#"{"type":"media","path":"a.png"}"#),
            Line::Media { turn: None, path: "a.png".into(), caption: None }
        );
        assert_eq!(read(r#"{"type":"from the future","text":"a"}"#), Line::Unknown);
        assert_eq!(Line::read(b" \r"), Ok(None));
    }

    #[test]
    fn an_invalid_usage_does_not_fail_the_answer() {
        let cost = |usage: &str| {
            let line = format!(r#"{{"type":"done","text":"a","usage":{usage}}}"#);
            match Line::read(line.as_bytes()) {
                Ok(Some(Line::Done { text: Some(_), usage, .. })) => {
                    usage.map(|Usage { model, input, output, .. }| (model, input, output))
                }
                other => panic!("{usage}: {other:?}"),
            }
        };
        assert_eq!(cost(r#"{"model":"m","input":1,"output":2}"#), Some((Some("m".into()), Some(1), Some(2))));
        assert_eq!(cost(r#"{"model":7,"input":-1,"output":"2"}"#), Some((None, None, None)));
        assert_eq!(cost(r#"{"input":1.5,"output":2}"#), Some((None, None, Some(2))));
        assert_eq!(cost(r#"{"input":18446744073709551615}"#), Some((None, None, None)));
        for odd in ["null", "7", "\"much\"", "[1]"] {
            assert_eq!(cost(odd), None, "{odd}");
        }
    }

    #[test]
    fn an_error_about_a_line_does_not_quote_the_line() {
        let wrong = |bytes: &[u8]| Line::read(bytes).unwrap_err();
        assert_eq!(wrong(b"secret\xff"), "invalid UTF-8 at byte 6");
        assert_eq!(wrong(b"secret"), "invalid JSON at byte 1");
        assert_eq!(wrong(br#"{"type":"delta","text":"secret"#), "invalid JSON at byte 30");
        assert_eq!(wrong(br#"{"type":"delta","text":7}"#), "JSON that is not a line of the protocol");
        assert_eq!(wrong(br#""secret""#), "JSON that is not a line of the protocol");
        assert_eq!(wrong(r#"{"a":"#.repeat(100_000).as_bytes()).split(" at").next(), Some("invalid JSON"));
    }
}
