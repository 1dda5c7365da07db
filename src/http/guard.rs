//! The guard against requests into private networks (server-side request forgery): which addresses may be reached on
//! behalf of somebody who chooses the URL.
//!
//! A name is resolved, every address is judged, and only judged addresses are connected to: a name that resolves to
//! something else a moment later changes nothing.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use frontdesk_core::config::ConfigError;
use futures_util::future::BoxFuture;
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::public::{is_local_host, is_public, plain};

/// Whether agents get a proxy that keeps them out of private networks, and what it lets through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Ssrf {
    /// Whether agents that are programs get a proxy (`HTTP_PROXY`, `HTTPS_PROXY`) that refuses private addresses. It binds
    /// only programs that use it.
    pub enabled: bool,
    /// Whether private, link-local and other addresses are refused that are not of the public internet.
    pub block_private_ips: bool,
    /// Whether addresses of this machine are refused.
    pub block_localhost: bool,
    /// Hosts that are let through all the same: `name`, `name:port`, an address, or a network such as `10.1.0.0/16`.
    pub allowed_hosts: Vec<String>,
}

impl Default for Ssrf {
    fn default() -> Self {
        Self { enabled: false, block_private_ips: true, block_localhost: true, allowed_hosts: Vec::new() }
    }
}

impl Ssrf {
    /// Checks what the types cannot express.
    pub fn check(&self) -> Result<(), ConfigError> {
        Guard::new(self).map(drop)
    }
}

/// Resolves a name to addresses, with the port of the request.
pub type Lookup = Arc<dyn Fn(String, u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// Decides which addresses may be reached.
#[derive(Clone)]
pub struct Guard {
    block_private_ips: bool,
    block_localhost: bool,
    allowed: Vec<Allowed>,
    lookup: Lookup,
}

/// Why a host is not reached.
#[derive(Debug, Error)]
pub enum Refusal {
    /// It has only addresses that are refused.
    #[error("it has no public address")]
    Private,
    /// Its name cannot be resolved.
    #[error("its name cannot be resolved")]
    Unknown(#[source] io::Error),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Allowed {
    Network(IpNet),
    Host { name: String, port: Option<u16> },
}

impl Guard {
    /// The guard as it is configured.
    pub fn new(config: &Ssrf) -> Result<Self, ConfigError> {
        let allowed = config.allowed_hosts.iter().map(|text| Allowed::read(text)).collect::<Option<_>>();
        let allowed = allowed.ok_or_else(|| {
            let problem = "must be `name`, `name:port`, an address, or a network such as \"10.1.0.0/16\"";
            ConfigError::new("allowed_hosts", problem)
        })?;
        Ok(Self {
            block_private_ips: config.block_private_ips,
            block_localhost: config.block_localhost,
            allowed,
            lookup: Arc::new(|name, port| {
                Box::pin(async move { Ok(tokio::net::lookup_host((name, port)).await?.collect()) })
            }),
        })
    }

    /// Resolves names with this.
    pub fn with_lookup(mut self, lookup: Lookup) -> Self {
        self.lookup = lookup;
        self
    }

    /// Lets this address through whatever the configuration says.
    pub fn and(mut self, address: SocketAddr) -> Self {
        let name = address.ip().to_string();
        self.allowed.push(Allowed::Host { name, port: Some(address.port()) });
        self
    }

    /// The addresses of a host that may be connected to. There is at least one.
    pub async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Refusal> {
        let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
        let host = host.to_ascii_lowercase();
        let found = match host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => (self.lookup)(host.clone(), port).await.map_err(Refusal::Unknown)?,
        };
        let named = self.allowed.iter().any(|allowed| allowed.is_host(&host, port));
        let addresses: Vec<SocketAddr> =
            found.into_iter().filter(|found| named || self.permits(found.ip())).collect();
        if addresses.is_empty() { Err(Refusal::Private) } else { Ok(addresses) }
    }

    fn permits(&self, address: IpAddr) -> bool {
        let listed =
            |allowed: &Allowed| matches!(allowed, Allowed::Network(net) if net.contains(&plain(address)));
        if self.allowed.iter().any(listed) {
            return true;
        }
        match is_local_host(address) {
            true => !self.block_localhost,
            false => !self.block_private_ips || is_public(address),
        }
    }
}

impl Allowed {
    fn read(text: &str) -> Option<Self> {
        if let Ok(address) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Some(Allowed::Network(address.into()));
        }
        if let Ok(network) = text.parse() {
            return Some(Allowed::Network(network));
        }
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Some(Allowed::Host { name: address.ip().to_string(), port: Some(address.port()) });
        }
        let (name, port) = match text.split_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok()?)),
            None => (text, None),
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let good = !name.is_empty() && name.chars().all(is_name);
        good.then(|| Allowed::Host { name: name.trim_end_matches('.').to_ascii_lowercase(), port })
    }

    fn is_host(&self, host: &str, asked: u16) -> bool {
        match self {
            Allowed::Host { name, port } => {
                (name == host || is_here(name) && is_here(host)) && port.is_none_or(|port| port == asked)
            }
            Allowed::Network(_) => false,
        }
    }
}

