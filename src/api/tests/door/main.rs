//! The door in front of a real gateway with an echo agent, over real sockets.

mod attacks;
mod harness;
mod http;
mod page;
mod socket;
