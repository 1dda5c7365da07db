//! The gateway's configuration: no limits, two agents, and what the channels add.

use std::path::Path;

use anyhow::{Context, Result};

use crate::agent::{self, JOURNAL, PER_TURN, PERSISTENT};
use crate::channel::Channel;

/// The agents' names: a persistent program, and one that is started for every turn.
pub const MAIN: &str = "main";
pub const PLAIN: &str = "plain";

pub fn text(home: &Path, channels: &[Box<dyn Channel>]) -> Result<String> {
    let free = "{ per_minute = 0, burst = 0 }";
    let main = agent_section(home, MAIN, "lasting", PERSISTENT)? + "max_idle = 64\n";
    let plain = agent_section(home, PLAIN, "once", PER_TURN)?;
    let channels: String = channels.iter().map(|channel| channel.config()).collect();
    Ok(format!(
        "default_agent = \"{MAIN}\"\n\n[gateway]\nport = 0\n[gateway.limits]\nper_ip = {free}\nper_token = {free}\n\n\
         [limits]\nuser = {free}\nchat = {free}\naccount = {free}\n\n\
         [queue]\nper_session = 1000\n[sessions.reset]\nmode = \"none\"\n\n{main}\n{plain}\n{channels}"
    ))
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
