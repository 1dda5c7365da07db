//! The raw limit of a bot: it answers at once and stores nothing.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use clap::Args;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::client::AsyncConnection;
use crate::telegram::{CHATS, TOKEN, chat, number};

/// Options of the bot.
#[derive(Args)]
pub struct Options {
    /// Address of the Bot API.
    #[arg(long)]
    api: SocketAddr,
    /// Address on which it reports that it is ready.
    #[arg(long)]
    port: u16,
}

/// Polls for messages and answers them until it is killed.
pub fn run(options: &Options) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let router = axum::Router::new().route("/ready", axum::routing::get(|| async {}));
        let listener = tokio::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, options.port)).await?;
        let mut tasks = JoinSet::new();
        let mut chats = Vec::new();
        for _ in 0..CHATS {
            let (chat, asked) = mpsc::unbounded_channel();
            tasks.spawn(answer(options.api, asked));
            chats.push(chat);
        }
        tasks.spawn(poll(options.api, chats));
        tasks.spawn(async move { Ok(axum::serve(listener, router).await?) });
        match tasks.join_next().await {
            Some(ended) => ended?,
            None => Ok(()),
        }
    })
}

async fn poll(api: SocketAddr, chats: Vec<mpsc::UnboundedSender<u64>>) -> Result<()> {
    let mut connection = AsyncConnection::open(api).await?;
    let mut offset = 0;
    loop {
        ask(&mut connection, api, "getUpdates", &format!(r#"{{"offset":{offset},"timeout":25}}"#)).await?;
        let text = connection.answer();
        for (at, _) in text.match_indices("\"update_id\":") {
            let digits = text[at + 12..].split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
            offset = offset.max(digits.parse::<u64>()? + 1);
        }
        for (at, _) in text.match_indices('=') {
            let Some(n) = number(&text.as_bytes()[at..]) else { continue };
            let chat = usize::try_from(n % CHATS)?;
            ensure!(chats[chat].send(n).is_ok(), "the task that answers this chat has ended");
        }
    }
}

async fn answer(api: SocketAddr, mut asked: mpsc::UnboundedReceiver<u64>) -> Result<()> {
    let mut connection = AsyncConnection::open(api).await?;
    while let Some(n) = asked.recv().await {
        let body = format!(r#"{{"chat_id":{},"text":"={n:08}= hello, this is a message"}}"#, chat(n));
        ask(&mut connection, api, "sendMessage", &body).await?;
    }
    Ok(())
}

async fn ask(connection: &mut AsyncConnection, api: SocketAddr, method: &str, body: &str) -> Result<()> {
    let length = body.len();
    let request = format!(
        "POST /bot{TOKEN}/{method} HTTP/1.1\r\nhost: {api}\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    let status = connection.ask(request.as_bytes()).await?;
    ensure!(status == 200, "{}", connection.answer());
    Ok(())
}
