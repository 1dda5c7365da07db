//! A user who chooses how messages wait, lets some interrupt or steer an answer, and drops others.

use std::sync::Arc;

use super::users::ChatUser;
use super::{Chat, Platform, QUINN};
use crate::random::Random;
use crate::script::{Script, Task};

const MODES: [&str; 4] = ["/queue followup", "/queue collect", "/queue steer", "/queue interrupt"];

/// A message that mostly takes long, so that others wait, or offers choices.
fn script(user: &mut ChatUser, platform: &Platform, random: &mut Random) -> Script {
    let script = user.script();
    let task = match random.range(0, 9) {
        0..=3 => Task::Slow { pieces: random.range(3, 9), ms: random.range(200, 800) },
        4 => Task::Offer,
        _ => return script,
    };
    Script { task: platform.harness.kind.task(task), ..script }
}

pub async fn user(platform: Arc<Platform>, mut random: Random) {
    let mut user = ChatUser::new(&platform, QUINN, Chat::private(QUINN), random.fork(1));
    loop {
        platform.harness.pause(&mut random, 60, 360).await;
        match random.range(0, 99) {
            0..=39 => user.writes().await,
            40..=54 => {
                let script = script(&mut user, &platform, &mut random);
                user.says_by("/steer", script).await;
            }
            55..=69 => {
                let mode = MODES[random.index(MODES.len())];
                let script = script(&mut user, &platform, &mut random);
                user.says_by(mode, script).await;
            }
            70..=77 => user.commands(MODES[random.index(MODES.len())]).await,
            78..=84 => user.commands("/queue drop 1").await,
            85..=91 => user.presses_one_of(|buttons| buttons == ["Drop it"]).await,
            _ => {
                user.presses_one_of(|buttons| {
                    buttons.iter().all(|button| button.ends_with(" echo")) && !buttons.is_empty()
                })
                .await
            }
        }
    }
}
