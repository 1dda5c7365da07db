//! The gateway's configuration: no limits, two agents, and what the channels add.

use std::path::Path;

use anyhow::{Context, Result};

use crate::agent::model::Model;
use crate::agent::{self, JOURNAL, PER_TURN, PERSISTENT};
use crate::channel::Channel;
use crate::random::Random;

/// The agents' names: a persistent program, and one that is started for every turn.
pub const MAIN: &str = "main";
pub const PLAIN: &str = "plain";

/// `model` is a model behind the main agent.
pub fn text(home: &Path, channels: &[Box<dyn Channel>], model: Option<&Model>) -> Result<String> {
    let free = "{ per_minute = 0, burst = 0 }";
    let main = match model {
        Some(model) => model.section()?,
        None => agent_section(home, MAIN, "lasting", PERSISTENT)? + "max_idle = 64\nsteer = true\n",
    };
    let plain = agent_section(home, PLAIN, "once", PER_TURN)?;
    let channels: String = channels.iter().map(|channel| channel.config()).collect();
    Ok(format!(
        "default_agent = \"{MAIN}\"\n\n[gateway]\nport = 0\n[gateway.limits]\nper_ip = {free}\nper_token = {free}\n\n\
         [limits]\nuser = {free}\nchat = {free}\naccount = {free}\n\n\
         [queue]\nper_session = 1000\n[sessions.reset]\nmode = \"none\"\n\n{main}\n{plain}\n{channels}"
    ))
}

/// A change of the configuration. None of them takes a message or a permission from anybody.
pub struct Variation {
    pub text: String,
    /// Whether the gateway has to take it over.
    pub is_valid: bool,
}

impl Variation {
    pub fn random(base: &str, random: &mut Random) -> Self {
        let text = changed(base, random);
        if random.permille(700) {
            return Self { text, is_valid: true };
        }
        let text = match random.range(0, 3) {
            0 => format!("{text}\n[unfinished\n"),
            1 => text.replacen("poll_seconds", "pol_seconds", 1),
            2 => text.replacen("[queue]\n", "[queue]\nper_session = \"many\"\n", 1),
            _ => text.replacen(&format!("default_agent = \"{MAIN}\""), "default_agent = \"nobody\"", 1),
        };
        Self { text, is_valid: false }
    }
}

/// Other accounts, groups, limits and agents.
fn changed(base: &str, random: &mut Random) -> String {
    let mut text = base.to_owned();
    if random.permille(400) {
        text = text.replacen("edit_ms = 40", &format!("edit_ms = {}", random.range(20, 80)), 1);
    }
    if random.permille(300) {
        text = text.replacen("streaming = \"partial\"", "streaming = \"block\"", 1);
    }
    if random.permille(300) {
        // The programs of the main agent are replaced.
        text = text.replacen("max_idle = 64", &format!("max_idle = {}", random.range(8, 63)), 1);
    }
    if random.permille(300) {
        let much = "{ per_minute = 600000, burst = 60000 }";
        text = text.replacen("user = { per_minute = 0, burst = 0 }", &format!("user = {much}"), 1);
    }
    if random.permille(300) {
        // The last section is the second bot.
        text.push_str("enabled = false\n");
    }
    if random.permille(500) {
        text.push_str(&format!(
            "[channels.telegram.groups.\"-100{}\"]\n",
            random.range(1_000_000, 9_000_000)
        ));
    }
    if random.permille(300) {
        text.push_str(&format!("[turns]\nmax = {}\n", random.range(8, 64)));
    }
    text
}

/// An agent that is this binary in one of its roles and writes its journal into the home.
fn agent_section(home: &Path, name: &str, mode: &str, role: &str) -> Result<String> {
    let text = |path: &Path| path.to_str().map(str::to_owned).context("a path that is not UTF-8");
    let (program, journal) = (text(&std::env::current_exe()?)?, text(&agent::journal_path(home))?);
    Ok(format!(
        "[agents.{name}]\nkind = \"command\"\nmode = \"{mode}\"\ncommand = [{program:?}, \"{role}\"]\n\
         env = {{ {JOURNAL} = {journal:?} }}\n"
    ))
}
