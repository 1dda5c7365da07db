//! O4: a post that no part names was a repetition. It needs a lost response, or a kill in between; and a kill explains
//! one repetition in each chat. An album is posted by one request: it is repeated as a whole, and counts once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Oracle, delay_after};
use crate::journal::Event;
use crate::observed::{Call, MessageId};

/// How long the gateway may take at most to store that a post was carried out.
const STORED_MS: i64 = 1_000;

impl Oracle<'_> {
    pub(super) fn duplicates(&mut self) {
        let parts = self.o.database.parts.iter().chain(&self.o.database.ask_parts);
        let known: HashSet<MessageId> =
            parts.filter_map(|part| Some((part.address.clone(), part.message()?.clone()))).collect();
        let posts: Vec<&Arc<Call>> = self.o.posts().collect();
        let is_known = |post: &Call| post.id().is_some_and(|id| known.contains(&id));
        let kept: HashSet<usize> =
            posts.iter().filter(|post| is_known(post)).map(|post| post.request).collect();
        let mut repeated: HashMap<&str, Vec<(&Arc<Call>, i64)>> = HashMap::new();
        let mut judged: HashSet<usize> = HashSet::new();
        for (index, post) in posts.iter().enumerate() {
            if is_known(post) {
                continue;
            }
            if kept.contains(&post.request) {
                let event = self.event_of_post(post);
                self.report(event, format!("O4: nobody knows one file of an album: {post:?}"));
                continue;
            }
            if !judged.insert(post.request) {
                continue;
            }
            self.verdict.duplicates += 1;
            let knows_key = self.o.knows_keys.iter().any(|begin| post.address.starts_with(begin));
            if knows_key {
                let what = format!("O4: posted twice, and its platform knows the key: {post:?}");
                self.report(self.event_of_post(post), what);
                continue;
            }
            if post.lost {
                continue;
            }
            // On a machine that delays this process the gateway is delayed as well.
            let stored = post.at + STORED_MS + delay_after(self.o, post.at);
            let until = repeated_at(post, &posts[index + 1..], stored);
            repeated.entry(post.address.as_str()).or_default().push((*post, until));
        }
        let unexplained: Vec<_> = repeated.into_values().flat_map(|posts| self.unexplained(posts)).collect();
        for post in unexplained {
            let kills = self.kills.iter().map(|(at, slack)| (at - post.at, slack));
            let kills: Vec<_> = kills.filter(|(at, _)| (-5000..5000).contains(at)).collect();
            let what = format!(
                "O4: posted twice, and no kill or lost response explains it (kills at {kills:?}): {post:?}"
            );
            self.report(self.event_of_post(post), what);
        }
    }

    /// The posts of one chat for which no kill is left, each with the end of the time in which a kill explains it. Of the
    /// posts that a kill may explain it explains the one whose time ends first: if any choice explains all, this one does.
    fn unexplained<'p>(&self, mut posts: Vec<(&'p Arc<Call>, i64)>) -> Vec<&'p Arc<Call>> {
        for (kill, slack) in &self.kills {
            let explains = |(post, until): &(&Arc<Call>, i64)| (post.at - slack..=*until).contains(kill);
            let possible = posts.iter().enumerate().filter(|(_, post)| explains(post));
            if let Some((first, _)) = possible.min_by_key(|(_, (_, until))| *until) {
                posts.remove(first);
            }
        }
        posts.into_iter().map(|(post, _)| post).collect()
    }

    /// The event whose answer a post shows.
    fn event_of_post(&self, post: &Call) -> Option<String> {
        let mut events = self.o.journal.events.iter();
        let is_about =
            |event: &&Event| event.script.as_ref().is_some_and(|script| post.tags.contains(&script.tag));
        events.find(is_about).map(Event::key)
    }
}

/// When a post was repeated, or when its result should have been stored: at `until`.
fn repeated_at(post: &Call, later: &[&Arc<Call>], until: i64) -> i64 {
    let mut soon = later.iter().take_while(|other| other.at <= until);
    let again = soon.find(|other| {
        let same = match post.tags.is_empty() {
            true => other.text == post.text,
            false => !other.tags.is_disjoint(&post.tags),
        };
        // The other files of an album are posted by the same request.
        same && other.address == post.address && other.request != post.request
    });
    again.map_or(until, |again| again.at)
}
