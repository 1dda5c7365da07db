//! The server as a test holds it.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::path::Path;

use frontdesk_fakes::{Clock, Fake};

use crate::actions::NewChat;
use crate::handles::{Bot, Group, User};
use crate::message::Shown;
use crate::person::Person;
use crate::world::World;

/// The token of the bot that is always there.
pub const TOKEN: &str = "123456:TEST-token";
/// The number of the bot that is always there.
pub const BOT: i64 = 123_456;

/// A running server. It stops when it is dropped. Its journal, faults, clock and port are [`Fake`]'s.
pub struct BotApi(Fake<World>);

impl Deref for BotApi {
    type Target = Fake<World>;

    fn deref(&self) -> &Fake<World> {
        &self.0
    }
}

impl BotApi {
    /// Starts on a free port, with the default bot.
    pub async fn start() -> Self {
        Self::start_on(0).await.expect("a free port on the loopback interface")
    }

    /// Starts on this port, with the default bot.
    pub async fn start_on(port: u16) -> std::io::Result<Self> {
        Self::start_with(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), 1).await
    }

    /// Starts on this address, with random numbers that begin at `seed`.
    pub async fn start_with(address: SocketAddr, seed: u64) -> std::io::Result<Self> {
        let api = Self(Fake::start(address, Clock::real(), |clock| World::new(clock, seed)).await?);
        api.shared().change(|world| world.add_bot(TOKEN, BOT, "Frontdesk", "frontdesk_bot"));
        Ok(api)
    }

    /// The bot that is always there.
    pub fn default_bot(&self) -> Bot {
        Bot::new(self.shared().clone(), BOT, TOKEN)
    }

    /// Adds a bot. It is in no chat that was made before.
    pub fn bot(&self, token: &str, id: i64, username: &str) -> Bot {
        self.shared().change(|world| world.add_bot(token, id, username, username));
        Bot::new(self.shared().clone(), id, token)
    }

    /// Adds a person.
    pub fn user(&self, id: i64, name: &str) -> User {
        self.shared().change(|world| world.add_person(Person::new(id, name)));
        User::new(self.shared().clone(), id)
    }

    /// Adds a small group; the bots are members.
    pub fn group(&self, id: i64, title: &str) -> Group {
        self.add_chat(id, "group", title)
    }

    /// Adds a supergroup; the bots are members.
    pub fn supergroup(&self, id: i64, title: &str) -> Group {
        self.add_chat(id, "supergroup", title)
    }

    /// Adds a supergroup with topics; the bots are members.
    pub fn forum(&self, id: i64, title: &str) -> Group {
        self.add_chat(id, "forum", title)
    }

    fn add_chat(&self, id: i64, kind: &str, title: &str) -> Group {
        let new = NewChat { id, kind: kind.to_owned(), title: title.to_owned(), ..NewChat::default() };
        let added = self.shared().change(|world| world.add_chat(&new));
        added.unwrap_or_else(|reason| panic!("chat {id}: {reason}"));
        Group::new(self.shared().clone(), id)
    }

    /// What a chat shows now; a private chat is the one with the default bot.
    pub fn shows(&self, chat: impl Into<i64>) -> Vec<Shown> {
        self.shared().state().shows(BOT, chat.into())
    }

    /// Makes `getUpdates` keep the pace of the real one: an offset that comes again at once waits three seconds.
    pub fn paced(&self, paced: bool) {
        self.shared().change(|world| world.paced = paced);
    }

    /// From now on it runs with `--local`: files of any size are put into this folder, and `getFile` gives their paths.
    pub fn local(&self, folder: &Path) {
        let folder = folder.to_owned();
        self.shared().change(|world| world.local = Some(folder));
    }
}
