//! Faults: what goes wrong between a bot and the server, on request or by chance.

use serde::Deserialize;
use serde_json::Value;

use crate::answer::Refusal;
use crate::dice::Dice;

/// What goes wrong.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 429 with so many seconds to wait; nothing is carried out.
    TooMany(u32),
    /// A status of the proxy in front, with HTML; nothing is carried out.
    Status(u16),
    /// A refusal of the server's own; nothing is carried out.
    Refuse(u16, String),
    /// The answer takes so many milliseconds; carried out at once.
    Slow(u64),
    /// Carried out only after so many milliseconds.
    Late(u64),
    /// Carried out, but the connection is closed instead of an answer.
    Lost,
    /// The connection is closed and nothing is carried out.
    Hangup,
    /// Nothing is carried out and nothing is ever answered.
    Deaf,
    /// Every update of an answer to `getUpdates` comes twice in it.
    Twice,
    /// The updates of an answer to `getUpdates` come in the wrong order.
    Shuffled,
}

/// A fault, and which requests it meets.
#[derive(Debug, Clone, Deserialize)]
pub struct Fault {
    /// What goes wrong.
    pub kind: Kind,
    /// Only requests for this method; else every method but `getUpdates`.
    #[serde(default)]
    pub method: Option<String>,
    /// Only requests about this chat.
    #[serde(default)]
    pub chat: Option<i64>,
    /// Only requests of this bot.
    #[serde(default)]
    pub bot: Option<i64>,
    /// So often; else until the faults are cleared.
    #[serde(default)]
    pub times: Option<u32>,
    /// So many times in a thousand; else always.
    #[serde(default)]
    pub permille: Option<u32>,
}

impl Fault {
    fn new(kind: Kind) -> Self {
        Self { kind, method: None, chat: None, bot: None, times: None, permille: None }
    }

    /// 429: wait so many seconds.
    pub fn too_many(retry_after: u32) -> Self {
        Self::new(Kind::TooMany(retry_after))
    }

    /// A status of the proxy in front, as 502, with an HTML body.
    pub fn status(status: u16) -> Self {
        Self::new(Kind::Status(status))
    }

    /// A refusal of the server's own.
    pub fn refuse(code: u16, description: &str) -> Self {
        Self::new(Kind::Refuse(code, description.to_owned()))
    }

    /// An answer that takes its time.
    pub fn slow(ms: u64) -> Self {
        Self::new(Kind::Slow(ms))
    }

    /// A request that is carried out late.
    pub fn late(ms: u64) -> Self {
        Self::new(Kind::Late(ms))
    }

    /// Carried out and never answered: the connection closes.
    pub fn lost() -> Self {
        Self::new(Kind::Lost)
    }

    /// The connection closes before anything happens.
    pub fn hangup() -> Self {
        Self::new(Kind::Hangup)
    }

    /// `getUpdates` never returns.
    pub fn deaf() -> Self {
        Self::new(Kind::Deaf).on("getUpdates")
    }

    /// `getUpdates` says everything twice.
    pub fn twice() -> Self {
        Self::new(Kind::Twice).on("getUpdates")
    }

    /// `getUpdates` says things in the wrong order.
    pub fn shuffled() -> Self {
        Self::new(Kind::Shuffled).on("getUpdates")
    }

    /// Only requests for this method.
    pub fn on(self, method: &str) -> Self {
        Self { method: Some(method.to_owned()), ..self }
    }

    /// Only requests about this chat.
    pub fn in_chat(self, chat: impl Into<i64>) -> Self {
        Self { chat: Some(chat.into()), ..self }
    }

    /// Only requests of this bot.
    pub fn of_bot(self, bot: i64) -> Self {
        Self { bot: Some(bot), ..self }
    }

    /// Only so often.
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Only so many times in a thousand.
    pub fn permille(self, permille: u32) -> Self {
        Self { permille: Some(permille), ..self }
    }

    fn meets(&self, bot: i64, method: &str, chat: i64) -> bool {
        let method_fits = match &self.method {
            Some(wanted) => wanted.eq_ignore_ascii_case(method),
            None => !method.eq_ignore_ascii_case("getUpdates"),
        };
        method_fits
            && self.chat.is_none_or(|wanted| wanted == chat)
            && self.bot.is_none_or(|wanted| wanted == bot)
    }
}

impl Kind {
    /// The refusal that it answers with, if it is one.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::TooMany(seconds) => Some(Refusal::too_many(*seconds)),
            Self::Refuse(code, description) => {
                Some(Refusal { code: *code, description: description.clone(), parameters: Value::Null })
            }
            _ => None,
        }
    }
}

/// The faults in force.
#[derive(Debug, Default)]
pub struct Faults {
    faults: Vec<Fault>,
    cleared: u64,
}

impl Faults {
    /// One more.
    pub fn add(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// None any more.
    pub fn clear(&mut self) {
        self.faults.clear();
        self.cleared += 1;
    }

    /// How often they were cleared: who is not listened to waits for the next time.
    pub fn cleared(&self) -> u64 {
        self.cleared
    }

    /// What meets this request. Each kind of fault at most once; those that are used up go.
    pub fn strike(&mut self, bot: i64, method: &str, chat: i64, dice: &mut Dice) -> Vec<Kind> {
        if self.faults.is_empty() {
            return Vec::new();
        }
        let mut struck = Vec::new();
        for fault in &mut self.faults {
            let chance = |share| dice.permille(share);
            if !fault.meets(bot, method, chat) || !fault.permille.is_none_or(chance) {
                continue;
            }
            let last_word =
                !matches!(fault.kind, Kind::Slow(_) | Kind::Late(_) | Kind::Twice | Kind::Shuffled);
            fault.times = fault.times.map(|times| times.saturating_sub(1));
            struck.push(fault.kind.clone());
            if last_word {
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

    #[test]
    fn a_fault_meets_what_it_is_meant_for_and_so_often() {
        let (mut faults, mut dice) = (Faults::default(), Dice::new(1));
        faults.add(Fault::too_many(3).in_chat(42).times(2));
        let mut met = |method, chat| faults.strike(1, method, chat, &mut dice).len();
        assert_eq!((met("sendMessage", 7), met("getUpdates", 42)), (0, 0));
        assert_eq!((met("sendMessage", 42), met("sendPhoto", 42), met("sendMessage", 42)), (1, 1, 0));
    }

    #[test]
    fn chance_is_repeatable() {
        let draw = || {
            let (mut faults, mut dice) = (Faults::default(), Dice::new(7));
            faults.add(Fault::lost().permille(300));
            (0..100).map(|_| faults.strike(1, "sendMessage", 1, &mut dice).len()).collect::<Vec<_>>()
        };
        assert_eq!(draw(), draw());
        let many: usize = draw().iter().sum();
        assert!((10..60).contains(&many), "{many}");
    }
}
