//! An incoming webhook: an account that only sends, to the one channel for which Slack has made the address.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::account::AccountId;
use frontdesk_core::address::Address;
use frontdesk_core::cause::Cause;
use frontdesk_core::config::{ConfigError, Secret};
use frontdesk_core::delivery::{Bucket, Delivery, Post, Receipt, SendError, Signal};
use frontdesk_core::group::{Group, GroupPage, LookupError};
use frontdesk_core::message::{Attachment, Source};
use frontdesk_core::port::{Adapter, AdapterError, Bytes, FetchError, Inbox, Stop, Webhook};
use frontdesk_core::profile::{Flow, MessageChanges, Profile};
use frontdesk_kit::http::{self, HttpClient, HttpFault};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Method, Url};
use serde_json::json;

use crate::config::Settings;
use crate::error::{Fault, is_name};
use crate::outbound::whole;
use crate::{CHANNEL, blocks};

/// The chat in the addresses of such an account: the channel of the webhook.
const CHAT: &str = "webhook";
/// The maximum size of a response; Slack answers with a word.
const LONGEST_ANSWER: usize = 4096;

/// The address does not work any more: it was removed, or the app was.
const REVOKED: [&str; 7] = [
    "invalid_token",
    "no_active_hooks",
    "no_service",
    "no_service_id",
    "no_team",
    "team_disabled",
    "user_not_found",
];
/// The channel is gone, or the app may not post there any more.
const GONE: [&str; 4] =
    ["action_prohibited", "channel_is_archived", "channel_not_found", "posting_to_general_channel_denied"];
const MARKUP: [&str; 2] = ["invalid_blocks", "invalid_blocks_format"];

/// One incoming webhook.
#[derive(Debug, Clone)]
pub struct IncomingWebhook {
    /// The account's name in keys and addresses; `default` is never written there.
    pub name: String,
    /// The address, whose path is the secret.
    pub url: Secret,
    /// The settings that concern what is sent.
    pub settings: Settings,
}

impl IncomingWebhook {
    /// Checks what the types cannot express. No error contains the address.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.address()?;
        self.settings.check()
    }

    fn address(&self) -> Result<Url, ConfigError> {
        let problem = "this is not the address of an incoming webhook; it begins with https://hooks.slack.com/services/ \
                       and stands on the app's page under \"Incoming Webhooks\"";
        let url = http::base_url(self.url.expose().trim()).filter(|url| {
            let same = |api: Url| url.origin() == api.origin();
            let is_slacks = match &self.settings.api_url {
                Some(api) => http::base_url(api).is_some_and(same),
                None => {
                    let hosts = ["hooks.slack.com", "hooks.slack-gov.com"];
                    url.scheme() == "https"
                        && url.port().is_none()
                        && url.host_str().is_some_and(|host| hosts.contains(&host))
                }
            };
            is_slacks && url.path().strip_prefix("/services/").is_some_and(|rest| !rest.is_empty())
        });
        url.ok_or_else(|| ConfigError::new("webhook_url", problem))
    }
}

/// The adapter of one incoming webhook.
pub struct WebhookAdapter {
    profile: Profile,
    id: AccountId,
    client: HttpClient,
    url: Url,
    settings: Settings,
}

impl WebhookAdapter {
    /// Creates the adapter without connecting.
    pub fn new(account: IncomingWebhook) -> Result<Self, ConfigError> {
        account.settings.check()?;
        let id = AccountId::new(CHANNEL, Some(&account.name))
            .map_err(|error| ConfigError::new("name", error.to_string()))?;
        let url = account.address()?;
        let connect = Duration::from_secs(account.settings.connect_seconds);
        // An error may repeat the address or its path.
        let secrets = [url.as_str(), url.path()].map(Secret::new).into();
        let client = HttpClient::new(connect, secrets, LONGEST_ANSWER)
            .map_err(|problem| ConfigError::new("webhook_url", problem))?;
        Ok(Self { profile: profile(&account.settings), id, client, url, settings: account.settings })
    }

    async fn post(&self, post: &Post) -> Result<Receipt, SendError> {
        let previews = self.settings.link_previews;
        let mut message = json!({
            "text": post.part.body, "parse": "none", "link_names": false,
            "unfurl_links": previews, "unfurl_media": previews,
        });
        if let Some(blocks) = blocks::of(post) {
            message["blocks"] = blocks;
        }
        let request = self.client.request(Method::POST, self.url.clone());
        let request = request.header(CONTENT_TYPE, "application/json").body(message.to_string());
        let within = Duration::from_secs(self.settings.request_seconds);
        let sent = async {
            let mut response = self.client.open(request, within).await?;
            let status = response.status().as_u16();
            let after =
                response.headers().get(RETRY_AFTER).and_then(|after| after.to_str().ok()?.parse().ok());
            let mut body = Vec::new();
            while let Some(piece) = self.client.piece(&mut response).await? {
                body.extend_from_slice(&piece);
                if body.len() > LONGEST_ANSWER {
                    break;
                }
            }
            Ok::<_, HttpFault>((status, after.map(Duration::from_secs), body))
        };
        let (status, after, body) = sent.await.map_err(|fault| Fault::from(fault).for_send())?;
        let word: String = self.client.clean(&String::from_utf8_lossy(&body)).chars().take(60).collect();
        judged(status, after, word.trim()).map_err(|error| whole(post, error))
    }
}

