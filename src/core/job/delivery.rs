//! Where the results of a job go.

use super::JobError;
use crate::address::Address;
use crate::segment::shown;

/// Where the results of a job go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobDelivery {
    /// To a chat.
    Announce(Address),
    /// To the private chat of the job's owner.
    Direct,
    /// Nowhere: they are in the list of runs.
    Silent,
    /// To a web server, by a signed request. Contains the URL.
    Webhook(String),
}

impl JobDelivery {
    /// The name in the configuration, in the database and in the interfaces.
    pub fn name(&self) -> &'static str {
        match self {
            JobDelivery::Announce(_) => "announce",
            JobDelivery::Direct => "direct",
            JobDelivery::Silent => "silent",
            JobDelivery::Webhook(_) => "webhook",
        }
    }

    /// The delivery with this name. `to` is the chat of an announcement, `url` the address of a web server.
    pub fn of(name: &str, to: Option<Address>, url: Option<&str>) -> Result<Self, JobError> {
        let is_url = |url: &str| ["https://", "http://"].iter().any(|scheme| url.starts_with(scheme));
        match (name, to, url) {
            ("announce", Some(chat), None) => Ok(JobDelivery::Announce(chat)),
            ("announce", None, None) => Err(JobError::NoChat),
            ("direct", None, None) => Ok(JobDelivery::Direct),
            ("silent", None, None) => Ok(JobDelivery::Silent),
            ("webhook", None, Some(url)) if is_url(url) => Ok(JobDelivery::Webhook(url.to_owned())),
            ("webhook", None, _) => Err(JobError::NoUrl),
            ("announce" | "direct" | "silent", _, Some(_)) => Err(JobError::HasUrl),
            ("direct" | "silent" | "webhook", Some(_), _) => Err(JobError::HasChat),
            _ => Err(JobError::Delivery { given: shown(name) }),
        }
    }
}
