//! Calls of the Web API: the arguments as a form, the response as JSON or a fault.
//!
//! The transport is our own, because the consequences of an error depend on details that SDKs do not pass on, and because
//! no error may contain a token.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::config::{ConfigError, Secret};
use frontdesk_core::delivery::MediaFile;
use frontdesk_core::port::Clock;
use frontdesk_kit::files;
use frontdesk_kit::http::{self, HttpClient};
use frontdesk_kit::setup::host_of;
use frontdesk_kit::websocket::{self, DialFault, WebSocket};
use reqwest::header::{LOCATION, RETRY_AFTER};
use reqwest::multipart::Form;
use reqwest::{Method, Response, Url};
use serde_json::{Map, Value};

use crate::config::{Account, Events};
use crate::error::{Fault, Refusal};
use crate::limits::{Held, Limits, Urgency};

/// The root of the Web API, unless the configuration names another one.
const DEFAULT_API_URL: &str = "https://slack.com/api/";
/// The maximum size of a response.
const LONGEST_ANSWER: usize = 16 * 1024 * 1024;
/// The longest name of an error that is repeated, in characters.
const LONGEST_ERROR: usize = 100;

/// Maximum number of redirects of a download that are followed.
const REDIRECTS: usize = 3;

/// What the address of a file leads to.
pub(crate) enum Download {
    File(Response),
    /// A host that is not Slack's, which must not get the token.
    Elsewhere,
    /// The page to log in.
    LogIn,
}

/// The Web API with the tokens of one account.
pub(crate) struct Api {
    client: HttpClient,
    base: Url,
    token: Secret,
    app_token: Option<Secret>,
    quick: Duration,
    transfer: Duration,
    /// `None` for a few requests in a row, which are made whatever Slack has said before.
    limits: Option<Limits>,
}

impl Api {
    /// Creates the client without connecting.
    pub(crate) fn new(account: &Account) -> Result<Self, ConfigError> {
        let settings = &account.settings;
        // The address is not repeated: it may have come from a variable that holds a secret.
        let problem = || {
            let problem = "this is not the address of a Web API; write one like https://slack.com/api/: http or https, \
                           a host, and nothing behind the path";
            ConfigError::new("api_url", problem)
        };
        let base =
            http::base_url(settings.api_url.as_deref().unwrap_or(DEFAULT_API_URL)).ok_or_else(problem)?;
        let secrets = [&account.token, account.events.secret()].map(|token| Secret::new(token.expose()));
        let connect = Duration::from_secs(settings.connect_seconds);
        let client = HttpClient::new(connect, secrets.into(), LONGEST_ANSWER)
            .map_err(|problem| ConfigError::new("api_url", problem))?;
        Ok(Self {
            client,
            base,
            token: account.token.clone(),
            app_token: match &account.events {
                Events::SocketMode { app_token } => Some(app_token.clone()),
                Events::Http { .. } => None,
            },
            quick: Duration::from_secs(settings.request_seconds),
            transfer: Duration::from_secs(settings.transfer_seconds),
            limits: None,
        })
    }

    /// Does not ask while a limit is reached.
    pub(crate) fn with_limits(self, clock: Arc<dyn Clock>) -> Self {
        Self { limits: Some(Limits::new(clock)), ..self }
    }

    /// Makes a call that yields to all others: it only shows something, or is made again soon. If its limit is reached the
    /// fault names no time: the chat must not wait for this.
    pub(crate) async fn show(&self, method: &'static str, arguments: Value) -> Result<Value, Fault> {
        let shown = self.exchange(method, &self.token, arguments, Urgency::Yields).await;
        shown.map(|(answer, _)| answer).map_err(|fault| match fault {
            Fault::Refused(refusal) => Fault::Refused(Refusal { retry_after: None, ..refusal }),
            other => other,
        })
    }

    /// Makes a call with the bot's token. While the limit of the method is reached nothing is sent, and the fault is the
    /// one that Slack would answer with.
    pub(crate) async fn call(&self, method: &'static str, arguments: Value) -> Result<Value, Fault> {
        self.ask(method, &self.token, arguments).await
    }

