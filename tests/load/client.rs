//! A minimal HTTP/1.1 client with keep-alive. It costs little CPU, so that more is left for the server.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Where messages are sent.
#[derive(Clone)]
pub struct Target {
    pub address: SocketAddr,
    pub token: String,
    /// The status of an accepted message.
    pub taken: u16,
}

impl Target {
    /// Formats the whole POST of one message.
    pub fn prompt(&self, request: &mut Vec<u8>, chat: &str, text: &str, wait: bool) {
        let body = format!(r#"{{"chat":"{chat}","text":"{text}","wait":{wait}}}"#);
        self.post(request, "/api/chat", &body);
    }

    /// Formats a whole POST.
    pub fn post(&self, request: &mut Vec<u8>, path: &str, body: &str) {
        request.clear();
        request.extend_from_slice(
            format!(
                "POST {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                self.address,
                self.token,
                body.len()
            )
            .as_bytes(),
        );
    }
}

/// A connection that has its own thread.
pub struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    pub fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self { stream, answer: Vec::new() })
    }

    /// Sends a request and waits for the whole answer.
    pub fn ask(&mut self, request: &[u8]) -> Result<u16> {
        self.stream.write_all(request)?;
        self.answer.clear();
        let mut piece = [0; 4096];
        loop {
            let read = self.stream.read(&mut piece)?;
            ensure!(read > 0, "the server hung up");
            self.answer.extend_from_slice(&piece[..read]);
            if let Some(status) = whole(&self.answer)? {
                return Ok(status);
            }
        }
    }

    pub fn get(&mut self, path: &str) -> Result<u16> {
        let host = self.stream.peer_addr()?;
        self.ask(format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n").as_bytes())
    }

    pub fn answer(&self) -> String {
        String::from_utf8_lossy(&self.answer).into_owned()
    }
}

/// A connection that shares its thread with others.
pub struct AsyncConnection {
    stream: tokio::net::TcpStream,
    answer: Vec<u8>,
}

impl AsyncConnection {
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = tokio::net::TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::with_capacity(4096) })
    }

    pub async fn ask(&mut self, request: &[u8]) -> Result<u16> {
        self.stream.write_all(request).await?;
        self.answer.clear();
        loop {
            ensure!(self.stream.read_buf(&mut self.answer).await? > 0, "the server hung up");
            if let Some(status) = whole(&self.answer)? {
                return Ok(status);
            }
        }
    }

    /// Sends a POST. Without an authorization the header is empty. Discord refuses bots that do not say what they are.
    pub async fn post(
        &mut self,
        host: SocketAddr,
        path: &str,
        authorization: &str,
        body: &str,
    ) -> Result<u16> {
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: {authorization}\r\n\
             user-agent: DiscordBot (http://{host}, 1)\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        self.ask(request.as_bytes()).await
    }

    pub fn answer(&self) -> String {
        String::from_utf8_lossy(&self.answer).into_owned()
    }
}

/// The status, once the whole response has arrived.
fn whole(answer: &[u8]) -> Result<Option<u16>> {
    let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&answer[..head])?;
    let length: usize = text
        .lines()
        .find_map(|line| line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length")))
        .map_or(Ok(0), |(_, length)| length.trim().parse())?;
    if answer.len() < head + 4 + length {
        return Ok(None);
    }
    let status = text.split(' ').nth(1).context("an answer without a status")?.parse()?;
    Ok(Some(status))
}
