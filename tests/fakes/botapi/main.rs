//! Starts the server by itself, to be talked to with curl or with a bot.

use std::net::{Ipv4Addr, SocketAddr};

use clap::Parser;
use frontdesk_botapi::{BotApi, TOKEN};

/// A Telegram Bot API server for tests: its rules, its faults and its journal, in memory.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The port to listen on, on this machine only; 0 takes a free one
    #[arg(long, default_value_t = 8081)]
    port: u16,
    /// The seed of the random numbers: the same seed gives the same numbers
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the program tells its user how to talk to it")]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let api = BotApi::start_with(SocketAddr::from((Ipv4Addr::LOCALHOST, args.port)), args.seed).await?;
    let url = api.url();
    println!("The Bot API is at {url}, and this bot is known there: {TOKEN}\n");
    println!("Add a person, let them write to the bot, see the chat, and poll as the bot:");
    println!("  curl {url}/control/user -d '{{\"id\":42,\"name\":\"Anna\"}}'");
    println!("  curl {url}/control/say -d '{{\"chat\":42,\"from\":42,\"text\":\"hello\"}}'");
    println!("  curl '{url}/control/chat?chat=42'");
    println!("  curl {url}/bot{TOKEN}/getUpdates");
    println!("\ntests/fakes/botapi/README.md has the rest.");
    tokio::signal::ctrl_c().await?;
    Ok(())
}