    /// Opens a socket. The address, which only the app's own token can ask for, holds a secret and can be used once.
    pub(crate) async fn socket(&self, largest: usize) -> Result<WebSocket, Fault> {
        let address = self.address_of_socket().await?;
        let url = websocket::http_url(&address)
            .ok_or_else(|| Fault::Unreadable("it names no socket".to_owned()))?;
        let dialled = websocket::dial(&self.client, self.client.request(Method::GET, url), largest).await;
        dialled.map_err(|fault| match fault {
            DialFault::Http(fault) => Fault::from(fault),
            DialFault::NoSocket(status) => Fault::Unsent(format!("HTTP {status} instead of a socket")),
        })
    }

    async fn address_of_socket(&self) -> Result<String, Fault> {
        let token =
            self.app_token.as_ref().ok_or_else(|| Fault::Unsent("there is no app token".to_owned()))?;
        let answer = self.ask("apps.connections.open", token, Value::Null).await?;
        answer["url"]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| Fault::Unreadable("it names no socket".to_owned()))
    }

    /// Asks whose the bot's token is. The second value are the token's scopes, if Slack names them.
    pub(crate) async fn identity(&self) -> Result<(Value, Option<Vec<String>>), Fault> {
        let (me, scopes) = self.exchange("auth.test", &self.token, Value::Null, Urgency::Waits).await?;
        let list = |scopes: String| {
            scopes.split(',').map(|scope| scope.trim().to_owned()).filter(|scope| !scope.is_empty()).collect()
        };
        Ok((me, scopes.map(list)))
    }

    /// Asks for a socket that nobody opens, with this app token. Returns what Slack warns of.
    pub(crate) async fn try_socket(&self, token: &Secret) -> Result<Vec<String>, Fault> {
        let answer = self.ask("apps.connections.open", token, Value::Null).await?;
        let warnings = answer["response_metadata"]["messages"].as_array().into_iter().flatten();
        Ok(warnings.filter_map(|warning| warning.as_str().map(|text| self.clean(text))).collect())
    }

    /// The host of the Web API.
    pub(crate) fn host(&self) -> String {
        host_of(self.base.as_str())
    }

    /// Posts to a response URL. It needs no token.
    pub(crate) async fn respond(&self, url: &str, body: &Value) -> Result<(), Fault> {
        let url = self.own(url).ok_or_else(|| Fault::Unsent("the response URL is not Slack's".to_owned()))?;
        let request = self.client.request(Method::POST, url).header("content-type", "application/json");
        let reply = self.client.send(request.body(body.to_string()), self.quick).await?;
        match reply.status {
            200 => Ok(()),
            500.. => Err(Fault::Foreign(reply.status)),
            status => Err(Fault::Refused(self.refused(status, &reply.body))),
        }
    }

    /// The refusal of a response URL, which is expired or used up, in JSON or as a word.
    fn refused(&self, status: u16, body: &[u8]) -> Refusal {
        let words = String::from_utf8_lossy(body);
        let json: Value = serde_json::from_str(&words).unwrap_or_default();
        let error = json["error"].as_str().unwrap_or(words.trim());
        let error = self.clean(error).chars().take(LONGEST_ERROR).collect();
        let retry_after = (status == 429).then_some(Duration::from_secs(1));
        Refusal { method: "response_url", error, needed: None, retry_after }
    }

    /// Uploads the bytes of a file to the address that Slack has named for it.
    pub(crate) async fn upload(&self, url: &str, file: &MediaFile) -> Result<(), Fault> {
        let url =
            self.own(url).ok_or_else(|| Fault::Unreadable("the upload URL is not Slack's".to_owned()))?;
        let form = Form::new().part("file", files::form_part(file));
        let reply =
            self.client.send(self.client.request(Method::POST, url).multipart(form), self.transfer).await?;
        if reply.status == 200 { Ok(()) } else { Err(Fault::Foreign(reply.status)) }
    }

    /// Starts a download with the bot's token, from Slack's own hosts alone, also where Slack redirects it.
    pub(crate) async fn open(&self, url: &str) -> Result<Download, Fault> {
        let Some(mut url) = self.own(url) else { return Ok(Download::Elsewhere) };
        let mut redirects = 0;
        loop {
            let request = self.client.request(Method::GET, url.clone()).bearer_auth(self.token.expose());
            let response = self.client.open(request, self.transfer).await?;
            let to = response.headers().get(LOCATION).filter(|_| response.status().is_redirection());
            let to = to.and_then(|to| url.join(to.to_str().ok()?).ok());
            let Some(to) = to.filter(|_| redirects < REDIRECTS) else { return Ok(Download::File(response)) };
            match self.own(to.as_str()) {
                _ if asks_to_log_in(&to) => return Ok(Download::LogIn),
                Some(own) => url = own,
                None => return Ok(Download::Elsewhere),
            }
            redirects += 1;
        }
    }

    /// A text without the tokens, wherever the text comes from.
    pub(crate) fn clean(&self, text: &str) -> String {
        self.client.clean(text)
    }

    /// An address of Slack's: on the host of the API, or beneath slack.com if that is the API's.
    fn own(&self, url: &str) -> Option<Url> {
        let url = Url::parse(url).ok()?;
        let same = url.scheme() == self.base.scheme()
            && url.host_str() == self.base.host_str()
            && url.port_or_known_default() == self.base.port_or_known_default();
        let beneath = self.base.host_str() == Some("slack.com")
            && url.scheme() == "https"
            && url.host_str().is_some_and(|host| host == "slack.com" || host.ends_with(".slack.com"))
            && url.port().is_none();
        (same || beneath).then_some(url)
    }

    async fn ask(&self, method: &'static str, token: &Secret, arguments: Value) -> Result<Value, Fault> {
        self.exchange(method, token, arguments, Urgency::Waits).await.map(|(answer, _)| answer)
    }

    /// Makes a call, unless its limit is reached. The second value is the header with the token's scopes.
    async fn exchange(
        &self,
        method: &'static str,
        token: &Secret,
        arguments: Value,
        urgency: Urgency,
    ) -> Result<(Value, Option<String>), Fault> {
        let channel = arguments["channel"].as_str();
        let permit = self.limits.as_ref().map(|limits| limits.begin(method, channel, urgency)).transpose();
        let permit = permit.map_err(|Held(retry_after)| {
            let error = "ratelimited".to_owned();
            Fault::Refused(Refusal { method, error, needed: None, retry_after })
        })?;
        let answer = self.request(method, token, arguments).await;
        match (&answer, permit) {
            (Err(Fault::Refused(Refusal { retry_after: Some(after), .. })), Some(permit)) => {
                permit.refused(*after);
            }
            (Ok(_) | Err(Fault::Refused(_)), Some(permit)) => permit.passed(),
            _ => {}
        }
        answer
    }

    async fn request(
        &self,
        method: &'static str,
        token: &Secret,
        arguments: Value,
    ) -> Result<(Value, Option<String>), Fault> {
        let url = self.base.join(&format!("{}/{method}", self.base.path().trim_end_matches('/')));
        let url = url.map_err(|error| Fault::Unsent(error.to_string()))?;
        let fields: Map<String, Value> = arguments.as_object().cloned().unwrap_or_default();
        let request = self.client.request(Method::POST, url).bearer_auth(token.expose()).form(&form(fields));
        let mut response = self.client.open(request, self.quick).await?;
        let status = response.status().as_u16();
        let after = response.headers().get(RETRY_AFTER).and_then(|after| after.to_str().ok()?.parse().ok());
        let scopes = response.headers().get("x-oauth-scopes");
        let scopes = scopes.and_then(|scopes| scopes.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        while let Some(piece) = self.client.piece(&mut response).await? {
            body.extend_from_slice(&piece);
            if body.len() > LONGEST_ANSWER {
                return Err(Fault::Unreadable("it is longer than 16 MiB".to_owned()));
            }
        }
        let answer = self.read(method, status, after.map(Duration::from_secs), &body)?;
        Ok((answer, scopes))
    }

    fn read(
        &self,
        method: &'static str,
        status: u16,
        after: Option<Duration>,
        body: &[u8],
    ) -> Result<Value, Fault> {
        let answer: Value = match serde_json::from_slice(body) {
            Ok(answer) => answer,
            Err(error) if status == 200 => return Err(Fault::Unreadable(self.clean(&error.to_string()))),
            // Slack's proxy answers 429 without JSON too.
            Err(_) if status == 429 => Value::Null,
            Err(_) => return Err(Fault::Foreign(status)),
        };
        if answer["ok"] == true {
            return Ok(answer);
        }
        // A proxy may answer with JSON too.
        if !answer["ok"].is_boolean() && status != 200 && status != 429 {
            return Err(Fault::Foreign(status));
        }
        let named = |name: &str| {
            answer[name].as_str().map(|text| self.clean(text).chars().take(LONGEST_ERROR).collect())
        };
        let error = named("error")
            .unwrap_or_else(|| if status == 429 { "ratelimited" } else { "no reason given" }.to_owned());
        let retry_after =
            after.filter(|_| status == 429).or((status == 429).then_some(Duration::from_secs(1)));
        Err(Fault::Refused(Refusal { method, error, needed: named("needed"), retry_after }))
    }
}

