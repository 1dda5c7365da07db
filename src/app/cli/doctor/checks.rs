//! `frontdesk doctor`: looks at everything that can be wrong, and says what to do.
//!
//! Each area looks at one kind of thing and returns rows. The only area so far are the accounts.

use frontdesk_kit::setup::{Finding, Level};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::super::accounts::Accounts;
use super::super::{Done, Failure, screen, table};

/// What was looked at, and what was found.
#[derive(Serialize)]
struct Row {
    /// The kind of thing.
    area: &'static str,
    /// Which one of them.
    subject: String,
    #[serde(flatten)]
    finding: Finding,
}

/// What one area found.
struct Area {
    name: &'static str,
    rows: Vec<Row>,
    /// More of it, for programs.
    data: Value,
}

/// Looks at everything and prints it. An error if something is wrong.
pub(super) async fn all(accounts: &Accounts, json: bool) -> Done {
    let areas = [check_accounts(accounts).await];
    let rows = || areas.iter().flat_map(|area| &area.rows);
    let errors = rows().filter(|row| row.finding.level == Level::Error).count();
    if json {
        let rows: Vec<&Row> = rows().collect();
        let data: Map<String, Value> =
            areas.iter().map(|area| (area.name.to_owned(), area.data.clone())).collect();
        screen::json(&json!({"healthy": errors == 0, "findings": rows, "data": data}))?;
    } else {
        let empty = "No account is configured. To connect a platform: frontdesk onboard";
        table::print(&["ACCOUNT", "CHECK", "STATE", "FOUND"], rows().flat_map(cells).collect(), empty)?;
    }
    match errors {
        0 => Ok(()),
        1 => Err(Failure::new("one check failed")),
        several => Err(Failure::new(format!("{several} checks failed"))),
    }
}

/// A row of the table, and a second one with the next step.
fn cells(row: &Row) -> Vec<Vec<String>> {
    let Finding { check, level, found, next } = &row.finding;
    let first = vec![row.subject.clone(), check.replace('_', " "), level.name().to_owned(), found.clone()];
    let second = next.iter().map(|next| vec![String::new(), String::new(), "next:".to_owned(), next.clone()]);
    std::iter::once(first).chain(second).collect()
}

/// Looks at each configured account on its platform, except those that are switched off.
async fn check_accounts(accounts: &Accounts) -> Area {
    let wanted = accounts.all().iter().filter(|account| accounts.is_wanted(account)).collect();
    let mut area = Area { name: "accounts", rows: Vec::new(), data: json!({}) };
    for checked in accounts.check(wanted).await {
        let subject = checked.account.id.to_string();
        area.data[subject.as_str()] = Value::Object(checked.report.data.clone());
        area.rows.extend(checked.findings().map(|finding| Row {
            area: "accounts",
            subject: subject.clone(),
            finding: finding.clone(),
        }));
    }
    area
}
