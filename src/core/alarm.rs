//! Alarms about the gateway itself: when people are told that something is wrong, that it still is, and that it is over.
//!
//! A pure decision between two lists: the faults that are open, and those that the newest check has found.

use chrono::{DateTime, TimeDelta, Utc};

use crate::span;

/// Kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FaultKind {
    /// The agent has completed no heartbeat in time.
    Heartbeat,
    /// A turn runs beyond its limit.
    Turn,
    /// An account has no contact to its platform.
    Channel,
    /// Messages wait too long for an answer.
    Queue,
    /// Messages are not delivered.
    Delivery,
    /// The disk is almost full.
    Disk,
    /// The database is slow.
    Storage,
}

impl FaultKind {
    /// All variants.
    pub const ALL: [FaultKind; 7] = [
        FaultKind::Heartbeat,
        FaultKind::Turn,
        FaultKind::Channel,
        FaultKind::Queue,
        FaultKind::Delivery,
        FaultKind::Disk,
        FaultKind::Storage,
    ];

    /// The name in the database and in the log.
    pub fn name(self) -> &'static str {
        match self {
            FaultKind::Heartbeat => "heartbeat",
            FaultKind::Turn => "turn",
            FaultKind::Channel => "channel",
            FaultKind::Queue => "queue",
            FaultKind::Delivery => "delivery",
            FaultKind::Disk => "disk",
            FaultKind::Storage => "storage",
        }
    }

    /// The kind with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What a fault is about. At most one fault is open for each.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FaultId {
    /// Its kind.
    pub kind: FaultKind,
    /// The account or the session that has it; empty for the gateway as a whole.
    pub subject: String,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What it is about.
    pub id: FaultId,
    /// What is wrong, and what to do, in Markdown.
    pub text: String,
}

impl Fault {
    /// A fault of the gateway as a whole.
    pub fn new(kind: FaultKind, text: String) -> Self {
        Self::of(kind, String::new(), text)
    }

    /// A fault of an account or a session.
    pub fn of(kind: FaultKind, subject: String, text: String) -> Self {
        Self { id: FaultId { kind, subject }, text }
    }
}

/// A fault that was found before, and has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFault {
    /// What it is about.
    pub id: FaultId,
    /// When it was found first.
    pub since: DateTime<Utc>,
    /// When people were told of it last; `None` if they were not told yet.
    pub told: Option<DateTime<Utc>>,
    /// How often they were told.
    pub tells: u32,
}

/// What people are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// About what.
    pub id: FaultId,
    /// In Markdown.
    pub text: String,
    /// The same for every attempt to tell this.
    pub key: String,
    /// Whether the fault is over.
    pub over: bool,
}

/// What people are to be told now. Every fault that was found is in `open`; a reminder comes after `remind`.
pub fn alarms(open: &[OpenFault], found: &[Fault], now: DateTime<Utc>, remind: TimeDelta) -> Vec<Alarm> {
    let found = |id: &FaultId| found.iter().find(|fault| fault.id == *id);
    open.iter().filter_map(|fault| alarm(fault, found(&fault.id), now, remind)).collect()
}

fn alarm(fault: &OpenFault, found: Option<&Fault>, now: DateTime<Utc>, remind: TimeDelta) -> Option<Alarm> {
    let lasts = span::length((now - fault.since).max(TimeDelta::zero()));
    let (text, step, over) = match (found, fault.told) {
        (Some(found), None) => (raised(found), fault.tells.to_string(), false),
        (Some(found), Some(told)) if now - told >= remind => {
            (format!("⚠️ For {lasts} now: {}", found.text), fault.tells.to_string(), false)
        }
        (None, Some(_)) => (format!("✅ {} It lasted {lasts}.", over(&fault.id)), "over".to_owned(), true),
        // Nothing new, or a fault that ended before anybody was told of it.
        (Some(_), Some(_)) | (None, None) => return None,
    };
    let (kind, subject, since) = (fault.id.kind.name(), &fault.id.subject, fault.since.timestamp_millis());
    let key = format!("alarm/{kind}/{subject}/{since}/{step}");
    Some(Alarm { id: fault.id.clone(), text, key, over })
}

fn raised(fault: &Fault) -> String {
    match fault.id.kind {
        FaultKind::Heartbeat => format!("## ⚠️ MISSED HEARTBEAT\n\n{}", fault.text),
        _ => format!("⚠️ {}", fault.text),
    }
}

fn over(id: &FaultId) -> String {
    let subject = &id.subject;
    match id.kind {
        FaultKind::Heartbeat => "No heartbeat is overdue any more.".to_owned(),
        FaultKind::Turn => format!("The answer in `{subject}` has ended."),
        FaultKind::Channel => format!("`{subject}` no longer lacks contact to its platform."),
        FaultKind::Queue => "Messages are answered in time again.".to_owned(),
        FaultKind::Delivery if subject.is_empty() => "Messages are delivered again.".to_owned(),
        FaultKind::Delivery => format!("Messages over `{subject}` are delivered again."),
        FaultKind::Disk => "The disk has enough space again.".to_owned(),
        FaultKind::Storage => "The database is fast again.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REMIND: TimeDelta = TimeDelta::hours(6);

    fn at(hour: u32) -> DateTime<Utc> {
        format!("2026-11-28T{hour:02}:00:00Z").parse().unwrap()
    }

    fn full() -> Fault {
        Fault::new(FaultKind::Disk, "The disk has 10 MB left.".to_owned())
    }

    fn open(told: Option<u32>, tells: u32) -> OpenFault {
        OpenFault { id: full().id, since: at(1), told: told.map(at), tells }
    }

    #[test]
    fn a_fault_is_told_once_then_every_six_hours_and_once_when_it_is_over() {
        let told = |open: OpenFault, found: &[Fault], now| alarms(&[open], found, at(now), REMIND);
        let first = told(open(None, 0), &[full()], 1);
        assert_eq!(first[0].text, "⚠️ The disk has 10 MB left.");
        assert_eq!(first, told(open(None, 0), &[full()], 2), "the same until it was told");
        assert_eq!(told(open(Some(1), 1), &[full()], 6), []);
        let again = told(open(Some(1), 1), &[full()], 7);
        assert_eq!(again[0].text, "⚠️ For 6 hours now: The disk has 10 MB left.");
        assert_ne!(again[0].key, first[0].key);
        let over = told(open(Some(7), 2), &[], 8);
        assert_eq!(over[0].text, "✅ The disk has enough space again. It lasted 7 hours.");
        assert!(over[0].over);
        assert_eq!(told(open(None, 0), &[], 8), [], "nobody knew of it");
    }

    #[test]
    fn a_clock_that_was_set_back_repeats_no_alarm() {
        assert_eq!(alarms(&[open(Some(9), 1)], &[full()], at(2), REMIND), []);
        let over = alarms(&[OpenFault { since: at(9), ..open(Some(9), 1) }], &[], at(2), REMIND);
        assert_eq!(over[0].text, "✅ The disk has enough space again. It lasted 0 seconds.");
    }

    #[test]
    fn every_kind_has_a_name() {
        for kind in FaultKind::ALL {
            assert_eq!(FaultKind::named(kind.name()), Some(kind));
        }
    }
}
