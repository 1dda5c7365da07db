//! The gateway's socket, read frame by frame.

use std::time::Duration;

use frontdesk_core::port::AdapterError;
use frontdesk_kit::timer::Timer;
use frontdesk_kit::websocket::{self, DialFault, WebSocket};
use futures_util::{SinkExt, StreamExt};
use reqwest::Url;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::rest::Rest;

/// The largest frame. The largest guilds take some megabytes.
const LARGEST: usize = 64 * 1024 * 1024;
/// The code with which a connection is closed. Any but 1000 and 1001 leaves the session, so that it can be taken up again.
const CLOSE: u16 = 4200;

/// One connection to the gateway.
pub(crate) struct Socket(WebSocket);

/// A frame of the gateway.
#[derive(Debug, Deserialize)]
pub(crate) struct Frame {
    /// The opcode, which says what kind of frame this is.
    pub op: u64,
    /// The name of a dispatch.
    pub t: Option<String>,
    /// Its sequence number.
    pub s: Option<u64>,
    /// The data.
    pub d: Option<Box<RawValue>>,
}

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// The gateway closed it with this code and these words.
    Closed(u16, String),
    /// It broke.
    Broken(String),
}

impl Socket {
    /// Dials `address`, such as `wss://gateway.discord.gg`.
    pub(crate) async fn dial(
        rest: &Rest,
        timer: &Timer,
        address: &str,
        within: Duration,
    ) -> Result<Self, AdapterError> {
        let url = http_url(address).ok_or_else(|| {
            AdapterError::Lost("Discord named an address that is no WebSocket address".to_owned())
        })?;
        tokio::select! {
            dialled = Self::upgrade(rest, url) => dialled,
            () = timer.pause(within) => Err(AdapterError::Lost("Discord does not answer".to_owned())),
        }
    }

    async fn upgrade(rest: &Rest, url: Url) -> Result<Self, AdapterError> {
        rest.socket(url, LARGEST).await.map(Self).map_err(|fault| match fault {
            DialFault::Http(fault) => crate::error::Fault::from(fault).for_connection(),
            DialFault::NoSocket(status) => {
                AdapterError::Lost(format!("Discord answered HTTP {status} instead of opening a socket"))
            }
        })
    }

    /// The next frame. A frame that cannot be read is `None`.
    pub(crate) async fn next(&mut self) -> Result<Option<Frame>, End> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(text.as_str()).ok()),
                Some(Ok(Message::Close(Some(CloseFrame { code, reason })))) => {
                    return Err(End::Closed(code.into(), reason.as_str().to_owned()));
                }
                Some(Ok(Message::Close(None))) | None => {
                    return Err(End::Broken("Discord closed the connection without saying why".to_owned()));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(End::Broken(words(&error))),
            }
        }
    }

    /// Sends a frame.
    pub(crate) async fn send(&mut self, frame: &serde_json::Value) -> Result<(), End> {
        self.0.send(Message::text(frame.to_string())).await.map_err(|error| End::Broken(words(&error)))
    }

    /// Ends the connection and leaves the session. Returns when the gateway has ended it too.
    pub(crate) async fn close(mut self) {
        let frame = CloseFrame { code: CloseCode::from(CLOSE), reason: "".into() };
        // If it cannot be sent, the connection has ended.
        if self.0.close(Some(frame)).await.is_ok() {
            while let Some(Ok(_)) = self.0.next().await {}
        }
    }
}

/// An error without the bytes of the frame.
fn words(error: &tungstenite::Error) -> String {
    match error {
        tungstenite::Error::Io(error) => error.kind().to_string(),
        tungstenite::Error::Capacity(_) => format!("Discord sent a frame of more than {} MiB", LARGEST >> 20),
        other => other.to_string(),
    }
}

/// The address as an HTTP URL, with the version and the encoding.
fn http_url(address: &str) -> Option<Url> {
    let mut url = websocket::http_url(address)?;
    url.query_pairs_mut().append_pair("v", "10").append_pair("encoding", "json");
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_its_version() {
        let url = |address| http_url(address).map(|url| url.to_string());
        assert_eq!(
            url("wss://gateway.discord.gg").unwrap(),
            "https://gateway.discord.gg/?v=10&encoding=json"
        );
        assert_eq!(url("ws://127.0.0.1:9/").unwrap(), "http://127.0.0.1:9/?v=10&encoding=json");
        assert_eq!(url("file:///etc/passwd"), None);
        assert_eq!(url("gateway"), None);
    }
}
