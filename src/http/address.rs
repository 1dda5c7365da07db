//! Addresses from the configuration.

use reqwest::Url;

/// A base address from the configuration: http or https with a host, without a user, a query or a fragment. `None` if it
/// is anything else; an error must not repeat it, because it may have come from a variable that holds a secret.
pub fn base_url(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| {
        let plain = url.username().is_empty() && url.password().is_none();
        let bare = url.query().is_none() && url.fragment().is_none();
        ["http", "https"].contains(&url.scheme()) && url.has_host() && plain && bare
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_would_lose_a_secret_on_the_way_is_refused() {
        for url in ["api.telegram.org", "ftp://tg.lan", "http://user:pass@tg.lan", "http://tg.lan/?a=1", ""] {
            assert_eq!(base_url(url), None, "{url}");
        }
        assert!(base_url("http://127.0.0.1:8081/api/").is_some());
    }
}