/// Whether a host is this machine under the name or the address that programs use for it. They are allowed together: which
/// one a program uses, its user does not choose.
fn is_here(host: &str) -> bool {
    let address = host.parse::<IpAddr>().ok().map(plain);
    host == "localhost"
        || address == Some(Ipv4Addr::LOCALHOST.into())
        || address == Some(Ipv6Addr::LOCALHOST.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(config: Ssrf) -> Guard {
        Guard::new(&config).unwrap()
    }

    async fn refused(guard: &Guard, host: &str) -> bool {
        matches!(guard.addresses(host, 80).await, Err(Refusal::Private))
    }

    #[tokio::test]
    async fn an_address_in_any_spelling_is_judged_by_what_it_reaches() {
        let guard = guard(Ssrf::default());
        for host in [
            "127.0.0.1",
            "localhost",
            "0.0.0.0",
            "[::1]",
            "::ffff:127.0.0.1",
            "[::ffff:10.0.0.1]",
            "169.254.169.254",
            "2130706433",
            "0177.0.0.1",
            "0x7f.1",
            "127.1",
            "127.0.0.1.",
            "10.0.0.1",
            "[fe80::1]",
            "[64:ff9b::a00:1]",
        ] {
            assert!(refused(&guard, host).await, "{host}");
        }
        assert_eq!(guard.addresses("8.8.8.8", 53).await.unwrap(), ["8.8.8.8:53".parse().unwrap()]);
    }

    #[tokio::test]
    async fn only_the_public_addresses_of_a_name_are_used() {
        let lookup: Lookup = Arc::new(|name, port| {
            Box::pin(async move {
                let addresses: &[[u8; 4]] = match name.as_str() {
                    "mixed.example" => &[[10, 0, 0, 1], [8, 8, 8, 8]],
                    "inner.example" | "printer.lan" => &[[192, 168, 0, 9]],
                    _ => return Err(io::Error::other("no such name")),
                };
                Ok(addresses.iter().map(|address| SocketAddr::from((*address, port))).collect())
            })
        });
        let allowed_hosts = vec!["Printer.lan:631".to_owned(), "192.168.7.0/24".to_owned()];
        let guard = guard(Ssrf { allowed_hosts, ..Ssrf::default() }).with_lookup(lookup);
        assert_eq!(guard.addresses("mixed.example", 443).await.unwrap(), ["8.8.8.8:443".parse().unwrap()]);
        assert!(refused(&guard, "inner.example").await);
        assert!(matches!(guard.addresses("nowhere.example", 80).await, Err(Refusal::Unknown(_))));
        assert!(guard.addresses("printer.LAN.", 631).await.is_ok());
        assert!(refused(&guard, "printer.lan").await, "another port");
        assert!(guard.addresses("192.168.7.1", 80).await.is_ok());
        assert!(refused(&guard, "192.168.8.1").await);
    }

    #[tokio::test]
    async fn what_is_blocked_can_be_chosen() {
        let private = guard(Ssrf { block_private_ips: false, ..Ssrf::default() });
        assert!(refused(&private, "127.0.0.1").await && !refused(&private, "10.0.0.1").await);
        let local = guard(Ssrf { block_localhost: false, ..Ssrf::default() });
        assert!(!refused(&local, "127.0.0.1").await && refused(&local, "10.0.0.1").await);
        let ours = guard(Ssrf::default()).and("127.0.0.1:3847".parse().unwrap());
        assert!(ours.addresses("127.0.0.1", 3847).await.is_ok() && refused(&ours, "127.0.0.1").await);
    }

    #[tokio::test]
    async fn this_machine_is_allowed_under_its_name_and_its_addresses_alike() {
        let lookup: Lookup =
            Arc::new(|_, port| Box::pin(async move { Ok(vec![SocketAddr::from(([127, 0, 0, 1], port))]) }));
        for allowed in ["localhost:3000", "127.0.0.1:3000", "[::1]:3000"] {
            let allowed_hosts = vec![allowed.to_owned()];
            let guard = guard(Ssrf { allowed_hosts, ..Ssrf::default() }).with_lookup(lookup.clone());
            for host in ["localhost", "LOCALHOST.", "127.0.0.1", "::ffff:127.0.0.1", "[::1]"] {
                assert!(guard.addresses(host, 3000).await.is_ok(), "{allowed}: {host}");
                assert!(refused(&guard, host).await, "{allowed}: {host} on another port");
            }
            assert!(matches!(guard.addresses("127.0.0.2", 3000).await, Err(Refusal::Private)), "{allowed}");
        }
        let own = guard(Ssrf::default()).with_lookup(lookup).and("127.0.0.1:3847".parse().unwrap());
        assert!(own.addresses("localhost", 3847).await.is_ok() && refused(&own, "localhost").await);
        let named = guard(Ssrf { allowed_hosts: vec!["localhost".to_owned()], ..Ssrf::default() });
        assert!(named.addresses("127.0.0.1", 1).await.is_ok());
        let by_address = guard(Ssrf { allowed_hosts: vec!["127.0.0.1".to_owned()], ..Ssrf::default() });
        assert!(by_address.addresses("localhost", 1).await.is_ok());
    }

    #[test]
    fn an_allowed_host_that_is_none_is_refused() {
        for text in ["", "https://x.example", "a b", "x:y", "*.example", "10.0.0.0/99"] {
            let config = Ssrf { allowed_hosts: vec![text.to_owned()], ..Ssrf::default() };
            assert!(config.check().is_err(), "{text}");
        }
        let good = ["x.example", "x:80", "10.0.0.1", "[::1]", "[::1]:80", "10.0.0.1:80", "fd00::/8"];
        let config = Ssrf { allowed_hosts: good.map(Into::into).into(), ..Ssrf::default() };
        assert_eq!(config.check(), Ok(()));
    }
}
