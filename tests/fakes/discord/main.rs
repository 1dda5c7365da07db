//! Starts the server by itself, to be talked to with curl or with a bot.

use std::net::{Ipv4Addr, SocketAddr};

use clap::Parser;
use frontdesk_fakediscord::{Discord, TOKEN};

/// Discord for tests: its gateway, its REST API, its faults and its journal, in memory.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The port to listen on, on this machine only; 0 takes a free one
    #[arg(long, default_value_t = 8082)]
    port: u16,
    /// The seed of the random numbers: the same seed gives the same numbers
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the program tells its user how to talk to it")]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let discord = Discord::start_with(SocketAddr::from((Ipv4Addr::LOCALHOST, args.port)), args.seed).await?;
    let url = discord.url();
    println!("The API is at {url}/api, and this bot is known there: {TOKEN}\n");
    println!("Add a person, let them write to the bot, and see the chat:");
    println!("  curl {url}/control/user -d '{{\"id\":7,\"name\":\"Ann\"}}'");
    println!("  curl {url}/control/say -d '{{\"user\":7,\"content\":\"hello\"}}'");
    println!("  curl {url}/control/chat?chat=CHANNEL");
    println!("\ntests/fakes/discord/README.md has the rest.");
    tokio::signal::ctrl_c().await?;
    Ok(())
}
