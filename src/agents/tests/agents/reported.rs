//! What a turn of a model reports, read to its end.

use std::time::Duration;

use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::delta::{AgentError, AnswererChange, Compacted, Delta, Usage};

use crate::sandbox::{Sandbox, Stream, next};

/// What a turn has reported.
#[derive(Debug, Default)]
pub struct Reported {
    /// The text that is left after everything that was taken back.
    pub text: String,
    pub usage: Option<Usage>,
    pub compacted: Vec<Compacted>,
    pub restarts: usize,
    pub changes: Vec<AnswererChange>,
    /// Whether its end had a text of its own.
    pub has_last_text: bool,
    /// `None` if the turn ended without a result.
    pub end: Option<Result<AnswerEnd, AgentError>>,
}

impl Reported {
    /// The text of a turn that was answered.
    #[track_caller]
    pub fn answer(&self) -> &str {
        let (text, end) = self.ended();
        assert_eq!(end, AnswerEnd::Whole, "{self:?}");
        text
    }

    /// The text of a turn that has an answer, and how that ends.
    #[track_caller]
    pub fn ended(&self) -> (&str, AnswerEnd) {
        let Some(Ok(end)) = self.end else { panic!("no answer: {self:?}") };
        (&self.text, end)
    }

    /// The error of a turn that was not answered.
    #[track_caller]
    pub fn error(&self) -> String {
        match &self.end {
            Some(Err(error)) => error.to_string(),
            other => panic!("no error: {other:?}"),
        }
    }
}

/// Reads a turn to its end, while this much time passes every few milliseconds. `may` decides whether another one may take
/// the turn over.
pub async fn read(sandbox: &Sandbox, mut stream: Stream, step: Duration, may: bool) -> Reported {
    let mut reported = Reported::default();
    let mut tick = tokio::time::interval(Duration::from_millis(5));
    loop {
        let delta = tokio::select! {
            delta = next(&mut stream) => delta,
            _ = tick.tick() => {
                sandbox.clock.pass(step);
                continue;
            }
        };
        match delta {
            None => return reported,
            Some(Ok(Delta::Text(text))) => reported.text.push_str(&text),
            Some(Ok(Delta::Restart)) => {
                reported.text.clear();
                reported.restarts += 1;
            }
            Some(Ok(Delta::TakeOver(question))) => question.decide(may),
            Some(Ok(Delta::AnsweredBy(change))) => reported.changes.push(change),
            Some(Ok(Delta::Usage(usage))) => reported.usage = Some(usage),
            Some(Ok(Delta::Compacted(compacted))) => reported.compacted.push(compacted),
            Some(Ok(Delta::Progress | Delta::Compacting)) => {}
            Some(Ok(Delta::Done { text, end })) => {
                reported.has_last_text = text.is_some();
                reported.text = text.unwrap_or(reported.text);
                reported.end = Some(Ok(end));
            }
            Some(Err(error)) => reported.end = Some(Err(error)),
            Some(Ok(other)) => panic!("unexpected: {other:?}"),
        }
    }
}
