//! What the log says of requests and frames that were refused as they came: a few short lines a minute, and how many
//! more there were.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use frontdesk_core::port::Mono;

use crate::limit::client;
use crate::show::escaped;

/// How many lines of one kind are logged in one period.
const LINES: usize = 4;

/// The period.
const PERIOD: Duration = Duration::from_secs(60);

/// The longest detail of a line, in characters before they are escaped.
const DETAIL: usize = 64;

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Why {
    ForeignOrigin,
    UnknownHost,
    WrongToken,
    TokenInUrl,
    ForgedWebhook,
    UnreadableFrame,
}

impl Why {
    fn sentence(self) -> &'static str {
        match self {
            Why::ForeignOrigin => "a page of a foreign origin was refused",
            Why::UnknownHost => "a request under an unknown host name was refused",
            Why::WrongToken => "a wrong token was refused",
            Why::TokenInUrl => "a token in a URL was refused",
            Why::UnreadableFrame => "a frame of a web client could not be read; the client was told so",
            Why::ForgedWebhook => "a webhook without the right secret was refused",
        }
    }
}

/// What was refused lately.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<Period>);

#[derive(Default)]
struct Period {
    began: Option<Mono>,
    logged: Vec<(Why, IpAddr, String)>,
    unlogged: BTreeMap<Why, u64>,
}

impl Refusals {
    /// Logs a refusal, unless the same was logged in this period or enough was. `detail` is the stranger's own words:
    /// it is cut and escaped, and must not be a secret.
    pub(crate) fn note(&self, why: Why, ip: IpAddr, detail: &str, now: Mono) {
        let line = (why, client(ip), short(detail));
        let mut period = self.period();
        period.begin_anew(now);
        period.began.get_or_insert(now);
        let logged = period.logged.iter().filter(|(kind, ..)| *kind == why).count();
        if logged >= LINES || period.logged.contains(&line) {
            *period.unlogged.entry(why).or_default() += 1;
            return;
        }
        tracing::warn!(%ip, detail = %line.2, "{}", why.sentence());
        period.logged.push(line);
    }

    /// Says how many were not logged, once the period is over.
    pub(crate) fn sum_up(&self, now: Mono) {
        self.period().begin_anew(now);
    }

    /// Says it now: nothing more is logged after this.
    pub(crate) fn end(&self) {
        self.period().finish();
    }

    fn period(&self) -> MutexGuard<'_, Period> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Period {
    fn begin_anew(&mut self, now: Mono) {
        if self.began.is_some_and(|began| now.since(began) >= PERIOD) {
            self.finish();
        }
    }

    fn finish(&mut self) {
        if !self.unlogged.is_empty() {
            let counts =
                self.unlogged.iter().map(|(why, count)| format!("{count} times: {}", why.sentence()));
            tracing::warn!("more of the same within a minute; {}", counts.collect::<Vec<_>>().join("; "));
        }
        *self = Self::default();
    }
}

/// The beginning of what a stranger said, safe in a line of the log.
pub(crate) fn short(text: &str) -> String {
    let mut shown: String = text.chars().take(DETAIL).collect();
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
        let refusals = Refusals::default();
        for n in 0..10_000_u32 {
            let origin = format!("https://evil{n}.example/{}", "x".repeat(31_000));
            refusals.note(Why::ForeignOrigin, IpAddr::from([192, 0, 2, 1]), &origin, at(0));
        }
        {
            let period = refusals.period();
            assert_eq!(period.logged.len(), LINES);
            assert!(period.logged.iter().all(|(_, _, detail)| detail.chars().count() <= DETAIL + 1));
            assert_eq!(period.unlogged[&Why::ForeignOrigin], 10_000 - LINES as u64);
        }
        refusals.sum_up(at(30));
        assert!(!refusals.period().logged.is_empty(), "the period is not over");
        refusals.sum_up(at(60));
        assert!(refusals.period().logged.is_empty());
    }

    #[test]
    fn what_a_stranger_says_cannot_forge_a_line() {
        assert_eq!(short("a\r\nINFO all is well\u{1b}[2J"), "a\\u{d}\\u{a}INFO all is well\\u{1b}[2J");
        assert_eq!(short(&"ä".repeat(1000)).chars().count(), DETAIL + 1);
    }
}
