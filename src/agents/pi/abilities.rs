//! What a version of pi can do. Older ones lack flags and events.

/// What a version of pi can do. Where it lacks something, the gateway does it in another way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Abilities {
    /// `--session-id`; before, a session is named by its file.
    pub(super) session_ids: bool,
    /// `--approve` and `--no-approve`; before, pi loads the working folder's `.pi` in any case.
    pub(super) approve: bool,
    /// `agent_settled`; before, `agent_end` is the last event of a run, unless pi tries again.
    pub(super) settles: bool,
}

impl Abilities {
    /// The abilities of a version, from pi's changelog. A version that is not known is a new one.
    pub(super) fn of(version: Option<&str>) -> Self {
        let numbers: Option<Vec<u32>> =
            version.map(|version| version.split('.').map_while(|number| number.parse().ok()).collect());
        let since =
            |first: [u32; 3]| numbers.as_ref().is_none_or(|numbers| numbers.as_slice() >= first.as_slice());
        Self { session_ids: since([0, 76, 0]), approve: since([0, 79, 0]), settles: since([0, 80, 4]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_what_came_before_it() {
        let all = Abilities { session_ids: true, approve: true, settles: true };
        for new in [None, Some("1.6.0"), Some("0.87.1"), Some("0.80.4")] {
            assert_eq!(Abilities::of(new), all, "{new:?}");
        }
        assert_eq!(Abilities::of(Some("0.80.3")), Abilities { settles: false, ..all });
        assert_eq!(
            Abilities::of(Some("0.76.0")),
            Abilities { session_ids: true, approve: false, settles: false }
        );
        assert_eq!(
            Abilities::of(Some("0.73.1")),
            Abilities { session_ids: false, approve: false, settles: false }
        );
    }
}
