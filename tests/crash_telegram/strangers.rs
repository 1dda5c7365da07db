//! People whom nobody knows: they ask, get a code, and an admin lets them in or does not.

use std::sync::Arc;
use std::time::Duration;

use crate::book::{Deed, Lot};
use crate::cast::{ADA, FIRST_STRANGER, OTTO, Place};
use crate::clock;
use crate::dice::Dice;
use crate::people::Person;
use crate::world::{Said, World};

/// The signs that codes are made of.
const SIGNS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// So often two admins approve the same code: whoever is second has tried a wrong one, and five of those are too
/// many.
const RACES: u32 = 3;
/// How long a code or a welcome is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// One after the other they come.
pub async fn come(world: Arc<World>, mut dice: Dice) {
    let mut races = 0;
    for stranger in FIRST_STRANGER.. {
        world.pause(&mut dice, 300, 1500).await;
        let place = Arc::new(Place::private(stranger));
        let mut person = Person::new(&world, stranger, &place, dice.fork(stranger.unsigned_abs()));
        person.says().await;
        if dice.permille(400) {
            person.says().await;
        }
        let Some(code) = shown(&world, stranger, |text| code(text).map(str::to_owned)).await else {
            continue;
        };
        world.book().codes.push(code.clone());
        world.pause(&mut dice, 0, 200).await;
        if dice.permille(200) {
            decides(&world, ADA, &format!("/gateway deny {code}")).await;
            world.pause(&mut dice, 0, 200).await;
            person.says().await;
            continue;
        }
        decides(&world, ADA, &format!("/gateway pair {code}")).await;
        if races < RACES && dice.permille(200) {
            races += 1;
            decides(&world, OTTO, &format!("/gateway pair {code}")).await;
        }
        let welcome = |text: &str| text.contains("You may write to me now").then_some(());
        if shown(&world, stranger, welcome).await.is_some() {
            for _ in 0..dice.range(1, 4) {
                world.pause(&mut dice, 0, 300).await;
                person.says().await;
            }
        }
    }
}

async fn decides(world: &World, admin: i64, command: &str) {
    let place = Arc::new(Place::private(admin));
    let sent = world.api.user(admin, "Admin").tells(command).await;
    world.note(&place, admin, sent, Deed::Commands, Said::words(command), Lot::Replied);
}

/// Waits until the bot has said something in a private chat.
async fn shown<T>(world: &World, person: i64, find: impl Fn(&str) -> Option<T>) -> Option<T> {
    let until = clock::moment() + PATIENCE;
    while clock::moment() < until {
        let posts = world.api.journal().posts_in(person);
        if let Some(found) = posts.iter().find_map(|post| find(post.text())) {
            return Some(found);
        }
        clock::pause_ms(20).await;
    }
    None
}

/// The code in a text.
pub fn code(text: &str) -> Option<&str> {
    let is_code = |word: &&str| word.len() == 8 && word.bytes().all(|sign| SIGNS.contains(&sign));
    text.split(|c: char| !c.is_ascii_alphanumeric()).find(is_code)
}
