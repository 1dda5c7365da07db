//! O4: a post that no part names was a repetition. It needs a lost response, or a kill in between; and a kill explains
//! one repetition in each chat. An album is posted by one request: it is repeated as a whole, and counts once.

use std::collections::HashSet;
use std::sync::Arc;

use super::Oracle;
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
        let mut used: HashSet<(i64, &str)> = HashSet::new();
        let mut judged: HashSet<usize> = HashSet::new();
        // In the order of the posts each takes the earliest kill that is left: if any choice explains all of them, this
        // one does.
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
            if post.lost {
                continue;
            }
            let until = repeated_at(post, &posts[index + 1..]);
            let mut kills = self.kills_between(post.at, until);
            if !kills.any(|kill| used.insert((kill, &post.address))) {
                drop(kills);
                let what = format!("O4: posted twice, and no kill or lost response explains it: {post:?}");
                self.report(self.event_of_post(post), what);
            }
        }
    }

    /// The event whose answer a post shows.
    fn event_of_post(&self, post: &Call) -> Option<String> {
        let mut events = self.o.journal.events.iter();
        let is_about =
            |event: &&Event| event.script.as_ref().is_some_and(|script| post.tags.contains(&script.tag));
        events.find(is_about).map(Event::key)
    }
}

/// When a post was repeated, or when its result should have been stored.
fn repeated_at(post: &Call, later: &[&Arc<Call>]) -> i64 {
    let until = post.at + STORED_MS;
    let mut soon = later.iter().take_while(|other| other.at <= until);
    let again = soon.find(|other| {
        let same = match post.tags.is_empty() {
            true => other.text == post.text,
            false => !other.tags.is_disjoint(&post.tags),
        };
        same && other.address == post.address
    });
    again.map_or(until, |again| again.at)
}
