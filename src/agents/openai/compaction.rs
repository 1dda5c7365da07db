//! Compactions: the model writes a summary that stands for the older part of a conversation.

use frontdesk_core::delta::{AgentError, Compacted, SUMMARY, Usage};
use frontdesk_core::port::Turn;
use serde_json::json;

use super::fault::Fault;
use super::memory::Memory;
use super::messages::{self, Said};
use super::model::Model;
use super::provider::Ended;
use super::reply::Finish;
use super::sink::{Reports, Sink};
use crate::responder::Patience;

/// What the model is asked for when it compacts.
const SUMMARIZE: &str = "The conversation becomes too long, so its older part will be replaced by a summary that you write \
    now. Write down what you need to go on: what the people want, their names and preferences, facts, numbers, decisions, \
    what has been done, and what is open. Write only the summary, in the language of the conversation.";

/// A summary of a conversation.
pub(super) struct Summary<'s> {
    pub(super) system: &'s str,
    pub(super) past: &'s Memory,
    /// A person's wishes for it.
    pub(super) instructions: Option<&'s str>,
    pub(super) reports: Option<Reports>,
    pub(super) patience: Patience,
}

impl Model {
    /// Asks the model for a summary. What that cost is in `usage`, also if it failed.
    pub(super) async fn summary(
        &self,
        turn: &Turn,
        summary: Summary<'_>,
        usage: &mut Usage,
    ) -> Result<String, Fault> {
        let Summary { system, past, instructions, reports, patience } = summary;
        let mut task = json!({"task": SUMMARIZE});
        if let Some(instructions) = instructions {
            task["wishes_of_the_person"] = instructions.into();
        }
        let mut said: Vec<Said> = past.said.clone();
        said.push(Said::Person { text: None, facts: task });
        let body = self.body(turn, messages::messages(system, &said, &[]));
        let mut sink = Sink::hidden(reports);
        let ended = self.provider.ask(&body, &mut sink, usage, patience).await?;
        let mut summary = sink.text;
        summary.truncate(summary.floor_char_boundary(SUMMARY));
        match ended {
            Ended::Finished(Finish::Complete | Finish::Length) | Ended::TooLong => Ok(summary),
            Ended::Finished(Finish::Calls) => {
                Err(Fault::Malformed("the model called a tool instead of a summary".into()))
            }
            Ended::Finished(Finish::Filtered) => {
                Err(Fault::Malformed("the content filter ended the summary".into()))
            }
        }
    }

    /// Compacts a conversation because a person asks for it. If it is too long to be summarized as a whole, its oldest part
    /// is left out.
    pub(super) async fn compact(
        &self,
        turn: &Turn,
        instructions: Option<&str>,
    ) -> Result<Compacted, AgentError> {
        let system = self.system(turn).await?;
        let fixed = self.token_sizes.tokens(&turn.session, system.len());
        loop {
            let past = self.past(turn, self.share(turn, fixed)).await?;
            let tokens = Some(fixed + self.token_sizes.tokens(&turn.session, past.bytes()));
            if past.said.is_empty() {
                return Ok(Compacted { tokens, ..Compacted::default() });
            }
            let mut usage = Usage::default();
            let summary = Summary {
                system: &system,
                past: &past,
                instructions,
                reports: None,
                patience: Patience::Alone,
            };
            match self.summary(turn, summary, &mut usage).await {
                Err(fault) if fault.is_too_long() && self.halve_window(turn) => {}
                Err(fault) => return Err(fault.into()),
                Ok(summary) => {
                    // How full the context is now is known with the next answer.
                    let cost = Usage { context_used: None, ..self.priced(turn, usage, 0) };
                    return Ok(Compacted { summary: Some(summary), tokens, usage: Some(cost) });
                }
            }
        }
    }
}
