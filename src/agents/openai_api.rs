//! What all uses of an OpenAI-compatible API have in common: the URL and the key.

use frontdesk_core::config::Secret;
use frontdesk_http as http;
use reqwest::Url;
use reqwest::header::{HeaderValue, InvalidHeaderValue};

/// Where the API is if no URL is configured.
pub(crate) const OPENAI: &str = "https://api.openai.com/v1";
/// The error message for a base URL that [`url`] cannot use.
pub(crate) const WRONG_BASE: &str = "must be a URL that begins with http:// or https:// and has no user, query or \
                                     fragment, such as https://api.openai.com/v1";
/// The error message for a key that cannot be sent in a header ([`bearer`]).
pub(crate) const WRONG_KEY: &str = "contains characters that no HTTP header can have";

/// The URL of an endpoint, such as `/chat/completions`. `/v1` is added to a base without a path, and a base that names
/// the endpoint itself is understood too.
pub(crate) fn url(base: &str, endpoint: &str) -> Option<Url> {
    let mut url = http::base_url(base.trim())?;
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix(endpoint).unwrap_or(path);
    let path = if path.is_empty() { "/v1" } else { path };
    url.set_path(&format!("{path}{endpoint}"));
    Some(url)
}

/// The value of the header with the key; `None` if the key is empty.
pub(crate) fn bearer(key: Option<&Secret>) -> Result<Option<HeaderValue>, InvalidHeaderValue> {
    let Some(key) = key.map(|key| key.expose().trim()).filter(|key| !key.is_empty()) else { return Ok(None) };
    let mut value = HeaderValue::try_from(format!("Bearer {key}"))?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// Whether it is OpenAI itself that is asked, which answers nobody without a key.
pub(crate) fn needs_key(url: &Url) -> bool {
    url.host_str() == Some("api.openai.com")
}
