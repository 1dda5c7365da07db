//! O2, O5: what the chats of platforms show.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::frames::WEB;
use super::{Oracle, without_space};
use crate::database::{Part, Turn};
use crate::observed::{Call, CallKind, MessageId};

impl<'a> Oracle<'a> {
    pub(super) fn chats(&mut self) {
        let (shown, begun) = (self.shown(), self.begun());
        let mut last: HashMap<(&str, bool), (usize, i64)> = HashMap::new();
        let mut answers: BTreeMap<i64, String> = BTreeMap::new();
        let mut owners: HashMap<MessageId, i64> = HashMap::new();
        let mut withdrawn: HashSet<i64> = HashSet::new();
        let mut albums: HashMap<i64, usize> = HashMap::new();
        for part in &self.o.database.parts {
            let event = self.event_about(part);
            self.goes_back(part);
            if self.never_begun(part) {
                continue;
            }
            if self.was_withdrawn(part) {
                withdrawn.extend(part.turn_id);
                continue;
            }
            if part.state != "sent" {
                self.report(event, format!("O2: a part is {}: {part:?}", part.state));
                continue;
            }
            if let (Some(turn), "answer", None) = (part.turn_id, part.kind.as_str(), &part.media) {
                answers.entry(turn).or_default().push_str(part.plain());
            }
            // `frames` checks those.
            if part.address.starts_with(WEB) {
                continue;
            }
            let Some(message) = part.message() else {
                self.report(event, format!("O2: sent, and no message has it: {part:?}"));
                continue;
            };
            let id = (part.address.clone(), message.clone());
            let there = shown.get(&id);
            self.right_text(part, there.copied());
            self.right_file(part, &id);
            if let (Some(album), Some(there)) = (part.album, there)
                && *albums.entry(album).or_insert(there.request) != there.request
            {
                self.report(event.clone(), format!("O2: an album came in several requests: {part:?}"));
            }
            // A message that grows keeps the place of its first post: later messages stand below it.
            let place = begun.get(&id).copied().unwrap_or(0);
            // What people wait for is in order, also before later results; results only among themselves, because they give way.
            let is_unasked = self.is_unasked(part);
            let last_of =
                |is_unasked| last.get(&(part.address.as_str(), is_unasked)).copied().unwrap_or_default();
            let (before, other) = if is_unasked { last_of(false).max(last_of(true)) } else { last_of(false) };
            if place < before {
                self.report(
                    event.clone(),
                    format!("O5: it arrived before o{other}, which is older: {part:?}"),
                );
            }
            last.insert((&part.address, is_unasked), (place, part.id));
            if let Some(other) = owners.insert(id, part.id) {
                self.report(event, format!("O2: o{other} has the same message: {part:?}"));
            }
        }
        self.whole_answers(&answers, &withdrawn);
    }

    /// O2: the chat shows the text of a part, or of its last change.
    fn right_text(&mut self, part: &Part, there: Option<&Call>) {
        let now = self.last_change(part).unwrap_or(part);
        let is_right = |call: &Call| now.salt.is_some() || call.text == now.body || call.text == now.plain();
        if !there.is_some_and(is_right) {
            self.report(self.event_about(part), format!("O2: the chat shows {there:?} for {part:?}"));
        }
    }

    fn whole_answers(&mut self, answers: &BTreeMap<i64, String>, withdrawn: &HashSet<i64>) {
        let turns = self.o.database.turns.values();
        // The results of background work are judged in `work`.
        let turns = turns.filter(|turn| turn.state == "done" && !turn.is_work());
        for turn in turns.filter(|turn| !withdrawn.contains(&turn.id)) {
            self.whole_answer(turn, answers.get(&turn.id).map(String::as_str).unwrap_or_default());
        }
    }

