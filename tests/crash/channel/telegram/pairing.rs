//! Unknown users: they write, get a pairing code, and an admin approves or denies it.

use std::sync::Arc;
use std::time::Duration;

use super::users::ChatUser;
use super::{ADMINS, Chat, FIRST_UNKNOWN, Platform};
use crate::clock;
use crate::random::Random;

/// The letters and digits of pairing codes.
const ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// What a user is told who was approved.
const WELCOME: &str = "You may write to me now";
/// How often two admins approve the same code. The second has tried a wrong code, and five of those lock an admin out.
const RACES: u32 = 3;
/// How long a code or a welcome may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// One unknown user after the other.
pub async fn unknown_users(platform: Arc<Platform>, mut random: Random) {
    let harness = platform.harness.clone();
    let admin = |admin| ChatUser::new(&platform, admin, Chat::private(admin), Random::new(0));
    let [mut ada, mut otto] = ADMINS.map(admin);
    let mut races = 0;
    for id in FIRST_UNKNOWN.. {
        harness.pause(&mut random, 300, 1500).await;
        let mut user = ChatUser::new(&platform, id, Chat::private(id), random.fork(id.unsigned_abs()));
        user.writes().await;
        if random.permille(400) {
            user.writes().await;
        }
        let Some(code) = shown(&platform, id, |text| code_in(text).map(str::to_owned)).await else {
            continue;
        };
        harness.journal().codes.push(code.clone());
        harness.pause(&mut random, 0, 200).await;
        if random.permille(200) {
            ada.commands(&format!("/gateway deny {code}")).await;
            harness.pause(&mut random, 0, 200).await;
            user.writes().await;
            continue;
        }
        ada.commands(&format!("/gateway pair {code}")).await;
        if races < RACES && random.permille(200) {
            races += 1;
            otto.commands(&format!("/gateway pair {code}")).await;
        }
        if shown(&platform, id, |text| text.contains(WELCOME).then_some(())).await.is_some() {
            for _ in 0..random.range(1, 4) {
                harness.pause(&mut random, 0, 300).await;
                user.writes().await;
            }
        }
    }
}

/// Waits until the bot has posted something in a private chat.
async fn shown<T>(platform: &Platform, user: i64, find: impl Fn(&str) -> Option<T>) -> Option<T> {
    let until = clock::instant() + TIMEOUT;
    while clock::instant() < until {
        let posts = platform.api.journal().posts_in(user);
        if let Some(found) = posts.iter().find_map(|post| find(post.text())) {
            return Some(found);
        }
        clock::sleep_ms(20).await;
    }
    None
}

/// The pairing code in a text.
fn code_in(text: &str) -> Option<&str> {
    let is_code = |word: &&str| word.len() == 8 && word.bytes().all(|byte| ALPHABET.contains(&byte));
    text.split(|c: char| !c.is_ascii_alphanumeric()).find(is_code)
}
