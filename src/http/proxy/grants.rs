//! Who may use the proxy: a token for each program that runs.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// The user in the proxy's URL; the password is the token.
const USER: &str = "agent";

/// Maximum number of connections of one program at once. Those that load many things at the same time, such as package
/// managers and browsers, are content with half of this.
pub(super) const MAX_CONNECTIONS: usize = 64;

type Hash = [u8; 32];

/// The grants, by the hash of their token: a look-up by hash does not show through its time how much of a guess is right.
#[derive(Default)]
pub(super) struct Grants(Mutex<HashMap<Hash, Granted>>);

/// What is known about a token.
#[derive(Clone)]
pub(super) struct Granted {
    /// The agent whose program has it.
    pub(super) agent: Arc<str>,
    /// Cancelled when the program has ended.
    pub(super) ended: CancellationToken,
    /// A permit for each connection that the program may still open.
    free: Arc<Semaphore>,
}

impl Granted {
    fn new(agent: &str) -> Self {
        let free = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        Self { agent: agent.into(), ended: CancellationToken::new(), free }
    }

    /// The right to a connection; `None` if the program has too many.
    pub(super) fn connection(&self) -> Option<OwnedSemaphorePermit> {
        self.free.clone().try_acquire_owned().ok()
    }

    /// Whether both are of the same program.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.free, &other.free)
    }
}

/// Gives programs access to the proxy.
#[derive(Clone)]
pub struct Access {
    proxy: SocketAddr,
    own: SocketAddr,
    grants: Arc<Grants>,
}

/// The right of one program to use the proxy. Dropping it ends that and closes the program's connections.
pub struct Grant {
    hash: Hash,
    grants: Arc<Grants>,
    url: String,
    own: SocketAddr,
}

impl Access {
    pub(super) fn new(proxy: SocketAddr, own: SocketAddr, grants: Arc<Grants>) -> Self {
        Self { proxy, own, grants }
    }

    /// A token for a program of this agent.
    pub fn grant(&self, agent: &str) -> io::Result<Grant> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
        let token = URL_SAFE_NO_PAD.encode(bytes);
        let hash = hash(&token);
        self.grants.lock().insert(hash, Granted::new(agent));
        let url = format!("http://{USER}:{token}@{}", self.proxy);
        Ok(Grant { hash, grants: self.grants.clone(), url, own: self.own })
    }
}

impl Grant {
    /// The environment variables by which a program finds the proxy. Some programs read only one spelling.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let own = format!("{},localhost:{}", self.own, self.own.port());
        let url = || self.url.clone();
        vec![
            ("HTTP_PROXY", url()),
            ("http_proxy", url()),
            ("HTTPS_PROXY", url()),
            ("https_proxy", url()),
            ("NO_PROXY", own.clone()),
            ("no_proxy", own),
        ]
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        if let Some(granted) = self.grants.lock().remove(&self.hash) {
            granted.ended.cancel();
        }
    }
}

impl Grants {
    /// The grant of a `Proxy-Authorization` header.
    pub(super) fn find(&self, header: Option<&[u8]>) -> Option<Granted> {
        let text = std::str::from_utf8(header?).ok()?;
        let (scheme, encoded) = text.split_once(' ')?;
        let decoded = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(encoded.trim()))?.ok()?;
        let (_, token) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
        self.lock().get(&hash(token)).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Hash, Granted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(token: &str) -> Hash {
    Sha256::digest(token.as_bytes()).into()
}
