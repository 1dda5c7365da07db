//! `frontdesk key`: parses and builds session keys.

use clap::{Args, Subcommand};
use frontdesk_core::key::{Scope, SessionKey};
use serde::Serialize;

use super::{Done, Failure, screen};

#[derive(Args)]
pub struct KeyArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Show the fields of a session key
    #[command(after_help = "Example:\n  frontdesk key parse agent:main:telegram:dm:123456789 --json")]
    Parse {
        /// The key
        key: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Build a session key from its fields
    #[command(
        after_help = "Example:\n  frontdesk key build --agent main --channel telegram --scope dm --id 123456789"
    )]
    Build(BuildArgs),
}

#[derive(Args)]
struct BuildArgs {
    /// The agent's name
    #[arg(long)]
    agent: String,
    /// The channel's name
    #[arg(long)]
    channel: String,
    /// The account [default: the channel's default account]
    #[arg(long)]
    account: Option<String>,
    /// dm, group, channel, topic, thread, member, task or job
    #[arg(long)]
    scope: String,
    /// The id of the person, chat, task or job
    #[arg(long, allow_hyphen_values = true)]
    id: String,
    /// The id of the topic or thread (scopes topic, thread, member)
    #[arg(long, allow_hyphen_values = true)]
    thread: Option<String>,
    /// The id of the person (scope member)
    #[arg(long, allow_hyphen_values = true)]
    person: Option<String>,
}

#[derive(Serialize)]
struct Fields<'a> {
    agent: &'a str,
    channel: &'a str,
    account: &'a str,
    scope: &'a str,
    id: &'a str,
    thread: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<&'a str>,
}

pub fn key(args: KeyArgs) -> Done {
    match args.what {
        What::Parse { key, json } => {
            let key: SessionKey = key.parse().map_err(wrong)?;
            let fields = Fields {
                agent: key.agent(),
                channel: key.channel(),
                account: key.account().name(),
                scope: key.scope().name(),
                id: key.id(),
                thread: key.thread(),
                person: key.person(),
            };
            if json { screen::json(&fields) } else { screen::line(fields.text()) }
        }
        What::Build(args) => {
            let scope: Scope = args.scope.parse().map_err(wrong)?;
            let (account, thread, person) =
                (args.account.as_deref(), args.thread.as_deref(), args.person.as_deref());
            let key = SessionKey::build(&args.agent, &args.channel, account, scope, &args.id, thread, person);
            screen::line(key.map_err(wrong)?.as_str())
        }
    }
}

fn wrong(error: frontdesk_core::key::KeyError) -> Failure {
    Failure::usage(error.to_string())
}

impl Fields<'_> {
    fn text(&self) -> String {
        let optional = [("thread", self.thread), ("person", self.person)];
        [
            ("agent", self.agent),
            ("channel", self.channel),
            ("account", self.account),
            ("scope", self.scope),
            ("id", self.id),
        ]
        .into_iter()
        .chain(optional.into_iter().filter_map(|(name, value)| Some((name, value?))))
        .map(|(name, value)| format!("{name:<8} {}", screen::one_line(value)))
        .collect::<Vec<_>>()
        .join("\n")
    }
}
