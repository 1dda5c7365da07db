//! Under which names the door answers, and whose pages may speak through it.

use std::net::{IpAddr, SocketAddr};

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, StatusCode, Uri};
use frontdesk_core::config::ConfigError;
use ipnet::IpNet;

use crate::config::{Config, normal_origin, origin_of_url};
use crate::error::ApiError;

/// The rules of the config, ready for use.
pub(crate) struct Origins {
    hosts: Vec<String>,
    /// Whether the door stands on every address of the machine, so that any of them may be its name. A
    /// page that rebinds a DNS name to us always sends that name, never an address.
    any_address: bool,
    origins: Vec<String>,
    proxies: Vec<IpNet>,
}

/// What an `Origin` header says about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Page {
    /// There is none: no browser, or a plain navigation.
    None,
    /// Our own page.
    Own,
    /// Another page that the operator listed.
    Listed,
    /// Any other page, also one that hides its origin.
    Foreign,
}

impl Origins {
    pub(crate) fn new(config: &Config) -> Result<Self, ConfigError> {
        let public = config.public_url.as_deref().and_then(origin_of_url);
        let host_of_public =
            public.as_deref().and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
        let bound = config.host.as_str();
        let hosts = config.hosts.iter().map(String::as_str).chain([bound]).chain(host_of_public);
        let any_address =
            bound.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified());
        Ok(Self {
            hosts: hosts.filter_map(name).map(str::to_ascii_lowercase).collect(),
            any_address,
            origins: config.origins.iter().filter_map(|origin| normal_origin(origin)).chain(public).collect(),
            proxies: config.proxies()?,
        })
    }

    /// Refuses a request that was meant for somebody else: a page that made its own name point to us.
    pub(crate) fn check_host(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
        let mut hosts = headers.get_all(HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err(ApiError::bad_request("a request needs one Host header"));
        };
        let named = host.to_str().is_ok_and(|host| self.knows(host));
        let asked = uri.authority().is_none_or(|authority| self.knows(authority.as_str()));
        if named && asked {
            return Ok(());
        }
        Err(ApiError::new(
            StatusCode::MISDIRECTED_REQUEST,
            "unknown_host",
            "the gateway is not known under this name: add it to gateway.hosts",
        ))
    }

    fn knows(&self, host: &str) -> bool {
        let Some(host) = name(host).map(str::to_ascii_lowercase) else { return false };
        match host.parse::<IpAddr>() {
            Ok(ip) if ip.is_loopback() || self.any_address => true,
            _ => host == "localhost" || self.hosts.contains(&host),
        }
    }

    /// Whose page a request comes from.
    pub(crate) fn page(&self, headers: &HeaderMap) -> Page {
        let mut origins = headers.get_all(ORIGIN).iter();
        let Some(origin) = origins.next() else { return Page::None };
        let Some(origin) = origin.to_str().ok().and_then(normal_origin).filter(|_| origins.next().is_none())
        else {
            return Page::Foreign;
        };
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        // A proxy may have taken the TLS off, so the host decides, under either scheme.
        let own = |scheme: &str| normal_origin(&format!("{scheme}://{host}")).as_deref() == Some(&origin);
        if own("http") || own("https") {
            Page::Own
        } else if self.origins.contains(&origin) {
            Page::Listed
        } else {
            Page::Foreign
        }
    }

    /// Whether a request comes from somebody else's page, as far as it can be told: what a page loads without asking
    /// to read it names no origin, but newer browsers say that another site wanted it.
    pub(crate) fn is_foreign(&self, headers: &HeaderMap) -> bool {
        let says = |name: &str, values: &[&str]| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .is_some_and(|value| values.contains(&value))
        };
        let wanted_elsewhere = says("sec-fetch-site", &["cross-site", "same-site"]);
        self.page(headers) == Page::Foreign || (wanted_elsewhere && !says("sec-fetch-mode", &["navigate"]))
    }

    /// Whether the other end of a connection is a proxy that speaks for many.
    pub(crate) fn is_proxy(&self, peer: SocketAddr) -> bool {
        let ip = peer.ip().to_canonical();
        self.proxies.iter().any(|net| net.contains(&ip))
    }

    /// The client's own address: the peer, or the one that trusted proxies vouch for.
    pub(crate) fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
        let trusted = |ip: &IpAddr| self.proxies.iter().any(|net| net.contains(ip));
        let peer = peer.ip().to_canonical();
        if self.proxies.is_empty() || !trusted(&peer) {
            return peer;
        }
        // Each proxy appends whom it heard: from the right, the first that is none of ours is the client.
        let lines = headers.get_all("x-forwarded-for").iter().rev().filter_map(|line| line.to_str().ok());
        let mut last = peer;
        for hop in lines.flat_map(|line| line.rsplit(',')) {
            let Ok(ip) = hop.trim().parse::<IpAddr>() else { return last };
            last = ip.to_canonical();
            if !trusted(&last) {
                return last;
            }
        }
        last
    }
}

