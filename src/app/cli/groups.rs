//! `frontdesk groups`: the groups and channels that a bot can see, with the ids that the configuration names them by.

use clap::Args;
use serde_json::{Value, json};

use super::client::{Client, segment};
use super::{Done, Remote, field, screen, table};

#[derive(Args)]
pub struct GroupsArgs {
    #[command(flatten)]
    remote: Remote,
    /// The channel, for example slack; or one account of it, for example slack@work
    channel: String,
    /// Show only the group with this id, and what it is about
    #[arg(allow_negative_numbers = true)]
    id: Option<String>,
    /// Begin where a list before has ended
    #[arg(long, value_name = "PLACE", conflicts_with = "id")]
    from: Option<String>,
    /// Number of groups after which no more are asked for
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

pub async fn groups(args: GroupsArgs) -> Done {
    let client = Client::find(&args.remote)?;
    let path = format!("/api/channel/{}/groups", segment(&args.channel));
    if let Some(id) = &args.id {
        let group = client.get(&format!("{path}/{}", segment(id))).await?;
        return if args.remote.json { screen::json(&group) } else { one(&group) };
    }
    let (mut rows, mut from) = (Vec::new(), args.from);
    let (next, only_served) = loop {
        let query = from.map(|from| format!("?from={}", segment(&from))).unwrap_or_default();
        let page = client.get(&format!("{path}{query}")).await?;
        rows.extend(field::list(&page, "groups").iter().cloned());
        from = page["next"].as_str().map(str::to_owned);
        if from.is_none() || rows.len() >= args.limit as usize {
            break (from, page["only_served"] == true);
        }
    };
    if args.remote.json {
        return screen::json(&json!({"groups": rows, "next": next, "only_served": only_served}));
    }
    let header = ["ID", "NAME", "KIND", "IN", "MEMBERS", "BOT IS IN IT", "SERVED"];
    let cells = |group: &Value| {
        let joined = group["joined"].as_bool().map_or("unknown", yes);
        vec![
            field::text(group, "id"),
            screen::brief(&field::text(group, "name"), 40),
            field::text(group, "kind"),
            screen::brief(&field::text(group, "within"), 30),
            field::text(group, "members"),
            joined.to_owned(),
            yes(group["served"] == true).to_owned(),
        ]
    };
    table::print(&header, rows.iter().map(cells).collect(), "The bot sees no groups.")?;
    if only_served {
        screen::line(
            "\nThis platform does not list the groups of a bot: here are those that are served. To see another one, add its id.",
        )?;
    }
    match next {
        Some(next) => screen::line(format!("\nTo see more, add --from {next}")),
        None => Ok(()),
    }
}

fn one(group: &Value) -> Done {
    let joined = group["joined"].as_bool().map_or("unknown", yes);
    let served = match group["served"] == true {
        true => "yes".to_owned(),
        false => format!("no: name it in the configuration as groups.\"{}\"", field::text(group, "id")),
    };
    let lines = [
        ("id", field::text(group, "id")),
        ("name", field::text(group, "name")),
        ("kind", field::text(group, "kind")),
        ("in", field::text(group, "within")),
        ("topic", field::text(group, "topic")),
        ("members", field::text(group, "members")),
        ("bot is in it", joined.to_owned()),
        ("archived", yes(group["archived"] == true).to_owned()),
        ("served", served),
    ];
    for (name, value) in lines.into_iter().filter(|(_, value)| !value.is_empty()) {
        screen::line(format!("{name:<14}{}", screen::one_line(&value)))?;
    }
    Ok(())
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}
