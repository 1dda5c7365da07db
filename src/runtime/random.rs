//! Random numbers for jitter.

/// A number in `0..1`; 0.5 if the system has no random source, because jitter is not essential.
pub(crate) fn fraction() -> f64 {
    getrandom::u32().map_or(0.5, |bits| f64::from(bits) / (f64::from(u32::MAX) + 1.0))
}
