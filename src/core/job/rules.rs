//! What becomes of runs that cannot begin when they should.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What becomes of runs that could not begin in time, because the gateway did not run or the clock has jumped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissedRule {
    /// One run makes up for all of them.
    #[default]
    RunOnce,
    /// None is made up for.
    Skip,
    /// Each is made up for, up to a hundred.
    All,
}

impl MissedRule {
    /// All variants.
    pub const ALL: [MissedRule; 3] = [MissedRule::RunOnce, MissedRule::Skip, MissedRule::All];

    /// The name in the configuration, in the database and in the interfaces.
    pub fn name(self) -> &'static str {
        match self {
            MissedRule::RunOnce => "run_once",
            MissedRule::Skip => "skip",
            MissedRule::All => "all",
        }
    }

    /// The rule with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }
}

/// What becomes of a run that is due while another run of its job has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverlapRule {
    /// It does not happen.
    #[default]
    Skip,
    /// It waits.
    Queue,
}

impl OverlapRule {
    /// All variants.
    pub const ALL: [OverlapRule; 2] = [OverlapRule::Skip, OverlapRule::Queue];

    /// The name in the configuration, in the database and in the interfaces.
    pub fn name(self) -> &'static str {
        match self {
            OverlapRule::Skip => "skip",
            OverlapRule::Queue => "queue",
        }
    }

    /// The rule with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }
}