/// Whether an address is the one at which Slack lets a person log in before they see a file.
fn asks_to_log_in(url: &Url) -> bool {
    let is_page = ["/signin", "/sign_in", "/login"].iter().any(|page| url.path().starts_with(page));
    is_page || url.query_pairs().any(|(name, _)| name == "redir")
}

/// The arguments as a form takes them: lists and objects as JSON.
fn form(fields: Map<String, Value>) -> Vec<(String, String)> {
    let written = |value: Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    };
    fields.into_iter().filter_map(|(name, value)| Some((name, written(value)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(url: Option<&str>) -> Result<Api, ConfigError> {
        let events = Events::SocketMode { app_token: Secret::new("xapp-1-A1-1-secret") };
        let mut account = Account::new("default", "xoxb-1-secret", events);
        account.settings.api_url = url.map(str::to_owned);
        Api::new(&account)
    }

    #[test]
    fn tokens_go_to_slacks_hosts_alone() {
        let slack = api(None).unwrap();
        for url in [
            "https://files.slack.com/files-pri/T1-F1/a.png",
            "https://slack.com/x",
            "https://hooks.slack.com/actions/1",
        ] {
            assert!(slack.own(url).is_some(), "{url}");
        }
        for url in [
            "http://files.slack.com/a",
            "https://slack.com.evil.example/a",
            "https://evilslack.com/a",
            "https://files.slack.com:8443/a",
            "https://files.slack.com@evil.example/a",
            "file:///etc/passwd",
            "",
        ] {
            assert!(slack.own(url).is_none(), "{url}");
        }
        let other = api(Some("http://127.0.0.1:8083/api")).unwrap();
        assert!(other.own("http://127.0.0.1:8083/files-pri/x").is_some());
        assert!(
            other.own("http://127.0.0.1:8084/x").is_none()
                && other.own("https://files.slack.com/x").is_none()
        );
    }

    #[test]
    fn an_api_url_that_would_lose_the_token_on_the_way_is_refused() {
        for url in
            ["slack.com/api", "ftp://slack.lan", "http://user:pass@slack.lan", "http://slack.lan/?a=1", ""]
        {
            let Err(error) = api(Some(url)) else { panic!("{url} was taken") };
            assert_eq!(error.path, "api_url");
        }
    }

    #[test]
    fn answers_are_told_apart() {
        let api = api(None).unwrap();
        let read = |status, after: Option<u64>, body: &str| {
            api.read("auth.test", status, after.map(Duration::from_secs), body.as_bytes())
        };
        assert!(read(200, None, r#"{"ok":true}"#).is_ok());
        let Err(Fault::Refused(refusal)) =
            read(200, None, r#"{"ok":false,"error":"missing_scope","needed":"a:b"}"#)
        else {
            panic!("it is refused")
        };
        assert_eq!(refusal.to_string(), "auth.test: missing_scope (needs the scope a:b)");
        for body in ["", "Too Many Requests", r#"{"ok":false,"error":"ratelimited"}"#] {
            let Err(Fault::Refused(refusal)) = read(429, Some(7), body) else { panic!("{body}") };
            assert_eq!(
                (refusal.error.as_str(), refusal.retry_after),
                ("ratelimited", Some(Duration::from_secs(7)))
            );
        }
        assert_eq!(read(502, None, "<html>"), Err(Fault::Foreign(502)));
        assert!(matches!(read(200, None, "<html>"), Err(Fault::Unreadable(_))));
        let Err(fault) = read(200, None, r#"{"ok":false,"error":"bad xoxb-1-secret"}"#) else {
            panic!("refused")
        };
        assert!(!fault.to_string().contains("secret"), "{fault}");
    }
}
