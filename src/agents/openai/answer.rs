//! One answer: what the model is asked, and what becomes of its reply.

use std::sync::Arc;

use frontdesk_core::delta::{AgentError, Compacted, Delta, Usage};
use frontdesk_core::markup::closing;
use frontdesk_core::port::Turn;
use serde_json::Value;
use tracing::warn;

use super::calls;
use super::fault::Fault;
use super::images::Images;
use super::memory::{self, Memory, Share};
use super::messages::{self, Said};
use super::model::Model;
use super::provider::Ended;
use super::reply::Finish;
use super::sink::{Reports, Sink};
use crate::responder::{Broken, Patience};

/// The share of the context window, in percent, from which on a conversation is compacted.
const COMPACTED_FROM: u64 = 65;
/// How often the assumed context window is halved when the provider says that a request does not fit into it.
const HALVINGS: u32 = 4;
/// Maximum number of requests for one answer: as long as the model calls tools, it is asked again.
const REQUESTS: u32 = 25;
/// What an image costs, in tokens, as far as one can say without the provider.
const IMAGE: u64 = 1000;

/// What a person reads below an answer that the model did not end by itself.
const REMARKS: [(Ended, &str); 4] = [
    (Ended::Finished(Finish::Calls), "(The model called too many tools, and the answer ends here.)"),
    (Ended::Finished(Finish::Length), "(The answer reached the model's maximum length and ends here.)"),
    (Ended::Finished(Finish::Filtered), "(The provider's content filter ended the answer here.)"),
    (Ended::TooLong, "(The answer is too long for a chat and ends here.)"),
];

