//! O3, O7: every command has its effect once.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Oracle;
use crate::database::Inbound;

/// An entry of the audit: author, action and subject.
type Entry = (String, String, String);

impl Oracle<'_> {
    /// O3: the audit has one line for each of the admins' commands that was carried out.
    pub(super) fn commands(&mut self) {
        let mut due: BTreeMap<Entry, i64> = BTreeMap::new();
        let rows = self.o.database.inbound.iter();
        for row in rows.filter(|row| row.disposition == "command" && row.state == "answered") {
            if let Some(line) = self.audit_of(row) {
                *due.entry(line).or_default() += 1;
            }
        }
        // Cancellations of tasks are judged in `tasks`: one that comes too late has no line.
        let audit = self.o.database.audit.iter();
        for line in audit.filter(|line| line.via == "chat" && line.action != "task cancel") {
            let subject = match line.action.as_str() {
                // The code says about whom it was.
                "approve" | "deny" => String::new(),
                _ => line.subject.clone(),
            };
            *due.entry((line.author.clone(), line.action.clone(), subject)).or_default() -= 1;
        }
        for ((author, action, subject), left) in due.into_iter().filter(|(_, left)| *left != 0) {
            let what = if left > 0 { "was never carried out" } else { "was carried out too often" };
            self.report(None, format!("O3: {action} {subject} by {author} {what} ({left})"));
        }
    }

    /// The entry that the audit must have for a command; `None` if it must have none.
    fn audit_of(&self, row: &Inbound) -> Option<Entry> {
        let text = self.event_of(row).map_or(row.body.as_str(), |event| event.text.as_str());
        if text.starts_with("/queue drop ") {
            return Some((row.principal.clone(), "queue drop".to_owned(), row.key.clone()));
        }
        let request = text.strip_prefix("/gateway ")?;
        let words: Vec<&str> = request.split(' ').collect();
        let is_admin = self.o.admins.contains(&row.principal);
        let (action, subject) = match words.as_slice() {
            // A refusal has the action's name as well.
            ["allow", platform, user] if !is_admin => ("grant".to_owned(), format!("{platform}:{user}")),
            ["allow", platform, user] => ("grant".to_owned(), format!("{platform}:{user} dm")),
            ["revoke", platform, user] => ("revoke".to_owned(), format!("{platform}:{user} everything")),
            ["pair", _] => ("approve".to_owned(), String::new()),
            ["deny", _] => ("deny".to_owned(), String::new()),
            [word @ ("mute" | "unmute")] => ((*word).to_owned(), row.address.clone()),
            [word, ..] => (format!("gateway {word}"), row.address.clone()),
            [] => return None,
        };
        Some((row.principal.clone(), action, subject))
    }

    /// O3: a pairing code lets one user in, once, who is told once; nobody holds the same grant twice.
    pub(super) fn approvals(&mut self) {
        let database = &self.o.database;
        let done = |action: &str| -> Vec<&str> {
            let lines = database.audit.iter();
            let done = lines.filter(|line| line.action == action && line.outcome == "done");
            done.filter_map(|line| line.subject.strip_suffix(" dm")).collect()
        };
        let (approved, denied) = (done("approve"), done("deny"));
        let mut decided = HashSet::new();
        for user in approved.iter().chain(&denied) {
            if !decided.insert(user) {
                self.report(None, format!("O3: decided twice about {user}"));
            }
        }
        let mut paired: HashMap<&str, usize> = HashMap::new();
        let mut held: HashSet<&str> = HashSet::new();
        for grant in &database.grants {
            if grant.source == "pairing" {
                *paired.entry(&grant.principal).or_default() += 1;
            }
            if grant.revoked_at.is_none() && !held.insert(&grant.principal) {
                self.report(None, format!("O3: {} holds two grants", grant.principal));
            }
        }
        for user in &approved {
            let count = paired.remove(user).unwrap_or(0);
            let was_allowed = database.grants.iter().any(|grant| grant.principal == *user);
            if count != 1 && !(count == 0 && was_allowed) {
                self.report(None, format!("O3: {user} was approved and has {count} grants"));
            }
        }
        for user in paired.keys() {
            self.report(None, format!("O3: {user} was let in by no code"));
        }
        let welcomes = database.parts.iter().filter(|part| part.part_key.starts_with("pairing/")).count();
        if welcomes != approved.len() {
            self.report(None, format!("O3: {} were approved and {welcomes} told so", approved.len()));
        }
    }

    /// O7: each `/new` begins one epoch, and every message belongs to the epoch of its time.
    pub(super) fn epochs(&mut self) {
        let mut epochs: HashMap<&str, i64> = HashMap::new();
        let mut renewed: HashMap<&str, i64> = HashMap::new();
        let rows = self.o.database.inbound.iter();
        for row in rows.filter(|row| row.disposition != "refused" && !row.is_work()) {
            let first = !epochs.contains_key(row.key.as_str());
            let epoch = epochs.entry(&row.key).or_insert(1);
            if row.body == "/new" && row.disposition == "command" && !first {
                *epoch += 1;
                *renewed.entry(&row.key).or_default() += 1;
            }
            if row.epoch != *epoch {
                let what = format!("O7: in epoch {} instead of {epoch}", row.epoch);
                self.report(Some(row.event()), what);
            }
        }
        for session in &self.o.database.sessions {
            let due = renewed.get(session.key.as_str()).copied().unwrap_or(0);
            if due != session.renewed {
                let what = format!("O7: {} began {} epochs for {due} /new", session.key, session.renewed);
                self.report(None, what);
            }
        }
    }
}
