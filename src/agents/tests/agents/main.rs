//! The agents with real programs and a fake model: their answers, and that no process of theirs keeps running.

mod closed_in;
mod config;
mod conversations;
mod echo;
mod failover;
mod json_rpc;
mod launch;
mod leftovers;
mod noting_tools;
mod openai;
mod per_turn;
mod persistent;
mod pi;
mod processes;
mod questions;
mod reported;
mod sandbox;
mod started_ahead;
mod voice;
