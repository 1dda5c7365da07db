//! `frontdesk audit`: who changed what.

use clap::Args;

use super::client::{self, Client};
use super::{Done, Remote, field, screen, table};

#[derive(Args)]
pub struct AuditArgs {
    #[command(flatten)]
    remote: Remote,
    /// Only lines before this one: the next page
    #[arg(long, value_name = "ID")]
    before: Option<i64>,
    /// At most so many (1 to 200)
    #[arg(long, default_value_t = 50, value_parser = client::limit())]
    limit: u32,
}

pub async fn audit(args: AuditArgs) -> Done {
    let mut path = format!("/api/audit?limit={}", args.limit);
    if let Some(before) = args.before {
        path.push_str(&format!("&before={before}"));
    }
    let answer = Client::find(&args.remote)?.get(&path).await?;
    if args.remote.json {
        return screen::json(&answer);
    }
    let rows = field::list(&answer, "audit").iter().map(|line| {
        vec![
            field::text(line, "id"),
            field::ago(line, "at"),
            field::text(line, "by"),
            field::text(line, "via"),
            field::text(line, "action"),
            screen::brief(&field::text(line, "subject"), 60),
            field::text(line, "outcome"),
        ]
    });
    table::print(
        &["ID", "WHEN", "BY", "VIA", "WHAT", "ABOUT", "OUTCOME"],
        rows.collect(),
        "Nothing was changed yet.",
    )
}
