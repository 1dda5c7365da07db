//! Moments that are worth a kill.

use frontdesk_botapi::Way;

use crate::clock;
use crate::world::World;

/// What the daemon should be in the middle of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Anything.
    Any,
    /// Updates were brought and not confirmed.
    Accept,
    /// An answer grows on the screen.
    Streaming,
    /// The server has just carried out a post; the daemon may not know.
    Post,
    /// A file was just asked for.
    Fetch,
    /// An admin's command was just brought.
    Command,
}

impl Moment {
    pub fn of(number: u64) -> Self {
        match number {
            0..=2 => Self::Any,
            3 | 4 => Self::Accept,
            5 | 6 => Self::Streaming,
            7 | 8 => Self::Post,
            9 | 10 => Self::Fetch,
            _ => Self::Command,
        }
    }

    /// Whether it is now; `born` is when this life of the daemon began.
    pub fn is_now(self, world: &World, born: u64) -> bool {
        let called = |methods: &[&str], within: i64| {
            let since = ms(clock::now()) - within;
            let journal = world.api.journal();
            let mut recent =
                journal.calls().iter().rev().take_while(|call| call.at >= since && call.at >= ms(born));
            recent.any(|call| methods.contains(&call.method.as_str()))
        };
        match self {
            Self::Any => true,
            Self::Accept => open_accepts(world, born) > 0,
            Self::Streaming => called(&["editMessageText"], 8),
            Self::Post => called(&["sendMessage", "sendDocument"], 3),
            Self::Fetch => called(&["getFile"], 4),
            Self::Command => commanded(world, born),
        }
    }
}

/// Updates that this life of the daemon was brought and has not confirmed.
pub fn open_accepts(world: &World, born: u64) -> usize {
    let journal = world.api.journal();
    let recent = journal.deliveries().iter().rev().take(100);
    let polled = |brought: &Vec<(i64, Way)>| brought.last().is_some_and(|(at, _)| *at >= ms(born));
    recent.filter(|delivery| delivery.confirmed.is_none() && polled(&delivery.delivered)).count()
}

fn commanded(world: &World, born: u64) -> bool {
    let last = {
        let book = world.book();
        let is_request = |text: &str| text.starts_with("/gateway");
        book.acts.iter().rev().take(30).find(|act| is_request(&act.text)).map(|act| act.key())
    };
    let Some((bot, update)) = last else { return false };
    let journal = world.api.journal();
    let delivery = journal.delivery_to(bot, update);
    let now = ms(clock::now());
    delivery.is_some_and(|delivery| {
        let brought = delivery.delivered.last().is_some_and(|(at, _)| *at >= ms(born));
        brought && delivery.confirmed.is_none_or(|at| at + 4 >= now)
    })
}

/// The server counts with a sign.
pub fn ms(at: u64) -> i64 {
    at.cast_signed()
}
