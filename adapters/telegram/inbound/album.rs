//! Albums in groups: one piece has the words, all pieces go where the words go.

use std::collections::VecDeque;

use frontdesk_core::message::Event;

/// So many albums are remembered: their pieces come within seconds.
const REMEMBERED: usize = 64;

/// The albums that spoke to us.
#[derive(Debug, Default)]
pub(crate) struct Albums(VecDeque<Piece>);

#[derive(Debug, PartialEq, Eq)]
struct Piece {
    chat: String,
    sender: String,
    album: String,
}

impl Albums {
    /// Lets every piece of an album that speaks to us speak to us.
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
    Some(Piece { chat: event.conversation.chat().to_owned(), sender: event.principal.to_string(), album })
}
