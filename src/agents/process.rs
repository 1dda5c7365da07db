//! What every agent that runs as a program needs: it is started in a process group of its own, with a clean environment, a
//! stable working folder and limits, its output is read in bounded lines, it is kept between turns, and it ends.
//!
//! A kind of agent describes its program with a [`ProgramConfig`], makes a [`ProcessHost`] of it, and starts a
//! [`Process`] for a turn. Programs that serve more than one turn wait in an [`IdlePool`]. Nothing here knows what a
//! program says: [`Lines`] and [`json_line`] serve all protocols of JSON lines, [`Utf8`] serves plain text.
//!
//! Every program runs in a process group of its own. The group is killed when its leader has exited, when the
//! [`Process`] is dropped and when the agent stops. A program that leaves its group (`setsid`) cannot be killed this way,
//! but it does not delay the turn; on Linux it is found and ended if its kind of agent wants that
//! ([`ProgramConfig::end_strays`]). If the gateway itself is killed, nothing kills the group: a program of one turn has
//! its prompt already and finds its stdout closed; a persistent program reads the end of its stdin and must then exit.
//! Programs that do not exit are ended by the next start of the gateway, before any turn runs again, because every
//! group has a record on disk while it exists (see [`end_leftovers`]). Under systemd, the unit's control group ends the
//! programs as well.
//!
//! A program can be closed in with a prefix before its command ([`Confinement`]). In the ready-made sandbox every process
//! of the program ends with it, whatever group it is in, and when the gateway is killed.

mod bubblewrap;
mod child;
mod environment;
mod folder;
mod group;
mod host;
mod input;
pub mod json_line;
mod leftovers;
mod lines;
mod links;
mod output;
mod pool;
mod program;
mod record;
mod rlimits;
mod run_with;
mod starter;
mod stderr;
mod strays;
mod tree;
mod utf8;

pub use child::{Ending, Process};
pub use environment::check as check_environment;
pub use host::ProcessHost;
pub use input::{Input, NotReading};
pub use leftovers::end_leftovers;
pub use lines::{LineError, Lines};
pub use output::Output;
pub use pool::{IdlePool, IdleSettings, Reusable, SessionEpoch};
pub use program::{Installed, ProgramConfig, Start, check_command};
pub use record::FOLDER as RECORDS;
pub use rlimits::Limits;
pub use run_with::{Confinement, Ready, RunWith};
pub use stderr::Stderr;
pub use utf8::Utf8;
