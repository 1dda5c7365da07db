//! The command line: what can be said, and who does it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

mod access;
mod audit;
mod chat;
mod client;
mod completions;
mod config;
mod dead_letters;
mod explain;
mod failure;
mod field;
mod format;
mod gateway;
mod key;
mod link;
mod log;
mod outbox;
mod pairing;
mod place;
mod run;
mod screen;
mod send;
mod sessions;
mod status;
mod table;
mod when;

use failure::Failure;

/// What every command returns.
type Done = Result<(), Failure>;

/// The front desk for AI agents: one gateway between chats and agents that loses nothing.
#[derive(Parser)]
#[command(
    name = "frontdesk",
    version,
    max_term_width = 100,
    after_help = "Start with `frontdesk run`: it needs no configuration and prints where to go.\n\
                  Exit codes: 0 done, 1 failed, 2 wrong usage, 69 no frontdesk is running, 78 bad configuration."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the gateway until it is told to stop (SIGTERM or Ctrl-C)
    #[command(after_help = "Examples:\n  frontdesk run\n  frontdesk run --home ./home --port 0")]
    Run(run::RunArgs),
    /// Connect or disconnect a channel of the running gateway; alone, the same as `run`
    #[command(
        args_conflicts_with_subcommands = true,
        after_help = "Examples:\n  frontdesk gateway start web\n  frontdesk gateway stop telegram@work"
    )]
    Gateway(gateway::GatewayArgs),
    /// Show how the running gateway stands
    Status(Remote),
    /// List conversations, look into one, or change one
    Sessions(sessions::SessionsArgs),
    /// Let in strangers who wrote to a bot and got a code, or refuse them
    #[command(
        after_help = "Examples:\n  frontdesk pairing list\n  frontdesk pairing approve telegram ABCD2345\n\n\
                      To let somebody in without a code: frontdesk access allow telegram 123456789"
    )]
    Pairing(pairing::PairingArgs),
    /// List who may speak; let somebody in by their id, or take that back
    #[command(after_help = "The first admin is made here, on the machine itself:\n  \
                      frontdesk access allow telegram 123456789 --admin\n\n\
                      To find an id, ask the person to send /whoami to the bot, or look at `frontdesk pairing list`.")]
    Access(access::AccessArgs),
    /// Show who changed what: grants, refusals, admins' commands
    Audit(audit::AuditArgs),
    /// Put a text or a file on its way to a chat
    #[command(
        after_help = "Examples:\n  frontdesk send --to telegram:123456789 --message \"The build is green.\"\n  \
                      frontdesk send --to telegram:work:-1001234567890 --media report.pdf"
    )]
    Send(send::SendArgs),
    /// List outgoing messages; send one once more, or give it up
    Outbox(outbox::OutboxArgs),
    /// List events that could not be read; show one as it arrived, or delete it
    DeadLetters(dead_letters::DeadLettersArgs),
    /// Ask the agent of the running gateway and print the answer as it comes
    #[command(
        after_help = "Examples:\n  frontdesk chat \"What is on my list today?\"\n  frontdesk chat --chat work /new"
    )]
    Chat(chat::ChatArgs),
    /// Print the link that logs a browser in
    Link(Remote),
    /// Check, show or describe the configuration
    Config(config::ConfigArgs),
    /// Explain a decision without a running gateway
    Explain(explain::ExplainArgs),
    /// Write Markdown as a platform would get it
    #[command(after_help = "Example:\n  frontdesk format --channel telegram --json < answer.md")]
    Format(format::FormatArgs),
    /// Take session keys apart and put them together
    Key(key::KeyArgs),
    /// Print the completions of a shell
    #[command(
        after_help = "Example:\n  frontdesk completions bash > ~/.local/share/bash-completion/completions/frontdesk"
    )]
    Completions(completions::CompletionsArgs),
}

/// Where the home is.
#[derive(Args, Clone)]
struct HomeArgs {
    /// The folder with configuration, database and token [default: $FRONTDESK_HOME or ~/.frontdesk]
    #[arg(long, value_name = "FOLDER")]
    home: Option<PathBuf>,
}

/// How to reach a running gateway.
#[derive(Args, Clone)]
struct Remote {
    #[command(flatten)]
    home: HomeArgs,
    /// The gateway's URL [default: where the gateway of this home listens]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The file that holds the token [default: the home's]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Print JSON
    #[arg(long, action = ArgAction::SetTrue)]
    json: bool,
}

/// Reads the command line, does what it says and returns how it went.
pub fn main() -> ExitCode {
    provide_tls();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let name = called_as(&arguments);
    let mut command = Cli::command().name(name).bin_name(name);
    let cli = match command.try_get_matches_from_mut(arguments).and_then(|m| Cli::from_arg_matches(&m)) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    match act(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(name),
    }
}

/// Several libraries bring TLS; without a word from us the first connection would not know whose to take.
fn provide_tls() {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        screen::context_message("TLS was provided before us");
    }
}

/// `pi-gw` if we are called so, else our own name.
fn called_as(arguments: &[OsString]) -> &'static str {
    let file = arguments.first().and_then(|program| Path::new(program).file_name());
    if file.is_some_and(|name| name == "pi-gw") { "pi-gw" } else { "frontdesk" }
}

/// Help and version are no errors; wrong usage is 2.
fn usage(error: &clap::Error) -> ExitCode {
    // Nobody is left to tell if the terminal has gone.
    let printed = error.print().is_ok();
    match error.exit_code() {
        0 if printed => ExitCode::SUCCESS,
        _ => ExitCode::from(failure::USAGE),
    }
}

fn act(command: Command) -> Done {
    match command {
        Command::Run(args) => run::run(args),
        Command::Gateway(args) => gateway::gateway(args),
        Command::Status(remote) => client::block_on(status::status(remote)),
        Command::Sessions(args) => client::block_on(sessions::sessions(args)),
        Command::Pairing(args) => client::block_on(pairing::pairing(args)),
        Command::Access(args) => client::block_on(access::access(args)),
        Command::Audit(args) => client::block_on(audit::audit(args)),
        Command::Send(args) => client::block_on(send::send(args)),
        Command::Outbox(args) => client::block_on(outbox::outbox(args)),
        Command::DeadLetters(args) => client::block_on(dead_letters::dead_letters(args)),
        Command::Chat(args) => client::block_on(chat::chat(args)),
        Command::Link(remote) => link::link(&remote),
        Command::Config(args) => config::config(args),
        Command::Explain(args) => explain::explain(args),
        Command::Format(args) => format::format(&args),
        Command::Key(args) => key::key(args),
        Command::Completions(args) => completions::completions(&args),
    }
}

/// A variable of the environment. Only the binary reads it.
fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
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
