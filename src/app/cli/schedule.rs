//! The flags that say when something happens.

use clap::Args;
use serde_json::{Value, json};

/// One of them.
#[derive(Args)]
#[group(id = "schedule", required = true, multiple = false)]
pub struct When {
    /// A cron expression: five fields, six with seconds first, or a name such as @daily
    #[arg(long, value_name = "EXPR")]
    pub cron: Option<String>,
    /// An interval: 15m, 1h30m, 2d
    #[arg(long, value_name = "SPAN")]
    pub every: Option<String>,
    /// A single time: RFC 3339, or a local time
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
}

impl When {
    /// As the API expects it.
    pub fn json(self) -> Value {
        let given = [("cron", self.cron), ("every", self.every), ("at", self.at)];
        let given = given.into_iter().find_map(|(kind, expr)| Some((kind, expr?)));
        given.map_or(Value::Null, |(kind, expr)| json!({"kind": kind, "expr": expr}))
    }
}
