//! Checks of the `Host` and `Origin` headers, and of the client's address behind proxies.

use std::net::{IpAddr, SocketAddr};

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, StatusCode, Uri};
use frontdesk_core::config::ConfigError;
use ipnet::IpNet;

use crate::config::{Config, normalized_origin, origin_of_url};
use crate::error::ApiError;

/// The configured rules, parsed.
#[derive(Clone)]
pub(crate) struct OriginPolicy {
    hosts: Vec<String>,
    /// Whether the server listens on every address of the machine, so that any of them is a valid host. A page that
    /// rebinds a DNS name to the gateway always sends that name, never an address.
    any_address: bool,
    origins: Vec<String>,
    proxies: Vec<IpNet>,
}

/// The origin of the page that sent a request, by its `Origin` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum PageOrigin {
    /// No `Origin` header: not a browser, or a plain navigation.
    None,
    /// The gateway's own page.
    Own,
    /// A page that the configuration lists.
    Listed,
    /// Any other page, including one that hides its origin.
    Foreign,
}

impl OriginPolicy {
    pub(crate) fn new(config: &Config) -> Result<Self, ConfigError> {
        let public = config.public_url.as_deref().and_then(origin_of_url);
        let host_of_public =
            public.as_deref().and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
        let bound = config.host.as_str();
        let hosts = config.hosts.iter().map(String::as_str).chain([bound]).chain(host_of_public);
        let any_address =
            bound.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified());
        Ok(Self {
            hosts: hosts.filter_map(host_name).map(str::to_ascii_lowercase).collect(),
            any_address,
            origins: config
                .origins
                .iter()
                .filter_map(|origin| normalized_origin(origin))
                .chain(public)
                .collect(),
            proxies: config.proxies()?,
        })
    }

    /// Refuses a request for a host name that is not the gateway's: a page may have made its own name point here (DNS
    /// rebinding).
    pub(crate) fn check_host(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
        let mut hosts = headers.get_all(HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err(ApiError::bad_request("a request needs exactly one Host header"));
        };
        let named = host.to_str().is_ok_and(|host| self.is_known_host(host));
        let asked = uri.authority().is_none_or(|authority| self.is_known_host(authority.as_str()));
        if named && asked {
            return Ok(());
        }
        Err(ApiError::new(
            StatusCode::MISDIRECTED_REQUEST,
            "unknown_host",
            "this name in the Host header is not known: add it to gateway.hosts",
        ))
    }

    fn is_known_host(&self, host: &str) -> bool {
        let Some(host) = host_name(host).map(str::to_ascii_lowercase) else { return false };
        match host.parse::<IpAddr>() {
            Ok(ip) if ip.is_loopback() || self.any_address => true,
            _ => host == "localhost" || self.hosts.contains(&host),
        }
    }

    /// The origin of the page that sent a request.
    pub(crate) fn page(&self, headers: &HeaderMap) -> PageOrigin {
        let mut origins = headers.get_all(ORIGIN).iter();
        let Some(origin) = origins.next() else { return PageOrigin::None };
        let Some(origin) =
            origin.to_str().ok().and_then(normalized_origin).filter(|_| origins.next().is_none())
        else {
            return PageOrigin::Foreign;
        };
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        // A proxy may have terminated TLS, so only the host is compared, under either scheme.
        let own = |scheme: &str| normalized_origin(&format!("{scheme}://{host}")).as_deref() == Some(&origin);
        if own("http") || own("https") {
            PageOrigin::Own
        } else if self.origins.contains(&origin) {
            PageOrigin::Listed
        } else {
            PageOrigin::Foreign
        }
    }

    /// Whether a request comes from another site's page, as far as the headers tell: what a page loads without reading
    /// it has no `Origin`, but newer browsers send `Sec-Fetch-Site`.
    pub(crate) fn is_cross_site(&self, headers: &HeaderMap) -> bool {
        let header_is = |name: &str, values: &[&str]| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .is_some_and(|value| values.contains(&value))
        };
        let cross_site = header_is("sec-fetch-site", &["cross-site", "same-site"]);
        self.page(headers) == PageOrigin::Foreign
            || (cross_site && !header_is("sec-fetch-mode", &["navigate"]))
    }

    /// Whether the other end of a connection is a trusted proxy.
    pub(crate) fn is_proxy(&self, peer: SocketAddr) -> bool {
        let ip = peer.ip().to_canonical();
        self.proxies.iter().any(|net| net.contains(&ip))
    }

    /// The client's address: the peer, or the address that trusted proxies forwarded.
    pub(crate) fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
        let trusted = |ip: &IpAddr| self.proxies.iter().any(|net| net.contains(ip));
        let peer = peer.ip().to_canonical();
        if self.proxies.is_empty() || !trusted(&peer) {
            return peer;
        }
        // Each proxy appends the address that it received the request from, so the client is the first address from the
        // right that is not a trusted proxy.
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