/// A host without its port and brackets; `None` if its brackets are not closed or something odd follows.
fn name(host: &str) -> Option<&str> {
    let is_port = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
    if let Some(rest) = host.strip_prefix('[') {
        let (name, after) = rest.split_once(']')?;
        return (after.is_empty() || after.strip_prefix(':').is_some_and(is_port)).then_some(name);
    }
    Some(match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') && is_port(port) => name,
        _ => host,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(change: fn(&mut Config)) -> Origins {
        let mut config = Config::default();
        change(&mut config);
        Origins::new(&config).unwrap()
    }

    fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in list {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    #[test]
    fn the_door_answers_to_its_own_names_only() {
        let hub = origins(|c| {
            c.hosts.push("frontdesk.local".into());
            c.public_url = Some("https://frontdesk.example.org:8443/x".into());
        });
        let knows = |host: &str| hub.check_host(&Uri::from_static("/"), &headers(&[("host", host)])).is_ok();
        for own in [
            "localhost",
            "LOCALHOST:3847",
            "127.0.0.1:3847",
            "[::1]:3847",
            "frontdesk.local",
            "frontdesk.example.org",
        ] {
            assert!(knows(own), "{own}");
        }
        for foreign in [
            "attacker.com",
            "localhost.attacker.com",
            "attacker.com:3847",
            "192.168.1.5",
            "",
            "127.0.0.1.x",
            "127.0.0.1:x",
            "[::1",
            "[::1]x",
            "[::1]:x",
            "[::1].attacker.com",
        ] {
            assert!(!knows(foreign), "{foreign}");
        }
        assert!(hub.check_host(&Uri::from_static("/"), &HeaderMap::new()).is_err());
        assert!(
            hub.check_host(&Uri::from_static("/"), &headers(&[("host", "localhost"), ("host", "localhost")]))
                .is_err()
        );
        let absolute = Uri::from_static("http://attacker.com/health");
        assert!(hub.check_host(&absolute, &headers(&[("host", "localhost")])).is_err());
    }

    #[test]
    fn a_door_on_every_address_answers_to_addresses_and_still_to_no_foreign_name() {
        let hub = origins(|c| c.host = "0.0.0.0".into());
        let knows = |host: &str| hub.check_host(&Uri::from_static("/"), &headers(&[("host", host)])).is_ok();
        assert!(knows("192.168.1.5:3847"));
        assert!(!knows("attacker.com"));
    }

    #[test]
    fn only_our_own_page_and_listed_ones_are_not_foreign() {
        let hub = origins(|c| c.origins.push("https://chat.example.org".into()));
        let page = |origin: &str| hub.page(&headers(&[("host", "localhost:3847"), ("origin", origin)]));
        assert_eq!(page("http://localhost:3847"), Page::Own);
        assert_eq!(page("https://chat.example.org"), Page::Listed);
        for foreign in [
            "https://evil.example",
            "http://localhost:8080",
            "http://localhost",
            "null",
            "",
            "http://chat.example.org",
            "https://chat.example.org.evil.example",
            "file://",
        ] {
            assert_eq!(page(foreign), Page::Foreign, "{foreign:?}");
        }
        assert_eq!(hub.page(&headers(&[("host", "localhost:3847")])), Page::None);
        let two = headers(&[("host", "a:1"), ("origin", "http://a:1"), ("origin", "http://evil.example")]);
        assert_eq!(hub.page(&two), Page::Foreign);
    }

    #[test]
    fn what_another_site_loads_is_foreign_and_a_link_to_us_is_not() {
        let hub = origins(|_| {});
        let from = |list: &[(&'static str, &str)]| hub.is_foreign(&headers(list));
        assert!(from(&[("host", "localhost"), ("origin", "https://evil.example")]));
        assert!(from(&[
            ("host", "localhost"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "no-cors")
        ]));
        assert!(!from(&[
            ("host", "localhost"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate")
        ]));
        assert!(!from(&[("host", "localhost"), ("sec-fetch-site", "same-origin")]));
        assert!(!from(&[("host", "localhost")]));
    }

    #[test]
    fn a_client_cannot_choose_its_address() {
        let hub = origins(|c| c.trusted_proxies = vec!["10.0.0.0/8".into()]);
        let client = |peer: &str, forwarded: &str| {
            hub.client(peer.parse().unwrap(), &headers(&[("x-forwarded-for", forwarded)])).to_string()
        };
        assert_eq!(client("203.0.113.9:1", "1.2.3.4"), "203.0.113.9", "no proxy of ours said so");
        assert_eq!(client("10.0.0.1:1", "1.2.3.4"), "1.2.3.4");
        assert_eq!(
            client("10.0.0.1:1", "6.6.6.6, 1.2.3.4, 10.0.0.2"),
            "1.2.3.4",
            "what the client put in front is ignored"
        );
        assert_eq!(client("10.0.0.1:1", "rubbish"), "10.0.0.1");
    }
}
