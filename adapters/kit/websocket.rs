//! A WebSocket that is opened with the HTTP client, so that the proxies of the environment are used.

use frontdesk_http::{HttpClient, HttpFault};
use reqwest::{RequestBuilder, StatusCode, Upgraded, Url};
use thiserror::Error;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// An open socket.
pub type WebSocket = WebSocketStream<Upgraded>;

/// Why a socket was not opened. Secrets of the client have been removed from all texts.
#[derive(Debug, Error)]
pub enum DialFault {
    /// There is no whole response.
    #[error(transparent)]
    Http(#[from] HttpFault),
    /// The server answered with this status, or not as the protocol asks for.
    #[error("HTTP {0} instead of a socket")]
    NoSocket(u16),
}

/// Opens a socket with a GET request. `largest` is the maximum size of a message and of a frame, in bytes.
pub async fn dial(
    client: &HttpClient,
    request: RequestBuilder,
    largest: usize,
) -> Result<WebSocket, DialFault> {
    let key = generate_key();
    let request = request
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", &key);
    let response = client.start(request).await?;
    let accepted = response.headers().get("sec-websocket-accept").and_then(|value| value.to_str().ok());
    let status = response.status();
    if status != StatusCode::SWITCHING_PROTOCOLS || accepted != Some(&derive_accept_key(key.as_bytes())) {
        return Err(DialFault::NoSocket(status.as_u16()));
    }
    let stream = response.upgrade().await.map_err(|error| {
        DialFault::Http(HttpFault::Unanswered(client.clean(&error.without_url().to_string())))
    })?;
    let config = WebSocketConfig::default().max_message_size(Some(largest)).max_frame_size(Some(largest));
    Ok(WebSocketStream::from_raw_socket(stream, Role::Client, Some(config)).await)
}

/// The HTTP address at which a WebSocket's address is dialled.
pub fn http_url(address: &str) -> Option<Url> {
    let plain = match address.split_once("://")? {
        ("wss", rest) => format!("https://{rest}"),
        ("ws", rest) => format!("http://{rest}"),
        _ => return None,
    };
    Url::parse(&plain).ok().filter(Url::has_host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_of_a_socket_is_dialled() {
        let url = |address| http_url(address).map(|url| url.to_string());
        assert_eq!(url("wss://gateway.discord.gg").unwrap(), "https://gateway.discord.gg/");
        assert_eq!(url("ws://127.0.0.1:9/link?ticket=1").unwrap(), "http://127.0.0.1:9/link?ticket=1");
        assert_eq!(url("file:///etc/passwd"), None);
        assert_eq!(url("https://slack.com"), None);
        assert_eq!(url("gateway"), None);
    }
}
