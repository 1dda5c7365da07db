//! Users who hand over tasks in their private chats, in a group and in a topic, cancel some, and run others again.

use std::sync::Arc;

use super::users::ChatUser;
use super::*;
use crate::random::Random;

/// How many of the last messages of a chat are searched for tasks.
const RECENT: usize = 40;

pub async fn users(platform: Arc<Platform>, mut random: Random) {
    let mut chats = vec![
        (ANNA, Chat::private(ANNA)),
        (BERT, Chat::private(BERT)),
        (TILDA, Chat::private(TILDA)),
        (TILDA, Chat::private(TILDA)),
        (CARL, Chat::group("open", OPEN_GROUP, None)),
    ];
    let topic = platform.topics.first().map(|id| Chat::group(&format!("topic{id}"), FORUM, Some(*id)));
    chats.extend(topic.map(|topic| (ANNA, topic)));
    let mut users: Vec<ChatUser> =
        (0..).zip(chats).map(|(n, (id, chat))| ChatUser::new(&platform, id, chat, random.fork(n))).collect();
    loop {
        platform.harness.pause(&mut random, 120, 500).await;
        let index = random.index(users.len());
        let user = &mut users[index];
        let choice = random.range(0, 99);
        if choice < 60 {
            let script = Script::in_background(user.tag(), &mut random);
            user.hands_over(script).await;
            // Some change their mind at once.
            if !random.permille(250) {
                continue;
            }
            platform.harness.pause(&mut random, 20, 300).await;
        }
        let tasks = tasks_in(&platform, &user.chat);
        let Some(last) = tasks.last() else { continue };
        let other = tasks[random.index(tasks.len())];
        match choice {
            0..60 => user.commands(&format!("/cancel b{last}")).await,
            60..=79 => user.commands(&format!("/cancel b{other}")).await,
            80..=92 => user.commands(&format!("/tasks retry b{other}")).await,
            // In private it lists also what was handed over in groups.
            _ if user.chat.id != ANNA => user.commands("/tasks").await,
            _ => {}
        }
    }
}

/// The numbers of the tasks that a chat has shown last.
fn tasks_in(platform: &Platform, chat: &Chat) -> Vec<u64> {
    let shown = platform.api.shows(chat.id);
    let recent = shown.iter().rev().filter(|shown| shown.thread == chat.thread).take(RECENT);
    let mut tasks: Vec<u64> = recent.filter_map(|shown| task_in(&shown.text)).collect();
    tasks.sort_unstable();
    tasks.dedup();
    tasks.drain(..tasks.len().saturating_sub(4));
    tasks
}

/// The number of the task in a text: `(b12)`.
fn task_in(text: &str) -> Option<u64> {
    let after = text.split("(b").skip(1);
    after.filter_map(|after| after.split_once(')')?.0.parse().ok()).next()
}
