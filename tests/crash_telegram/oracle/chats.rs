//! O2, O5: what the chats show.

use std::collections::{BTreeMap, HashMap, HashSet};

use frontdesk_botapi::{BOT, Call};

use super::Court;
use crate::cast::{ADA, OTTO, Place};
use crate::database::{Out, Turn};
use crate::script::{Deed, bytes, fingerprint, tags};

/// A message by its bot, chat and number.
type Id = (i64, i64, i64);

impl<'a> Court<'a> {
    pub(super) fn chats(&mut self) {
        let shown = self.shown();
        self.right_chats();
        let mut last: HashMap<&str, (i64, i64)> = HashMap::new();
        let mut whole: BTreeMap<i64, String> = BTreeMap::new();
        let mut owners: HashMap<Id, i64> = HashMap::new();
        let mut withdrawn: HashSet<i64> = HashSet::new();
        for out in &self.e.database.outbox {
            let update = self.update_about(out);
            self.belongs(out, update);
            if self.never_begun(out) {
                continue;
            }
            if self.was_withdrawn(out) {
                withdrawn.extend(out.turn);
                continue;
            }
            let Some(id) = id(out).filter(|_| out.state == "sent") else {
                self.find(update, format!("O2: a part is {}: {out:?}", out.state));
                continue;
            };
            if let Some(other) = owners.insert(id, out.id) {
                self.find(update, format!("O2: o{other} and this are one message: {out:?}"));
            }
            let there = shown.get(&id);
            let said = |text: &str| text == out.body || out.plain.as_deref() == Some(text);
            if !out.masked && !there.is_some_and(|call| said(call.text())) {
                self.find(update, format!("O2: the chat shows {there:?} for {out:?}"));
            }
            if let (Some(turn), "answer", false) = (out.turn, out.kind.as_str(), out.media) {
                whole.entry(turn).or_default().push_str(out.plain.as_deref().unwrap_or(&out.body));
            }
            if let (true, Some(turn)) = (out.media, out.turn) {
                self.right_file(out, turn, id, update);
            }
            let (number, other) = last.get(out.address.as_str()).copied().unwrap_or_default();
            if id.2 < number {
                self.find(update, format!("O5: it arrived before o{other}, which is older: {out:?}"));
            }
            last.insert(&out.address, (id.2, out.id));
        }
        let whole_ones = |turn: &&Turn| turn.state == "done" && !withdrawn.contains(&turn.id);
        for turn in self.e.database.turns.values().filter(whole_ones) {
            let Some(script) = self.script_of(turn.id) else { continue };
            let text = whole.get(&turn.id).map(String::as_str).unwrap_or_default();
            if solid(text) != solid(&script.answer()) {
                let update = self.rows_of(turn.id).first().and_then(|row| super::update_of(row));
                self.find(update, format!("O2: the parts do not make the answer: {text:?}"));
            }
            let files =
                self.e.database.outbox.iter().filter(|out| out.turn == Some(turn.id) && out.media).count();
            if files != usize::from(matches!(script.deed, Deed::Send { .. })) {
                let update = self.rows_of(turn.id).first().and_then(|row| super::update_of(row));
                self.find(update, format!("O2: {files} files were sent"));
            }
        }
    }

    /// What each message of a bot says last.
    fn shown(&self) -> HashMap<Id, &'a Call> {
        let mut shown = HashMap::new();
        for call in self.e.calls.iter().filter(|call| call.is_done()) {
            let says = call.is_post() || call.method.starts_with("editMessage");
            if let Some(message) = call.message.filter(|_| says) {
                shown.insert((call.bot, call.chat, message), &**call);
            }
        }
        shown
    }

    /// Nothing that was said in one place is repeated in another.
    fn right_chats(&mut self) {
        let places: HashMap<&str, &Place> =
            self.e.book.acts.iter().map(|act| (act.place.name.as_str(), &*act.place)).collect();
        let mut threads: HashMap<Id, Option<i64>> = HashMap::new();
        for call in &self.e.calls {
            // An edit does not say where its message stands.
            let edited = call.params.get("message_id").and_then(|number| number.as_i64());
            let thread = match edited {
                Some(message) => threads.get(&(call.bot, call.chat, message)).copied().flatten(),
                None => call.thread,
            };
            if let Some(message) = call.message.filter(|_| call.is_post()) {
                threads.insert((call.bot, call.chat, message), call.thread);
            }
            for tag in tags(call.text()) {
                let place = tag.split('-').nth(1).and_then(|name| places.get(name));
                let right = place.is_some_and(|place| {
                    (place.bot, place.chat, place.thread) == (call.bot, call.chat, thread)
                });
                if !right {
                    let (bot, chat) = (call.bot, call.chat);
                    self.find(
                        None,
                        format!("O2: {tag} was said to {chat} topic {thread:?} by bot {bot}: {call:?}"),
                    );
                }
            }
        }
    }

    /// A part goes where the message came from that it answers. Only who asks to be let in is told to others.
    fn belongs(&mut self, out: &Out, update: Option<(i64, i64)>) {
        let Some(act) = update.and_then(|update| self.acts.get(&update)).copied() else { return };
        let to_admin = out.part.contains("/notice/asked/")
            && [ADA, OTTO].iter().any(|admin| Place::private(*admin).address() == out.address);
        if out.address != act.place.address() && !to_admin {
            self.find(update, format!("O2: an answer to {} goes elsewhere: {out:?}", act.place.address()));
        }
    }

    /// The beginning of an answer that was taken back before the chat had any of it, or a code that nobody can use
    /// any more: there is nothing to finish.
    fn never_begun(&self, out: &Out) -> bool {
        let turn = out.turn.and_then(|id| self.e.database.turns.get(&id));
        out.state == "dropped" && out.platform.is_none() && turn.is_some_and(|turn| turn.state == "cancelled")
    }

    /// Whoever was shut out gets nothing any more, not even what was on its way: only then is a part given up.
    fn was_withdrawn(&self, out: &Out) -> bool {
        let about = out.turn.and_then(|turn| self.rows_of(turn).first().copied());
        let about = about.or_else(|| self.e.database.inbound.iter().find(|row| Some(row.id) == out.message));
        let Some(row) = about.filter(|_| out.state == "dropped") else { return false };
        let subject = format!("{} everything", row.principal);
        let audit = &self.e.database.audit;
        audit
            .iter()
            .any(|line| line.action == "revoke" && line.subject == subject && line.at + 200 >= row.received)
    }

    fn right_file(&mut self, out: &Out, turn: i64, id: Id, update: Option<(i64, i64)>) {
        let Some(script) = self.script_of(turn) else { return };
        let Deed::Send { bytes: size } = script.deed else { return };
        let right = fingerprint(&bytes(&script.tag, size));
        // Files of the second bot are not looked at.
        if id.0 == BOT && self.e.files.get(&(id.1, id.2)) != Some(&right) {
            let there = self.e.files.get(&(id.1, id.2));
            self.find(update, format!("O2: the file is {there:?} and should be {right}: {out:?}"));
        }
    }
}

/// The message that a part has become.
pub(super) fn id(out: &Out) -> Option<Id> {
    let fields: Vec<&str> = out.address.split(':').collect();
    let (bot, chat) = match fields.as_slice() {
        ["telegram", "work", chat, ..] => (crate::cast::WORK_BOT, chat),
        ["telegram", chat, ..] => (BOT, chat),
        _ => return None,
    };
    Some((bot, chat.parse().ok()?, out.number()?))
}

/// Where an answer is cut, white space may go.
fn solid(text: &str) -> String {
    text.split_whitespace().collect()
}
