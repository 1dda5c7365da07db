//! A web server that gets the results of a job.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::clock;
use crate::harness::Harness;
use crate::journal::WebhookPost;

/// How long it takes to answer, so that a kill may come in between.
const PAUSE_MS: u64 = 10;

pub struct Receiver {
    harness: Arc<Harness>,
    listener: Arc<TcpListener>,
    address: SocketAddr,
}

impl Receiver {
    pub async fn start(harness: Arc<Harness>) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        Ok(Self { harness, listener: Arc::new(listener), address })
    }

    pub fn url(&self) -> String {
        format!("http://{}/results", self.address)
    }

    pub fn serve(&self, clients: &mut JoinSet<()>) {
        let (harness, listener) = (self.harness.clone(), self.listener.clone());
        clients.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                let harness = harness.clone();
                // A request that a kill has cut off is none.
                open.spawn(async move { drop(receive(&harness, stream).await) });
                while open.try_join_next().is_some() {}
            }
        });
    }
}

/// Takes one request whole, and then answers it.
async fn receive(harness: &Harness, mut stream: TcpStream) -> Result<()> {
    let mut bytes = Vec::new();
    let (head, body) = loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            anyhow::bail!("cut off");
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length: usize = header(head, "content-length").context("no length")?.parse()?;
        if body.len() >= length {
            break (head.to_owned(), body.to_owned());
        }
    };
    harness.journal().work.webhooks.push(WebhookPost {
        at: clock::now(),
        delivery: header(&head, "x-frontdesk-delivery").unwrap_or_default().to_owned(),
        is_signed: header(&head, "x-frontdesk-signature").is_some_and(|value| value.starts_with("sha256=")),
        body,
    });
    clock::sleep_ms(PAUSE_MS).await;
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await?;
    Ok(stream.shutdown().await?)
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let mut headers = head.lines().filter_map(|line| line.split_once(':'));
    headers.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}
