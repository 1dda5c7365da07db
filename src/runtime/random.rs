//! Chance, for jitter.

/// A number in `0..1`. Without a source of chance it is the middle: jitter is a courtesy, not a safeguard.
pub(crate) fn fraction() -> f64 {
    getrandom::u32().map_or(0.5, |bits| f64::from(bits) / (f64::from(u32::MAX) + 1.0))
}
