//! O3 for commands: each effect once for each command.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Court, update_of};
use crate::database::Inbound;

impl Court<'_> {
    pub(super) fn commands(&mut self) {
        let mut due: BTreeMap<(String, String, String), i64> = BTreeMap::new();
        for row in &self.e.database.inbound {
            if row.disposition == "command"
                && row.state == "answered"
                && let Some(line) = self.line_of(row)
            {
                *due.entry(line).or_default() += 1;
            }
        }
        for line in self.e.database.audit.iter().filter(|line| line.via == "chat") {
            let subject = match line.action.as_str() {
                // Who it was about follows from the code.
                "approve" | "deny" => String::new(),
                _ => line.subject.clone(),
            };
            *due.entry((line.author.clone(), line.action.clone(), subject)).or_default() -= 1;
        }
        for ((author, action, subject), left) in due.into_iter().filter(|(_, left)| *left != 0) {
            let what = if left > 0 {
                "was never carried out"
            } else {
                "was carried out more often than it was asked"
            };
            self.find(None, format!("O3: {action} {subject} by {author} {what} ({left})"));
        }
        self.approvals();
        self.epochs();
    }

    /// What the audit must say of a command; `None` if it leaves no line.
    fn line_of(&self, row: &Inbound) -> Option<(String, String, String)> {
        let request = self.act_of(row)?.text.strip_prefix("/gateway ")?;
        let words: Vec<&str> = request.split(' ').collect();
        let is_admin = ["telegram:1006", "telegram:1007"].contains(&row.principal.as_str());
        let (action, subject) = match words.as_slice() {
            [word, ..] if !is_admin => (format!("gateway {word}"), row.address.clone()),
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

    /// A code lets one person in, once; nobody holds the same grant twice; whoever was let in was told once.
    fn approvals(&mut self) {
        let done = |action: &str| {
            let lines = self.e.database.audit.iter();
            let done = lines.filter(|line| line.action == action && line.outcome == "done");
            done.filter_map(|line| line.subject.strip_suffix(" dm").map(str::to_owned)).collect::<Vec<_>>()
        };
        let (approved, denied) = (done("approve"), done("deny"));
        let mut wrong = Vec::new();
        let mut seen = HashSet::new();
        for who in approved.iter().chain(&denied) {
            if !seen.insert(who) {
                wrong.push(format!("O3: decided twice about {who}"));
            }
        }
        let mut paired: HashMap<&str, usize> = HashMap::new();
        let mut held: HashSet<&str> = HashSet::new();
        for grant in &self.e.database.grants {
            if grant.source == "pairing" {
                *paired.entry(&grant.principal).or_default() += 1;
            }
            if grant.holds && !held.insert(&grant.principal) {
                wrong.push(format!("O3: {} holds two grants", grant.principal));
            }
        }
        for who in &approved {
            let count = paired.remove(who.as_str()).unwrap_or(0);
            let was_granted = self.e.database.grants.iter().any(|grant| grant.principal == *who);
            if count != 1 && !(count == 0 && was_granted) {
                wrong.push(format!("O3: {who} was approved and has {count} grants"));
            }
        }
        wrong.extend(paired.keys().map(|who| format!("O3: {who} was let in by no code")));
        let welcomes = self.e.database.outbox.iter().filter(|out| out.part.starts_with("pairing/")).count();
        if welcomes != approved.len() {
            wrong.push(format!("O3: {} were approved and {welcomes} told so", approved.len()));
        }
        for what in wrong {
            self.find(None, what);
        }
    }

    /// O7: each `/new` begins one epoch, and every message belongs to the one of its time.
    fn epochs(&mut self) {
        let mut now: HashMap<&str, i64> = HashMap::new();
        let mut began: HashMap<&str, i64> = HashMap::new();
        for row in self.e.database.inbound.iter().filter(|row| row.disposition != "refused") {
            let first = !now.contains_key(row.key.as_str());
            let epoch = now.entry(&row.key).or_insert(1);
            if row.body == "/new" && !first {
                *epoch += 1;
                *began.entry(&row.key).or_default() += 1;
            }
            let expected = *epoch;
            if row.epoch != expected {
                self.find(update_of(row), format!("O7: in epoch {} instead of {expected}", row.epoch));
            }
        }
        for (key, expected) in began {
            let found = self.e.database.renewed.get(key).copied().unwrap_or(0);
            if expected != found {
                self.find(None, format!("O7: {key} began {found} epochs for {expected} /new"));
            }
        }
    }
}
