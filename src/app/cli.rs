//! The command line.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::OnceLock;

use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

mod access;
mod account;
mod accounts;
mod agents;
mod asks;
mod audit;
mod chat;
mod client;
mod completions;
mod config;
mod confirm;
mod cron;
mod dead_letters;
mod doctor;
mod events;
mod explain;
mod failure;
mod field;
mod format;
mod gateway;
mod groups;
mod key;
mod link;
mod list;
mod log;
mod mcp;
mod onboard;
mod outbox;
mod pairing;
mod run;
mod schedule;
mod screen;
mod send;
mod sessions;
mod status;
mod table;
mod tasks;
mod tokens;
mod tui;
mod when;

use failure::Failure;

/// The result of a command.
type Done = Result<(), Failure>;

/// A gateway between chat platforms and AI agents that never loses a message.
#[derive(Parser)]
#[command(
    name = "frontdesk",
    version,
    max_term_width = 100,
    after_help = "Start with `frontdesk run`: it needs no configuration and prints a link to the web chat.\n\
                  Exit codes: 0 success, 1 failure, 2 wrong usage, 69 no gateway is running, 78 wrong configuration."
)]
struct Cli {
    /// Home folder; it can also be written after the command
    #[arg(id = "home_of_all", long = "home", value_name = "FOLDER")]
    home: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the gateway until SIGTERM or Ctrl-C
    #[command(after_help = "Examples:\n  frontdesk run\n  frontdesk run --home ./home --port 0")]
    Run(run::RunArgs),
    /// The requests of `/gateway` in a chat: start, stop, restart, status, and more; without one, the same as `run`
    #[command(
        args_conflicts_with_subcommands = true,
        after_help = "Examples:\n  frontdesk gateway stop telegram@work\n  frontdesk gateway start telegram@work\n  \
                      frontdesk gateway restart\n  frontdesk gateway pair ABCD2345"
    )]
    Gateway(gateway::GatewayArgs),
    /// Show the state of the running gateway, first what is wrong
    #[command(after_help = "Exit codes: 0 everything works, 1 something does not, 69 no gateway is running.")]
    Status(Remote),
    /// Connect a platform, step by step: what to click, what is missing, and whether the tokens work
    #[command(
        after_help = "It reads tokens from the configuration or the environment, as `frontdesk run` does, asks the platform \
                      about them, and changes nothing. It never prints them.\n\n\
                      Examples:\n  frontdesk onboard                    what is set up\n  \
                      frontdesk onboard slack --manifest   what Slack makes the app of\n  \
                      frontdesk onboard slack              every step, and what is still missing\n\n\
                      Exit codes: 0 it works, 1 the platform refuses something or cannot be reached, 2 wrong usage, 78 a token \
                      is missing or the configuration is wrong."
    )]
    Onboard(onboard::OnboardArgs),
    /// Check each account on its platform; with --probe check from the outside whether the gateway lives
    #[command(
        after_help = "Without --probe it asks the platforms about the tokens of the configuration and of this command's \
                      environment, and names what is missing and what to do. No gateway has to run.\n\n\
                      Exit codes: 0 nothing is wrong, 1 a check failed, 78 the configuration cannot be used.\n\n\
                      Examples:\n  frontdesk doctor\n  \
                      frontdesk doctor --probe --alarm-command 'mail -s Frontdesk me@example.org'    every 5 minutes from cron"
    )]
    Doctor(doctor::DoctorArgs),
    /// List, show, reset or delete sessions: what each chat has said to its agent
    Sessions(sessions::SessionsArgs),
    /// Allow or refuse people who wrote to a bot and got a pairing code
    #[command(
        after_help = "Examples:\n  frontdesk pairing list\n  frontdesk pairing approve telegram ABCD2345\n\n\
                      To allow somebody without a code: frontdesk access allow telegram 123456789"
    )]
    Pairing(pairing::PairingArgs),
    /// List who may write, allow a person by their id, or revoke that
    #[command(after_help = "Add the first admin here, on the machine itself:\n  \
                      frontdesk access allow telegram 123456789 --admin\n\n\
                      To find an id, ask the person to send /whoami to the bot, or look at `frontdesk pairing list`.")]
    Access(access::AccessArgs),
    /// List the groups and channels that a bot can see, with the ids for the configuration
    #[command(
        after_help = "Examples:\n  frontdesk groups slack\n  frontdesk groups slack@work C0123456789\n  \
                      frontdesk groups telegram -1001234567890"
    )]
    Groups(groups::GroupsArgs),
    /// Show who changed what: permissions, channels, sessions, outgoing messages
    Audit(audit::AuditArgs),
    /// List the agents, try them out, or install pi
    #[command(
        args_conflicts_with_subcommands = true,
        after_help = "Examples:\n  frontdesk agents check\n  frontdesk agents install pi"
    )]
    Agents(agents::AgentsArgs),
    /// List the questions that wait for a person, or answer one
    #[command(after_help = "Examples:\n  frontdesk asks\n  frontdesk asks answer a7 1")]
    Asks(asks::AsksArgs),
    /// Hand over background tasks, follow them, cancel them or run them again
    #[command(
        after_help = "Examples:\n  frontdesk tasks submit --wait \"Read the log and say what went wrong.\"\n  \
                      frontdesk tasks submit --to telegram:123456789 \"Sum up the week.\"\n  frontdesk tasks watch b12"
    )]
    Tasks(tasks::TasksArgs),
    /// List scheduled jobs, make them, run, pause or remove them
    #[command(
        args_conflicts_with_subcommands = true,
        after_help = "Examples:\n  frontdesk cron add \"Sum up the news.\" --id news --cron \"0 9 * * 1-5\" --to telegram:123456789\n  \
                      frontdesk cron show news\n  frontdesk cron pause news"
    )]
    Cron(cron::CronArgs),
    /// Send a text or a file to a chat
    #[command(
        after_help = "Examples:\n  frontdesk send --to telegram:123456789 --message \"The build is green.\"\n  \
                      frontdesk send --to telegram:work:-1001234567890 --media report.pdf"
    )]
    Send(send::SendArgs),
    /// Send a text to several chats
    #[command(
        after_help = "Examples:\n  frontdesk broadcast --to telegram:1 --to web:main --message \"Maintenance at 9.\"\n  \
                      frontdesk broadcast --list everyone --message \"Maintenance at 9.\""
    )]
    Broadcast(send::BroadcastArgs),
    /// List the endpoints for events of other programs, or send such an event
    Events(events::EventsArgs),
    /// List outgoing messages; send one again, or drop it
    Outbox(outbox::OutboxArgs),
    /// List, show or drop events that could not be read
    DeadLetters(dead_letters::DeadLettersArgs),
    /// Send a message to the agent and print its answer as it arrives
    #[command(
        after_help = "Examples:\n  frontdesk chat \"What is on my list today?\"\n  frontdesk chat --chat work /new\n  \
                      git diff | frontdesk chat"
    )]
    Chat(chat::ChatArgs),
    /// List who may use the API and the page, make tokens, replace or revoke them
    #[command(
        args_conflicts_with_subcommands = true,
        after_help = "Examples:\n  frontdesk tokens\n  frontdesk tokens add anna --scope chat\n  frontdesk tokens revoke anna"
    )]
    Tokens(tokens::TokensArgs),
    /// Chat on the whole screen of the terminal: conversations, history, answers as they are written
    #[command(after_help = "F1 shows the keys; Ctrl+D quits.\n\n\
                      Examples:\n  frontdesk tui\n  frontdesk tui --chat work\n  \
                      frontdesk tui --session agent:main:telegram:dm:123456789")]
    Tui(tui::TuiArgs),
    /// Print a link that logs one browser in, once
    #[command(
        after_help = "The link is good for one login within its time. Make a new one for each browser.\n\n\
                      Examples:\n  frontdesk link\n  frontdesk link --expires 1h\n  \
                      frontdesk link --url https://frontdesk.example.org"
    )]
    Link(link::LinkArgs),
    /// Check, show or reload the configuration; print its schema or an example
    Config(config::ConfigArgs),
    /// Explain how a rule decides; needs no running gateway
    Explain(explain::ExplainArgs),
    /// Render Markdown from standard input for a channel
    #[command(after_help = "Example:\n  frontdesk format --channel telegram --json < answer.md")]
    Format(format::FormatArgs),
    /// Parse and build session keys
    Key(key::KeyArgs),
    /// Serve the tools of the running answer on standard input and output, for an agent's MCP client
    #[command(
        after_help = "Frontdesk sets FRONTDESK_MCP_URL and FRONTDESK_MCP_TOKEN for the programs of agents.\n\n\
                      In an MCP client's configuration: {\"command\": \"frontdesk\", \"args\": [\"mcp\"]}"
    )]
    Mcp,
    /// Print a completion script for a shell
    #[command(
        after_help = "Example:\n  frontdesk completions bash > ~/.local/share/bash-completion/completions/frontdesk"
    )]
    Completions(completions::CompletionsArgs),
}

