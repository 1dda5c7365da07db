//! What goes into the store and what comes out. No SQLite type is among it.

mod access;
mod house;
mod inbound;
mod outgoing;
mod turn;

pub use access::*;
pub use house::*;
pub use inbound::*;
pub use outgoing::*;
pub use turn::*;
