//! The loop: what happens goes into the state, what the state asks for is done, and the screen is drawn.

use std::time::Duration;

use crossterm::event::{Event as Input, EventStream, MouseEventKind};
use frontdesk::clock::SystemClock;
use frontdesk_core::port::{Clock, Mono};
use futures_util::StreamExt;
use tokio::sync::mpsc::{Receiver, UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use super::app::{App, Effect, Event, Now};
use super::chat::Place;
use super::connection::{self, Link, Order};
use super::draw;
use super::fetch::{Fetched, fetch};
use super::row::Look;
use super::signals::{Asked, Signals};
use super::terminal::Screen;
use crate::cli::client::{Socket, fresh_key};
use crate::cli::{Done, Failure, Remote};

/// The shortest time between two drawings.
const DRAW_EVERY: Duration = Duration::from_millis(16);
/// How often something moves that moves by itself.
const MOVE_EVERY: Duration = Duration::from_millis(120);
/// How often time passes otherwise.
const TICK_EVERY: Duration = Duration::from_secs(5);

/// Runs the chat until the person quits or a signal ends it.
pub async fn run(remote: Remote, place: Place, look: Look, socket: Socket) -> Done {
    let mut tasks = JoinSet::new();
    let (orders, links) = connection::keep(&mut tasks, remote.clone(), socket);
    let (read, fetched) = unbounded_channel();
    let clock = SystemClock::new();
    let signals = Signals::listen()?;
    let screen = Screen::open().map_err(|error| terminal_failed(&error))?;
    let mut session = Session {
        app: App::new(place, look, fresh_key, now(&clock)),
        remote,
        clock,
        tasks,
        orders,
        links,
        read,
        fetched,
        signals,
        keys: EventStream::new(),
        screen,
        is_stale: true,
        draw_at: Mono::default(),
        tick_at: Mono::default(),
    };
    session.run().await
}

fn terminal_failed(error: &std::io::Error) -> Failure {
    Failure::new(format!("the terminal cannot be used: {error}"))
}

fn now(clock: &SystemClock) -> Now {
    Now { wall: clock.wall(), mono: clock.mono() }
}

/// The chat while it runs.
struct Session {
    app: App,
    remote: Remote,
    clock: SystemClock,
    tasks: JoinSet<()>,
    orders: UnboundedSender<Order>,
    links: Receiver<Link>,
    read: UnboundedSender<Fetched>,
    fetched: UnboundedReceiver<Fetched>,
    signals: Signals,
    keys: EventStream,
    screen: Screen,
    /// Whether the screen shows less than the state.
    is_stale: bool,
    draw_at: Mono,
    tick_at: Mono,
}

/// What the loop waits for.
enum Happened {
    Input(Option<std::io::Result<Input>>),
    Link(Option<Link>),
    Fetched(Option<Fetched>),
    Signal(Asked),
    Ended(Result<(), tokio::task::JoinError>),
    Draw,
    Tick,
}

impl Session {
    async fn run(&mut self) -> Done {
        loop {
            if self.is_stale && self.clock.mono() >= self.draw_at {
                self.draw()?;
            }
            let happened = self.next().await;
            let is_over = match happened {
                Happened::Input(Some(Ok(input))) => match event(input) {
                    Some(event) => self.take(event)?,
                    None => {
                        self.is_stale = true;
                        false
                    }
                },
                Happened::Input(Some(Err(error))) => return Err(terminal_failed(&error)),
                Happened::Input(None) => return Err(Failure::new("the terminal was closed")),
                Happened::Link(Some(link)) => self.take(Event::Link(link))?,
                Happened::Fetched(Some(fetched)) => self.take(Event::Fetched(fetched))?,
                Happened::Link(None) | Happened::Fetched(None) => {
                    return Err(Failure::new("the connection to the gateway is not kept any more"));
                }
                Happened::Signal(asked) => self.signal(asked)?,
                Happened::Ended(Err(error)) if error.is_panic() => {
                    return Err(Failure::new(format!("a part of the chat ended: {error}")));
                }
                Happened::Ended(_) | Happened::Draw => false,
                Happened::Tick => {
                    let pause = if self.app.is_moving() { MOVE_EVERY } else { TICK_EVERY };
                    self.tick_at = self.clock.mono() + pause;
                    self.take(Event::Tick)?
                }
            };
            if is_over {
                return Ok(());
            }
        }
    }

    async fn next(&mut self) -> Happened {
        tokio::select! {
            input = self.keys.next() => Happened::Input(input),
            link = self.links.recv() => Happened::Link(link),
            fetched = self.fetched.recv() => Happened::Fetched(fetched),
            asked = self.signals.next() => Happened::Signal(asked),
            Some(ended) = self.tasks.join_next() => Happened::Ended(ended),
            () = self.clock.sleep_until(self.draw_at), if self.is_stale => Happened::Draw,
            () = self.clock.sleep_until(self.tick_at) => Happened::Tick,
        }
    }

    fn draw(&mut self) -> Done {
        let app = &mut self.app;
        let mut size = (0, 0);
        self.screen.draw(|frame| size = draw::draw(frame, app)).map_err(|error| terminal_failed(&error))?;
        self.is_stale = false;
        self.draw_at = self.clock.mono() + DRAW_EVERY;
        let effects = self.app.drawn(size.0, size.1);
        self.act(effects).map(drop)
    }

    /// Takes an event into the state. Returns whether the chat is over.
    fn take(&mut self, event: Event) -> Result<bool, Failure> {
        self.is_stale = true;
        let effects = self.app.on(event, now(&self.clock));
        if self.app.is_moving() {
            self.tick_at = self.tick_at.min(self.clock.mono() + MOVE_EVERY);
        }
        self.act(effects)
    }

    fn act(&mut self, effects: Vec<Effect>) -> Result<bool, Failure> {
        for effect in effects {
            let done = match effect {
                Effect::Quit => return Ok(true),
                Effect::Send(frame) => self.order(Order::Send(frame)),
                Effect::TryNow => self.order(Order::TryNow),
                Effect::Mouse(reads) => self.screen.read_mouse(reads),
                Effect::Redraw => self.screen.clear(),
                Effect::Suspend => self.screen.suspend(),
                Effect::Fetch(request) => {
                    let (remote, read) = (self.remote.clone(), self.read.clone());
                    self.tasks.spawn(async move {
                        // Nobody reads it if the chat is over.
                        drop(read.send(fetch(remote, request).await));
                    });
                    Ok(())
                }
            };
            done.map_err(|error| terminal_failed(&error))?;
        }
        Ok(false)
    }

    fn order(&self, order: Order) -> std::io::Result<()> {
        // The loop notices by itself if the connection is not kept any more.
        drop(self.orders.send(order));
        Ok(())
    }

    fn signal(&mut self, asked: Asked) -> Result<bool, Failure> {
        let done = match asked {
            Asked::End(name) => return Err(Failure::new(format!("ended by {name}"))),
            Asked::Suspend => self.screen.suspend(),
            Asked::Continue => self.screen.resume(),
        };
        self.is_stale = true;
        done.map_err(|error| terminal_failed(&error)).map(|()| false)
    }
}

/// What an input of the terminal means for the state; nothing if the screen is only to be drawn again.
fn event(input: Input) -> Option<Event> {
    match input {
        Input::Key(key) => Some(Event::Key(key)),
        Input::Paste(text) => Some(Event::Paste(text)),
        Input::Mouse(mouse) => match mouse.kind {
            MouseEventKind::ScrollUp => Some(Event::Wheel(-1)),
            MouseEventKind::ScrollDown => Some(Event::Wheel(1)),
            _ => None,
        },
        Input::Resize(..) | Input::FocusGained | Input::FocusLost => None,
    }
}
