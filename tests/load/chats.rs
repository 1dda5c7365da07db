//! The measurements over the fake platforms: P4 and P5, and an idle gateway that is connected to all of them.

use std::net::SocketAddr;

use anyhow::Result;
use tokio::task::JoinSet;

use crate::daemon::{Home, Server};
use crate::figure::{Run, ratio, show};
use crate::platform::Platform;
use crate::proxy::{Proxy, listen};
use crate::talk::{Bench, Clock, Pace};
use crate::{Options, commands::repeat, disk as raw};

/// The rate of the open loop.
const PER_SECOND: u32 = 200;

pub fn p4(options: &Options) -> Result<()> {
    println!(
        "\nP4: over fake platforms, 50 chats, open loop, {PER_SECOND} a second; message in to reply request out, echo agent"
    );
    let chains = repeat(options, || raw::chain(&options.folder, options.span()))?;
    let paced = repeat(options, || raw::paced_chain(&options.folder, options.span(), PER_SECOND))?;
    show("raw limit: four FULL commits per message, one thread, closed loop", &chains);
    show("the same at 200 messages a second", &paced);
    for platform in options.platforms() {
        let name = platform.name();
        let pace = |clock| Pace::Open { per_second: PER_SECOND, clock };
        let (limits, runs) = over(options, platform, pace(Clock::Bot))?;
        show(&format!("{name}, raw limit: a bot that stores nothing, through the same proxy"), &limits);
        show(&format!("{name}: daemon"), &runs);
        ratio("p50 over four commits", &runs, &chains, Run::p50);
        ratio("p99 over four commits", &runs, &chains, Run::p99);
        ratio("p50 over four commits at 200 messages a second", &runs, &paced, Run::p50);
        ratio("p99 over four commits at 200 messages a second", &runs, &paced, Run::p99);
        ratio("p50 over the bot that stores nothing", &runs, &limits, Run::p50);
        let (limits, runs) = over(options, platform, pace(Clock::Person))?;
        show(&format!("{name}, with the time of the fake, from the person's request on: that bot"), &limits);
        show(&format!("{name}, with the time of the fake: daemon"), &runs);
    }
    Ok(())
}

pub fn p5(options: &Options) -> Result<()> {
    println!(
        "\nP5: over fake platforms, 50 chats, closed loop, echo agent; from the person to the reply request"
    );
    let chains = repeat(options, || raw::chains(&options.folder, options.span(), 50))?;
    show("raw limit: four grouped commits per message, 50 threads", &chains);
    for platform in options.platforms() {
        let (name, (limits, runs)) = (platform.name(), over(options, platform, Pace::Closed)?);
        show(&format!("{name}, raw limit: a bot that stores nothing, through the same proxy"), &limits);
        show(&format!("{name}: daemon"), &runs);
        ratio("rate over the bot that stores nothing", &runs, &limits, Run::rate);
        ratio("rate over four grouped commits", &runs, &chains, Run::rate);
    }
    Ok(())
}

/// Measures the stateless bot and the daemon in turn, each with a new fake and a new database.
fn over(options: &Options, platform: Platform, pace: Pace) -> Result<(Vec<Run>, Vec<Run>)> {
    // One thread runs the proxy and the people; the other waits for the bot to start.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let one = |start: &dyn Fn(SocketAddr) -> Result<(Option<Home>, Server)>| -> Result<Run> {
        options.quiet();
        let fake = Server::fake(&options.daemon, platform)?;
        runtime.block_on(async {
            let (proxy, listener) = (Proxy::default(), listen().await?);
            let address = listener.local_addr()?;
            let mut tasks = JoinSet::new();
            tasks.spawn(proxy.clone().serve(listener, fake.target.address));
            // This thread waits until the bot is ready; the proxy runs on the other one.
            let (_home, bot) = start(address)?;
            let mut bench = Bench { platform, bot: &bot, fake: &fake, proxy, sent: 0 };
            bench.people().await?;
            bench.measure(options.span() / 4, Pace::Closed).await?;
            let run = bench.measure(options.span(), pace).await?;
            // The bot ends first: it would complain about a closed socket.
            drop(bot);
            tasks.shutdown().await;
            Ok(run)
        })
    };
    let (mut limits, mut runs) = (Vec::new(), Vec::new());
    for _ in 0..options.runs {
        limits.push(one(&|api| Ok((None, Server::echo(platform, api)?)))?);
        runs.push(one(&|api| {
            let home = Home::chats(&options.folder, &[(platform, api)])?;
            let server = Server::daemon(&options.daemon, &home)?;
            Ok((Some(home), server))
        })?);
    }
    Ok((limits, runs))
}
