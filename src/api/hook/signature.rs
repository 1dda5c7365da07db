//! How senders of events show that they know a secret.

use std::time::Duration;

use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::token::bearer;

/// The prefix of a secret of Standard Webhooks; base64 follows.
const STANDARD_SECRET: &str = "whsec_";

/// How a sender shows that it knows the secret of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Signature {
    /// It sends the secret as a bearer token.
    Bearer,
    /// GitHub: HMAC-SHA256 of the body in `X-Hub-Signature-256`.
    Github,
    /// Slack: HMAC-SHA256 of time and body in `X-Slack-Signature`.
    Slack,
    /// Standard Webhooks: HMAC-SHA256 of id, time and body in `webhook-signature`.
    Generic,
}

/// Why a request is not one of the sender's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rejected {
    /// It does not show that it knows the secret.
    Forged,
    /// It is too old, or from the future.
    Stale,
}

impl Signature {
    /// Checks what the head of a request can tell, before its body is read: whether the signature is there, and its time.
    pub(crate) fn check_head(
        self,
        secret: &str,
        headers: &HeaderMap,
        now: DateTime<Utc>,
        window: Duration,
    ) -> Result<(), Rejected> {
        if self == Signature::Bearer {
            return self.check_body(secret, headers, b"");
        }
        if self.given(headers).is_empty() {
            return Err(Rejected::Forged);
        }
        let Some(name) = self.time_header() else { return Ok(()) };
        let time = header(headers, name).and_then(|time| time.parse::<i64>().ok()).ok_or(Rejected::Forged)?;
        match now.timestamp().abs_diff(time) <= window.as_secs() {
            true => Ok(()),
            false => Err(Rejected::Stale),
        }
    }

    /// Checks the signature of a body. Takes the same time for every wrong one.
    pub(crate) fn check_body(self, secret: &str, headers: &HeaderMap, body: &[u8]) -> Result<(), Rejected> {
        let fits = match self {
            Signature::Bearer => {
                // Hashed first: so not even the length shows.
                let hash = |text: &str| Sha256::digest(text.as_bytes());
                bearer(headers).is_some_and(|given| hash(given).ct_eq(&hash(secret)).into())
            }
            _ => {
                let mac = self.mac(secret, headers, body);
                self.given(headers).iter().any(|given| mac.clone().verify_slice(given).is_ok())
            }
        };
        if fits { Ok(()) } else { Err(Rejected::Forged) }
    }

    /// The headers with which a sender would send this body.
    pub fn sign(
        self,
        secret: &str,
        id: &str,
        now: DateTime<Utc>,
        body: &[u8],
    ) -> Vec<(&'static str, String)> {
        let time = now.timestamp().to_string();
        let mut headers: Vec<(&'static str, String)> = match self {
            Signature::Bearer => {
                return vec![
                    ("authorization", format!("Bearer {secret}")),
                    ("idempotency-key", id.to_owned()),
                ];
            }
            Signature::Github => vec![("x-github-delivery", id.to_owned())],
            Signature::Slack => vec![("x-slack-request-timestamp", time)],
            Signature::Generic => vec![("webhook-id", id.to_owned()), ("webhook-timestamp", time)],
        };
        let known = headers.iter().filter_map(|(name, value)| {
            Some((axum::http::HeaderName::from_static(name), value.parse().ok()?))
        });
        let mac = self.mac(secret, &known.collect(), body).finalize().into_bytes();
        headers.push(match self {
            Signature::Generic => ("webhook-signature", format!("v1,{}", STANDARD.encode(mac))),
            Signature::Slack => ("x-slack-signature", format!("v0={}", hex(&mac))),
            _ => ("x-hub-signature-256", format!("sha256={}", hex(&mac))),
        });
        headers
    }

