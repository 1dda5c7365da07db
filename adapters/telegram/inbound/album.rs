//! Media groups (albums) in groups: if one message of an album mentions the bot, all of its messages are meant for the
//! bot.

use std::collections::VecDeque;

use frontdesk_core::message::Event;

/// The number of albums that are remembered. The messages of an album arrive within seconds.
const REMEMBERED: usize = 64;

/// The albums that are meant for the bot.
#[derive(Debug, Default)]
pub(crate) struct Albums(VecDeque<Piece>);

#[derive(Debug, PartialEq, Eq)]
struct Piece {
    chat: String,
    sender: String,
    album: String,
}

impl Albums {
    /// Marks every message of such an album as addressed.
    pub(crate) fn settle<'e>(&mut self, events: impl Iterator<Item = &'e mut Event>) {
        let mut silent = Vec::new();
        for event in events {
            let Some(piece) = piece(event) else { continue };
            match event.addressed {
                true => self.remember(piece),
                false => silent.push((event, piece)),
            }
        }
        for (event, piece) in silent {
            event.addressed = self.0.contains(&piece);
        }
    }

    fn remember(&mut self, piece: Piece) {
        if !self.0.contains(&piece) {
            self.0.push_back(piece);
        }
        if self.0.len() > REMEMBERED {
            self.0.pop_front();
        }
    }
}

fn piece(event: &Event) -> Option<Piece> {
    let album = event.album.clone()?;
    Some(Piece { chat: event.conversation.chat().to_owned(), sender: event.from.id.to_string(), album })
}
