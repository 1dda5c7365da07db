//! A gateway with the TCP chat: `cargo run -p tcp-chat --example tcp-gateway -- frontdesk.toml`.

use anyhow::Context as _;
use frontdesk::Gateway;
use frontdesk::kit::Channel;
use tcp_chat::TcpSection;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let file = std::env::args().nth(1).context("name a configuration file with a section [channels.tcp]")?;
    let gateway = Gateway::builder().config_file(file).channel(Channel::of::<TcpSection>()).start().await?;
    tokio::signal::ctrl_c().await?;
    gateway.stop().await;
    Ok(())
}
