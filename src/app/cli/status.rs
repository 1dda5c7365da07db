//! `frontdesk status`: the state of the running gateway.

use frontdesk_core::budget::cost;
use frontdesk_core::count::counted;
use serde_json::Value;

use super::client::Client;
use super::{Done, Failure, Remote, field, screen, table};

pub async fn status(remote: Remote) -> Done {
    let status = Client::find(&remote)?.get("/api/status").await?;
    if remote.json {
        screen::json(&status)?
    } else {
        show(&status)?
    }
    match status["status"] == "ok" {
        true => Ok(()),
        false => Err(Failure::shown()),
    }
}

fn show(status: &Value) -> Done {
    screen::line(format!("Frontdesk {}: {}", field::text(status, "version"), field::text(status, "status")))?;
    for reason in field::list(status, "reasons").iter().filter_map(Value::as_str) {
        screen::line(format!("  {}", screen::one_line(reason)))?;
    }
    screen::line(format!("Started   {}", field::ago(status, "started")))?;
    totals(&status["totals"])?;
    background(status)?;
    today(&status["today"])?;
    screen::line("")?;
    let accounts = field::list(status, "accounts").iter().map(|account| {
        vec![
            field::account(account, "channel"),
            field::text(account, "state"),
            field::ago(account, "last_heard"),
            field::text(account, "error"),
        ]
    });
    table::print(&["ACCOUNT", "STATE", "LAST HEARD", "ERROR"], accounts.collect(), "There are no channels.")?;
    screen::line("")?;
    let agents = field::list(status, "agents")
        .iter()
        .map(|agent| ["name", "running", "problem"].map(|name| field::text(agent, name)).to_vec());
    table::print(&["AGENT", "RUNNING TURNS", "PROBLEM"], agents.collect(), "There are no agents.")?;
    fallbacks(status)
}

/// The models and agents of agents that have fallbacks.
fn fallbacks(status: &Value) -> Done {
    let mut rows = Vec::new();
    for agent in field::list(status, "agents") {
        for candidate in field::list(&agent["failover"], "candidates") {
            let is_answering = candidate["name"] == agent["failover"]["answering"];
            let retry = match candidate["retry_in_seconds"].as_u64() {
                Some(0) => "with the next message".to_owned(),
                Some(seconds) => format!("in {seconds} s"),
                None => String::new(),
            };
            rows.push(vec![
                field::text(agent, "name"),
                field::text(candidate, "place"),
                if is_answering { "answers" } else { "" }.to_owned(),
                field::text(candidate, "state"),
                field::text(candidate, "reason"),
                retry,
                field::text(candidate, "pauses"),
            ]);
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    screen::line("")?;
    let head = ["AGENT", "MODEL", "NEW CHATS", "STATE", "REASON", "TRIED AGAIN", "PAUSES"];
    table::print(&head, rows, "")
}

/// What all agents together have used today.
fn today(agents: &Value) -> Done {
    let agents = agents.as_array().map_or(&[][..], Vec::as_slice);
    let sum = |name: &str| agents.iter().map(|agent| field::number(agent, name)).sum::<u64>();
    let (turns, tokens) = (sum("turns"), sum("input_tokens").saturating_add(sum("output_tokens")));
    let spent = match sum("cost_micro") {
        0 => String::new(),
        micro => format!(", a cost of {}", cost(micro)),
    };
    screen::line(format!("Today     {}, {}{spent}", counted(turns, "answer"), counted(tokens, "token")))
}

/// Background tasks and scheduled jobs, if there are any.
fn background(status: &Value) -> Done {
    let n = |name: &str| field::number(status, name);
    if n("tasks") > 0 {
        screen::line(format!("Tasks     {} not ended. To see them: frontdesk tasks list", n("tasks")))?;
    }
    if n("jobs") > 0 {
        let next = match field::ago(status, "next_run") {
            none if none.is_empty() => "no run is due".to_owned(),
            next => format!("the next run {next}"),
        };
        screen::line(format!("Jobs      {}, {next}. To see them: frontdesk cron list", n("jobs")))?;
    }
    match field::number(status, "clients") {
        0 => {}
        clients => screen::line(format!("Clients   {clients} connected to the page or the API"))?,
    }
    Ok(())
}

fn totals(totals: &Value) -> Done {
    let oldest = |name: &str| match field::ago(totals, name) {
        ago if ago.is_empty() => String::new(),
        ago => format!(", the oldest from {ago}"),
    };
    let n = |name: &str| field::number(totals, name);
    screen::line(format!("Sessions  {}", n("sessions")))?;
    screen::line(format!(
        "Messages  {} waiting{}, {} running",
        n("waiting"),
        oldest("oldest_waiting"),
        counted(n("running"), "turn")
    ))?;
    if n("asks") > 0 {
        screen::line(format!("Questions {} open. To see them: frontdesk asks", n("asks")))?;
    }
    screen::line(format!(
        "Outbox    {} to send{}, {} dead",
        n("outbox"),
        oldest("oldest_part"),
        n("dead_parts")
    ))?;
    if n("dead_parts") > 0 {
        screen::line("          To see what was not delivered: frontdesk outbox --state dead")?;
    }
    if n("dead_letters") > 0 {
        screen::line(format!(
            "Unread    {} could not be read. To see them: frontdesk dead-letters",
            counted(n("dead_letters"), "event")
        ))?;
    }
    Ok(())
}
