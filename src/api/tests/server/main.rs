//! The HTTP server in front of a real gateway with an echo agent, over real sockets.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod access;
mod agent;
mod asks;
mod attacks;
mod client;
mod completions;
mod console;
mod described;
mod dialects;
mod disconnected;
mod erased;
mod events;
mod files;
mod groups;
mod harness;
mod hooks;
mod http;
mod jobs;
mod links;
mod logins;
mod memory;
mod page;
mod platform;
mod reload;
mod reports;
mod search;
mod sending;
mod socket;
mod stopping;
mod strict;
mod task_socket;
mod tasks;
mod timeline;
mod tokens;
mod tools;
mod unauthenticated;
mod webhook;
