//! Which targets Telegram keeps.
//!
//! The server takes the target from a link that it finds no fault with and drops it from all others, so that
//! only the label is left. The rules are those of its source (tdlib, `LinkManager::check_link` and `parse_url`),
//! a little stricter. Targets that are not kept are spelled out beside the label.

use std::net::Ipv6Addr;

/// Whether Telegram keeps a link to `url`, and it is a web address.
///
/// The server would also keep `tg:` and `ton:`. They act inside the reader's client, and `tg://user?id=` mentions
/// anybody, so agents may not use them.
pub(super) fn is_kept(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return false;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let Some(host) = without_port(host) else { return false };
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => host.contains('.') && host.len() > 1 && is_part(host, false),
    };
    is_host && is_part(user, true) && !url.contains(char::is_whitespace)
}

/// The host without its port; `None` if the port is not valid.
fn without_port(host: &str) -> Option<&str> {
    match host.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => {
            let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
            (digits && port.parse::<u16>().is_ok_and(|port| port != 0)).then_some(host)
        }
        _ => Some(host),
    }
}

/// Whether a text may be part of a host name or a user name.
fn is_part(text: &str, colons: bool) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let allowed = match byte {
            b'%' => (0..2).all(|_| bytes.next().is_some_and(|byte| byte.is_ascii_hexdigit())),
            b':' => colons,
            128.. => true,
            byte => byte.is_ascii_alphanumeric() || b".-_!$,~*'();&+=".contains(&byte),
        };
        if !allowed {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_addresses_with_a_real_host_are_kept() {
        for url in [
            "http://example.org",
            "HTTPS://user:pass@example.org:8080/a?b=c#d",
            "http://127.0.0.1:3000/",
            "http://[::1]:8080/x",
            "https://münchen.example/ö",
            "https://example.org:65535",
            "https://a_b.example.org",
            "https://x%41.example",
        ] {
            assert!(is_kept(url), "{url}");
        }
    }

    #[test]
    fn a_target_that_the_server_drops_does_not_become_a_link() {
        for url in [
            "http://localhost:3000/",
            "http://intranet",
            "http://exa mple.org",
            "http://exa^mple.org",
            "http://{host}.example.org",
            "http://example.org:0",
            "http://example.org:65536",
            "http://example.org:port",
            "http://example.org:",
            "http://[::1",
            "http://[1.2]/",
            "http://.",
            "http://",
            "http://x%4.example",
            "http://a\"b@example.org",
            "ftp://example.org/a",
            "mailto:a@example.org",
            "tel:+49123",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "notes.md",
            "/etc/hosts",
            "#part",
            "",
        ] {
            assert!(!is_kept(url), "{url}");
        }
    }

    #[test]
    fn an_agent_makes_no_link_that_acts_inside_of_telegram() {
        for url in
            ["tg://user?id=42", "TG:user?id=42", "tg://resolve?domain=x", "tg://settings", "ton://transfer/x"]
        {
            assert!(!is_kept(url), "{url}");
        }
    }
}
