//! Requests for a pairing code.

use chrono::{DateTime, Utc};
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::pairing::Salt;

/// What the gate adds to the message of an unknown sender to make it a request for a pairing code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairingRequest {
    /// The salt that the code is derived from.
    pub salt: Salt,
    /// The code's salted hash.
    pub hash: [u8; 32],
    /// How many requests may be open for this account; beyond it the oldest one is deleted.
    pub most: u32,
    /// Whether a new request may be made now: when too many unknown senders write at once, they get no answer.
    pub open: bool,
    /// The addresses at which admins get a notice about the request.
    pub tell: Vec<Address>,
}

/// A pairing request.
#[derive(Debug, Clone, PartialEq)]
pub struct PairingRow {
    /// Its number, for people who may not know the code.
    pub id: i64,
    /// Who asks.
    pub principal: Principal,
    /// Where the person gets the notices.
    pub address: Address,
    /// The person's display name; never an identity.
    pub sender: Option<String>,
    /// When they asked.
    pub created: DateTime<Utc>,
    /// Until when the code can be used.
    pub expires: DateTime<Utc>,
}
