//! A client of the gateway of the plainest kind.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::{Discord, TOKEN};

/// Long enough for anything that happens at all.
pub const SOON: Duration = Duration::from_secs(10);

/// What a bot here listens to.
pub const INTENTS: u64 = 46_593;

/// One connection.
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Dials, and reads HELLO.
    pub async fn dials(discord: &Discord) -> Self {
        let mut socket = Self::dials_with(discord, "v=10&encoding=json").await;
        assert_eq!(socket.reads().await.unwrap()["op"], 10);
        socket
    }

    pub async fn dials_with(discord: &Discord, query: &str) -> Self {
        let url = format!("ws://127.0.0.1:{}/?{query}", discord.port());
        Self(tokio_tungstenite::connect_async(&url).await.unwrap().0)
    }

    /// Identifies, and reads READY, whose data it returns.
    pub async fn identifies(discord: &Discord) -> (Self, Value) {
        let mut socket = Self::dials(discord).await;
        socket.sends(&identify()).await;
        let ready = socket.reads().await.unwrap();
        assert_eq!(ready["t"], "READY");
        (socket, ready["d"].clone())
    }

    pub async fn sends(&mut self, frame: &Value) {
        self.0.send(Message::text(frame.to_string())).await.unwrap();
    }

    /// The next frame, or the code with which the connection is closed (0 without one).
    pub async fn reads(&mut self) -> Result<Value, u16> {
        let frame = tokio::time::timeout(SOON, self.0.next()).await.expect("a frame");
        match frame {
            Some(Ok(Message::Text(text))) => Ok(serde_json::from_str(&text).unwrap()),
            Some(Ok(Message::Close(Some(frame)))) => Err(frame.code.into()),
            _ => Err(0),
        }
    }

    /// The next dispatch of this kind, with its sequence number.
    pub async fn hears(&mut self, event: &str) -> (u64, Value) {
        loop {
            let mut frame = self.reads().await.unwrap();
            if frame["t"] == event {
                return (frame["s"].as_u64().unwrap(), frame["d"].take());
            }
        }
    }

    /// Says goodbye with this code.
    pub async fn closes(mut self, code: u16) {
        let frame =
            tokio_tungstenite::tungstenite::protocol::CloseFrame { code: code.into(), reason: "".into() };
        self.0.close(Some(frame)).await.unwrap();
        while let Some(Ok(_)) = self.0.next().await {}
    }
}

pub fn identify() -> Value {
    json!({"op": 2, "d": {"token": TOKEN, "intents": INTENTS, "properties": {}}})
}

pub fn resume(session: &Value, seq: u64) -> Value {
    json!({"op": 6, "d": {"token": TOKEN, "session_id": session, "seq": seq}})
}
