//! The configuration of this test's daemon.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;

use crate::daemon::agent;
use crate::journal::Way;
use crate::world::chats;

/// Web and the lab, no limits, a lasting program for most chats and a plain one for some.
pub fn text(home: &Path, platform: SocketAddr) -> Result<String> {
    let free = "{ per_minute = 0, burst = 0 }";
    let main = agent(home, "main", "lasting", "--agent")? + "max_idle = 64\n";
    let plain = agent(home, "plain", "once", "--plain-agent")?;
    let mut text = format!(
        "default_agent = \"main\"\n\n[gateway]\nport = 0\n[gateway.limits]\nper_ip = {free}\nper_token = {free}\n\n\
         [limits]\nuser = {free}\nchat = {free}\naccount = {free}\n\n\
         [queue]\nper_session = 1000\n[sessions.reset]\nmode = \"none\"\n\n{main}\n{plain}\n\
         [channels.lab]\naddress = \"{platform}\"\n"
    );
    for chat in chats().into_iter().filter(|chat| chat.plain) {
        let channel = if chat.way == Way::Lab { "lab" } else { "web" };
        text.push_str(&format!("[channels.{channel}.chats.{:?}]\nagent = \"plain\"\n", chat.name));
    }
    Ok(text)
}