    /// The last text of each message.
    fn shown(&self) -> HashMap<MessageId, &'a Call> {
        let calls = self.o.calls.iter().filter(|call| call.kind != CallKind::Other);
        calls.filter_map(|call| Some((call.id()?, &**call))).collect()
    }

    /// The last edit of a part's message that was asked for and made.
    fn last_change(&self, part: &Part) -> Option<&'a Part> {
        self.changes.get(&(part.address.clone(), part.message()?.clone())).copied()
    }

    /// Whether nobody in its chat has asked for a part at this moment: what people wait for may go before it.
    fn is_unasked(&self, part: &Part) -> bool {
        let turn = part.turn_id.and_then(|turn| self.o.database.turns.get(&turn));
        match part.kind.as_str() {
            "result" => true,
            "send" => turn.is_none_or(|turn| turn.task_id.is_some()),
            _ => false,
        }
    }

    /// The position of the post that made each message.
    fn begun(&self) -> HashMap<MessageId, usize> {
        let posts = self.o.posts().enumerate();
        posts.filter_map(|(position, call)| Some((call.id()?, position))).collect()
    }

    /// O2: the parts of an answer make the whole answer, with its file.
    fn whole_answer(&mut self, turn: &Turn, text: &str) {
        let Some(script) = self.script_of(turn.id) else { return };
        let event = self.event_of_turn(turn.id);
        if without_space(text) != without_space(&script.answer()) {
            self.report(event.clone(), format!("O2: the parts do not make the answer: {text:?}"));
        }
        let parts = self.parts_of_turn.get(&turn.id).into_iter().flatten();
        let files = parts.filter(|part| part.media.is_some()).count();
        if files != script.files().len() {
            self.report(event, format!("O2: {files} files were sent"));
        }
    }

    /// O2: nothing that was sent in one place is repeated in another, and edits change messages of their own chat.
    pub(super) fn places(&mut self) {
        let events = self.o.journal.events.iter();
        let places: HashMap<&str, &str> =
            events.map(|event| (event.place.name.as_str(), event.place.address.as_str())).collect();
        for call in &self.o.calls {
            if call.refused.as_ref().is_some_and(|why| why.ends_with("message to edit not found")) {
                self.report(None, format!("O2: an edit of a message that is not in the chat: {call:?}"));
            }
            // What a person is told who pressed a button is in no chat.
            let tags = call.tags.iter().filter(|_| call.method != "answerCallbackQuery");
            // The beginning of a long result may end within a tag.
            let is_cut = |tag: &&String| {
                call.tags.iter().any(|other| other != *tag && other.starts_with(tag.as_str()))
            };
            for tag in tags.filter(|tag| !is_cut(tag)) {
                let place = tag.split('-').nth(1).and_then(|name| places.get(name));
                if place != Some(&call.address.as_str()) {
                    self.report(None, format!("O2: {tag} was sent elsewhere: {call:?}"));
                }
            }
        }
    }

    /// O2: a part goes where the message came from that it answers. Only a pairing request is told to the admins.
    fn goes_back(&mut self, part: &Part) {
        let event = self.row_about(part).and_then(|row| self.event_of(row));
        let Some(event) = event.filter(|event| event.place.address != part.address) else { return };
        let to_admin = part.part_key.contains("/notice/asked/") && self.o.admins.contains(&part.address);
        if !to_admin {
            self.report(Some(event.key()), format!("O2: an answer goes elsewhere: {part:?}"));
        }
    }

    /// Whether it is the beginning of an answer that was cancelled before the chat had any of it.
    fn never_begun(&self, part: &Part) -> bool {
        let turn = part.turn_id.and_then(|id| self.o.database.turns.get(&id));
        part.state == "dropped"
            && part.platform_message_id.is_none()
            && turn.is_some_and(|turn| matches!(turn.state.as_str(), "cancelled" | "superseded"))
    }

    /// A user whose access was revoked gets nothing more, not even what was on its way.
    fn was_withdrawn(&self, part: &Part) -> bool {
        part.state == "dropped" && self.row_about(part).is_some_and(|row| self.was_revoked(row))
    }

    fn right_file(&mut self, part: &Part, id: &MessageId) {
        let script = part.media.as_ref().and(part.turn_id).and_then(|turn| self.script_of(turn));
        let Some(right) = script.and_then(|script| self.o.right_files.get(&script.tag)) else { return };
        let parts = part.turn_id.and_then(|turn| self.parts_of_turn.get(&turn)).into_iter().flatten();
        let before = parts.filter(|other| other.media.is_some() && other.id < part.id).count();
        let (there, right) = (self.o.files.get(id), right.get(before));
        if !self.o.unread_files.contains(&part.address) && there != right {
            let what = format!("O2: the file is {there:?} and should be {right:?}: {part:?}");
            self.report(self.event_about(part), what);
        }
    }
}
