//! One answer: what the model is asked, and what becomes of its reply.

use std::sync::Arc;

use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::delta::{AgentError, Compacted, Delta, Usage};
use frontdesk_core::port::Turn;
use serde_json::Value;
use tracing::warn;

use super::calls;
use super::compaction::Summary;
use super::fault::Fault;
use super::images::Images;
use super::memory::{self, Memory};
use super::messages::{self, Said};
use super::model::Model;
use super::provider::Ended;
use super::reply::Finish;
use super::sink::{Reports, Sink};
use crate::responder::{Broken, Patience};

/// The share of the context window, in percent, from which on a conversation is compacted.
const COMPACTED_FROM: u64 = 65;
/// Maximum number of requests for one answer: as long as the model calls tools, it is asked again.
const REQUESTS: u32 = 25;
/// What an image costs, in tokens, as far as one can say without the provider.
const IMAGE: u64 = 1000;

/// One turn of a model.
pub(super) struct Answer {
    pub(super) model: Arc<Model>,
    pub(super) turn: Turn,
    pub(super) reports: Reports,
    pub(super) patience: Patience,
    /// The first request that the provider has refused as too long: its size in bytes, and the context window that was
    /// assumed then.
    pub(super) refused: Option<(usize, u64)>,
    /// What summaries have cost.
    pub(super) summarized: Usage,
}

/// What the requests of one answer have cost.
#[derive(Default)]
struct Spent {
    requests: u32,
    total: Usage,
    last: Usage,
}

impl Spent {
    fn add(&mut self, usage: Usage) {
        self.total = together(&self.total, &usage);
        (self.last, self.requests) = (usage, self.requests + 1);
    }
}

/// What two requests have cost together.
fn together(one: &Usage, other: &Usage) -> Usage {
    let sum = |one: Option<u64>, other: Option<u64>| match (one, other) {
        (Some(one), Some(other)) => Some(one.saturating_add(other)),
        (one, other) => one.or(other),
    };
    Usage {
        model: other.model.clone().or_else(|| one.model.clone()),
        input: sum(one.input, other.input),
        output: sum(one.output, other.output),
        cache_read: sum(one.cache_read, other.cache_read),
        cache_write: sum(one.cache_write, other.cache_write),
        cost_micro: sum(one.cost_micro, other.cost_micro),
        ..Usage::default()
    }
}

/// What a request consists of.
struct Asked {
    body: Value,
    /// The size of its texts, in bytes.
    bytes: usize,
    /// The estimated number of its tokens.
    tokens: u64,
}

impl Asked {
    fn offers_tools(&self) -> bool {
        self.body.get("tools").is_some()
    }

    /// Adds what was said and called since. The last request allows no more calls, so that the model comes to an end.
    fn go_on(&mut self, messages: Vec<Value>, is_last: bool) {
        self.bytes += messages.iter().map(|message| message.to_string().len()).sum::<usize>();
        if let Some(said) = self.body["messages"].as_array_mut() {
            said.extend(messages);
        }
        if is_last {
            self.body["tool_choice"] = "none".into();
        }
    }
}

impl Answer {
    /// Asks the model and reports what it says.
    pub(super) async fn run(mut self) -> Result<(), Broken> {
        let system = self.model.system(&self.turn).await?;
        let max = self.model.config.max_image;
        let images =
            if self.model.config.vision { Images::of(&self.turn, max).await } else { Images::default() };
        let mut sink = Sink::shown(self.reports.clone());
        let of_client = self.turn.tools.of_client();
        let mut asked = self.asked(&system, &images).await?;
        let mut spent = Spent::default();
        loop {
            let (before, mut usage) = (sink.text.len(), Usage::default());
            let ended = self.model.provider.ask(&asked.body, &mut sink, &mut usage, self.patience).await;
            spent.add(usage);
            let is_first = spent.requests == 1 && sink.text.is_empty();
            match ended {
                Err(fault) if is_first && fault.is_too_long() && self.is_halved(asked.bytes) => {
                    spent = Spent::default();
                    asked = self.asked(&system, &images).await?;
                }
                Err(fault) if is_first && asked.offers_tools() && fault.refuses_tools() => {
                    spent = Spent::default();
                    self.model.without_tools();
                    if !of_client.tools.is_empty() {
                        // The client counts on its tools: without them the answer would be another one.
                        return self.end(Err(fault), sink, &spent, &asked, &images).await;
                    }
                    asked = self.asked(&system, &images).await?;
                }
                Ok(Ended::Finished(Finish::Calls)) if !sink.calls.of(&of_client).is_empty() => {
                    // The model calls tools of ours that it has called beside them when it goes on.
                    self.turn.tools.hand_over(std::mem::take(&mut sink.calls).of(&of_client));
                    let ended = Ok(Ended::Finished(Finish::Complete));
                    return self.end(ended, sink, &spent, &asked, &images).await;
                }
                Ok(Ended::Finished(Finish::Calls)) if spent.requests < REQUESTS => {
                    self.report(&spent, asked.tokens).await;
                    let said = sink.text[before..].trim();
                    let messages = std::mem::take(&mut sink.calls).carried_out(&self.turn.tools, said).await;
                    asked.go_on(messages, spent.requests + 1 == REQUESTS);
                    sink.go_on();
                }
                ended => return self.end(ended, sink, &spent, &asked, &images).await,
            }
        }
    }

    /// A request of this size was refused as too long. Whether the next one is shorter.
    fn is_halved(&mut self, bytes: usize) -> bool {
        let window = self.model.window(&self.turn);
        let halved = self.model.halve_window(&self.turn);
        if halved {
            self.refused.get_or_insert((bytes, window));
        }
        halved
    }

