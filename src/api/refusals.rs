//! Logs refused requests and frames: a few short lines a minute, and a count of the others.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use frontdesk_core::port::Mono;

use crate::network::client_network;
use crate::show::escaped;

/// Maximum number of lines of one kind in one period.
const MAX_LINES: usize = 4;

const PERIOD: Duration = Duration::from_secs(60);

/// Maximum characters of a line's detail before it is escaped.
const MAX_DETAIL: usize = 64;

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RefusalKind {
    ForeignOrigin,
    UnknownHost,
    WrongToken,
    TokenInUrl,
    ForgedWebhook,
    StaleWebhook,
    UnreadableFrame,
}

impl RefusalKind {
    fn sentence(self) -> &'static str {
        match self {
            RefusalKind::ForeignOrigin => "a page of a foreign origin was refused",
            RefusalKind::UnknownHost => "a request under an unknown host name was refused",
            RefusalKind::WrongToken => "a wrong token was refused",
            RefusalKind::TokenInUrl => "a token in a URL was refused",
            RefusalKind::UnreadableFrame => "an unreadable frame of a web client was refused",
            RefusalKind::ForgedWebhook => "a webhook without the right secret was refused",
            RefusalKind::StaleWebhook => {
                "a webhook whose signature names a time too far from now was refused: check this machine's clock"
            }
        }
    }
}

/// The refusals of the current period.
#[derive(Default)]
pub(crate) struct RefusalLog(Mutex<Period>);

#[derive(Default)]
struct Period {
    began: Option<Mono>,
    logged: Vec<(RefusalKind, IpAddr, String)>,
    unlogged: BTreeMap<RefusalKind, u64>,
}

impl RefusalLog {
    /// Logs a refusal, unless the same one or enough of its kind were logged in this period. `detail` comes from the
    /// client: it is shortened and escaped, and must not be a secret.
    pub(crate) fn record(&self, kind: RefusalKind, ip: IpAddr, detail: &str, now: Mono) {
        let line = (kind, client_network(ip), shortened(detail));
        let mut period = self.period();
        period.finish_if_over(now);
        period.began.get_or_insert(now);
        let logged = period.logged.iter().filter(|(logged, ..)| *logged == kind).count();
        if logged >= MAX_LINES || period.logged.contains(&line) {
            *period.unlogged.entry(kind).or_default() += 1;
            return;
        }
        tracing::warn!(%ip, detail = %line.2, "{}", kind.sentence());
        period.logged.push(line);
    }

    /// Logs how many refusals were not logged, if the period is over.
    pub(crate) fn log_summary_if_due(&self, now: Mono) {
        self.period().finish_if_over(now);
    }

    /// Logs how many refusals were not logged. Called at the end.
    pub(crate) fn log_summary(&self) {
        self.period().log_summary();
    }

    fn period(&self) -> MutexGuard<'_, Period> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Period {
    fn finish_if_over(&mut self, now: Mono) {
        if self.began.is_some_and(|began| now.since(began) >= PERIOD) {
            self.log_summary();
        }
    }

    fn log_summary(&mut self) {
        if !self.unlogged.is_empty() {
            let counts =
                self.unlogged.iter().map(|(kind, count)| format!("{count} times: {}", kind.sentence()));
            tracing::warn!("further refusals within a minute: {}", counts.collect::<Vec<_>>().join("; "));
        }
        *self = Self::default();
    }
}

/// The beginning of a text from a client, escaped for the log.
pub(crate) fn shortened(text: &str) -> String {
    let mut shown: String = text.chars().take(MAX_DETAIL).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    escaped(&shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Mono {
        Mono(Duration::from_secs(1000 + seconds))
    }

    #[test]
    fn a_flood_of_refusals_is_a_few_short_lines_and_a_count() {
        let refusals = RefusalLog::default();
        for n in 0..10_000_u32 {
            let origin = format!("https://evil{n}.example/{}", "x".repeat(31_000));
            refusals.record(RefusalKind::ForeignOrigin, IpAddr::from([192, 0, 2, 1]), &origin, at(0));
        }
        {
            let period = refusals.period();
            assert_eq!(period.logged.len(), MAX_LINES);
            assert!(period.logged.iter().all(|(_, _, detail)| detail.chars().count() <= MAX_DETAIL + 1));
            assert_eq!(period.unlogged[&RefusalKind::ForeignOrigin], 10_000 - MAX_LINES as u64);
        }
        refusals.log_summary_if_due(at(30));
        assert!(!refusals.period().logged.is_empty(), "the period is not over");
        refusals.log_summary_if_due(at(60));
        assert!(refusals.period().logged.is_empty());
    }

    #[test]
    fn a_client_cannot_forge_a_line_of_the_log() {
        assert_eq!(shortened("a\r\nINFO all is well\u{1b}[2J"), "a\\u{d}\\u{a}INFO all is well\\u{1b}[2J");
        assert_eq!(shortened(&"ä".repeat(1000)).chars().count(), MAX_DETAIL + 1);
    }
}
