//! Who writes to the Telegram bots, where, and the configuration that says who may.

use std::sync::Arc;

use frontdesk_botapi::{BOT, TOKEN};

use crate::config::PLAIN;
use crate::journal::{Command, Expected, Place};

/// The second bot: an account of its own that serves only the users on its list.
pub const WORK_BOT: i64 = 222_333;
pub const WORK_TOKEN: &str = "222333:WORK-token";

/// Allowed in private and in every group.
pub const ANNA: i64 = 1001;
/// Not allowed in the closed group.
pub const BERT: i64 = 1002;
pub const CARL: i64 = 1003;
/// Sends `/new`.
pub const NORA: i64 = 1004;
/// Sends `/stop`.
pub const STAN: i64 = 1005;
pub const ADMINS: [i64; 2] = [1006, 1007];
/// The plain agent answers her.
pub const PIA: i64 = 1008;
/// Gets texts from operators.
pub const OLGA: i64 = 1009;
/// Chooses how messages wait, and drops some.
pub const QUINN: i64 = 1010;
/// Their private chats get the results of tasks, of jobs and of events that programs hand over.
pub const TARA: i64 = 1011;
pub const JULES: i64 = 1012;
pub const EVA: i64 = 1013;
/// Hands over tasks and writes nothing else.
pub const TILDA: i64 = 1014;
/// Allowed and revoked again and again.
pub const GUESTS: [i64; 2] = [1101, 1102];
/// The only user whom the second bot answers.
pub const WENDY: i64 = 1201;
/// On no list; everybody may write in the open group.
pub const MALLORY: i64 = 1301;
/// The first of the users who ask for pairing.
pub const FIRST_UNKNOWN: i64 = 2001;
/// The first of the users whom an admin allows once and who never write.
pub const FIRST_ALLOWED: i64 = 5001;

/// Everybody may write, to the bot or to others.
pub const OPEN_GROUP: i64 = -1_001_000_000_001;
/// Some may write, and every message is for the bot.
pub const CLOSED_GROUP: i64 = -1_001_000_000_002;
/// Has topics.
pub const FORUM: i64 = -1_001_000_000_003;
/// A group that the configuration does not list.
pub const UNLISTED_GROUP: i64 = -1_001_000_000_004;

/// The names under which the gateway counts what it drops.
pub const NOT_ALLOWED: Expected = Expected::Dropped("denied:not_allowed");
pub const UNKNOWN_GROUP: Expected = Expected::Dropped("denied:unknown_group");
pub const NOT_FOR_US: Expected = Expected::Dropped("ignored:not_for_us");

/// A chat with one of the bots, or a topic of one.
#[derive(Debug, Clone)]
pub struct Chat {
    pub place: Arc<Place>,
    pub bot: i64,
    pub id: i64,
    pub thread: Option<i64>,
}

impl Chat {
    /// A user's private chat with the first bot.
    pub fn private(user: i64) -> Self {
        Self::new(format!("dm{user}"), BOT, user, None)
    }

    /// A user's private chat with the second bot.
    pub fn work(user: i64) -> Self {
        Self::new(format!("work{user}"), WORK_BOT, user, None)
    }

    pub fn group(name: &str, id: i64, thread: Option<i64>) -> Self {
        Self::new(name.to_owned(), BOT, id, thread)
    }

    fn new(name: String, bot: i64, id: i64, thread: Option<i64>) -> Self {
        let account = if bot == BOT { "" } else { "@work" };
        let conversation = match (id > 0, thread) {
            (true, _) => format!("dm:{id}"),
            (false, None) => format!("group:{id}"),
            (false, Some(thread)) => format!("topic:{id}:{thread}"),
        };
        let command = match id {
            NORA => Command::New,
            STAN => Command::Stop,
            QUINN => Command::Queue,
            _ => Command::None,
        };
        let place = Place {
            name,
            source: source(bot),
            address: address(bot, id, thread),
            conversation: format!("telegram{account}:{conversation}"),
            plain: id == PIA,
            command,
            muted_at_times: id == CLOSED_GROUP,
        };
        Self { place: Arc::new(place), bot, id, thread }
    }

    pub fn is_private(&self) -> bool {
        self.id > 0
    }

    /// Whether only messages that mention the bot are for it.
    pub fn needs_mention(&self) -> bool {
        [OPEN_GROUP, FORUM, UNLISTED_GROUP].contains(&self.id)
    }

    /// What must become of a message to the bot.
    pub fn expected(&self, user: i64) -> Expected {
        match self.id {
            OPEN_GROUP | FORUM => Expected::Turn,
            CLOSED_GROUP if [ANNA, CARL].contains(&user) || ADMINS.contains(&user) => Expected::Turn,
            UNLISTED_GROUP => UNKNOWN_GROUP,
            _ if self.bot == WORK_BOT && user == WENDY => Expected::Turn,
            _ if self.bot == WORK_BOT || !self.is_private() => NOT_ALLOWED,
            _ if user >= FIRST_UNKNOWN || GUESTS.contains(&user) => Expected::IfAllowed,
            _ => Expected::Turn,
        }
    }
}

/// `inbound.source`
pub fn source(bot: i64) -> String {
    format!("telegram:{bot}")
}

/// `inbound.address`
pub fn address(bot: i64, chat: i64, thread: Option<i64>) -> String {
    let account = if bot == BOT { "" } else { "work:" };
    let thread = thread.map(|thread| format!(":topic:{thread}")).unwrap_or_default();
    format!("telegram:{account}{chat}{thread}")
}

/// `inbound.principal`
pub fn principal(bot: i64, user: i64) -> String {
    if bot == BOT { format!("telegram:{user}") } else { format!("telegram@work:{user}") }
}

/// No pacing, so that nothing waits without a reason.
pub fn config(api: &str) -> String {
    let [ada, otto] = ADMINS;
    format!(
        "[channels.telegram]\ntoken = \"{TOKEN}\"\napi_url = \"{api}\"\ndm_policy = \"pairing\"\n\
         allow = [{ANNA}, {BERT}, {CARL}, {NORA}, {STAN}, {PIA}, {OLGA}, {QUINN}, {TARA}, {JULES}, {EVA}, {TILDA}]\nadmins = [{ada}, {otto}]\n\
         streaming = \"partial\"\nedit_ms = 40\nper_chat_ms = 0\nper_group_ms = 0\nper_account_ms = 0\n\
         poll_seconds = 5\nbusy_ms = 50\n\
         [channels.telegram.chats.\"{PIA}\"]\nagent = \"{PLAIN}\"\n\
         [channels.telegram.groups.\"{OPEN_GROUP}\"]\nambient = 500\n\
         [channels.telegram.groups.\"{CLOSED_GROUP}\"]\nallow = [{ANNA}, {CARL}]\nrequire_mention = false\n\
         [channels.telegram.groups.\"{FORUM}\"]\n\n\
         [channels.telegram.accounts.work]\ntoken = \"{WORK_TOKEN}\"\ndm_policy = \"allowlist\"\nallow = [{WENDY}]\n"
    )
}
