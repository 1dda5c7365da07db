//! The `[gateway]` section: where the HTTP server listens, who may call it, and its limits.

use std::net::IpAddr;
use std::time::Duration;

use frontdesk_core::config::ConfigError;
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use frontdesk_runtime::config::Rate;

/// The configuration of the HTTP server. Every field has a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    /// The address to listen on. Any other than a loopback address makes the gateway reachable from other machines.
    pub host: String,
    /// The port to listen on; 0 chooses a free one.
    pub port: u16,
    /// Further host names by which clients reach the gateway (the `Host` header), without a port. Loopback names, `host`
    /// and the host of `public_url` are always accepted.
    pub hosts: Vec<String>,
    /// Other web origins whose pages may call the gateway, such as `https://chat.example.org`.
    pub origins: Vec<String>,
    /// The URL at which people reach the gateway through a proxy, such as `https://frontdesk.example.org`.
    pub public_url: Option<String>,
    /// Addresses or networks of proxies whose `X-Forwarded-For` header is trusted, such as `10.0.0.0/8`.
    pub trusted_proxies: Vec<String>,
    /// The limits of the HTTP server.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 3847,
            hosts: Vec::new(),
            origins: Vec::new(),
            public_url: None,
            trusted_proxies: Vec::new(),
            limits: Limits::default(),
        }
    }
}

/// The limits of the HTTP server. A rate of 0 means no limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Limits {
    /// Maximum size of a request's body, in bytes.
    pub max_body: usize,
    /// Maximum size of a WebSocket message from a client, in bytes.
    pub max_frame: usize,
    /// Maximum number of open connections; fewer if the system allows the process fewer open files. Connections without
    /// a token may use a quarter of them, at most 1024; beyond that the oldest of these is closed.
    pub max_connections: usize,
    /// Requests without a token from one IP address (one /64 network for IPv6).
    pub per_ip: Rate,
    /// Requests and WebSocket prompts with one token; also requests with the secret of one webhook.
    pub per_token: Rate,
    /// Wrong tokens from one IP address (one /64 network for IPv6).
    pub auth_failures: Rate,
    /// Maximum bytes of frames that wait for one slow client. Beyond that deltas are left out; if the other frames are
    /// too many as well, the client is disconnected.
    pub ws_buffer: usize,
    /// Maximum seconds until a WebSocket client sends its token. A connection without a token is also closed after that
    /// time without a request.
    pub auth_timeout_seconds: u64,
    /// Maximum seconds to receive the head of a request, and again to receive its body.
    pub request_timeout_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body: 1024 * 1024,
            max_frame: 1024 * 1024,
            max_connections: 16_384,
            per_ip: Rate { per_minute: 1200, burst: 200 },
            per_token: Rate { per_minute: 1200, burst: 200 },
            auth_failures: Rate { per_minute: 10, burst: 10 },
            ws_buffer: 256 * 1024,
            auth_timeout_seconds: 5,
            request_timeout_seconds: 15,
        }
    }
}

/// The longest timeout, in seconds. A longer one is a mistake, and beyond what timers can count.
const MAX_TIMEOUT: u64 = 86_400;

impl Config {
    /// Checks what the types do not.
    pub fn check(&self) -> Result<(), ConfigError> {
        let limits = &self.limits;
        let positive = [
            ("max_body", limits.max_body as u64),
            ("max_frame", limits.max_frame as u64),
            ("max_connections", limits.max_connections as u64),
            ("ws_buffer", limits.ws_buffer as u64),
            ("auth_timeout_seconds", limits.auth_timeout_seconds),
            ("request_timeout_seconds", limits.request_timeout_seconds),
        ];
        if let Some((name, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return Err(invalid(&format!("limits.{name}"), "must be at least 1"));
        }
        let times = [
            ("auth_timeout_seconds", limits.auth_timeout_seconds),
            ("request_timeout_seconds", limits.request_timeout_seconds),
        ];
        if let Some((name, _)) = times.iter().find(|(_, seconds)| *seconds > MAX_TIMEOUT) {
            return Err(invalid(&format!("limits.{name}"), "must be at most 86400 seconds (a day)"));
        }
        if self.host.is_empty() || self.host.contains(['/', ' ']) {
            return Err(invalid("host", "write an address to listen on, such as 127.0.0.1 or ::1"));
        }
        for host in &self.hosts {
            if host.is_empty() || host.contains(['/', '*', ' ']) || has_port(host) {
                return Err(invalid(
                    "hosts",
                    &format!("{host:?} is not a host name: write it without scheme and port"),
                ));
            }
        }
        for origin in &self.origins {
            if normalized_origin(origin).is_none() {
                return Err(invalid(
                    "origins",
                    &format!("{origin:?} is not an origin: write https://HOST or https://HOST:PORT"),
                ));
            }
        }
        if let Some(url) = &self.public_url
            && origin_of_url(url).is_none()
        {
            return Err(invalid("public_url", &format!("{url:?} is not a URL: write https://HOST")));
        }
        self.proxies().map(drop)
    }

    /// Refuses to listen on an address that other machines can reach while there is no token.
    pub fn check_exposure(&self, tokens: usize) -> Result<(), ConfigError> {
        if tokens == 0 && !self.is_loopback() {
            return Err(invalid(
                "host",
                &format!(
                    "{} can be reached from other machines and there is no token: make one, or listen on 127.0.0.1",
                    self.host
                ),
            ));
        }
        Ok(())
    }

    /// Whether only this machine can reach the HTTP server.
    pub fn is_loopback(&self) -> bool {
        let host = self.host.trim_matches(['[', ']']);
        host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// The networks whose `X-Forwarded-For` headers are trusted.
    pub(crate) fn proxies(&self) -> Result<Vec<IpNet>, ConfigError> {
        let parse = |text: &String| {
            text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| {
                invalid(
                    "trusted_proxies",
                    &format!("{text:?} is not an address or a network: write 10.0.0.7 or 10.0.0.0/8"),
                )
            })
        };
        self.trusted_proxies.iter().map(parse).collect()
    }
}

impl Limits {
    pub(crate) fn auth_timeout(&self) -> Duration {
        Duration::from_secs(self.auth_timeout_seconds)
    }

