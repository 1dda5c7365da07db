//! An HTTP client for the APIs of platforms and model providers.
//!
//! No error contains a secret, every request has a time limit, every response a maximum size. It uses the proxies of
//! the environment (`HTTPS_PROXY`, `NO_PROXY`) and follows no redirect, because a secret must not be sent to where one
//! points.

mod address;
mod client;

pub use address::base_url;
pub use client::{HttpClient, HttpFault, Reply};