/// Where the home folder is.
#[derive(Args, Clone)]
struct HomeArgs {
    /// Home folder with configuration, database and token [default: $FRONTDESK_HOME or ~/.frontdesk]
    #[arg(long, value_name = "FOLDER")]
    home: Option<PathBuf>,
}

/// How to reach a running gateway.
#[derive(Args, Clone)]
struct Remote {
    #[command(flatten)]
    home: HomeArgs,
    /// URL of the gateway [default: the one that runs in the home folder]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// File with the token [default: `token` in the home folder]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Print JSON
    #[arg(long, action = ArgAction::SetTrue)]
    json: bool,
}

impl Remote {
    /// Prints the gateway's answer: as JSON with `--json`, else as a sentence.
    fn say(&self, answer: &serde_json::Value, sentence: impl AsRef<str>) -> Done {
        if self.json { screen::json(answer) } else { screen::line(sentence) }
    }
}

/// Runs the command and returns its exit code.
pub fn main() -> ExitCode {
    provide_tls();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let name = called_as(&arguments);
    let mut command = Cli::command().name(name).bin_name(name);
    let cli = match command.try_get_matches_from_mut(arguments).and_then(|m| Cli::from_arg_matches(&m)) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, name),
    };
    if let Some(home) = cli.home {
        HOME.get_or_init(|| home.into_os_string());
    }
    match act(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(name),
    }
}