/// One turn of a model.
pub(super) struct Answer {
    pub(super) model: Arc<Model>,
    pub(super) turn: Turn,
    pub(super) reports: Reports,
    pub(super) patience: Patience,
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
        let sum = |one: Option<u64>, other: Option<u64>| match (one, other) {
            (Some(one), Some(other)) => Some(one.saturating_add(other)),
            (one, other) => one.or(other),
        };
        let before = std::mem::take(&mut self.total);
        self.total = Usage {
            model: usage.model.clone().or(before.model),
            input: sum(before.input, usage.input),
            output: sum(before.output, usage.output),
            cache_read: sum(before.cache_read, usage.cache_read),
            cache_write: sum(before.cache_write, usage.cache_write),
            cost_micro: sum(before.cost_micro, usage.cost_micro),
            ..Usage::default()
        };
        (self.last, self.requests) = (usage, self.requests + 1);
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
    pub(super) async fn run(self) -> Result<(), Broken> {
        let system = self.model.system(&self.turn).await?;
        let max = self.model.config.max_image;
        let images =
            if self.model.config.vision { Images::of(&self.turn, max).await } else { Images::default() };
        let mut window = self.model.config.context_window;
        let mut sink = Sink::shown(self.reports.clone());
        let of_client = self.turn.tools.of_client();
        let mut asked = self.asked(&system, &images, window).await?;
        let (mut halvings, mut spent) = (0, Spent::default());
        loop {
            let (before, mut usage) = (sink.text.len(), Usage::default());
            let ended = self.model.provider.ask(&asked.body, &mut sink, &mut usage, self.patience).await;
            spent.add(usage);
            let is_first = spent.requests == 1 && sink.text.is_empty();
            match ended {
                Err(fault) if is_first && fault.is_too_long() && halvings < HALVINGS => {
                    (window, halvings, spent) = (window / 2, halvings + 1, Spent::default());
                    warn!(
                        agent = self.model.name, session = %self.turn.session, window,
                        "the conversation does not fit into the model's context; less of it is sent. Set context_window"
                    );
                    asked = self.asked(&system, &images, window).await?;
                }
                Err(fault) if is_first && asked.offers_tools() && fault.refuses_tools() => {
                    spent = Spent::default();
                    self.model.without_tools();
                    if !of_client.tools.is_empty() {
                        // The client counts on its tools: without them the answer would be another one.
                        return self.end(Err(fault), sink, &spent, &asked, &images).await;
                    }
                    asked = self.asked(&system, &images, window).await?;
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

    /// What the model is asked, within this context window. A conversation that fills too much of it is compacted before.
    async fn asked(&self, system: &str, images: &Images, window: u64) -> Result<Asked, AgentError> {
        let (model, turn) = (&*self.model, &self.turn);
        let sizes = &model.token_sizes;
        let now = messages::current(turn, &|path| images.has(path));
        let pictures = IMAGE * u64::try_from(images.count()).unwrap_or(u64::MAX);
        let of_client = turn.tools.of_client();
        let tools = model.tools(turn, &of_client);
        let offered = tools.as_ref().map_or(0, |tools| tools.to_string().len());
        let fixed = sizes.tokens(&turn.session, system.len() + offered + memory::bytes(&now)) + pictures;
        let share = model.share(&turn.session, window, fixed);
        let mut past = model.past(turn, share).await?;
        let filled = fixed + sizes.tokens(&turn.session, past.bytes());
        if model.config.compact
            && (past.is_cut || filled > memory::percent(window, COMPACTED_FROM))
            && !past.said.is_empty()
        {
            past = self.compacted(system, past, share, filled).await;
        }
        let bytes = system.len() + offered + past.bytes() + memory::bytes(&now);
        let said: Vec<Said> = past.said.into_iter().chain(now).collect();
        let mut body = model.body(turn, messages::messages(system, &said, &images.urls()));
        if let Some(tools) = tools {
            body["tools"] = tools;
            if let Some(choice) = calls::chosen(&of_client.choice) {
                body["tool_choice"] = choice;
            }
        }
        Ok(Asked { body, bytes, tokens: sizes.tokens(&turn.session, bytes) + pictures })
    }

    /// The conversation with a summary in place of its older part. If that fails, it is as long as fits.
    async fn compacted(&self, system: &str, past: Memory, share: Share, tokens: u64) -> Memory {
        if !self.model.may_compact(&self.turn.session) {
            return past;
        }
        self.reports.send(Delta::Compacting).await;
        let reports = Some(self.reports.clone());
        match self.model.summary(&self.turn, system, &past, None, reports, self.patience).await {
            Ok(summary) => {
                let past = past.after(&summary, share.tail);
                self.reports
                    .send(Delta::Compacted(Compacted { summary: Some(summary), tokens: Some(tokens) }))
                    .await;
                past
            }
            Err(fault) => {
                self.model.compaction_failed(&self.turn.session);
                let (agent, session) = (&self.model.name, &self.turn.session);
                warn!(agent, %session, fault = fault.kind(), "the conversation could not be compacted; its oldest part is left out");
                past
            }
        }
    }

    /// Reports what the answer has cost so far. `estimated` stands in for the use of the context where the provider counts
    /// nothing.
    async fn report(&self, spent: &Spent, estimated: u64) {
        let Usage { input, output, .. } = spent.last;
        let context = input.map_or(estimated, |input| input.saturating_add(output.unwrap_or_default()));
        self.reports.send(Delta::Usage(self.model.priced(&self.turn, spent.total.clone(), context))).await;
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
            self.model.token_sizes.note(session, asked.bytes, tokens);
        }
        let estimated = asked.tokens + self.model.token_sizes.tokens(session, sink.text.len());
        self.report(spent, estimated).await;
        let remark = match &ended {
            Ok(ended) => REMARKS.iter().find(|(end, _)| end == ended).map(|(_, remark)| *remark),
            Err(fault) => {
                let has_shown = !sink.text.is_empty();
                if has_shown {
                    warn!(agent = self.model.name, turn = %self.turn.id, %session, fault = fault.kind(), "an answer broke off");
                }
                return Err(fault.clone().broken(has_shown));
            }
        };
        if let Some(remark) = remark {
            // Below a code block that was cut off, and not in it.
            let gap = match sink.text.is_empty() {
                true => String::new(),
                false => closing(&sink.text) + "\n\n",
            };
            self.reports.send(Delta::Text(format!("{gap}{remark}"))).await;
        }
        self.reports.send(Delta::Done { text: None }).await;
        Ok(())
    }
}
