//! One answer: what the model is asked, and what becomes of its reply.

use std::sync::Arc;

use frontdesk_core::delta::{AgentError, Compacted, Delta, Usage};
use frontdesk_core::markup::closing;
use frontdesk_core::port::Turn;
use serde_json::Value;
use tracing::warn;

use super::fault::Fault;
use super::images::Images;
use super::memory::{self, Memory, Share};
use super::messages::{self, Said};
use super::model::Model;
use super::provider::Ended;
use super::reply::Finish;
use super::sink::{Reports, Sink};

/// The share of the context window, in percent, from which on a conversation is compacted.
const COMPACTED_FROM: u64 = 65;
/// How often the assumed context window is halved when the provider says that a request does not fit into it.
const HALVINGS: u32 = 4;
/// What an image costs, in tokens, as far as one can say without the provider.
const IMAGE: u64 = 1000;

/// What a person reads below an answer that the model did not end by itself.
const REMARKS: [(Ended, &str); 3] = [
    (Ended::Finished(Finish::Length), "(The answer reached the model's maximum length and ends here.)"),
    (Ended::Finished(Finish::Filtered), "(The provider's content filter ended the answer here.)"),
    (Ended::TooLong, "(The answer is too long for a chat and ends here.)"),
];

/// One turn of a model.
pub(super) struct Answer {
    pub(super) model: Arc<Model>,
    pub(super) turn: Turn,
    pub(super) reports: Reports,
}

/// What a request consists of.
struct Asked {
    body: Value,
    /// The size of its texts, in bytes.
    bytes: usize,
    /// The estimated number of its tokens.
    tokens: u64,
}

impl Answer {
    /// Asks the model and reports what it says.
    pub(super) async fn run(self) -> Result<(), AgentError> {
        let system = self.model.system(&self.turn).await?;
        let max = self.model.config.max_image;
        let images =
            if self.model.config.vision { Images::of(&self.turn, max).await } else { Images::default() };
        let mut window = self.model.config.context_window;
        let mut usage = Usage::default();
        let mut sink = Sink::shown(self.reports.clone());
        for halvings in 0.. {
            let asked = self.asked(&system, &images, window).await?;
            let ended = self.model.provider.ask(&asked.body, &mut sink, &mut usage).await;
            match ended {
                Err(fault) if fault.is_too_long() && halvings < HALVINGS && sink.text.is_empty() => {
                    window /= 2;
                    warn!(
                        agent = self.model.name, session = %self.turn.session, window,
                        "the conversation does not fit into the model's context; less of it is sent. Set context_window"
                    );
                }
                ended => return self.end(ended, sink, usage, &asked, &images).await,
            }
        }
        Ok(())
    }

    /// What the model is asked, within this context window. A conversation that fills too much of it is compacted before.
    async fn asked(&self, system: &str, images: &Images, window: u64) -> Result<Asked, AgentError> {
        let (model, turn) = (&*self.model, &self.turn);
        let sizes = &model.token_sizes;
        let now = messages::current(turn, &|path| images.has(path));
        let pictures = IMAGE * u64::try_from(images.count()).unwrap_or(u64::MAX);
        let fixed = sizes.tokens(&turn.session, system.len() + memory::bytes(&now)) + pictures;
        let share = model.share(&turn.session, window, fixed);
        let mut past = model.past(turn, share).await?;
        let filled = fixed + sizes.tokens(&turn.session, past.bytes());
        if model.config.compact
            && (past.is_cut || filled > memory::percent(window, COMPACTED_FROM))
            && !past.said.is_empty()
        {
            past = self.compacted(system, past, share, filled).await;
        }
        let bytes = system.len() + past.bytes() + memory::bytes(&now);
        let said: Vec<Said> = past.said.into_iter().chain(now).collect();
        let body = model.body(turn, messages::messages(system, &said, &images.urls()));
        Ok(Asked { body, bytes, tokens: sizes.tokens(&turn.session, bytes) + pictures })
    }

    /// The conversation with a summary in place of its older part. If that fails, it is as long as fits.
    async fn compacted(&self, system: &str, past: Memory, share: Share, tokens: u64) -> Memory {
        if !self.model.may_compact(&self.turn.session) {
            return past;
        }
        self.reports.send(Delta::Compacting).await;
        let reports = Some(self.reports.clone());
        match self.model.summary(&self.turn, system, &past, None, reports).await {
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

    /// Reports how the answer ended and what it cost.
    async fn end(
        self,
        ended: Result<Ended, Fault>,
        sink: Sink,
        usage: Usage,
        asked: &Asked,
        images: &Images,
    ) -> Result<(), AgentError> {
        let session = &self.turn.session;
        if let Some(tokens) = usage.input.filter(|_| images.count() == 0) {
            self.model.token_sizes.note(session, asked.bytes, tokens);
        }
        let estimated = asked.tokens + self.model.token_sizes.tokens(session, sink.text.len());
        self.reports.send(Delta::Usage(self.model.priced(&self.turn, usage, estimated))).await;
        let remark = match &ended {
            Ok(ended) => REMARKS.iter().find(|(end, _)| end == ended).map(|(_, remark)| *remark),
            Err(fault) if sink.text.is_empty() => return Err(fault.clone().into()),
            Err(fault) => {
                warn!(agent = self.model.name, turn = %self.turn.id, %session, fault = fault.kind(), "an answer broke off");
                Some(fault.remark())
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
