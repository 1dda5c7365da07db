//! The server by hand: starts it, or plays somebody who writes to a bot on one that runs.

mod client;

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use frontdesk_botapi::{BotApi, TOKEN};

/// A Telegram Bot API server for tests: its rules, its faults and its journal, in memory.
///
/// Without a command it serves until it is stopped. The commands talk to one that runs.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Args {
    /// The port to listen on, on this machine only; 0 takes a free one
    #[arg(long, default_value_t = 8081)]
    port: u16,
    /// Where chance begins: the same seed, the same random numbers
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Writes a message as somebody
    ///
    /// Somebody who is not known yet gets an account. The private chat with the bot has the number of the person.
    Say {
        /// Who writes: the number of an account
        #[arg(long, default_value_t = 42)]
        from: i64,
        /// The chat; the private one if it is not given
        #[arg(long, allow_negative_numbers = true)]
        chat: Option<i64>,
        /// The name of the account
        #[arg(long, default_value = "Anna")]
        name: String,
        /// The message that it replies to
        #[arg(long)]
        reply_to: Option<i64>,
        #[command(flatten)]
        server: client::Server,
        /// The text
        text: String,
    },
    /// Prints what a chat shows now
    Show {
        /// The chat
        #[arg(long, default_value_t = 42, allow_negative_numbers = true)]
        chat: i64,
        /// Prints every new message until it is stopped
        #[arg(long)]
        follow: bool,
        #[command(flatten)]
        server: client::Server,
    },
    /// Presses a button under a message
    Press {
        /// The chat
        #[arg(long, default_value_t = 42, allow_negative_numbers = true)]
        chat: i64,
        /// Who presses
        #[arg(long, default_value_t = 42)]
        from: i64,
        /// The message with the button
        #[arg(long)]
        message: i64,
        #[command(flatten)]
        server: client::Server,
        /// The label of the button, or its data
        button: String,
    },
    /// Does anything the control plane can: an act, and its JSON
    Act {
        #[command(flatten)]
        server: client::Server,
        /// The act, as in `block` or `fault`
        act: String,
        /// What it needs
        #[arg(default_value = "{}")]
        json: String,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    match args.command {
        None => serve(args.port, args.seed).await,
        Some(Command::Say { from, chat, name, reply_to, server, text }) => {
            server.say(from, chat.unwrap_or(from), &name, reply_to, &text).await
        }
        Some(Command::Show { chat, follow, server }) => server.show(chat, follow).await,
        Some(Command::Press { chat, from, message, server, button }) => {
            server.press(chat, from, message, &button).await
        }
        Some(Command::Act { server, act, json }) => server.act(&act, &json).await,
    }
}

#[expect(clippy::print_stdout, reason = "what a person reads")]
async fn serve(port: u16, seed: u64) -> anyhow::Result<()> {
    let api = BotApi::start_with(SocketAddr::from(([127, 0, 0, 1], port)), seed).await?;
    let (url, port) = (api.url(), api.port());
    println!("The Bot API is at {url}, and this bot is known there: {TOKEN}\n");
    println!("  In a bot's configuration     api_url = \"{url}\"");
    println!("  Somebody writes to the bot   frontdesk-botapi say --port {port} --from 42 'hello'");
    println!("  What they see                frontdesk-botapi show --port {port} --chat 42 --follow\n");
    println!("The same with curl:");
    println!("  curl {url}/control/user -d '{{\"id\":42,\"name\":\"Anna\"}}'");
    println!("  curl {url}/control/say -d '{{\"chat\":42,\"from\":42,\"text\":\"hello\"}}'");
    println!("  curl '{url}/control/chat?chat=42'");
    println!("  curl {url}/bot{TOKEN}/getUpdates");
    println!("\ntests/fakes/botapi/README.md has the rest.");
    tokio::select! {
        () = api.run() => {}
        stopped = tokio::signal::ctrl_c() => stopped?,
    }
    Ok(())
}
