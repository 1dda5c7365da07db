//! Calls of the Bot API: the request as JSON or as a form, the response as the raw result or a fault.
//!
//! The types of the calls are teloxide's. The transport is our own, because the consequences of an error depend on
//! details that teloxide does not pass on, and because no error may contain the URL, which includes the token.

use std::time::Duration;

use frontdesk_core::config::{ConfigError, Secret};
use frontdesk_kit::http::{self, HttpClient, Reply};
use frontdesk_kit::setup::host_of;
use reqwest::header::CONTENT_TYPE;
use reqwest::multipart::Form;
use reqwest::{Method, RequestBuilder, Response, Url};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use teloxide_core::requests::Payload;

use crate::config::Account;
use crate::error::{Fault, Refusal};

/// The URL of the Bot API, unless the configuration names another one.
const DEFAULT_API_URL: &str = "https://api.telegram.org";
/// The maximum size of a response. A hundred updates of the longest kind are far smaller.
const LONGEST_ANSWER: usize = 64 * 1024 * 1024;
/// The maximum length of a description in an error, in characters.
const LONGEST_DESCRIPTION: usize = 300;

/// The Bot API with one bot's token.
pub(crate) struct Api {
    client: HttpClient,
    base_url: Url,
    token: Secret,
    quick: Duration,
    transfer: Duration,
}

#[derive(Deserialize)]
struct Answer {
    ok: bool,
    result: Option<Box<RawValue>>,
    error_code: Option<i64>,
    description: Option<String>,
    #[serde(default)]
    parameters: Option<Parameters>,
}

#[derive(Deserialize, Default)]
struct Parameters {
    retry_after: Option<f64>,
    migrate_to_chat_id: Option<i64>,
}

impl Api {
    /// Creates the client without connecting.
    pub(crate) fn new(account: &Account) -> Result<Self, ConfigError> {
        let base_url = base_url(account.settings.api_url.as_deref())?;
        let token = account.token.expose();
        // The part behind the colon is a secret of its own: Telegram may name it alone.
        let secrets = [Some(token), token.split_once(':').map(|(_, secret)| secret)];
        let secrets = secrets.into_iter().flatten().map(Secret::new).collect();
        let connect = Duration::from_secs(account.settings.connect_seconds);
        let client = HttpClient::new(connect, secrets, LONGEST_ANSWER)
            .map_err(|problem| ConfigError::new("api_url", problem))?;
        Ok(Self {
            client,
            base_url,
            token: account.token.clone(),
            quick: Duration::from_secs(account.settings.request_seconds),
            transfer: Duration::from_secs(account.settings.transfer_seconds),
        })
    }

    /// Makes a call that teloxide knows.
    pub(crate) async fn invoke<P: Payload + Serialize>(&self, payload: &P) -> Result<Box<RawValue>, Fault> {
        let name = P::NAME;
        let method = format!("{}{}", name[..1].to_ascii_lowercase(), &name[1..]);
        self.call(&method, payload, self.quick).await
    }

    /// Makes a call and parses its result as `T`.
    pub(crate) async fn query<T, P>(&self, payload: &P) -> Result<T, Fault>
    where
        T: serde::de::DeserializeOwned,
        P: Payload + Serialize,
    {
        let result = self.invoke(payload).await?;
        serde_json::from_str(result.get()).map_err(|error| Fault::Unreadable(error.to_string()))
    }

    /// Makes a call that teloxide does not know, by its name.
    pub(crate) async fn invoke_by_name(
        &self,
        method: &str,
        body: &impl Serialize,
    ) -> Result<Box<RawValue>, Fault> {
        self.call(method, body, self.quick).await
    }

    /// Makes a call with a time limit for the whole exchange.
    pub(crate) async fn call(
        &self,
        method: &str,
        body: &impl Serialize,
        within: Duration,
    ) -> Result<Box<RawValue>, Fault> {
        let body = serde_json::to_vec(body).map_err(|error| Fault::Unsent(error.to_string()))?;
        let request = self.client.request(Method::POST, self.method(method));
        self.answer(request.header(CONTENT_TYPE, "application/json").body(body), within).await
    }

