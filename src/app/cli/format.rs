//! `frontdesk format`: Markdown rendered for a channel.

use std::io::Read;

use clap::Args;
use frontdesk_core::account::NoSuchChannel;
use frontdesk_core::profile::Profile;
use serde::Serialize;

use super::{Done, Failure, screen};

#[derive(Args)]
pub struct FormatArgs {
    /// The channel, for example telegram
    #[arg(long)]
    channel: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Formatted {
    parts: Vec<Part>,
}

#[derive(Serialize)]
struct Part {
    text: String,
    length: usize,
    unit: &'static str,
}

pub fn format(args: &FormatArgs) -> Done {
    let profile = profile(&args.channel)?;
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .read_to_string(&mut text)
        .map_err(|error| Failure::new(format!("cannot read Markdown from standard input: {error}")))?;
    let unit = profile.limit.unit;
    let parts = profile.render(&text).into_iter().map(|part| Part {
        length: unit.len(&part.body),
        text: part.body,
        unit: unit.name(),
    });
    let formatted = Formatted { parts: parts.collect() };
    if args.json {
        return screen::json(&formatted);
    }
    let total = formatted.parts.len();
    for (n, part) in formatted.parts.iter().enumerate() {
        screen::line(format!("--- part {} of {total}: {} {}", n + 1, part.length, part.unit))?;
        screen::line(screen::harmless(&part.text))?;
    }
    Ok(())
}

fn profile(channel: &str) -> Result<Profile, Failure> {
    let profiles: Vec<Profile> =
        frontdesk::adapters::registry().iter().map(|platform| (platform.profile)()).collect();
    let names = profiles.iter().map(|profile| profile.channel.as_str());
    let unknown = || Failure::usage(NoSuchChannel::new(channel, names).to_string());
    profiles.iter().find(|profile| profile.channel == channel).cloned().ok_or_else(unknown)
}
