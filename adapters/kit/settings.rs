//! What the settings of all adapters have in common: keys, bounds and pauses.

use std::ops::RangeInclusive;
use std::time::Duration;

use frontdesk_core::config::ConfigError;
use serde::Serialize;

/// The keys of settings, which further accounts of a section inherit.
pub fn keys_of(settings: &impl Serialize) -> Vec<String> {
    match serde_json::to_value(settings) {
        Ok(serde_json::Value::Object(settings)) => settings.into_iter().map(|(key, _)| key).collect(),
        _ => Vec::new(),
    }
}

/// Checks that the number at `path` is within its bounds.
pub fn within(path: &str, value: impl TryInto<u64>, bounds: RangeInclusive<u64>) -> Result<(), ConfigError> {
    match value.try_into().is_ok_and(|value| bounds.contains(&value)) {
        true => Ok(()),
        false => {
            let (least, most) = bounds.into_inner();
            Err(ConfigError::new(path, format!("must be between {least} and {most}")))
        }
    }
}

/// The minimum time between two messages; `None` if there is no limit.
pub fn pace(ms: u64) -> Option<Duration> {
    (ms > 0).then(|| Duration::from_millis(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_out_of_bounds_is_refused_with_them() {
        assert_eq!(within("limit", 1_usize, 1..=5), Ok(()));
        assert_eq!(within("limit", 5_u64, 1..=5), Ok(()));
        for value in [0_u64, 6, u64::MAX] {
            let error = within("limit", value, 1..=5).unwrap_err();
            assert_eq!(error.to_string(), "limit: must be between 1 and 5");
        }
    }
}