    /// Why a secret cannot be used.
    pub(crate) fn check_secret(self, secret: &str) -> Result<(), &'static str> {
        let encoded = secret.strip_prefix(STANDARD_SECRET).filter(|_| self == Signature::Generic);
        if encoded.is_some_and(|encoded| STANDARD.decode(encoded).is_err()) {
            return Err("what follows `whsec_` must be base64");
        }
        if secret.len() < 16 {
            return Err("must have at least 16 characters, so that nobody guesses it");
        }
        match self == Signature::Bearer && !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            true => Err("a bearer token consists of visible ASCII characters without spaces"),
            false => Ok(()),
        }
    }

    /// The sender's id of an event, from the headers that the sender sets.
    pub(crate) fn id(self, headers: &HeaderMap) -> Option<&str> {
        header(
            headers,
            match self {
                Signature::Bearer => "idempotency-key",
                Signature::Github => "x-github-delivery",
                Signature::Slack => return None,
                Signature::Generic => "webhook-id",
            },
        )
    }

    /// The header with the time, which is signed.
    pub(crate) fn time_header(self) -> Option<&'static str> {
        match self {
            Signature::Bearer | Signature::Github => None,
            Signature::Slack => Some("x-slack-request-timestamp"),
            Signature::Generic => Some("webhook-timestamp"),
        }
    }

    /// The signatures of a request. Only Standard Webhooks has several, while a secret is replaced.
    fn given(self, headers: &HeaderMap) -> Vec<Vec<u8>> {
        let one = |name: &str, prefix: &str| {
            let value = header(headers, name).and_then(|value| value.strip_prefix(prefix)).and_then(unhex);
            value.into_iter().collect()
        };
        match self {
            Signature::Bearer => Vec::new(),
            Signature::Github => one("x-hub-signature-256", "sha256="),
            Signature::Slack => one("x-slack-signature", "v0="),
            Signature::Generic => {
                let all = header(headers, "webhook-signature").unwrap_or_default().split(' ').take(8);
                all.filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok()).collect()
            }
        }
    }

    fn mac(self, secret: &str, headers: &HeaderMap, body: &[u8]) -> Hmac<Sha256> {
        let value = |name: &str| header(headers, name).unwrap_or_default();
        let before = match self {
            Signature::Bearer | Signature::Github => String::new(),
            Signature::Slack => format!("v0:{}:", value("x-slack-request-timestamp")),
            Signature::Generic => format!("{}.{}.", value("webhook-id"), value("webhook-timestamp")),
        };
        let encoded = secret.strip_prefix(STANDARD_SECRET).filter(|_| self == Signature::Generic);
        let key = encoded.and_then(|encoded| STANDARD.decode(encoded).ok());
        let key = key.unwrap_or_else(|| secret.as_bytes().to_vec());
        // HMAC takes a key of any length.
        let mac = Hmac::<Sha256>::new_from_slice(&key);
        let mac = mac.unwrap_or_else(|_| Hmac::new(&Default::default()));
        mac.chain_update(before).chain_update(body)
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if text.len() != 64 || !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    const WINDOW: Duration = Duration::from_secs(300);

    fn headers<const N: usize>(list: [(&'static str, &str); N]) -> HeaderMap {
        list.into_iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    /// Checks head and body at a time.
    fn checked(
        kind: Signature,
        secret: &str,
        headers: &HeaderMap,
        body: &str,
        now: i64,
    ) -> Result<(), Rejected> {
        kind.check_head(secret, headers, at(now), WINDOW)?;
        kind.check_body(secret, headers, body.as_bytes())
    }

    /// The example of GitHub's documentation ("Validating webhook deliveries").
    #[test]
    fn the_documented_signature_of_github_is_accepted_and_no_other() {
        let (secret, body) = ("It's a Secret to Everybody", "Hello, World!");
        let signed = |signature: &str| headers([("x-hub-signature-256", signature)]);
        let right = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let check = |given: &str, secret: &str, body: &str| {
            checked(Signature::Github, secret, &signed(given), body, 0)
        };
        assert_eq!(check(right, secret, body), Ok(()));
        assert_eq!(check(right, secret, "Hello, World"), Err(Rejected::Forged));
        assert_eq!(check(right, "It's a Secret to everybody", body), Err(Rejected::Forged));
        for wrong in [&right[7..], &right[..70], "sha256=", "sha1=757107ea", &right.replace('7', "g")] {
            assert_eq!(check(wrong, secret, body), Err(Rejected::Forged), "{wrong}");
        }
        assert_eq!(checked(Signature::Github, secret, &HeaderMap::new(), body, 0), Err(Rejected::Forged));
    }

    /// The example of Slack's documentation ("Verifying requests from Slack").
    #[test]
    fn the_documented_signature_of_slack_is_accepted_within_its_time() {
        let secret = "8f742231b10e8888abcd99yyyzzz85a5";
        let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V\
                    &channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=\
                    &response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN\
                    &trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
        let signed = |time: &str| {
            headers([
                ("x-slack-request-timestamp", time),
                ("x-slack-signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"),
            ])
        };
        let check = |time: &str, now| checked(Signature::Slack, secret, &signed(time), body, now);
        let time = 1_531_420_618;
        assert_eq!(check("1531420618", time), Ok(()));
        assert_eq!(check("1531420618", time + 300), Ok(()));
        assert_eq!(check("1531420618", time - 300), Ok(()));
        assert_eq!(check("1531420618", time + 301), Err(Rejected::Stale));
        assert_eq!(check("1531420618", time - 301), Err(Rejected::Stale));
        // The time is signed.
        assert_eq!(check("1531420619", time), Err(Rejected::Forged));
        assert_eq!(check("soon", time), Err(Rejected::Forged));
        assert_eq!(check("-9223372036854775808", time), Err(Rejected::Stale));
    }

    /// The example of the specification and the libraries of Standard Webhooks.
    #[test]
    fn the_documented_signature_of_standard_webhooks_is_accepted_with_its_id() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let signed = |id: &str, signature: &str| {
            headers([
                ("webhook-id", id),
                ("webhook-timestamp", "1614265330"),
                ("webhook-signature", signature),
            ])
        };
        let (id, right) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let check = |headers: &HeaderMap| {
            checked(Signature::Generic, secret, headers, "{\"test\": 2432232314}", 1_614_265_330)
        };
        assert_eq!(check(&signed(id, right)), Ok(()));
        assert_eq!(check(&signed(id, &format!("v1,AAAA v2,x {right}"))), Ok(()));
        assert_eq!(check(&signed("msg_other", right)), Err(Rejected::Forged));
        assert_eq!(check(&signed(id, "v1,AAAA")), Err(Rejected::Forged));
        assert_eq!(check(&signed(id, &right.replace("v1", "v2"))), Err(Rejected::Forged));
    }

    #[test]
    fn what_is_signed_here_is_accepted() {
        let (secret, body) = ("a secret of the test", b"{}".as_slice());
        for kind in [Signature::Bearer, Signature::Github, Signature::Slack, Signature::Generic] {
            let signed = |body: &[u8]| -> HeaderMap {
                let signed = kind.sign(secret, "id-1", at(1000), body).into_iter();
                signed.map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
            };
            let of = |headers: HeaderMap| {
                kind.check_head(secret, &headers, at(1000), WINDOW)?;
                kind.check_body(secret, &headers, body)
            };
            assert_eq!(of(signed(body)), Ok(()), "{kind:?}");
            assert_eq!(of(signed(b"[]")).is_ok(), kind == Signature::Bearer, "{kind:?}");
            assert_eq!(kind.id(&signed(body)), (kind != Signature::Slack).then_some("id-1"));
        }
    }

    #[test]
    fn a_secret_that_can_be_guessed_is_refused() {
        assert!(Signature::Github.check_secret("It's a Secret to Everybody").is_ok());
        assert!(Signature::Github.check_secret("short").is_err());
        assert!(Signature::Bearer.check_secret("It's a Secret to Everybody").is_err());
        assert!(Signature::Generic.check_secret("whsec_?????????????????????").is_err());
    }
}