    /// Makes a call that uploads a file.
    pub(crate) async fn upload(&self, method: &str, form: Form) -> Result<Box<RawValue>, Fault> {
        let request = self.client.request(Method::POST, self.method(method));
        self.answer(request.multipart(form), self.transfer).await
    }

    /// Starts the download of a file; `path` is the one that `getFile` returned.
    pub(crate) async fn open(&self, path: &str) -> Result<Response, Fault> {
        let mut url = self.base_url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("file").push(&format!("bot{}", self.token.expose()));
            segments.extend(path.split('/'));
        }
        Ok(self.client.open(self.client.request(Method::GET, url), self.transfer).await?)
    }

    /// The host of the Bot API.
    pub(crate) fn host(&self) -> String {
        host_of(self.base_url.as_str())
    }

    /// A text without the token, wherever the text comes from.
    pub(crate) fn clean(&self, text: &str) -> String {
        self.client.clean(text)
    }

    fn method(&self, name: &str) -> Url {
        let mut url = self.base_url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(&format!("bot{}", self.token.expose())).push(name);
        }
        url
    }

    async fn answer(&self, request: RequestBuilder, within: Duration) -> Result<Box<RawValue>, Fault> {
        let Reply { status, body } = self.client.send(request, within).await?;
        // One text that is not UTF-8 must not make the other updates of the response unreadable.
        let body = String::from_utf8(body)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        let answer = match serde_json::from_str::<Answer>(&body) {
            Ok(answer) => answer,
            Err(error) if (200..300).contains(&status) && body.starts_with('{') => {
                return Err(Fault::Unreadable(self.clean(&error.to_string())));
            }
            Err(_) => return Err(Fault::Foreign(status)),
        };
        if let (true, Some(result)) = (answer.ok, answer.result) {
            return Ok(result);
        }
        let parameters = answer.parameters.unwrap_or_default();
        let description = answer.description.unwrap_or_else(|| "no reason given".to_owned());
        Err(Fault::Refused(Refusal {
            code: answer.error_code.unwrap_or_else(|| i64::from(status)),
            description: self.clean(&description).chars().take(LONGEST_DESCRIPTION).collect(),
            retry_after: parameters.retry_after.and_then(|after| Duration::try_from_secs_f64(after).ok()),
            moved_to: parameters.migrate_to_chat_id,
        }))
    }
}

fn base_url(url: Option<&str>) -> Result<Url, ConfigError> {
    // The address is not repeated: it may have come from a variable that holds a secret.
    let problem = format!(
        "this is not the address of a Bot API; write one like {DEFAULT_API_URL}: http or https, a host, and nothing behind the path"
    );
    http::base_url(url.unwrap_or(DEFAULT_API_URL)).ok_or_else(|| ConfigError::new("api_url", problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(url: Option<&str>) -> Result<Api, ConfigError> {
        let mut account = Account::new("default", "123:abc-DEF_secret");
        account.settings.api_url = url.map(str::to_owned);
        Api::new(&account)
    }

    #[test]
    fn the_address_of_a_method_is_beneath_the_api_url() {
        for (url, method) in [
            (None, "https://api.telegram.org/bot123:abc-DEF_secret/getMe"),
            (Some("http://127.0.0.1:8081"), "http://127.0.0.1:8081/bot123:abc-DEF_secret/getMe"),
            (Some("http://tg.lan/api/"), "http://tg.lan/api/bot123:abc-DEF_secret/getMe"),
        ] {
            assert_eq!(api(url).unwrap().method("getMe").as_str(), method);
        }
    }

    #[test]
    fn an_api_url_that_would_lose_the_token_on_the_way_is_refused() {
        for url in ["api.telegram.org", "ftp://tg.lan", "http://user:pass@tg.lan", "http://tg.lan/?a=1", ""] {
            let Err(error) = api(Some(url)) else { panic!("{url} was taken") };
            assert_eq!(error.path, "api_url");
        }
    }

    #[test]
    fn no_text_keeps_the_token() {
        let api = api(None).unwrap();
        let text = "GET https://api.telegram.org/bot123:abc-DEF_secret/getMe, abc-DEF_secret";
        let clean = api.clean(text);
        assert!(!clean.contains("abc-DEF_secret") && clean.contains("/getMe"), "{clean}");
    }
}
