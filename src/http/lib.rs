//! HTTP to other hosts: a client for the APIs of platforms and model providers, a guard that keeps requests out of
//! private networks, and a proxy that gives programs only what the guard permits.
//!
//! No error of the client contains a secret, every request has a time limit, every response a maximum size. It uses the
//! proxies of the environment (`HTTPS_PROXY`, `NO_PROXY`) and follows no redirect, because a secret must not be sent to
//! where one points.

mod address;
mod client;
mod guard;
pub mod proxy;
mod public;

pub use address::base_url;
pub use client::{HttpClient, HttpFault, Reply};
pub use guard::{Guard, Lookup, Refusal, Ssrf};
pub use public::{is_local_host, is_public};
