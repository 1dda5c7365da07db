//! The endpoints of the HTTP API, one module per resource.

pub(crate) mod access;
pub(crate) mod ask;
pub(crate) mod audit;
pub(crate) mod channel;
pub(crate) mod chat;
pub(crate) mod completion;
pub(crate) mod config;
pub(crate) mod dead_letter;
pub(crate) mod file;
pub(crate) mod gateway;
pub(crate) mod group;
pub(crate) mod hook;
pub(crate) mod job;
pub(crate) mod mcp;
pub(crate) mod message;
pub(crate) mod outbox;
pub(crate) mod page;
pub(crate) mod pairing;
pub(crate) mod search;
pub(crate) mod send;
pub(crate) mod session;
pub(crate) mod status;
pub(crate) mod task;
pub(crate) mod timeline;
pub(crate) mod token;
pub(crate) mod webhook;