/// A host without its port and brackets; `None` if it is malformed.
fn host_name(host: &str) -> Option<&str> {
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

    fn origins(change: fn(&mut Config)) -> OriginPolicy {
        let mut config = Config::default();
        change(&mut config);
        OriginPolicy::new(&config).unwrap()
    }

    fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in list {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    #[test]
    fn only_known_host_names_are_accepted() {
        let policy = origins(|c| {
            c.hosts.push("frontdesk.local".into());
            c.public_url = Some("https://frontdesk.example.org:8443/x".into());
        });
        let is_known_host =
            |host: &str| policy.check_host(&Uri::from_static("/"), &headers(&[("host", host)])).is_ok();
        for own in [
            "localhost",
            "LOCALHOST:3847",
            "127.0.0.1:3847",
            "[::1]:3847",
            "frontdesk.local",
            "frontdesk.example.org",
        ] {
            assert!(is_known_host(own), "{own}");
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
            assert!(!is_known_host(foreign), "{foreign}");
        }
        assert!(policy.check_host(&Uri::from_static("/"), &HeaderMap::new()).is_err());
        assert!(
            policy
                .check_host(&Uri::from_static("/"), &headers(&[("host", "localhost"), ("host", "localhost")]))
                .is_err()
        );
        let absolute = Uri::from_static("http://attacker.com/health");
        assert!(policy.check_host(&absolute, &headers(&[("host", "localhost")])).is_err());
    }

    #[test]
    fn a_server_on_every_address_accepts_addresses_and_no_foreign_name() {
        let policy = origins(|c| c.host = "0.0.0.0".into());
        let is_known_host =
            |host: &str| policy.check_host(&Uri::from_static("/"), &headers(&[("host", host)])).is_ok();
        assert!(is_known_host("192.168.1.5:3847"));
        assert!(!is_known_host("attacker.com"));
    }

    #[test]
    fn only_our_own_page_and_listed_ones_are_not_foreign() {
        let policy = origins(|c| c.origins.push("https://chat.example.org".into()));
        let page = |origin: &str| policy.page(&headers(&[("host", "localhost:3847"), ("origin", origin)]));
        assert_eq!(page("http://localhost:3847"), PageOrigin::Own);
        assert_eq!(page("https://chat.example.org"), PageOrigin::Listed);
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
            assert_eq!(page(foreign), PageOrigin::Foreign, "{foreign:?}");
        }
        assert_eq!(policy.page(&headers(&[("host", "localhost:3847")])), PageOrigin::None);
        let two = headers(&[("host", "a:1"), ("origin", "http://a:1"), ("origin", "http://evil.example")]);
        assert_eq!(policy.page(&two), PageOrigin::Foreign);
    }

    #[test]
    fn a_request_of_another_site_is_cross_site_and_a_followed_link_is_not() {
        let policy = origins(|_| {});
        let from = |list: &[(&'static str, &str)]| policy.is_cross_site(&headers(list));
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
        let policy = origins(|c| c.trusted_proxies = vec!["10.0.0.0/8".into()]);
        let client = |peer: &str, forwarded: &str| {
            policy.client(peer.parse().unwrap(), &headers(&[("x-forwarded-for", forwarded)])).to_string()
        };
        assert_eq!(client("203.0.113.9:1", "1.2.3.4"), "203.0.113.9", "the peer is not a trusted proxy");
        assert_eq!(client("10.0.0.1:1", "1.2.3.4"), "1.2.3.4");
        assert_eq!(
            client("10.0.0.1:1", "6.6.6.6, 1.2.3.4, 10.0.0.2"),
            "1.2.3.4",
            "what the client put in front is ignored"
        );
        assert_eq!(client("10.0.0.1:1", "rubbish"), "10.0.0.1");
    }
}
