//! What everybody shares, and who there is.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::sync::watch;

use crate::dice::Dice;
use crate::journal::{Chat, Journal, Rule, Way};
use crate::platform::Platform;
use crate::{clock, ws};

/// What every client knows.
pub struct World {
    pub journal: Arc<Journal>,
    pub platform: Arc<Platform>,
    /// In every text, so that it can be looked for where no text belongs.
    pub mark: String,
    token: OnceLock<String>,
    door: watch::Sender<Option<SocketAddr>>,
    calm: AtomicBool,
}

impl World {
    pub fn new(seed: u64, dice: &Dice) -> Arc<Self> {
        let journal = Arc::new(Journal::default());
        Arc::new(Self {
            platform: Platform::new(journal.clone(), dice.fork(1)),
            journal,
            mark: format!("q{:08x}", seed & 0xffff_ffff),
            token: OnceLock::new(),
            door: watch::Sender::new(None),
            calm: AtomicBool::new(false),
        })
    }

    /// The daemon listens there now, or nowhere.
    pub fn opens(&self, address: Option<SocketAddr>) {
        self.door.send_replace(address);
    }

    /// The token was made.
    pub fn knows(&self, token: String) {
        self.token.get_or_init(|| token);
    }

    /// Where the daemon listens; waits while it is down.
    pub async fn address(&self) -> SocketAddr {
        let mut door = self.door.subscribe();
        loop {
            if let Some(address) = *door.borrow_and_update() {
                return address;
            }
            if door.changed().await.is_err() {
                std::future::pending().await
            }
        }
    }

    pub fn token(&self) -> String {
        self.token.get().cloned().unwrap_or_default()
    }

    /// Whether nobody may say anything new.
    pub fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    /// From now on nobody may say anything new, or everybody again.
    pub fn calm(&self, calm: bool) {
        self.calm.store(calm, Ordering::Relaxed);
        self.platform.kind.store(calm, Ordering::Relaxed);
    }
}

/// Every chat of the test.
pub fn chats() -> Vec<Chat> {
    let chat = |way, name: &str, plain, rule| Chat { way, name: name.to_owned(), plain, rule };
    use {Rule::*, Way::*};
    vec![
        chat(Socket, "w0", false, Strict),
        chat(Socket, "w1", false, Strict),
        chat(Socket, "w2", false, Strict),
        chat(Socket, "w3", false, Strict),
        chat(Socket, "w4", true, Strict),
        chat(Socket, "w5", true, Strict),
        chat(Socket, "w-stop", false, Stops),
        chat(Socket, "w-new", false, Renews),
        chat(Socket, "w-retry", false, Retries),
        chat(Http, "h0", false, Strict),
        chat(Http, "h1", false, Strict),
        chat(Http, "h2", true, Strict),
        chat(Lab, "l0", false, Strict),
        chat(Lab, "l1", false, Strict),
        chat(Lab, "l2", false, Strict),
        chat(Lab, "l3", true, Strict),
        chat(Lab, "l-new", false, Renews),
        chat(Lab, "l-stop", false, Stops),
    ]
}

/// Those of one way.
pub fn by_way(way: Way) -> Vec<Chat> {
    chats().into_iter().filter(|chat| chat.way == way).collect()
}

/// People on the platform.
pub async fn writers(world: Arc<World>, mut dice: Dice) {
    let mut chats = by_way(Way::Lab);
    chats.retain(|chat| chat.rule != Rule::Stops);
    loop {
        clock::pause_ms(dice.range(20, 140)).await;
        if world.is_calm() {
            continue;
        }
        let index = usize::try_from(dice.next() % chats.len() as u64).unwrap_or(0);
        let Some(chat) = chats.get(index) else { continue };
        let text = ws::text(&world, chat, &mut dice);
        world.platform.write(chat, &text);
    }
}

/// Somebody on the platform who often changes his mind in the middle of an answer.
pub async fn waverer(world: Arc<World>, mut dice: Dice) {
    let chats = by_way(Way::Lab);
    let Some(chat) = chats.iter().find(|chat| chat.rule == Rule::Stops) else { return };
    loop {
        clock::pause_ms(dice.range(50, 250)).await;
        if world.is_calm() {
            continue;
        }
        let text = ws::text(&world, chat, &mut dice);
        world.platform.write(chat, &text);
        clock::pause_ms(dice.range(20, 200)).await;
        if dice.permille(500) {
            world.platform.write(chat, "/stop");
        }
    }
}
