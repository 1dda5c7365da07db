//! Faults: what goes wrong between a client and the platform, on request or at random.

use serde::Deserialize;

use crate::journal::Call;
use crate::random::Random;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The platform answers 429 with this many seconds to wait. Nothing is carried out.
    TooMany(u32),
    /// The proxy in front answers with this status and HTML. Nothing is carried out.
    Status(u16),
    /// The platform answers with this status and error text. Nothing is carried out.
    Refuse(u16, String),
    /// The answer comes this many milliseconds late. The request is carried out at once.
    Slow(u64),
    /// The request is carried out after this many milliseconds, even if its sender has gone.
    Late(u64),
    /// The request is carried out, but the connection is closed instead of an answer.
    Lost,
    /// The request is carried out, but the proxy in front answers with this status and HTML.
    DoneThen(u16),
    /// The connection is closed and nothing is carried out.
    Hangup,
    /// Nothing is carried out and nothing is answered until the faults are cleared.
    Silent,
    /// Every event is delivered twice.
    Twice,
    /// Events are delivered in the wrong order.
    Shuffled,
}

impl Kind {
    /// Whether it concerns the delivery of events unless a fault names a method.
    fn concerns_events(&self) -> bool {
        matches!(self, Self::Silent | Self::Twice | Self::Shuffled)
    }

    /// Whether other faults can still apply to the same request.
    fn goes_on(&self) -> bool {
        matches!(self, Self::Slow(_) | Self::Late(_) | Self::Twice | Self::Shuffled)
    }
}

/// A rule: what goes wrong, for which requests, and how often. `Id` is the platform's type of ids.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault<Id> {
    kind: Kind,
    method: Option<String>,
    chat: Option<Id>,
    bot: Option<Id>,
    times: Option<u32>,
    permille: Option<u32>,
}

impl<Id> Fault<Id> {
    /// A fault that strikes every time until the faults are cleared. It strikes either requests or, if it is about the
    /// delivery of events, the method that delivers them.
    pub fn new(kind: Kind) -> Self {
        Self { kind, method: None, chat: None, bot: None, times: None, permille: None }
    }

    /// [`Kind::TooMany`].
    pub fn too_many(retry_after: u32) -> Self {
        Self::new(Kind::TooMany(retry_after))
    }

    /// [`Kind::Status`].
    pub fn status(status: u16) -> Self {
        Self::new(Kind::Status(status))
    }

    /// [`Kind::Refuse`].
    pub fn refuse(status: u16, words: &str) -> Self {
        Self::new(Kind::Refuse(status, words.to_owned()))
    }

    /// [`Kind::Slow`].
    pub fn slow(ms: u64) -> Self {
        Self::new(Kind::Slow(ms))
    }

    /// [`Kind::Late`].
    pub fn late(ms: u64) -> Self {
        Self::new(Kind::Late(ms))
    }

    /// [`Kind::Lost`].
    pub fn lost() -> Self {
        Self::new(Kind::Lost)
    }

    /// [`Kind::DoneThen`].
    pub fn done_then(status: u16) -> Self {
        Self::new(Kind::DoneThen(status))
    }

    /// [`Kind::Hangup`].
    pub fn hangup() -> Self {
        Self::new(Kind::Hangup)
    }

    /// [`Kind::Silent`].
    pub fn silent() -> Self {
        Self::new(Kind::Silent)
    }

    /// [`Kind::Twice`].
    pub fn twice() -> Self {
        Self::new(Kind::Twice)
    }

    /// [`Kind::Shuffled`].
    pub fn shuffled() -> Self {
        Self::new(Kind::Shuffled)
    }

    /// Strikes only requests for this method.
    pub fn on(self, method: &str) -> Self {
        Self { method: Some(method.to_owned()), ..self }
    }

    /// Strikes only requests about this chat.
    pub fn in_chat(self, chat: impl Into<Id>) -> Self {
        Self { chat: Some(chat.into()), ..self }
    }

    /// Strikes this many times.
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Strikes in `permille` of a thousand cases.
    pub fn permille(self, permille: u32) -> Self {
        Self { permille: Some(permille), ..self }
    }
}

impl<Id: PartialEq> Fault<Id> {
    fn meets(&self, call: &Call<Id>, delivers_events: bool) -> bool {
        let method = match &self.method {
            Some(wanted) => wanted.eq_ignore_ascii_case(&call.method),
            None => self.kind.concerns_events() == delivers_events,
        };
        method
            && self.chat.as_ref().is_none_or(|chat| *chat == call.chat)
            && self.bot.as_ref().is_none_or(|bot| *bot == call.bot)
    }
}

/// The faults in force.
#[derive(Debug)]
pub struct Faults<Id> {
    faults: Vec<Fault<Id>>,
    cleared: u64,
}

impl<Id> Default for Faults<Id> {
    fn default() -> Self {
        Self { faults: Vec::new(), cleared: 0 }
    }
}

impl<Id: PartialEq> Faults<Id> {
    /// Adds a fault.
    pub fn add(&mut self, fault: Fault<Id>) {
        self.faults.push(fault);
    }

    /// Removes all faults.
    pub fn clear(&mut self) {
        self.faults.clear();
        self.cleared += 1;
    }

    /// How often the faults were cleared: a request that is not answered waits for the next time.
    pub(crate) fn cleared(&self) -> u64 {
        self.cleared
    }

    /// Returns what strikes this request, and removes the faults that are used up.
    pub(crate) fn strike(
        &mut self,
        call: &Call<Id>,
        delivers_events: bool,
        random: &mut Random,
    ) -> Vec<Kind> {
        let mut struck = Vec::new();
        for fault in &mut self.faults {
            let by_chance = |share| random.permille(share);
            if !fault.meets(call, delivers_events) || !fault.permille.is_none_or(by_chance) {
                continue;
            }
            fault.times = fault.times.map(|times| times.saturating_sub(1));
            struck.push(fault.kind.clone());
            if !fault.kind.goes_on() {
                break;
            }
        }
        self.faults.retain(|fault| fault.times != Some(0));
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: &str, chat: i64) -> Call<i64> {
        Call::new(1, method, chat, serde_json::Map::new())
    }

    #[test]
    fn a_fault_strikes_what_it_is_meant_for_and_so_often() {
        let (mut faults, mut random) = (Faults::default(), Random::new(1));
        faults.add(Fault::too_many(3).in_chat(42).times(2));
        faults.add(Fault::twice());
        let mut struck = |method, chat| faults.strike(&call(method, chat), method == "poll", &mut random);
        assert_eq!((struck("send", 7), struck("poll", 42)), (vec![], vec![Kind::Twice]));
        assert_eq!((struck("send", 42).len(), struck("edit", 42).len(), struck("send", 42).len()), (1, 1, 0));
    }

    #[test]
    fn the_same_seed_gives_the_same_faults() {
        let draw = || {
            let (mut faults, mut random) = (Faults::default(), Random::new(7));
            faults.add(Fault::lost().permille(300));
            (0..100).map(|_| faults.strike(&call("send", 1), false, &mut random).len()).collect::<Vec<_>>()
        };
        assert_eq!(draw(), draw());
        assert!((10..60).contains(&draw().iter().sum::<usize>()));
    }
}