    /// What the model is asked, within its context window. A conversation that fills too much of it is compacted before.
    async fn asked(&mut self, system: &str, images: &Images) -> Result<Asked, AgentError> {
        let model = self.model.clone();
        let (session, sizes) = (self.turn.session.clone(), &model.token_sizes);
        let now = messages::current(&self.turn, &|path| images.has(path));
        let pictures = IMAGE * u64::try_from(images.count()).unwrap_or(u64::MAX);
        let of_client = self.turn.tools.of_client();
        let tools = model.tools(&self.turn, &of_client);
        let offered = tools.as_ref().map_or(0, |tools| tools.to_string().len());
        let fixed = sizes.tokens(&session, system.len() + offered + memory::bytes(&now)) + pictures;
        let past = self.past(system, fixed).await?;
        let bytes = system.len() + offered + past.bytes() + memory::bytes(&now);
        let said: Vec<Said> = past.said.into_iter().chain(now).collect();
        let mut body = model.body(&self.turn, messages::messages(system, &said, &images.urls()));
        if let Some(tools) = tools {
            body["tools"] = tools;
            if let Some(choice) = calls::chosen(&of_client.choice) {
                body["tool_choice"] = choice;
            }
        }
        Ok(Asked { body, bytes, tokens: sizes.tokens(&session, bytes) + pictures })
    }

    /// The earlier conversation, as far as it fits beside `fixed` tokens. A conversation that fills too much of the context
    /// window is compacted; if that fails, it is as long as fits.
    async fn past(&mut self, system: &str, fixed: u64) -> Result<Memory, AgentError> {
        let model = self.model.clone();
        loop {
            let (share, window) = (model.share(&self.turn, fixed), model.window(&self.turn));
            let past = model.past(&self.turn, share).await?;
            let filled = fixed + model.token_sizes.tokens(&self.turn.session, past.bytes());
            let is_full = past.is_cut || filled > memory::percent(window, COMPACTED_FROM);
            let may = model.config.compact && !past.said.is_empty() && model.may_compact(&self.turn.session);
            if !is_full || !may {
                return Ok(past);
            }
            match self.summary(system, &past).await {
                Ok(summary) => {
                    let shorter = past.after(&summary, share.tail);
                    let (summary, tokens) = (Some(summary), Some(filled));
                    let compacted = Compacted { summary, tokens, usage: None };
                    self.reports.send(Delta::Compacted(compacted)).await;
                    return Ok(shorter);
                }
                Err(fault) if fault.is_too_long() && self.is_halved(system.len() + past.bytes()) => {}
                Err(fault) => {
                    model.compaction_failed(&self.turn.session);
                    let (agent, session) = (&model.name, &self.turn.session);
                    warn!(agent, %session, fault = fault.kind(), "the conversation could not be compacted; its oldest part is left out");
                    return Ok(past);
                }
            }
        }
    }

    async fn summary(&mut self, system: &str, past: &Memory) -> Result<String, Fault> {
        self.reports.send(Delta::Compacting).await;
        let reports = Some(self.reports.clone());
        let summary = Summary { system, past, instructions: None, reports, patience: self.patience };
        let mut usage = Usage::default();
        let written = self.model.summary(&self.turn, summary, &mut usage).await;
        self.summarized = together(&self.summarized, &usage);
        written
    }

    /// Reports what the answer has cost so far. `estimated` stands in for the use of the context where the provider counts
    /// nothing.
    async fn report(&self, spent: &Spent, estimated: u64) {
        let Usage { input, output, .. } = spent.last;
        let context = input.map_or(estimated, |input| input.saturating_add(output.unwrap_or_default()));
        let total = together(&self.summarized, &spent.total);
        self.reports.send(Delta::Usage(self.model.priced(&self.turn, total, context))).await;
    }

    /// Reports how the answer ended and what it cost.
    async fn end(
        self,
        ended: Result<Ended, Fault>,
        sink: Sink,
        spent: &Spent,
        asked: &Asked,
        images: &Images,
    ) -> Result<(), Broken> {
        let session = &self.turn.session;
        if let Some(tokens) = spent.last.input.filter(|_| images.count() == 0) {
            let sizes = &self.model.token_sizes;
            sizes.note(session, asked.bytes, tokens);
            if let Some((bytes, window)) =
                self.refused.filter(|(bytes, window)| sizes.tokens(session, *bytes) > *window)
            {
                tracing::debug!(%session, bytes, "the tokens were counted too low, and the context window is as configured");
                self.model.restore_window(&self.turn, window);
            }
        }
        let estimated = asked.tokens + self.model.token_sizes.tokens(session, sink.text.len());
        self.report(spent, estimated).await;
        let end = match ended {
            Ok(ended) => answer_end(ended),
            Err(fault) => {
                let has_shown = !sink.text.is_empty();
                if has_shown {
                    warn!(agent = self.model.name, turn = %self.turn.id, %session, fault = fault.kind(), "an answer broke off");
                }
                return Err(fault.broken(has_shown));
            }
        };
        self.reports.send(Delta::Done { text: None, end }).await;
        Ok(())
    }
}

/// How an answer ends that was received whole, or as far as it is wanted.
fn answer_end(ended: Ended) -> AnswerEnd {
    match ended {
        Ended::Finished(Finish::Complete) => AnswerEnd::Whole,
        Ended::Finished(Finish::Calls) => AnswerEnd::TooManyCalls,
        Ended::Finished(Finish::Length) => AnswerEnd::Length,
        Ended::Finished(Finish::Filtered) => AnswerEnd::Filtered,
        Ended::TooLong => AnswerEnd::TooLong,
    }
}
