//! The WebSocket to the gateway. It is opened again after it was lost, with growing pauses.

use std::time::Duration;

use frontdesk::clock::SystemClock;
use frontdesk_core::port::Clock;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver, UnboundedSender, channel, unbounded_channel};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

use crate::cli::client::{Client, Socket};
use crate::cli::{Failure, Remote};

/// The first pause between two attempts.
const SHORTEST: Duration = Duration::from_millis(250);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(15);
/// The gateway pings every 30 seconds: a connection that is silent for longer is lost.
const SILENCE: Duration = Duration::from_secs(75);
/// Number of frames that wait for the screen. More are not read from the socket.
const WAITING: usize = 256;

/// What the connection tells.
#[derive(Debug)]
pub enum Link {
    /// It is being opened.
    Connecting,
    /// It is there.
    Open,
    /// A frame has arrived.
    Frame(Value),
    /// There is none; the next attempt comes after this pause. The text says why the last one failed.
    Waiting(Duration, String),
}

/// What the connection is asked to do.
#[derive(Debug)]
pub enum Order {
    /// Send a frame. Without a connection it is dropped: what must arrive is sent again after [`Link::Open`].
    Send(Value),
    /// Try at once.
    TryNow,
}

/// Keeps a connection, beginning with one that is open.
pub fn keep(
    tasks: &mut JoinSet<()>,
    remote: Remote,
    first: Socket,
) -> (UnboundedSender<Order>, Receiver<Link>) {
    let (orders, orders_read) = unbounded_channel();
    let (links_written, links) = channel(WAITING);
    let upkeep = Upkeep { remote, orders: orders_read, links: links_written, clock: SystemClock::new() };
    tasks.spawn(async move {
        // It ends with the screen that reads it.
        drop(upkeep.run(first).await);
    });
    (orders, links)
}

/// The screen has ended.
struct Ended;

struct Upkeep {
    remote: Remote,
    orders: UnboundedReceiver<Order>,
    links: Sender<Link>,
    clock: SystemClock,
}

impl Upkeep {
    async fn run(mut self, first: Socket) -> Result<(), Ended> {
        let mut opened: Result<Socket, Failure> = Ok(first);
        let mut tries = 0;
        loop {
            let why = match opened {
                Ok(socket) => {
                    tries = if self.serve(socket).await? { 0 } else { tries };
                    String::new()
                }
                // That no gateway runs is no news: the banner says it.
                Err(failure) if failure.is_unavailable() => String::new(),
                Err(failure) => failure.to_string(),
            };
            self.wait(pause(tries), why).await?;
            tries += 1;
            self.tell(Link::Connecting).await?;
            opened = open(&self.remote).await;
        }
    }

    async fn tell(&self, link: Link) -> Result<(), Ended> {
        self.links.send(link).await.map_err(|_| Ended)
    }

    /// Serves a connection until it is lost. Returns whether the gateway has welcomed it.
    async fn serve(&mut self, mut socket: Socket) -> Result<bool, Ended> {
        let mut is_ready = false;
        loop {
            let silence = self.clock.sleep_until(self.clock.mono() + SILENCE);
            tokio::select! {
                received = socket.next() => match received {
                    Some(Ok(Message::Text(text))) => {
                        let frame: Value = serde_json::from_str(text.as_str()).unwrap_or_default();
                        if frame["type"] == "ready" {
                            is_ready = true;
                            self.tell(Link::Open).await?;
                        } else {
                            self.tell(Link::Frame(frame)).await?;
                        }
                    }
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(is_ready),
                    Some(Ok(_)) => {}
                },
                order = self.orders.recv() => match order {
                    Some(Order::Send(frame)) => {
                        if socket.send(Message::text(frame.to_string())).await.is_err() {
                            return Ok(is_ready);
                        }
                    }
                    Some(Order::TryNow) => {}
                    None => return Err(Ended),
                },
                () = silence => return Ok(is_ready),
            }
        }
    }

    /// Waits before the next attempt, unless somebody does not want to.
    async fn wait(&mut self, pause: Duration, why: String) -> Result<(), Ended> {
        self.tell(Link::Waiting(pause, why)).await?;
        let end = self.clock.mono() + pause;
        loop {
            tokio::select! {
                () = self.clock.sleep_until(end) => return Ok(()),
                order = self.orders.recv() => match order {
                    Some(Order::TryNow) => return Ok(()),
                    Some(Order::Send(_)) => {}
                    None => return Err(Ended),
                },
            }
        }
    }
}

/// Finds the gateway, which may have another address or token since it started again, and connects to it.
pub async fn open(remote: &Remote) -> Result<Socket, Failure> {
    Client::find(remote)?.websocket().await
}

/// The pause before the next attempt, after so many.
fn pause(tries: u32) -> Duration {
    SHORTEST.saturating_mul(2_u32.saturating_pow(tries)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_longest() {
        assert_eq!(pause(0), SHORTEST);
        assert_eq!(pause(3), SHORTEST * 8);
        assert_eq!((pause(7), pause(u32::MAX)), (LONGEST, LONGEST));
    }
}
