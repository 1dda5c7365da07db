//! What all clients share.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::watch;

use crate::agent::Kind;
use crate::clock;
use crate::journal::{Journal, Place};
use crate::random::Random;

/// The pause between two looks at the clock.
const TICK_MS: u64 = 20;
/// So late is too late.
const LATE_MS: i64 = 50;

pub struct Harness {
    journal: Mutex<Journal>,
    /// The beginning of every tag, by which message text is recognised where none may be.
    pub mark: String,
    /// The kind of the main agent.
    pub kind: Kind,
    numbers: AtomicU64,
    token: OnceLock<String>,
    address: watch::Sender<Option<SocketAddr>>,
    quiet: AtomicBool,
    alone: AtomicBool,
}

impl Harness {
    pub fn new(seed: u64, kind: Kind) -> Arc<Self> {
        Arc::new(Self {
            journal: Mutex::default(),
            mark: format!("q{:08x}", seed & 0xffff_ffff),
            kind,
            numbers: AtomicU64::default(),
            token: OnceLock::new(),
            address: watch::Sender::new(None),
            quiet: AtomicBool::default(),
            alone: AtomicBool::default(),
        })
    }

    pub fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that was not used before.
    pub fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A new tag for a text in this place.
    pub fn tag(&self, place: &Place) -> String {
        format!("{}-{}-{}", self.mark, place.name, self.number())
    }

    /// The gateway listens there now, or is not running.
    pub fn set_address(&self, address: Option<SocketAddr>) {
        self.address.send_replace(address);
    }

    /// Where the gateway listens; waits while it is not running.
    pub async fn address(&self) -> SocketAddr {
        let mut address = self.address.subscribe();
        loop {
            if let Some(address) = *address.borrow_and_update() {
                return address;
            }
            if address.changed().await.is_err() {
                std::future::pending().await
            }
        }
    }

    /// The API token; the gateway makes it at its first start.
    pub fn set_token(&self, token: String) {
        self.token.get_or_init(|| token);
    }

    pub fn token(&self) -> String {
        self.token.get().cloned().unwrap_or_default()
    }

    /// Whether clients may not send anything new.
    pub fn is_quiet(&self) -> bool {
        self.quiet.load(Ordering::Relaxed)
    }

    pub fn set_quiet(&self, quiet: bool) {
        self.quiet.store(quiet, Ordering::Relaxed);
    }

    /// Only one channel has users: they write more often.
    pub fn set_alone(&self, alone: bool) {
        self.alone.store(alone, Ordering::Relaxed);
    }

    /// Notes when this process does not get the processor in time: what the platforms record then is late as well.
    pub async fn notes_lateness(&self) {
        let mut before = clock::now();
        loop {
            clock::sleep_ms(TICK_MS).await;
            let now = clock::now();
            let late = now - before - TICK_MS.cast_signed();
            if late >= LATE_MS {
                self.journal().late.push((now, late));
            }
            before = now;
        }
    }

    /// Waits a random time, and on while clients may not send.
    pub async fn pause(&self, random: &mut Random, low_ms: u64, high_ms: u64) {
        // Slower agents get less to do, else it would only pile up.
        let often = if self.alone.load(Ordering::Relaxed) { 3 } else { 1 };
        clock::sleep_ms(random.range(low_ms, high_ms) * self.kind.pause() / often).await;
        while self.is_quiet() {
            clock::sleep_ms(20).await;
        }
    }
}
