//! `frontdesk cron show`.

use serde_json::Value;

use super::super::client::Client;
use super::super::{Done, field, screen, when};
use super::{One, run, schedule, to};

/// How many of the last runs are shown.
const RUNS: u32 = 5;

pub async fn show(one: &One) -> Done {
    let client = Client::find(&one.remote)?;
    let job = client.get(&one.path()).await?;
    if one.remote.json {
        return screen::json(&job);
    }
    line("Job", &field::text(&job, "id"))?;
    line("State", &state(&job))?;
    line("Schedule", &schedule(&job))?;
    for (label, name) in [("Agent", "agent"), ("Owner", "owner"), ("Made by", "source")] {
        line(label, &field::text(&job, name))?;
    }
    line("Results to", &to(&job))?;
    line("Missed", &field::text(&job, "missed"))?;
    line("Overlap", &field::text(&job, "overlap"))?;
    if job["resume_context"] == true {
        line("Context", "all runs share one conversation")?;
    }
    for (label, name, unit) in [("Jitter", "jitter_s", " seconds"), ("Retries", "retries", "")] {
        if field::number(&job, name) > 0 {
            line(label, &format!("{}{unit}", field::number(&job, name)))?;
        }
    }
    screen::line(format!("\n{}", field::text(&job, "task").trim_end()))?;
    screen::line(format!("\nNext runs\n{}", upcoming(&job)))?;
    let runs = client.get(&format!("{}/runs?limit={RUNS}", one.path())).await?;
    let runs = field::list(&runs, "runs");
    if runs.is_empty() {
        return screen::line("\nIt has not run yet.");
    }
    screen::line("\nLast runs")?;
    runs.iter().try_for_each(|row| screen::line(format!("  {}", run_line(row))))
}

/// Its state, and why it does not run.
fn state(job: &Value) -> String {
    let (state, reason) = (field::text(job, "state"), field::text(job, "reason"));
    if reason.is_empty() { state } else { format!("{state} ({reason})") }
}

fn upcoming(job: &Value) -> String {
    let times = field::list(job, "upcoming").iter();
    let times = times.filter_map(|time| time.as_str()?.parse().ok());
    let lines: Vec<String> =
        times.map(|time| format!("  {}", when::both(time, frontdesk::clock::wall()))).collect();
    if lines.is_empty() { "  none".to_owned() } else { lines.join("\n") }
}

fn run_line(row: &Value) -> String {
    let cells = run(row);
    let [id, state, scheduled, .., result] = cells.as_slice() else { return String::new() };
    screen::one_line(format!("{id}  {state:<10}{scheduled}  {result}").trim_end())
}

/// A line of a label and a value; nothing without a value.
fn line(label: &str, value: &str) -> Done {
    if value.is_empty() { Ok(()) } else { screen::line(format!("{label:<12}{}", screen::one_line(value))) }
}