/// What the answer to a post means.
fn judged(status: u16, after: Option<Duration>, word: &str) -> Result<Receipt, SendError> {
    let detail = || match is_name(word) {
        true => Cause::plain(format!("incoming webhook: {status} {word}")),
        false => Cause::quoting(format!("incoming webhook: {status}"), word),
    };
    let later = |after| Err(SendError::Later { after, scope: Bucket::Chat, detail: detail() });
    match status {
        // Slack names no message.
        200 => Ok(Receipt::of(CHAT.to_owned())),
        429 => later(Some(after.unwrap_or(Duration::from_secs(1)))),
        // Slack says itself that it has not posted it. A proxy that answers for Slack does not know that.
        500 if word == "rollup_error" => later(None),
        500.. => Err(SendError::Unknown(detail())),
        _ if REVOKED.contains(&word) => Err(SendError::Credentials(detail())),
        _ if GONE.contains(&word) => Err(SendError::Gone(detail())),
        _ if MARKUP.contains(&word) => Err(SendError::Markup(detail())),
        _ => Err(SendError::Refused(detail())),
    }
}

/// A webhook posts messages and does nothing else.
fn profile(settings: &Settings) -> Profile {
    Profile {
        flow: Flow::Whole,
        typing: None,
        threads: false,
        media: None,
        albums: None,
        person_chat: None,
        ends: false,
        buttons: false,
        changes: MessageChanges { edit: false, delete: false, react: false, pin: false },
        waiting_marks: false,
        private_posts: false,
        command_mark: '!',
        max_silence: None,
        ..settings.profile()
    }
}

#[async_trait]
impl Adapter for WebhookAdapter {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn account(&self) -> &AccountId {
        &self.id
    }

    fn login(&self) -> Option<String> {
        None
    }

    /// Nothing ever arrives.
    async fn run(&self, inbox: Arc<dyn Inbox>, stop: Stop) -> Result<(), AdapterError> {
        inbox.heard(&Source { id: format!("{CHANNEL}:{CHAT}/{}", self.id), account: self.id.clone() });
        stop.cancelled().await;
        Ok(())
    }

    async fn deliver(&self, to: &Address, delivery: Delivery) -> Result<Receipt, SendError> {
        match delivery {
            _ if to.chat() != CHAT || to.thread().is_some() => Err(SendError::Gone(Cause::plain(format!(
                "an incoming webhook has one chat, which is called `{CHAT}`"
            )))),
            Delivery::Post(post) => self.post(&post).await,
            _ => Err(SendError::Refused("an incoming webhook can only post messages".into())),
        }
    }

    async fn signal(&self, _: &Address, _: Signal) -> Result<(), SendError> {
        Ok(())
    }

    async fn fetch(&self, _: &Attachment) -> Result<Bytes, FetchError> {
        Err(FetchError::Refused("an incoming webhook receives no files".to_owned()))
    }

    async fn group(&self, _: &str) -> Result<Group, LookupError> {
        Err(LookupError::NoSuchGroup)
    }

    async fn groups(&self, _: Option<&str>) -> Result<GroupPage, LookupError> {
        Ok(GroupPage::default())
    }

    fn webhook(&self) -> Option<Arc<dyn Webhook>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str, api_url: Option<&str>) -> Result<(), ConfigError> {
        let settings = Settings { api_url: api_url.map(str::to_owned), ..Settings::default() };
        IncomingWebhook { name: "alerts".to_owned(), url: Secret::new(url), settings }.check()
    }

    #[test]
    fn only_slacks_own_addresses_are_incoming_webhooks() {
        assert_eq!(of("https://hooks.slack.com/services/T1/B1/secret", None), Ok(()));
        assert_eq!(of("http://127.0.0.1:8083/services/T1/B1/x", Some("http://127.0.0.1:8083/api/")), Ok(()));
        for url in [
            "http://hooks.slack.com/services/T1/B1/secret",
            "https://hooks.slack.com/services/",
            "https://hooks.slack.com/commands/T1/1/secret",
            "https://hooks.slack.com.evil.example/services/T1/B1/secret",
            "https://hooks.slack.com:8443/services/T1/B1/secret",
            "https://user@hooks.slack.com/services/T1/B1/secret",
            "T1/B1/secret",
            "",
        ] {
            let error = of(url, None).unwrap_err();
            assert_eq!(error.path, "webhook_url", "{url}");
            assert!(!error.problem.contains("secret") || url.is_empty());
        }
    }

    #[test]
    fn its_profile_can_be_right() {
        frontdesk_conformance::profile::check(&profile(&Settings::default()));
    }

    #[test]
    fn each_answer_has_the_right_consequence() {
        let means = |status, word: &str| match judged(status, Some(Duration::from_secs(7)), word) {
            Ok(_) => "sent",
            Err(SendError::Later { after: Some(after), .. }) if after.as_secs() == 7 => "later, at a time",
            Err(SendError::Later { after: None, .. }) => "later",
            Err(SendError::Credentials(_)) => "credentials",
            Err(SendError::Gone(_)) => "gone",
            Err(SendError::Markup(_)) => "markup",
            Err(SendError::Refused(_)) => "refused",
            Err(SendError::Unknown(_)) => "unknown",
            Err(error) => panic!("{error}"),
        };
        for (status, word, consequence) in [
            (200, "ok", "sent"),
            (400, "invalid_payload", "refused"),
            (400, "no_text", "refused"),
            (400, "invalid_blocks", "markup"),
            (403, "action_prohibited", "gone"),
            (403, "invalid_token", "credentials"),
            (404, "channel_not_found", "gone"),
            (404, "no_service", "credentials"),
            (404, "no_team", "credentials"),
            (410, "channel_is_archived", "gone"),
            (429, "rate_limited", "later, at a time"),
            (500, "rollup_error", "later"),
            (503, "", "unknown"),
            (504, "<html>", "unknown"),
        ] {
            assert_eq!(means(status, word), consequence, "{status} {word}");
        }
    }
}