/// Several libraries bring a TLS provider; rustls needs to be told which one to use.
fn provide_tls() {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        screen::note("another TLS provider was installed before this one");
    }
}

/// `pi-gw` if the program was started under that name, else `frontdesk`.
fn called_as(arguments: &[OsString]) -> &'static str {
    let file = arguments.first().and_then(|program| Path::new(program).file_name());
    if file.is_some_and(|name| name == "pi-gw") { "pi-gw" } else { "frontdesk" }
}

/// Prints help, version or an error of usage. Wrong usage exits with 2.
fn usage(error: &clap::Error, name: &str) -> ExitCode {
    match (error.print(), error.exit_code()) {
        (Err(failed), 0) => match screen::unprinted(&failed) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => failure.report(name),
        },
        (Ok(()), 0) => ExitCode::SUCCESS,
        // If standard error cannot be written either, the exit code is all that is left to report.
        _ => ExitCode::from(failure::USAGE),
    }
}

fn act(command: Command) -> Done {
    match command {
        Command::Run(args) => run::run(args),
        Command::Gateway(args) => gateway::gateway(args),
        Command::Status(remote) => client::block_on(status::status(remote)),
        Command::Onboard(args) => onboard::onboard(args),
        Command::Doctor(args) => client::block_on(doctor::doctor(args)),
        Command::Sessions(args) => client::block_on(sessions::sessions(args)),
        Command::Pairing(args) => client::block_on(pairing::pairing(args)),
        Command::Access(args) => client::block_on(access::access(args)),
        Command::Groups(args) => client::block_on(groups::groups(args)),
        Command::Audit(args) => client::block_on(audit::audit(args)),
        Command::Agents(args) => agents::agents(args),
        Command::Asks(args) => client::block_on(asks::asks(args)),
        Command::Tokens(args) => client::block_on(tokens::tokens(args)),
        Command::Tasks(args) => client::block_on(tasks::tasks(args)),
        Command::Cron(args) => client::block_on(cron::cron(args)),
        Command::Send(args) => client::block_on(send::send(args)),
        Command::Broadcast(args) => client::block_on(send::broadcast(args)),
        Command::Events(args) => client::block_on(events::events(args)),
        Command::Outbox(args) => client::block_on(outbox::outbox(args)),
        Command::DeadLetters(args) => client::block_on(dead_letters::dead_letters(args)),
        Command::Chat(args) => client::block_on(chat::chat(args)),
        Command::Tui(args) => client::block_on(tui::tui(args)),
        Command::Link(args) => client::block_on(link::link(args)),
        Command::Config(args) => config::config(args),
        Command::Explain(args) => explain::explain(args),
        Command::Format(args) => format::format(&args),
        Command::Key(args) => key::key(args),
        Command::Mcp => client::block_on(mcp::mcp()),
        Command::Completions(args) => completions::completions(&args),
    }
}

/// The home folder that was written before the command. One after the command comes first, as it does before the variable.
static HOME: OnceLock<OsString> = OnceLock::new();

/// Reads an environment variable. Only the binary does.
fn env(name: &str) -> Option<String> {
    match HOME.get().filter(|_| name == "FRONTDESK_HOME") {
        Some(home) => home.clone().into_string().ok(),
        None => std::env::var(name).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_help_shows_the_name_it_was_called_by() {
        assert_eq!(called_as(&["/usr/bin/pi-gw".into()]), "pi-gw");
        assert_eq!(called_as(&["/usr/bin/frontdesk-1.2".into()]), "frontdesk");
        assert_eq!(called_as(&[]), "frontdesk");
    }
}
