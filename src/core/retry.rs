//! How long to wait before the next attempt.

use std::time::Duration;

/// A growing delay: `base * factor^n`, randomised by `jitter`, at most `cap`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    /// The delay after the first failure.
    pub base: Duration,
    /// The factor by which each delay is longer than the one before.
    pub factor: f64,
    /// The share by which a delay may be shorter or longer, so that clients that failed together do not come back
    /// together.
    pub jitter: f64,
    /// The maximum delay.
    pub cap: Duration,
}

impl Default for Backoff {
    /// 1 s * 2^n, plus or minus 20 %, at most 5 min.
    fn default() -> Self {
        Backoff { base: Duration::from_secs(1), factor: 2.0, jitter: 0.2, cap: Duration::from_secs(300) }
    }
}

impl Backoff {
    /// The delay after `attempt` failures in a row, counted from 1 (0 counts as 1). `random` is uniform in `0.0..1.0`;
    /// the caller supplies it, because core has no random numbers.
    pub fn delay(&self, attempt: u32, random: f64) -> Duration {
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        let cap = self.cap.as_secs_f64();
        let grown = self.base.as_secs_f64() * self.factor.powi(exponent);
        // `min` also returns the cap if the product is infinite or, with a factor of 0, not a number.
        let plain = grown.min(cap);
        let random = if random.is_finite() { random.clamp(0.0, 1.0) } else { 0.5 };
        let spread = plain * (1.0 + self.jitter * (2.0 * random - 1.0));
        // A value above the cap is mirrored below it. Cutting it off would make half of all long waits end at the same
        // instant.
        let mirrored = if spread > cap { 2.0 * cap - spread } else { spread };
        Duration::try_from_secs_f64(mirrored.max(0.0)).map_or(self.cap, |delay| delay.min(self.cap))
    }
}

/// Whether an operation failed because the machine temporarily lacks something: open files (of the process or of the
/// system), processes, memory or disk space. That is a reason to wait.
pub fn is_shortage(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;

    /// ENFILE and EMFILE, which have no `ErrorKind`. The numbers are the same on every Unix.
    const FILES: [i32; 2] = [23, 24];
    let files = error.raw_os_error().is_some_and(|number| FILES.contains(&number));
    let kind = error.kind();
    files
        || matches!(
            kind,
            ErrorKind::WouldBlock
                | ErrorKind::OutOfMemory
                | ErrorKind::StorageFull
                | ErrorKind::QuotaExceeded
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_pause_doubles_from_one_second_to_five_minutes() {
        let seconds: Vec<u64> =
            (1..=12).map(|attempt| Backoff::default().delay(attempt, 0.5).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    }

    #[test]
    fn chance_moves_the_pause_by_a_fifth() {
        let backoff = Backoff::default();
        assert_eq!(backoff.delay(3, 0.0), Duration::from_millis(3200));
        assert_eq!(backoff.delay(3, 1.0), Duration::from_millis(4800));
    }

    #[test]
    fn delays_at_the_cap_are_still_randomised() {
        let backoff = Backoff::default();
        let pauses: std::collections::BTreeSet<Duration> =
            [0.0, 0.2, 0.45, 0.6, 0.9].map(|random| backoff.delay(20, random)).into();
        assert_eq!(pauses.len(), 5);
        assert!(pauses.iter().all(|pause| (240..=300).contains(&pause.as_secs())), "{pauses:?}");
    }

    #[test]
    fn only_a_shortage_of_the_machine_is_a_reason_to_wait() {
        let number = std::io::Error::from_raw_os_error;
        // ENFILE, EMFILE, ENOMEM, ENOSPC.
        for short in [23, 24, 12, 28] {
            assert!(is_shortage(&number(short)), "{}", number(short));
        }
        assert!(is_shortage(&std::io::ErrorKind::WouldBlock.into()));
        // EPERM, ENOENT, E2BIG, ENOEXEC, EACCES.
        for other in [1, 2, 7, 8, 13] {
            assert!(!is_shortage(&number(other)), "{}", number(other));
        }
    }

    #[test]
    fn before_the_first_failure_is_counted_the_pause_is_the_first_one() {
        assert_eq!(Backoff::default().delay(0, 0.5), Duration::from_secs(1));
    }

    proptest! {
        #[test]
        fn no_attempt_and_no_chance_leaves_the_bounds(attempt: u32, random in proptest::num::f64::ANY) {
            let pause = Backoff::default().delay(attempt, random);
            prop_assert!(pause >= Duration::from_millis(800) && pause <= Duration::from_secs(300));
        }

        #[test]
        fn odd_numbers_never_panic_and_never_pass_the_cap(
            attempt: u32,
            random: f64,
            factor in proptest::num::f64::ANY,
            jitter in proptest::num::f64::ANY,
            cap in 0_u64..1_000_000,
        ) {
            let cap = Duration::from_millis(cap);
            let backoff = Backoff { base: Duration::from_secs(1), factor, jitter, cap };
            prop_assert!(backoff.delay(attempt, random) <= cap);
        }
    }
}
