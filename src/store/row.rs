//! What goes into the store and what comes out. No SQLite type is among it.

mod access;
mod ask;
mod audit;
mod backlog;
mod budget;
mod change;
mod inbound;
mod job;
mod link;
mod outgoing;
mod overview;
mod pairing;
mod run;
mod state;
mod task;
mod timeline;
mod turn;
mod waiting;

pub use access::*;
pub use ask::*;
pub use audit::*;
pub use backlog::*;
pub use budget::*;
pub use change::*;
pub use inbound::*;
pub use job::*;
pub use link::*;
pub use outgoing::*;
pub use overview::*;
pub use pairing::*;
pub use run::*;
pub use state::*;
pub use task::*;
pub use timeline::*;
pub use turn::*;
pub use waiting::*;
