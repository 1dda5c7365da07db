//! Refuses tokens in URLs, because URLs end up in histories, in logs and in other pages' `Referer` headers.

use axum::http::{StatusCode, Uri};

use crate::error::ApiError;
use crate::token::Tokens;

/// Query parameters that commonly carry a token, in lower case and without separators.
const TOKEN_PARAMETERS: [&str; 22] = [
    "token",
    "accesstoken",
    "authtoken",
    "apitoken",
    "bearertoken",
    "sessiontoken",
    "idtoken",
    "refreshtoken",
    "frontdesktoken",
    "auth",
    "authorization",
    "bearer",
    "apikey",
    "accesskey",
    "key",
    "xapikey",
    "secret",
    "clientsecret",
    "password",
    "passwd",
    "jwt",
    "credential",
];

/// The length of a token that the gateway makes: 256 bits as base64url.
const TOKEN_LENGTH: usize = 43;

/// Refuses a URL whose query contains a token, recognized by the name of a parameter or by the token itself.
pub(crate) fn check(uri: &Uri, tokens: &Tokens) -> Result<(), ApiError> {
    let Some(query) = uri.query() else { return Ok(()) };
    if !query.split(['&', ';']).any(|pair| contains_token(pair, tokens)) {
        return Ok(());
    }
    let message = "a token never goes into a URL, where others can read it: send Authorization: Bearer TOKEN, or \
                   for /ws offer the subprotocol bearer.TOKEN; a token that was in a URL should be replaced";
    Err(ApiError::new(StatusCode::BAD_REQUEST, "token_in_url", message))
}

fn contains_token(pair: &str, tokens: &Tokens) -> bool {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let (name, value) = (decoded(name), decoded(value));
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    TOKEN_PARAMETERS.contains(&plain.as_str()) || is_token(&value, tokens) || is_token(&name, tokens)
}

fn is_token(text: &str, tokens: &Tokens) -> bool {
    let text = text.trim();
    let text = match text.split_once(' ') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => rest.trim(),
        _ => text.strip_prefix("bearer.").unwrap_or(text),
    };
    let made = text.len() == TOKEN_LENGTH
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    made || (!text.is_empty() && tokens.find(text).is_some())
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{Scope, Token, hash_token, make_token};

    fn refuses(url: &str) -> bool {
        let token = Token { id: "a".into(), hash: hash_token("our-token"), scope: Scope::Read };
        let tokens = Tokens::new(vec![token]).unwrap();
        check(&url.parse().unwrap(), &tokens).is_err_and(|error| error.code == "token_in_url")
    }

    #[test]
    fn a_token_in_a_query_is_found_by_its_name_and_by_itself() {
        for query in [
            "token=x",
            "token",
            "TOKEN=",
            "access_token=x",
            "a=1&Access-Token=x",
            "a=1;api_key=x",
            "apiKey=x",
            "%74oken=x",
            "token%5B%5D=x",
            "auth=x",
            "bearer=x",
            "key=x",
            "x=our-token",
            "x=our%2Dtoken",
            "our-token",
            "x=Bearer+our-token",
            "x=bearer.our-token",
            "jwt=x",
            "password=x",
        ] {
            assert!(refuses(&format!("/api/status?{query}")), "{query}");
        }
        let made = make_token().unwrap();
        assert!(refuses(&format!("/ws?after={made}")), "what looks like one of ours");
    }

    #[test]
    fn queries_of_the_interface_pass() {
        for query in [
            "",
            "channel=web&limit=2",
            "after=agent%3Amain%3Aweb%3Adm%3Aa",
            "before=m17",
            "state=dead",
            "epoch=2",
            "scope=group%3A1",
            "gatewayUrl=wss://evil.example",
            "hub.verify_token=x&hub.challenge=1",
            "tokens=3",
            "monkey=1",
        ] {
            assert!(!refuses(&format!("/api/status?{query}")), "{query}");
        }
        assert!(!refuses("/api/status"));
    }
}