    pub(crate) fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout_seconds)
    }
}

/// `https://host[:port]` in lower case without the scheme's default port; `None` if it is not an origin.
pub(crate) fn normalized_origin(text: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    let (scheme, rest) = text.split_once("://")?;
    let own_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return None,
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    if rest.is_empty() || !rest.chars().all(plain) {
        return None;
    }
    Some(format!("{scheme}://{}", rest.strip_suffix(own_port).unwrap_or(rest)))
}

/// The origin of a URL with a path.
pub(crate) fn origin_of_url(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    normalized_origin(&format!("{scheme}://{authority}"))
}

fn has_port(host: &str) -> bool {
    host.parse::<IpAddr>().is_err() && !host.starts_with('[') && host.contains(':')
}

fn invalid(field: &str, problem: &str) -> ConfigError {
    ConfigError::new(format!("gateway.{field}"), problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_value_is_named_with_what_to_write() {
        let with = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            config.check().map_err(|error| error.to_string())
        };
        assert_eq!(with(|_| {}), Ok(()));
        let refused = [
            with(|c| c.origins.push("chat.example.org".into())),
            with(|c| c.origins.push("*".into())),
            with(|c| c.hosts.push("frontdesk.example.org:80".into())),
            with(|c| c.hosts.push("*".into())),
            with(|c| c.public_url = Some("frontdesk.example.org".into())),
            with(|c| c.trusted_proxies.push("proxy".into())),
            with(|c| c.limits.max_body = 0),
            with(|c| c.limits.request_timeout_seconds = 86_401),
            with(|c| c.limits.auth_timeout_seconds = u64::MAX),
        ];
        for error in refused {
            let error = error.expect_err("a wrong value was accepted");
            assert!(error.starts_with("gateway."), "{error}");
        }
        assert_eq!(with(|c| c.trusted_proxies = vec!["10.0.0.1".into(), "fd00::/8".into()]), Ok(()));
    }

    #[test]
    fn a_server_that_other_machines_can_reach_needs_a_token() {
        let at = |host: &str| Config { host: host.into(), ..Config::default() };
        for open in ["0.0.0.0", "::", "192.168.1.5", "frontdesk.example.org"] {
            assert!(at(open).check_exposure(0).is_err(), "{open} was left open");
            assert!(at(open).check_exposure(1).is_ok());
        }
        for own in ["127.0.0.1", "::1", "localhost", "[::1]", "127.0.0.9"] {
            assert!(at(own).check_exposure(0).is_ok(), "{own}");
        }
    }

    #[test]
    fn an_origin_is_normalized() {
        assert_eq!(
            normalized_origin("HTTPS://Frontdesk.Example.org:443").as_deref(),
            Some("https://frontdesk.example.org")
        );
        assert_eq!(normalized_origin("http://[::1]:3847").as_deref(), Some("http://[::1]:3847"));
        for invalid in ["null", "", "ftp://a", "https://", "https://a/b", "https://u@a", "a.b"] {
            assert_eq!(normalized_origin(invalid), None, "{invalid:?}");
        }
        assert_eq!(origin_of_url("https://a.example/x/y").as_deref(), Some("https://a.example"));
    }
}
