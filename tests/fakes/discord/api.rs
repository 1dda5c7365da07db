//! The server as a test holds it.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;

use frontdesk_fakes::{Clock, Fake, Shared};
use serde_json::Value;

use crate::actions::{Said, Sent};
use crate::id::Id;
use crate::message::Shown;
use crate::world::World;

/// The token of the bot that is always there.
pub const TOKEN: &str = "MTAwMDAwMDAwMDAwMDAwMDAwMQ.test.token";
/// The id of the bot that is always there.
pub const BOT: Id = Id(1_000_000_000_000_000_001);

/// A running server. It stops when it is dropped. Its journal, faults, clock and port are [`Fake`]'s.
pub struct Discord(Fake<World>);

impl Deref for Discord {
    type Target = Fake<World>;

    fn deref(&self) -> &Fake<World> {
        &self.0
    }
}

impl Discord {
    /// Starts on a free port, with the default bot.
    pub async fn start() -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self::start_with(address, 1).await.expect("a free port on the loopback interface")
    }

    /// Starts on this address, with random numbers that begin at `seed`.
    pub async fn start_with(address: SocketAddr, seed: u64) -> std::io::Result<Self> {
        let discord = Self(Fake::start(address, Clock::real(), |clock| World::new(clock, seed)).await?);
        let address = discord.shared().address.to_string();
        discord.shared().change(|world| {
            world.address = address;
            world.add_bot(BOT, TOKEN, "Frontdesk");
        });
        Ok(discord)
    }

    /// Adds a person.
    pub fn user(&self, id: impl Into<Id>, name: &str) -> User {
        let id = id.into();
        self.shared().change(|world| world.add_user(id, name));
        User { shared: self.shared().clone(), id }
    }

    /// Adds a guild with its owner; the bots are members.
    pub fn guild(&self, id: impl Into<Id>, name: &str, owner: &User) -> Id {
        let id = id.into();
        self.shared().change(|world| world.add_guild(id, name, owner.id));
        id
    }

    /// Adds a channel of this kind (0 text, 5 announcements, 15 forum) to a guild.
    pub fn channel(&self, guild: Id, id: impl Into<Id>, kind: u8, name: &str) -> Id {
        let id = id.into();
        let added = self.shared().change(|world| world.add_channel(guild, id, kind, name));
        added.unwrap_or_else(|reason| panic!("channel {id}: {reason}"));
        id
    }

    /// What a channel shows now.
    pub fn shows(&self, channel: Id) -> Vec<Shown> {
        self.shared().state().shows(channel)
    }

    /// Waits until the condition holds, which is looked at after each change. It may look at the server with
    /// [`Discord::look`], and must not change it.
    pub async fn until(&self, mut so: impl FnMut() -> bool) {
        loop {
            let mut changed = std::pin::pin!(self.shared().changed.notified());
            changed.as_mut().enable();
            if so() {
                return;
            }
            changed.await;
        }
    }

    /// An action of the control port that changes nothing, such as `sessions` and `interaction`.
    pub fn look(&self, action: &str, body: Value) -> Value {
        let seen = self.shared().state().perform(action, body);
        seen.unwrap_or_else(|reason| panic!("{action}: {reason}"))
    }

    /// Any action of the control port.
    pub fn act(&self, action: &str, body: Value) -> Value {
        self.try_to(action, body).unwrap_or_else(|reason| panic!("{action}: {reason}"))
    }

    /// An action that may be impossible by now: a button may be gone.
    pub fn try_to(&self, action: &str, body: Value) -> Result<Value, String> {
        self.shared().change(|world| world.perform(action, body))
    }
}

/// A person.
#[derive(Clone)]
pub struct User {
    shared: Arc<Shared<World>>,
    /// The person's id.
    pub id: Id,
}

impl User {
    /// Writes to the first bot in private.
    pub fn tells(&self, content: &str) -> Sent {
        self.says_so(Said { content: content.to_owned(), ..Said::default() })
    }

    /// Writes into a channel.
    pub fn says(&self, channel: Id, content: &str) -> Sent {
        self.says_so(Said { channel: Some(channel), content: content.to_owned(), ..Said::default() })
    }

    /// Says this; whose it is does not have to be set.
    pub fn says_so(&self, said: Said) -> Sent {
        let said = self.shared.change(|world| world.say(Said { user: self.id, ..said }));
        said.unwrap_or_else(|reason| panic!("{} cannot say this: {reason}", self.id))
    }
}
