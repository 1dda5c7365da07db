//! Starts the server by itself, to be talked to with curl or with an app.

use std::net::{Ipv4Addr, SocketAddr};

use clap::Parser;
use frontdesk_fakeslack::{APP_TOKEN, SECRET, SlackApi, TOKEN};

/// A Slack server for tests: Web API, Socket Mode, events over HTTP, limits, faults and a journal, in memory.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The port to listen on, on this machine only; 0 takes a free one
    #[arg(long, default_value_t = 8083)]
    port: u16,
    /// The seed of the random numbers: the same seed gives the same numbers
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the program tells its user how to talk to it")]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let slack = SlackApi::start_with(SocketAddr::from((Ipv4Addr::LOCALHOST, args.port)), args.seed).await?;
    let url = slack.url();
    println!("The Web API is at {url}/api/, with these tokens and this signing secret:");
    println!("  {TOKEN}\n  {APP_TOKEN}\n  {SECRET}\n");
    println!("Add a person, let them write to the app, and see the chat:");
    println!("  curl {url}/control/user -d '{{\"id\":\"UANNA\",\"name\":\"Anna\"}}'");
    println!("  curl {url}/control/say -d '{{\"channel\":\"UANNA\",\"user\":\"UANNA\",\"text\":\"hello\"}}'");
    println!("  curl '{url}/control/chat?chat=UANNA'");
    println!("\ntests/fakes/slack/README.md has the rest.");
    tokio::signal::ctrl_c().await?;
    Ok(())
}
