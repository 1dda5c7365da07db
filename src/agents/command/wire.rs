//! The protocol between Frontdesk and a persistent program: one JSON object per line, in UTF-8, ended by `\n`.
//!
//! To the program:
//!
//! ```text
//! {"type":"prompt","turn":"t12","session":"agent:main:web:dm:main","epoch":1,"attempt":1,"resumed":false,
//!  "text":"hello","agent_ref":null,"origin":"message","options":{"model":null,"thinking":null},"role":null,
//!  "messages":[{"id":"m7","kind":"message","from":{"id":"web:main","kind":"person","name":null},
//!    "text":"hello","received":"2026-...","forwarded":null,"replies_to":null,"links":[],"files":[],
//!    "retried_by":null}],"nearby":[],"context":[],"tools":{"url":"http://127.0.0.1:3847/mcp","token":"..."}}
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
//! {"type":"progress","percent":40,"text":"reading"}    alive; the fields say how far it is, and may be missing
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
//! An id is text or a number. An unknown type and an unknown field are ignored, so that a program may be newer than its
//! gateway. An `ask` or a `history` line with a wrong field is answered with an error that names the field, and a wrong
//! field of `usage` is left out; both are logged. Any other line that does not follow the protocol means that the program
//! is broken: it is killed, and the next turn gets a new one.
//!
//! A message is taken into the turn if `steered` says so before the turn is over. The gateway waits five seconds for the
//! answer to each steer, also after a `done` that comes earlier. A message that is not taken is in a later prompt, with the
//! same id.

use frontdesk_core::ask::{AskAnswer, AskEnd};
use frontdesk_core::delta::ToolDecision;
use frontdesk_core::id::TurnId;
use frontdesk_core::port::{Prompt, Turn};
use frontdesk_core::prompt;
use serde_json::{Map, json};

use super::fields::LineId;
use crate::process::json_line;

pub(super) fn prompt(turn: &Turn) -> Vec<u8> {
    let mut fields = prompt::facts(turn);
    // A program that was started ahead has no other way to learn its token.
    let tools = turn.tools.endpoint().map(|tools| json!({"url": tools.url, "token": tools.token}));
    fields.insert("tools".into(), tools.into());
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

pub(super) fn tool(turn: TurnId, id: &LineId, decision: &ToolDecision) -> Vec<u8> {
    let (turn, id) = (turn.to_string(), id.value());
    json_line::write(&match decision {
        ToolDecision::Allow(params) => json!({"type": "tool_ok", "turn": turn, "id": id, "params": params}),
        ToolDecision::Deny(reason) => {
            json!({"type": "tool_denied", "turn": turn, "id": id, "reason": reason})
        }
    })
}

/// The end of a question.
pub(super) fn answer(turn: TurnId, id: &LineId, end: &Result<AskEnd, String>) -> Vec<u8> {
    let mut line = Map::new();
    line.insert("type".into(), "answer".into());
    line.insert("turn".into(), turn.to_string().into());
    line.insert("id".into(), id.value());
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
