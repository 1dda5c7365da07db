//! The raw limit of a bot: it answers at once and stores nothing.

use std::collections::HashSet;
use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use clap::Args;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::client::AsyncConnection;
use crate::platform::{CHATS, Platform, Post, discord_identify, marks, slack_socket, telegram};

/// Options of the bot.
#[derive(Args)]
pub struct Options {
    #[arg(long)]
    platform: Platform,
    /// Address of the platform's API.
    #[arg(long)]
    api: SocketAddr,
    /// Address on which it reports that it is ready.
    #[arg(long)]
    port: u16,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Where messages come from.
enum Source {
    Telegram { connection: AsyncConnection, api: SocketAddr, offset: u64 },
    Discord(Socket),
    Slack(Socket),
}

/// Receives messages and answers them until it is killed.
pub fn run(options: &Options) -> Result<()> {
    let (platform, api) = (options.platform, options.api);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let source = Source::connect(platform, api).await?;
        let router = axum::Router::new().route("/ready", axum::routing::get(|| async {}));
        let listener = tokio::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, options.port)).await?;
        let mut tasks = JoinSet::new();
        let mut chats = Vec::new();
        for _ in 0..CHATS {
            let (chat, asked) = mpsc::unbounded_channel();
            tasks.spawn(answer(platform, api, asked));
            chats.push(chat);
        }
        tasks.spawn(receive(source, chats));
        tasks.spawn(async move { Ok(axum::serve(listener, router).await?) });
        match tasks.join_next().await {
            Some(ended) => ended?,
            None => Ok(()),
        }
    })
}

impl Source {
    /// Connects. What is written afterwards arrives.
    async fn connect(platform: Platform, api: SocketAddr) -> Result<Self> {
        let mut connection = AsyncConnection::open(api).await?;
        match platform {
            Platform::Telegram => Ok(Self::Telegram { connection, api, offset: 0 }),
            Platform::Discord => {
                let mut socket = dial(&format!("ws://{api}/?v=10&encoding=json")).await?;
                frame(&mut socket).await?;
                socket.send(Message::text(discord_identify())).await?;
                let begun = frame(&mut socket).await?;
                ensure!(begun["t"] == "READY", "Discord does not begin a session: {begun}");
                Ok(Self::Discord(socket))
            }
            Platform::Slack => {
                post(&mut connection, api, &slack_socket()).await?;
                let url = body(&connection)?["url"].as_str().context("Slack names no socket")?.to_owned();
                let mut socket = dial(&url).await?;
                let hello = frame(&mut socket).await?;
                ensure!(hello["type"] == "hello", "Slack does not say hello: {hello}");
                Ok(Self::Slack(socket))
            }
        }
    }

    /// The numbers of the next messages, each with its chat.
    async fn next(&mut self) -> Result<Vec<(u64, String)>> {
        match self {
            Self::Telegram { connection, api, offset } => {
                let asked = format!(r#"{{"offset":{offset},"timeout":25}}"#);
                post(connection, *api, &telegram("getUpdates", asked)).await?;
                let answer = body(connection)?;
                let updates = answer["result"].as_array().context("an answer without updates")?;
                let ids = updates.iter().filter_map(|update| update["update_id"].as_u64());
                *offset = ids.fold(*offset, |offset, id| offset.max(id + 1));
                let messages = updates.iter().map(|update| &update["message"]);
                Ok(messages.flat_map(|said| message(&said["text"], &said["chat"]["id"])).collect())
            }
            Self::Discord(socket) => {
                let frame = frame(socket).await?;
                let said = &frame["d"];
                Ok(message(&said["content"], &said["channel_id"]).collect())
            }
            Self::Slack(socket) => {
                let frame = frame(socket).await?;
                if let Some(id) = frame["envelope_id"].as_str() {
                    socket.send(Message::text(json!({"envelope_id": id}).to_string())).await?;
                }
                let said = &frame["payload"]["event"];
                Ok(message(&said["text"], &said["channel"]).collect())
            }
        }
    }
}

/// The number of a message, if it has one, and its chat.
fn message<'a>(text: &'a Value, chat: &Value) -> impl Iterator<Item = (u64, String)> + use<'a> {
    let chat = chat.as_str().map_or_else(|| chat.to_string(), str::to_owned);
    marks(text.as_str().unwrap_or_default()).map(move |n| (n, chat.clone()))
}

async fn receive(mut source: Source, chats: Vec<mpsc::UnboundedSender<(u64, String)>>) -> Result<()> {
    // Some platforms show a bot its own messages.
    let mut known = HashSet::new();
    loop {
        for (n, chat) in source.next().await? {
            if known.insert(n) {
                let task = &chats[usize::try_from(n % CHATS)?];
                ensure!(task.send((n, chat)).is_ok(), "the task that answers this chat has ended");
            }
        }
    }
}

async fn answer(
    platform: Platform,
    api: SocketAddr,
    mut asked: mpsc::UnboundedReceiver<(u64, String)>,
) -> Result<()> {
    let mut connection = AsyncConnection::open(api).await?;
    while let Some((n, chat)) = asked.recv().await {
        post(&mut connection, api, &platform.reply(&chat, n)).await?;
    }
    Ok(())
}

async fn post(connection: &mut AsyncConnection, api: SocketAddr, post: &Post) -> Result<()> {
    let status = connection.post(api, &post.path, &post.authorization, &post.body).await?;
    // Slack refuses with 200.
    let answer = connection.answer();
    ensure!(status == 200 && !answer.contains("\"ok\":false"), "{answer}");
    Ok(())
}

fn body(connection: &AsyncConnection) -> Result<Value> {
    let answer = connection.answer();
    let (_, body) = answer.split_once("\r\n\r\n").context("an answer without a body")?;
    Ok(serde_json::from_str(body)?)
}

async fn dial(url: &str) -> Result<Socket> {
    let (socket, _) = tokio_tungstenite::connect_async_with_config(url, None, true).await?;
    Ok(socket)
}

/// The next frame with a text. The runs are too short for heartbeats, and pings are answered by the library.
async fn frame(socket: &mut Socket) -> Result<Value> {
    loop {
        match socket.next().await.context("the socket has been closed")?? {
            Message::Text(text) => return Ok(serde_json::from_str(&text)?),
            Message::Close(why) => anyhow::bail!("the socket has been closed: {why:?}"),
            _ => {}
        }
    }
}
