//! The list of conversations.

use std::collections::HashMap;

use serde_json::Value;

use super::chat::Place;
use crate::cli::field;

/// The chat that is always there.
pub const MAIN: &str = "main";

/// One conversation in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it is.
    pub place: Place,
    /// What it is called.
    pub title: String,
    /// Whether an answer is being written.
    pub is_busy: bool,
    /// Whether something has happened that was not on the screen.
    pub is_unread: bool,
}

/// The conversations, the latest first.
#[derive(Debug, Default)]
pub struct Sessions {
    rows: Vec<Value>,
    /// The number of the last frame that was on the screen, or that was there when the list was first read.
    seen: HashMap<String, u64>,
    is_read: bool,
    /// Which one is selected.
    pub selected: usize,
}

impl Sessions {
    /// Takes a list over. `current` is the key of the session that is on the screen.
    pub fn take(&mut self, rows: Vec<Value>, current: Option<&str>) {
        self.rows = rows;
        self.rows.sort_by_key(|row| std::cmp::Reverse(opened_at(row)));
        for row in &self.rows {
            let (key, seq) = (field::text(row, "key"), field::number(row, "seq"));
            if Some(key.as_str()) == current || !self.is_read {
                self.seen.insert(key, seq);
            }
        }
        self.is_read = true;
    }

    /// The list as it is shown. The main chat stays at the top, and the one on the screen is always there.
    pub fn entries(&self, current: &Place, agent: &str) -> Vec<Entry> {
        let is_current = |row: &Value| *current == place(row);
        let is_shown = |row: &&Value| {
            let is_ours = row["scope"] == "dm"
                && row["account"] == "default"
                && (agent.is_empty() || row["agent"] == agent);
            is_current(row) || (is_ours && row["archived"].is_null())
        };
        let mut entries: Vec<Entry> = self.rows.iter().filter(is_shown).map(|row| self.entry(row)).collect();
        for place in [current.clone(), Place::Chat(MAIN.to_owned())] {
            if !entries.iter().any(|entry| entry.place == place) {
                let title = title(&place, None);
                entries.insert(0, Entry { place, title, is_busy: false, is_unread: false });
            }
        }
        entries.sort_by_key(|entry| entry.place != Place::Chat(MAIN.to_owned()));
        entries
    }

    fn entry(&self, row: &Value) -> Entry {
        let place = place(row);
        let seen = self.seen.get(&field::text(row, "key")).copied().unwrap_or_default();
        Entry {
            title: title(&place, Some(row)),
            place,
            is_busy: field::number(row, "waiting") > 0 || !row["running"].is_null(),
            is_unread: field::number(row, "seq") > seen,
        }
    }
}

fn place(row: &Value) -> Place {
    match field::text(row, "key").parse() {
        Ok(key) => Place::of(&key),
        Err(_) => Place::Chat(field::text(row, "id")),
    }
}

fn opened_at(row: &Value) -> String {
    let last = field::text(row, "last_user_at");
    if last.is_empty() { field::text(row, "created") } else { last }
}

/// Whether this client or the page has begun the chat, so that nobody has chosen its name.
fn is_nameless(name: &str) -> bool {
    name.strip_prefix("c-")
        .is_some_and(|bits| bits.len() == 12 && bits.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// What a conversation is called.
fn title(place: &Place, row: Option<&Value>) -> String {
    let given = row.map(|row| field::text(row, "title")).unwrap_or_default();
    if !given.is_empty() {
        return given;
    }
    let name = match place {
        Place::Session(key) => return key.as_str().to_owned(),
        Place::Chat(name) => name,
    };
    if name == MAIN {
        return "Main chat".to_owned();
    }
    if !is_nameless(name) {
        return name.clone();
    }
    let opening = row.map(|row| field::text(row, "opening")).unwrap_or_default();
    let opening = opening.split_whitespace().collect::<Vec<_>>().join(" ");
    if opening.is_empty() { "New conversation".to_owned() } else { opening }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(id: &str, seq: u64, last: &str) -> Value {
        json!({
            "key": format!("agent:main:web:dm:{id}"), "id": id, "agent": "main", "scope": "dm", "account": "default",
            "seq": seq, "last_user_at": last, "archived": null, "running": null, "waiting": 0,
        })
    }

    #[test]
    fn the_main_chat_is_first_then_the_latest() {
        let mut sessions = Sessions::default();
        sessions.take(
            vec![row("a", 1, "2026-01-01"), row("b", 1, "2026-01-02"), row("main", 1, "2025-01-01")],
            None,
        );
        let titles = |sessions: &Sessions, place: &str| -> Vec<String> {
            let entries = sessions.entries(&Place::Chat(place.into()), "main");
            entries.into_iter().map(|entry| entry.title).collect()
        };
        assert_eq!(titles(&sessions, "main"), ["Main chat", "b", "a"]);
        assert_eq!(titles(&sessions, "c-0123456789ab"), ["Main chat", "New conversation", "b", "a"]);
    }

    #[test]
    fn what_happens_elsewhere_is_unread_until_it_is_opened() {
        let mut sessions = Sessions::default();
        sessions.take(vec![row("a", 3, "2026-01-01")], None);
        let unread = |sessions: &Sessions| {
            let entries = sessions.entries(&Place::Chat("main".into()), "main");
            entries.iter().filter(|entry| entry.is_unread).count()
        };
        assert_eq!(unread(&sessions), 0, "the first list is where reading begins");
        sessions.take(vec![row("a", 4, "2026-01-01"), row("b", 1, "2026-01-02")], None);
        assert_eq!(unread(&sessions), 2);
        sessions.take(vec![row("a", 4, "2026-01-01")], Some("agent:main:web:dm:a"));
        assert_eq!(unread(&sessions), 0);
    }

    #[test]
    fn a_nameless_conversation_is_called_by_its_first_words() {
        let mut sessions = Sessions::default();
        let mut nameless = row("c-0123456789ab", 1, "2026-01-01");
        nameless["opening"] = "What is\n tea?".into();
        let mut named = row("b", 1, "2026-01-02");
        named["title"] = "Tea".into();
        let mut archived = row("old", 1, "2026-01-03");
        archived["archived"] = "2026-01-04".into();
        sessions.take(vec![nameless, named, archived], None);
        let entries = sessions.entries(&Place::Chat("main".into()), "main");
        let titles: Vec<&str> = entries.iter().map(|entry| entry.title.as_str()).collect();
        assert_eq!(titles, ["Main chat", "Tea", "What is tea?"]);
    }
}
