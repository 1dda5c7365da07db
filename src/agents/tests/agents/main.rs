//! The agents with real programs: what they say, and that nothing of them is left behind.

mod config;
mod echo;
mod lasting;
mod leftovers;
mod once;
mod processes;
mod sandbox;
