//! The server as a test holds it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::acts::NewChat;
use crate::cast::{Robot, Room, User};
use crate::clock::real_pause;
use crate::fault::Fault;
use crate::flood::Limits;
use crate::journal::{Call, Journal};
use crate::person::Person;
use crate::server::Server;
use crate::view::Shown;

/// The token of the bot that is always there.
pub const TOKEN: &str = "123456:TEST-token";
/// Its number.
pub const BOT: i64 = 123_456;

/// Nobody did what was waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it did not happen in time")]
pub struct TimedOut;

/// A running server. It stops when it is dropped.
pub struct BotApi {
    server: Server,
}

impl BotApi {
    /// On a free port, with the default bot.
    pub async fn start() -> Self {
        Self::start_on(0).await.expect("a free port on the loopback interface")
    }

    /// On this port, with the default bot.
    pub async fn start_on(port: u16) -> std::io::Result<Self> {
        Self::start_with(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), 1).await
    }

    /// On this address, and with chance that begins at `seed`.
    pub async fn start_with(address: SocketAddr, seed: u64) -> std::io::Result<Self> {
        let server = Server::start(address, seed).await?;
        server.shared.change(|world| world.add_bot(TOKEN, BOT, "Frontdesk", "frontdesk_bot"));
        Ok(Self { server })
    }

    /// What an SDK wants as the root of the API: `http://127.0.0.1:8081`.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.shared.address)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.server.shared.address.port()
    }

    /// The bot that is always there.
    pub fn default_bot(&self) -> Robot {
        Robot::new(self.server.shared.clone(), BOT, TOKEN)
    }

    /// Another bot. It is in no chat that was made before.
    pub fn bot(&self, token: &str, id: i64, username: &str) -> Robot {
        self.server.shared.change(|world| world.add_bot(token, id, username, username));
        Robot::new(self.server.shared.clone(), id, token)
    }

    /// Somebody with an account, made if there is nobody of that number.
    pub fn user(&self, id: i64, name: &str) -> User {
        self.person(Person::new(id, name))
    }

    /// Somebody with everything that an account can have, also another bot.
    pub fn person(&self, person: Person) -> User {
        let id = person.id;
        self.server.shared.change(|world| {
            if let Some(username) = &person.username {
                world.names.insert(username.to_lowercase(), id);
            }
            world.people.insert(id, person);
        });
        User::new(self.server.shared.clone(), id)
    }

    /// A small group; the bots are members.
    pub fn group(&self, id: i64, title: &str) -> Room {
        self.chat(&NewChat { id, kind: "group".to_owned(), title: title.to_owned(), ..NewChat::default() })
    }

    /// A supergroup; the bots are members.
    pub fn supergroup(&self, id: i64, title: &str) -> Room {
        self.chat(&NewChat {
            id,
            kind: "supergroup".to_owned(),
            title: title.to_owned(),
            ..NewChat::default()
        })
    }

    /// A supergroup with topics; the bots are members.
    pub fn forum(&self, id: i64, title: &str) -> Room {
        self.chat(&NewChat { id, kind: "forum".to_owned(), title: title.to_owned(), ..NewChat::default() })
    }

    /// A channel; the bots are administrators.
    pub fn channel(&self, id: i64, title: &str) -> Room {
        self.chat(&NewChat { id, kind: "channel".to_owned(), title: title.to_owned(), ..NewChat::default() })
    }

    /// Any chat.
    pub fn chat(&self, new: &NewChat) -> Room {
        let made = self.server.shared.change(|world| world.add_chat(new));
        made.unwrap_or_else(|reason| panic!("chat {}: {reason}", new.id));
        Room::new(self.server.shared.clone(), new.id)
    }

    /// What has happened until now.
    pub fn journal(&self) -> Arc<Journal> {
        self.server.shared.world().journal.snapshot()
    }

    /// What a chat shows now; a private chat is the one with the default bot.
    pub fn shows(&self, chat: impl Into<i64>) -> Vec<Shown> {
        self.server.shared.world().shows(BOT, chat.into())
    }

    /// Waits until the journal says so. The server stands still while `so` looks, so it must not ask the server
    /// itself; the same goes for [`BotApi::wait_for_some`].
    pub async fn wait_for(
        &self,
        mut so: impl FnMut(&Journal) -> bool,
        timeout: Duration,
    ) -> Result<(), TimedOut> {
        self.wait_for_some(|journal| so(journal).then_some(()), timeout).await
    }

    /// Waits until the journal has something.
    pub async fn wait_for_some<T>(
        &self,
        mut find: impl FnMut(&Journal) -> Option<T>,
        timeout: Duration,
    ) -> Result<T, TimedOut> {
        let late = real_pause(timeout);
        tokio::pin!(late);
        loop {
            let changed = self.server.shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(found) = find(&self.server.shared.world().journal) {
                return Ok(found);
            }
            tokio::select! {
                () = changed => {}
                () = &mut late => return Err(TimedOut),
            }
        }
    }

    /// Waits until there are so many posts in a chat, and returns them all.
    pub async fn wait_for_posts(
        &self,
        chat: impl Into<i64>,
        many: usize,
        timeout: Duration,
    ) -> Result<Vec<Arc<Call>>, TimedOut> {
        let chat = chat.into();
        let enough = |journal: &Journal| {
            let posts = (journal.count_in(chat) >= many).then(|| journal.posts_in(chat));
            posts.filter(|posts| posts.len() >= many)
        };
        self.wait_for_some(enough, timeout).await
    }

    /// Something goes wrong from now on.
    pub fn fault(&self, fault: Fault) {
        self.server.shared.change(|world| world.faults.add(fault));
    }

    /// Nothing goes wrong any more, and flood control is off.
    pub fn calm(&self) {
        self.server.shared.change(|world| {
            world.faults.clear();
            world.flood.set(Limits::default());
        });
    }

    /// Limits on how often a bot may post.
    pub fn flood(&self, limits: Limits) {
        self.server.shared.change(|world| world.flood.set(limits));
    }

    /// Makes `getUpdates` keep the pace of the real one: an offset that comes again at once waits three seconds.
    pub fn paced(&self, paced: bool) {
        self.server.shared.change(|world| world.paced = paced);
    }

    /// Lets time pass on the server's clock: updates grow old, limits recover, webhooks are tried again.
    pub fn advance(&self, time: Duration) {
        self.server.shared.clock.advance(time);
        self.server.shared.changed.notify_waiters();
    }

    /// The network is cut: the port is closed, and every connection with it.
    pub async fn cut(&self) {
        self.server.cut().await;
    }

    /// The network is back, on the same port.
    pub async fn restore(&self) -> std::io::Result<()> {
        self.server.restore().await
    }

    /// Serves until the process ends.
    pub async fn run(self) {
        self.server.run().await;
    }
}
