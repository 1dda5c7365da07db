//! Who there is, where they meet, and the configuration that says who may do what.

use std::path::Path;

use anyhow::Result;
use frontdesk_botapi::{BOT, TOKEN};

use crate::book::Lot;
use crate::daemon::agent;

/// The second bot: an account of its own, which only those on its list may use.
pub const WORK_BOT: i64 = 222_333;
pub const WORK_TOKEN: &str = "222333:WORK-token";

/// They may write in private and in every group.
pub const ANNA: i64 = 1001;
/// He may not in the board's group.
pub const BERT: i64 = 1002;
pub const CARL: i64 = 1003;
/// She begins anew all the time.
pub const NORA: i64 = 1004;
/// He often takes back what he asked for.
pub const STAN: i64 = 1005;
/// The admins.
pub const ADA: i64 = 1006;
pub const OTTO: i64 = 1007;
/// They are let in and shut out again and again.
pub const GUESTS: [i64; 2] = [1101, 1102];
/// The only one whom the second bot answers.
pub const WENDY: i64 = 1201;
/// Nobody knows him; everybody may speak in the plaza.
pub const MALLORY: i64 = 1301;
/// From here on strangers come, each with a number of their own.
pub const FIRST_STRANGER: i64 = 2001;
/// From here on people whom an admin lets in once and who never write.
pub const FIRST_STRAW: i64 = 5001;

/// Everyone may speak, to the bot or beside it.
pub const PLAZA: i64 = -1_001_000_000_001;
/// Some may speak, and all they say is for the bot.
pub const BOARD: i64 = -1_001_000_000_002;
/// Topics.
pub const FORUM: i64 = -1_001_000_000_003;
/// Nobody has allowed this group.
pub const STREET: i64 = -1_001_000_000_004;

/// Where people write to one of the bots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// As it stands in every text that is said there.
    pub name: String,
    pub bot: i64,
    pub chat: i64,
    pub thread: Option<i64>,
}

impl Place {
    /// Somebody's private chat with the first bot.
    pub fn private(person: i64) -> Self {
        Self { name: format!("dm{person}"), bot: BOT, chat: person, thread: None }
    }

    /// Somebody's private chat with the second bot.
    pub fn work(person: i64) -> Self {
        Self { name: format!("work{person}"), bot: WORK_BOT, chat: person, thread: None }
    }

    pub fn group(name: &str, chat: i64, thread: Option<i64>) -> Self {
        Self { name: name.to_owned(), bot: BOT, chat, thread }
    }

    pub fn is_private(&self) -> bool {
        self.chat > 0
    }

    /// As the database must write it.
    pub fn address(&self) -> String {
        let account = if self.bot == BOT { "" } else { "work:" };
        let thread = self.thread.map(|thread| format!(":topic:{thread}")).unwrap_or_default();
        format!("telegram:{account}{}{thread}", self.chat)
    }

    /// Whether only what names the bot is for it.
    pub fn wants_a_name(&self) -> bool {
        [PLAZA, FORUM, STREET].contains(&self.chat)
    }

    /// What must become of words that somebody says here to the bot.
    pub fn lot(&self, person: i64) -> Lot {
        match self.chat {
            PLAZA | FORUM => Lot::Answered,
            BOARD if [ANNA, CARL, ADA, OTTO].contains(&person) => Lot::Answered,
            STREET => Lot::Passed("denied:unknown_group"),
            _ if self.bot == WORK_BOT && person == WENDY => Lot::Answered,
            _ if self.bot == WORK_BOT || !self.is_private() => Lot::Passed("denied:not_allowed"),
            _ if person >= FIRST_STRANGER || GUESTS.contains(&person) => Lot::IfAllowed,
            _ => Lot::Answered,
        }
    }
}

/// A person as the database must write them.
pub fn principal(bot: i64, person: i64) -> String {
    if bot == BOT { format!("telegram:{person}") } else { format!("telegram@work:{person}") }
}

/// No limits, no pacing, a lasting program.
pub fn config(home: &Path, api: &str) -> Result<String> {
    let free = "{ per_minute = 0, burst = 0 }";
    let main = agent(home, "main", "lasting", "--agent")? + "max_idle = 64\n";
    Ok(format!(
        "default_agent = \"main\"\n\n[gateway]\nport = 0\n[gateway.limits]\nper_ip = {free}\nper_token = {free}\n\n\
         [limits]\nuser = {free}\nchat = {free}\naccount = {free}\n\n\
         [queue]\nper_session = 1000\n[sessions.reset]\nmode = \"none\"\n\n{main}\n\
         [channels.telegram]\ntoken = \"{TOKEN}\"\napi_url = \"{api}\"\ndm_policy = \"pairing\"\n\
         allow = [{ANNA}, {BERT}, {CARL}, {NORA}, {STAN}]\nadmins = [{ADA}, {OTTO}]\n\
         streaming = \"partial\"\nedit_ms = 40\nper_chat_ms = 0\nper_group_ms = 0\nper_account_ms = 0\n\
         poll_seconds = 5\nbusy_ms = 50\n\
         [channels.telegram.groups.\"{PLAZA}\"]\nambient = 500\n\
         [channels.telegram.groups.\"{BOARD}\"]\nallow = [{ANNA}, {CARL}]\nrequire_mention = false\n\
         [channels.telegram.groups.\"{FORUM}\"]\n\n\
         [channels.telegram.accounts.work]\ntoken = \"{WORK_TOKEN}\"\ndm_policy = \"allowlist\"\nallow = [{WENDY}]\n"
    ))
}
