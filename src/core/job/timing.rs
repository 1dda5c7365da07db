//! When a job runs, as it was written.

use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schedule::{Schedule, ScheduleError};

/// How the expression of a schedule is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ScheduleKind {
    /// A cron expression.
    Cron,
    /// An interval.
    Every,
    /// One time.
    At,
}

impl ScheduleKind {
    /// All variants.
    pub const ALL: [ScheduleKind; 3] = [ScheduleKind::Cron, ScheduleKind::Every, ScheduleKind::At];

    /// The name in the configuration, in the database and in the interfaces.
    pub fn name(self) -> &'static str {
        match self {
            ScheduleKind::Cron => "cron",
            ScheduleKind::Every => "every",
            ScheduleKind::At => "at",
        }
    }

    /// The kind with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A schedule together with the text that it was read from, which is what people see and what is stored.
#[derive(Debug, Clone)]
pub struct Timing {
    kind: ScheduleKind,
    expr: String,
    zone: Tz,
    schedule: Schedule,
}

impl Timing {
    /// Reads an expression, whose local times are those of `zone`.
    pub fn parse(kind: ScheduleKind, expr: &str, zone: Tz) -> Result<Self, ScheduleError> {
        let schedule = match kind {
            ScheduleKind::Cron => Schedule::cron(expr, zone)?,
            ScheduleKind::Every => Schedule::every(expr)?,
            ScheduleKind::At => Schedule::at(expr, zone)?,
        };
        Ok(Self { kind, expr: expr.trim().to_owned(), zone, schedule })
    }

    /// How the expression is read.
    pub fn kind(&self) -> ScheduleKind {
        self.kind
    }

    /// The expression, as it was written.
    pub fn expr(&self) -> &str {
        &self.expr
    }

    /// The zone of its local times, unless the expression names another one.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// What it means.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }
}

impl PartialEq for Timing {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, &self.expr, self.zone) == (other.kind, &other.expr, other.zone)
    }
}

impl Eq for Timing {}
