//! What people did, in the order in which they did it, and what must become of each act.

use std::sync::Arc;

use crate::cast::{Place, principal};
use crate::script::Script;

/// What must become of an act, once the bot has confirmed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lot {
    /// A turn that ends visibly.
    Answered,
    /// A command with its one reply.
    Replied,
    /// A turn or a command if its author was let in at that time; else a request to be let in, without the words.
    IfAllowed,
    /// Kept for the next turn, and nothing else.
    Overheard,
    /// Either a turn or kept for the next one: a piece of an album whose first piece came before a kill.
    Heard,
    /// Counted under this name, and gone.
    Passed(&'static str),
}

/// How somebody acted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    Says,
    /// With a file.
    Brings,
    /// With one file of several.
    BringsPiece,
    /// Says something else in an earlier message.
    Edits,
    Presses,
    Commands,
    Reacts,
}

/// Something that somebody did, and of which a bot was told.
#[derive(Debug, Clone)]
pub struct Act {
    pub update: i64,
    /// The number of the message in its chat that it made or is about.
    pub message: i64,
    pub place: Arc<Place>,
    pub person: i64,
    pub deed: Deed,
    /// The text as the database must have it, without the bot's name.
    pub text: String,
    pub script: Option<Script>,
    /// What its files hold.
    pub files: Vec<String>,
    pub lot: Lot,
    pub at: u64,
    /// Updates may have come in another order than they were numbered in.
    pub shuffled: bool,
}

impl Act {
    /// Who acted, as the database must write it.
    pub fn author(&self) -> String {
        principal(self.place.bot, self.person)
    }

    /// Which bot was told of it, and by which number.
    pub fn key(&self) -> (i64, i64) {
        (self.place.bot, self.update)
    }
}

/// Everything that the driver knows of.
#[derive(Debug, Clone, Default)]
pub struct Book {
    pub acts: Vec<Act>,
    /// When the daemon was killed.
    pub kills: Vec<u64>,
    /// Codes that strangers were shown.
    pub codes: Vec<String>,
    /// What is wrong at first sight.
    pub wrong: Vec<String>,
}
