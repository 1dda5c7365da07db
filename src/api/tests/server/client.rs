//! Clients of a test server: requests with their responses, and WebSockets.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::described;
use crate::harness::ADMIN;

/// The response to a request.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Reply {
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or("")
    }
}

/// Sends requests to a gateway that another part of the test owns.
pub struct Client {
    pub address: SocketAddr,
    pub http: reqwest::Client,
}

impl Client {
    pub async fn chat(&self, key: &str, text: &str) -> Reply {
        let request = self.http.post(format!("http://{}/api/chat", self.address)).bearer_auth(ADMIN);
        answer(request.header("idempotency-key", key).json(&json!({"text": text}))).await
    }
}

/// Sends a request and reads the JSON of its response, which must be as the interface is described.
pub async fn answer(request: RequestBuilder) -> Reply {
    let (client, request) = request.build_split();
    let request = request.unwrap();
    let (method, url) = (request.method().clone(), request.url().clone());
    let response = within(client.execute(request)).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let body = within(response.text()).await.unwrap();
    let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
    described::check(&method, &url, status, &headers, &body);
    Reply { status, headers, body }
}

/// Fails instead of waiting forever.
pub async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("timed out")
}

/// A client's WebSocket.
pub struct Socket {
    pub stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub protocol: Option<String>,
}

impl Socket {
    pub async fn send_json(&mut self, frame: Value) {
        self.send_text(&frame.to_string()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.unwrap();
    }

    pub async fn prompt(&mut self, id: &str, text: &str) {
        let frame = json!({"type": "prompt", "id": id, "text": text});
        described::check_client_frame(&frame);
        self.send_json(frame).await;
    }

    pub async fn receive(&mut self) -> Value {
        match self.next().await {
            Ok(frame) => frame,
            Err(code) => panic!("closed with {code:?}"),
        }
    }

    /// The next frame, or the close code.
    pub async fn next(&mut self) -> Result<Value, Option<u16>> {
        loop {
            match within(self.stream.next()).await {
                Some(Ok(Message::Text(text))) => {
                    let frame = serde_json::from_str(&text).unwrap();
                    // Other gateways' frames are not described here.
                    if !matches!(self.protocol.as_deref(), Some("kobold.v0" | "pi-gateway.v0")) {
                        described::check_frame(&frame);
                    }
                    return Ok(frame);
                }
                Some(Ok(Message::Close(frame))) => return Err(frame.map(|frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// The next frame of this type. Other frames are skipped.
    pub async fn receive_type(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.receive().await;
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// Reads until the socket is closed and returns the close code.
    pub async fn closed(&mut self) -> Option<u16> {
        loop {
            if let Err(code) = self.next().await {
                return code;
            }
        }
    }
}
