//! Which link targets the server keeps: a port of tdlib's `LinkManager::check_link` and `parse_url`.

use std::net::Ipv6Addr;

use crate::entity::Kind;

/// The entity that a link to `url` becomes; none if the server drops the target.
pub fn target(url: &str) -> Option<(Kind, String)> {
    match mentioned(url) {
        Some(user) => Some((Kind::TextMention, user.to_string())),
        None => Some((Kind::TextLink, checked(url)?)),
    }
}

/// The user that `tg://user?id=` names.
fn mentioned(url: &str) -> Option<i64> {
    let url = url.to_lowercase();
    let rest = url.strip_prefix("tg:")?;
    let rest = rest.strip_prefix("//").unwrap_or(rest).strip_prefix("user")?;
    let query = rest.strip_prefix('/').unwrap_or(rest).strip_prefix('?')?;
    let query = query.split('#').next().unwrap_or_default();
    let id = query.split('&').find_map(|parameter| parameter.strip_prefix("id="))?;
    id.parse().ok().filter(|id| *id > 0)
}

/// The address as the server writes it.
fn checked(url: &str) -> Option<String> {
    for scheme in ["tg", "ton", "tonsite"] {
        let head = url.get(..=scheme.len()).map(str::to_ascii_lowercase);
        if head == Some(format!("{scheme}:")) {
            return internal(scheme, &url[scheme.len() + 1..]);
        }
    }
    let parsed = Url::parse(url)?;
    let Url { scheme, user, host, port, query } = &parsed;
    if !host.contains('.') && !host.starts_with('[') {
        return None;
    }
    let user = if user.is_empty() { String::new() } else { format!("{user}@") };
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{scheme}://{user}{host}{port}{query}"))
}

fn internal(scheme: &str, rest: &str) -> Option<String> {
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let Url { scheme: inner, user, host, port, query } = Url::parse(rest)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c) || (scheme == "tonsite" && c == '.');
    let named = rest.get(..7).is_some_and(|head| head.eq_ignore_ascii_case("http://"));
    if inner == "https" || named || !user.is_empty() || port.is_some() || !host.chars().all(plain) {
        return None;
    }
    let query = if query.starts_with("/?") { &query[1..] } else { &query };
    Some(format!("{scheme}://{host}{query}"))
}

struct Url<'u> {
    scheme: &'static str,
    user: &'u str,
    host: String,
    port: Option<u16>,
    query: String,
}

impl<'u> Url<'u> {
    fn parse(url: &'u str) -> Option<Self> {
        let head = url.find([':', '/', '?', '#', '@', '[', ']']).unwrap_or(url.len());
        let (scheme, rest) = match url[head..].strip_prefix("://") {
            Some(rest) if url[..head].eq_ignore_ascii_case("http") => ("http", rest),
            Some(rest) if url[..head].eq_ignore_ascii_case("https") => ("https", rest),
            Some(_) => return None,
            None => ("http", url),
        };
        let (authority, query) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let mut place = authority;
        let mut port = None;
        if let Some(at) =
            authority.rfind([':', ']', '@']).filter(|at| *at > 0 && authority[*at..].starts_with(':'))
        {
            let digits = authority[at + 1..].trim_start_matches('+');
            port = Some(digits.parse().ok().filter(|port| *port != 0)?);
            place = &authority[..at];
        }
        let (user, host) = place.rsplit_once('@').unwrap_or(("", place));
        let valid = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => is_allowed(host, false) && is_allowed(user, true),
        };
        if host.is_empty() || host == "." || !valid {
            return None;
        }
        let mut written = if query.starts_with('/') { String::new() } else { "/".to_owned() };
        for char in query.trim_end().chars() {
            match char {
                '\0'..=' ' => written.push_str(&format!("%{:02X}", u32::from(char))),
                char => written.push(char),
            }
        }
        Some(Self { scheme, user, host: host.to_ascii_lowercase(), port, query: written })
    }
}

fn is_allowed(part: &str, colons: bool) -> bool {
    let mut bytes = part.bytes();
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
    fn targets_are_kept_as_the_server_writes_them_or_dropped() {
        let link = |url: &str| target(url).map(|(kind, url)| (kind == Kind::TextLink, url));
        let kept = |url: &str| Some((true, url.to_owned()));
        for (url, expected) in [
            ("https://A.example/?q=1", kept("https://a.example/?q=1")),
            ("a.example:080", kept("http://a.example:80/")),
            ("http://u:p@[::1]:8080/x y", kept("http://u:p@[::1]:8080/x%20y")),
            ("a@b.example", kept("http://a@b.example/")),
            ("tg://resolve?domain=x", kept("tg://resolve?domain=x")),
            ("TG:settings", kept("tg://settings/")),
            ("tg:user?id=7", Some((false, "7".to_owned()))),
            ("http://localhost:3000/", None),
            ("http://a^b.example", None),
            ("http://a.example:65536", None),
            ("mailto:a@b.example", kept("http://mailto:a@b.example/")),
            ("ftp://a.example", None),
            ("tel:+49123", None),
            ("javascript:alert(1)", None),
            ("x", None),
        ] {
            assert_eq!(link(url), expected, "{url}");
        }
    }
}
