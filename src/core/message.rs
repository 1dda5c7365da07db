//! Inbound messages: the event that an adapter hands in, what it consists of, and the outcome of accepting it.

mod attachment;
mod conversation;
mod event;
mod forward;
mod link;
mod outcome;
mod quote;
mod raw;
mod sender;
mod source;

pub use attachment::{Attachment, FileKind};
pub use conversation::Conversation;
pub use event::{Event, EventKind, FirstLine, InputKind};
pub use forward::{Forward, ForwardKind};
pub use link::Link;
pub use outcome::{Outcome, Refusal};
pub use quote::Quote;
pub use raw::RawEvent;
pub use sender::{Sender, SenderKind};
pub use source::{Cursor, Source};
