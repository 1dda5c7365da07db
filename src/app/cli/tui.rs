//! `frontdesk tui`: the chat as a whole screen of the terminal.

mod app;
mod chat;
mod composer;
mod connection;
mod draw;
mod fetch;
mod keys;
mod markdown;
mod row;
mod rows;
mod run;
mod sessions;
mod signals;
mod terminal;
mod text;
mod theme;

use std::io::IsTerminal;

use clap::Args;
use frontdesk_core::key::SessionKey;

use super::{Done, Failure, Remote, client, screen};
use chat::Place;
use row::Look;
use theme::Theme;

#[derive(Args)]
pub struct TuiArgs {
    #[command(flatten)]
    remote: Remote,
    /// Name of the web chat to open; each name is a chat of its own
    #[arg(long, default_value = sessions::MAIN, value_parser = client::text)]
    chat: String,
    /// Key of the session to open; a session of another platform can only be read
    #[arg(long, value_name = "KEY", conflicts_with = "chat")]
    session: Option<SessionKey>,
}

pub async fn tui(args: TuiArgs) -> Done {
    if args.remote.json {
        return Err(Failure::usage("a chat on the screen has no JSON; use `frontdesk chat --json`"));
    }
    if !std::io::stdin().is_terminal() || !screen::is_terminal() {
        return Err(Failure::usage(
            "this needs a terminal for input and output; in a script or a pipe use `frontdesk chat`",
        ));
    }
    let place = args.session.map_or(Place::Chat(args.chat), |key| Place::of(&key));
    let look = Look { theme: Theme::new(screen::colours()), zone: frontdesk::machine_zone() };
    // Errors of the first connection are those of every other command.
    let socket = connection::open(&args.remote).await?;
    run::run(args.remote, place, look, socket).await
}
