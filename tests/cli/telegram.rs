//! A fake Telegram beside a gateway: what people write in it and see.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use frontdesk_botapi::{BotApi, Journal, Shown, TOKEN, User};
use tokio::runtime::Runtime;

use crate::program::{Daemon, NewHome, command};

/// A wait that takes longer fails the test.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server and its Tokio runtime.
pub struct Telegram {
    runtime: Runtime,
    pub api: BotApi,
}

impl Telegram {
    pub fn start() -> Telegram {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let api = runtime.block_on(BotApi::start());
        Telegram { runtime, api }
    }

    /// A configuration with the first bot, and `more` of its section.
    pub fn config(&self, more: &str) -> String {
        format!(
            "[channels.telegram]\napi_url = \"{}\"\ntoken = \"{TOKEN}\"\nedit_ms = 20\nper_chat_ms = 0\n\
             per_account_ms = 0\npoll_seconds = 2\n{more}\n",
            self.api.url()
        )
    }

    /// A gateway with that configuration.
    pub fn gateway(&self, home: &NewHome, more: &str) -> Daemon {
        home.write("frontdesk.toml", &self.config(more));
        Daemon::start(&home.path())
    }

    /// The first file in a private chat, once it is there.
    pub fn file(&self, chat: i64) -> Shown {
        let sent = self.api.wait_for(|journal| !journal.calls_of("sendDocument").is_empty(), PATIENCE);
        self.runtime.block_on(sent).unwrap();
        self.api.shows(chat).into_iter().find(|shown| shown.kind.is_some()).unwrap()
    }

    /// Runs something on the server.
    pub fn does<T>(&self, deed: impl Future<Output = T>) -> T {
        self.runtime.block_on(deed)
    }

    /// Waits until the journal fulfils a condition.
    #[track_caller]
    pub fn waits(&self, so: impl Fn(&Journal) -> bool) {
        if self.runtime.block_on(self.api.wait_for(&so, PATIENCE)).is_err() {
            panic!("it is never so: {:#?}", self.api.journal().calls());
        }
    }

    pub fn user(&self, id: i64, name: &str) -> Person<'_> {
        Person { telegram: self, user: self.api.user(id, name) }
    }
}

/// A person with a Telegram account.
pub struct Person<'t> {
    telegram: &'t Telegram,
    pub user: User,
}

impl Person<'_> {
    /// Writes to the first bot in private.
    pub fn tells(&self, text: &str) {
        self.telegram.runtime.block_on(self.user.tells(text));
    }

    /// Waits for a message of the bot that contains this, and returns it.
    #[track_caller]
    pub fn sees(&self, part: &str) -> String {
        self.finds(|text| text.contains(part).then(|| text.to_owned()))
            .unwrap_or_else(|| panic!("{part:?} never came: {:?}", self.texts()))
    }

    /// Waits for the pairing code, and returns it.
    #[track_caller]
    pub fn code(&self) -> String {
        let code = |word: &&str| word.len() == 8 && frontdesk_core::pairing::Code::read(word).is_some();
        let found =
            self.finds(|text| text.split(|c: char| !c.is_ascii_alphanumeric()).find(code).map(str::to_owned));
        found.unwrap_or_else(|| panic!("no code came: {:?}", self.texts()))
    }

    /// The texts in the private chat, of both sides.
    pub fn texts(&self) -> Vec<String> {
        self.user.sees().into_iter().map(|shown| shown.text).collect()
    }

    fn finds(&self, find: impl Fn(&str) -> Option<String>) -> Option<String> {
        let bot = frontdesk_botapi::BOT;
        let look =
            || self.user.sees().iter().filter(|shown| shown.from == bot).find_map(|shown| find(&shown.text));
        loop {
            let known = self.telegram.api.journal().calls().len();
            if let Some(found) = look() {
                return Some(found);
            }
            // Every request of the bot may have changed the chat.
            let more = self.telegram.api.wait_for(|journal| journal.calls().len() > known, PATIENCE);
            if self.telegram.runtime.block_on(more).is_err() {
                return look();
            }
        }
    }
}

/// A command whose bot token is in the environment.
pub fn with_token(home: &Path, token: &str) -> Command {
    let mut command = command(home);
    command.args(["run", "--port", "0"]).env("TELEGRAM_BOT_TOKEN", token);
    command
}
