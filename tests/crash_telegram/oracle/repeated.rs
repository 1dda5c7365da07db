//! O4: a message that is there and that nobody needs was sent twice: that takes a lost answer, or a kill in between;
//! and a kill explains one message in each chat.

use std::collections::HashSet;
use std::sync::Arc;

use frontdesk_botapi::Call;

use super::{Court, chats};
use crate::script::tags;

/// How long it may take at most until the daemon has stored that a post was taken.
const STORED: i64 = 1_000;

impl Court<'_> {
    pub(super) fn repeated(&mut self) {
        let known: HashSet<(i64, i64, i64)> = self.e.database.outbox.iter().filter_map(chats::id).collect();
        let posts: Vec<&Arc<Call>> = self.e.posts().collect();
        let mut used: HashSet<(i64, i64, i64, Option<i64>)> = HashSet::new();
        // In the order of the repetitions each takes the earliest kill that is left: if any choice explains all of
        // them, this one does.
        for (place, post) in posts.iter().enumerate() {
            let needed = post.message.is_some_and(|message| known.contains(&(post.bot, post.chat, message)));
            if needed {
                continue;
            }
            self.verdict.repeated += 1;
            if post.lost {
                continue;
            }
            let until = self.repetition(post, &posts[place + 1..]);
            let chat = |kill| (kill, post.bot, post.chat, post.thread);
            let kills: Vec<i64> = self.kills_between(post.at, until).collect();
            if !kills.into_iter().any(|kill| used.insert(chat(kill))) {
                let tag = tags(post.text()).first().map(|tag| (*tag).to_owned());
                let about =
                    |act: &&crate::book::Act| act.script.as_ref().map(|script| &script.tag) == tag.as_ref();
                let update = self.e.book.acts.iter().find(about).map(crate::book::Act::key);
                self.find(
                    update,
                    format!("O4: posted, and nobody needs it, without a reason of its own: {post:?}"),
                );
            }
        }
    }

    /// When the same was said again, or when its result should have been stored.
    fn repetition(&self, post: &Call, later: &[&Arc<Call>]) -> i64 {
        let (mine, until) = (tags(post.text()), post.at + STORED);
        let mut soon = later.iter().take_while(|other| other.at <= until);
        let again = soon.find(|other| {
            let same = match mine.is_empty() {
                true => other.text() == post.text(),
                false => tags(other.text()).iter().any(|tag| mine.contains(tag)),
            };
            same && (other.bot, other.chat, other.thread) == (post.bot, post.chat, post.thread)
        });
        again.map_or(until, |again| again.at)
    }
}
