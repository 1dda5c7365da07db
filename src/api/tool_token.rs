//! The tokens of agents, each of which stands for one session. They are derived, so nothing is stored and a program of any
//! session can be given one; with the end of the process all of them end.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use frontdesk_core::key::SessionKey;
use frontdesk_core::tool::ToolEndpoint;
use frontdesk_runtime::ToolEndpoints;
use hmac::{Hmac, Mac};
use sha2::Sha256;

type HmacSha256 = Hmac<Sha256>;

/// Makes and checks the tokens under one secret.
#[derive(Clone)]
pub struct ToolTokens(HmacSha256);

impl fmt::Debug for ToolTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ToolTokens")
    }
}

impl ToolTokens {
    /// Tokens under a new random secret.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut secret = [0_u8; 64];
        getrandom::fill(&mut secret)?;
        Ok(Self(HmacSha256::new(&secret.into())))
    }

    /// Where agents on this machine find their tools, if the server listens at `address`.
    pub fn endpoints(&self, mut address: SocketAddr) -> ToolEndpoints {
        if address.ip().is_unspecified() {
            address.set_ip(match address {
                SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        let (url, tokens) = (format!("http://{address}/mcp"), self.clone());
        Arc::new(move |session| ToolEndpoint { url: url.clone(), token: tokens.of(session) })
    }

    /// The token of a session: the session and a code of it, both as base64url.
    pub(crate) fn of(&self, session: &SessionKey) -> String {
        let code = self.hashed(session.as_str()).finalize().into_bytes();
        format!("{}.{}", URL_SAFE_NO_PAD.encode(session.as_str()), URL_SAFE_NO_PAD.encode(code))
    }

    /// The session of a token, if the token is genuine.
    pub(crate) fn session(&self, token: &str) -> Option<SessionKey> {
        let (session, code) = token.split_once('.')?;
        let session = String::from_utf8(URL_SAFE_NO_PAD.decode(session).ok()?).ok()?;
        let code = URL_SAFE_NO_PAD.decode(code).ok()?;
        self.hashed(&session).verify_slice(&code).ok()?;
        session.parse().ok()
    }

    fn hashed(&self, session: &str) -> HmacSha256 {
        self.0.clone().chain_update(session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(text: &str) -> SessionKey {
        text.parse().unwrap()
    }

    #[test]
    fn a_token_stands_for_its_session_alone() {
        let tokens = ToolTokens::new().unwrap();
        let (anna, ben) = (session("agent:main:telegram:dm:1001"), session("agent:main:telegram:dm:1002"));
        let token = tokens.of(&anna);
        assert_eq!(tokens.session(&token), Some(anna.clone()));
        let (of_ben, code) = (tokens.of(&ben), token.split_once('.').unwrap().1);
        let forged = format!("{}.{code}", of_ben.split_once('.').unwrap().0);
        let of_another_boot = ToolTokens::new().unwrap().of(&anna);
        let cut = &token[..token.len() - 1];
        for wrong in
            [forged.as_str(), &of_another_boot, cut, &format!("{token}A"), "", ".", code, anna.as_str()]
        {
            assert_eq!(tokens.session(wrong), None, "{wrong}");
        }
    }
}
