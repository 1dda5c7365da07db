//! An agent that answers what it hears, for a first look, tests and demos.
//!
//! It keeps no context, starts nothing and takes no time unless it is told to: see [`directive`].

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::count::counted;
use frontdesk_core::delta::{AgentError, Delta, Permit, ToolCall, Verdict};
use frontdesk_core::id::TurnId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::InputKind;
use frontdesk_core::port::{Agent, Clock, File, Prompt, Turn};
use frontdesk_core::prompt;
use futures_util::FutureExt;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::running::{Running, Seat};
use directive::{Act, Directive};
use pieces::Pieces;

pub mod directive;
mod pieces;

type Said = Result<Delta, AgentError>;

/// The keys of `kind = "echo"`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How many turns it may run at once; no cap of its own unless set.
    pub max_turns: Option<usize>,
}

/// The agent.
pub struct Echo {
    clock: Arc<dyn Clock>,
    running: Running<CancellationToken>,
}

impl Echo {
    /// An echo whose pauses follow `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, running: Running::default() }
    }
}

#[async_trait]
impl Agent for Echo {
    fn turn(&self, turn: Turn) -> BoxStream<'static, Said> {
        let seat = self.running.begin(turn.id, CancellationToken::new());
        let Directive { wait, mut act } = Directive::read(&prompt::words(&turn));
        if let Act::Say(text) | Act::Slowly { text, .. } = &mut act {
            for line in turn.prompt.iter().flat_map(remarks) {
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(&line);
            }
        }
        if wait.is_zero() {
            return until_aborted(seat, answer(act, self.clock.clone()));
        }
        let clock = self.clock.clone();
        let due = clock.mono() + wait;
        let late = async move {
            clock.sleep_until(due).await;
            answer(act, clock)
        };
        until_aborted(seat, late.flatten_stream())
    }

    async fn steer(&self, _turn: TurnId, _said: &Prompt) -> Result<bool, AgentError> {
        Ok(false)
    }

    async fn abort(&self, turn: TurnId) {
        if let Some(aborted) = self.running.find(turn) {
            aborted.cancel();
        }
    }

    async fn forget(&self, _session: &SessionKey, _epoch: u64) {}

    // It has no process; a turn that still speaks ends with its stream.
    async fn stop(&self) {}

    fn problem(&self) -> Option<String> {
        None
    }
}

/// What there is to say of a message besides its text, line by line.
fn remarks(prompt: &Prompt) -> impl Iterator<Item = String> {
    let edited = (prompt.input_kind == InputKind::Edit).then(|| "(edited)".to_owned());
    edited.into_iter().chain(prompt.files.iter().map(remark))
}

fn remark(file: &File) -> String {
    let kind = file.kind.name();
    let what = match &file.name {
        Some(name) => format!("{kind} {}", prompt::inert(name)),
        None => kind.to_owned(),
    };
    match (&file.got, file.size) {
        (Ok(_), Some(size)) => format!("[{what}, {}]", counted(size, "byte")),
        (Ok(_), None) => format!("[{what}]"),
        (Err(why), _) => format!("[{what}: {why}]"),
    }
}

/// Ends the stream when the turn is aborted; keeps the turn among the running ones as long as it lives.
fn until_aborted(
    seat: Seat<CancellationToken>,
    answer: impl Stream<Item = Said> + Send + 'static,
) -> BoxStream<'static, Said> {
    let aborted = CancellationToken::clone(&seat);
    let answer = Box::pin(answer.take_until(aborted.cancelled_owned()));
    stream::unfold((seat, answer), |(seat, mut answer)| async move {
        // Asked first, because an instant answer would otherwise be said to its end.
        if seat.is_cancelled() {
            return None;
        }
        answer.next().await.map(|said| (said, (seat, answer)))
    })
    .boxed()
}

fn answer(act: Act, clock: Arc<dyn Clock>) -> BoxStream<'static, Said> {
    match act {
        Act::Say(text) => talk(text),
        Act::Slowly { pause, text } => slow(clock, pause, text),
        Act::Long(words) => {
            let text: Vec<String> = (1..=words).map(|word| format!("word{word}")).collect();
            talk(text.join(" "))
        }
        Act::Fail => only(Err(AgentError::Failed("told to fail".into()))),
        Act::Crash => only(Err(AgentError::Died("told to crash".into()))),
        Act::Tool(name) => tool(name),
        Act::Media { path, caption } => stream::iter([Ok(Delta::Media { path, caption }), done()]).boxed(),
    }
}

fn only(said: Said) -> BoxStream<'static, Said> {
    stream::iter([said]).boxed()
}

fn done() -> Said {
    Ok(Delta::Done { text: None, usage: None })
}

fn talk(text: String) -> BoxStream<'static, Said> {
    stream::iter(Pieces::of(text).map(|piece| Ok(Delta::Text(piece))).chain([done()])).boxed()
}

fn slow(clock: Arc<dyn Clock>, pause: Duration, text: String) -> BoxStream<'static, Said> {
    let due = clock.mono();
    stream::unfold((clock, due, talk(text)), move |(clock, due, mut rest)| async move {
        clock.sleep_until(due).await;
        let said = rest.next().await?;
        let next = clock.mono() + pause;
        Some((said, (clock, next, rest)))
    })
    .boxed()
}

fn tool(name: String) -> BoxStream<'static, Said> {
    let (permit, word) = Permit::pair();
    let call = ToolCall { id: "echo-1".into(), name, params: json!({}), permit };
    let after = async move {
        let (text, failed) = match word.await {
            Ok(Verdict::Allow(params)) => (format!("allowed with {params}"), false),
            Ok(Verdict::Deny(reason)) => (format!("denied: {reason}"), true),
            Err(_) => ("denied without a word".into(), true),
        };
        let end = Ok(Delta::ToolEnd { id: "echo-1".into(), failed });
        stream::iter([end, Ok(Delta::Text(text)), done()])
    };
    only(Ok(Delta::ToolStart(call))).chain(after.flatten_stream()).boxed()
}
