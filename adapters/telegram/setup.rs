//! How people set up a bot, and what Telegram says about it.

use async_trait::async_trait;
use frontdesk_core::account::AccountId;
use frontdesk_kit::Setup;
use frontdesk_kit::setup::{AppNames, CheckHost, Finding, Report, Step, TokenKey, Trouble, host_of};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use teloxide_core::payloads::{GetMe, GetWebhookInfo};
use teloxide_core::requests::Payload;

use crate::CHANNEL;
use crate::api::Api;
use crate::error::{Fault, Refusal};
use crate::section::{Bot, Mode, TOKEN, Telegram};

/// The fields of `getMe` that matter here. Servers differ in them.
#[derive(Deserialize)]
struct User {
    id: i64,
    username: Option<String>,
    can_join_groups: Option<bool>,
    can_read_all_group_messages: Option<bool>,
}

#[derive(Deserialize)]
struct WebhookInfo {
    url: String,
    #[serde(default)]
    pending_update_count: u64,
    last_error_date: Option<i64>,
    last_error_message: Option<String>,
}

/// The findings of the checks, by the step that they belong to.
#[derive(Default)]
struct Found {
    username: Option<String>,
    token: Vec<Finding>,
    groups: Vec<Finding>,
    updates: Vec<Finding>,
}

#[async_trait]
impl Setup for Telegram {
    fn title(&self) -> &'static str {
        "Telegram"
    }

    fn manifest(&self, _: &AppNames) -> Option<Result<Value, String>> {
        None
    }

    fn has_token(&self, account: &AccountId) -> bool {
        self.of(account).is_some_and(|bot| bot.account.token().is_some())
    }

    async fn inspect(&self, account: &AccountId, host: &CheckHost) -> Report {
        let mut report = Report::default();
        let mut found = Found::default();
        if let Some(bot) = self.of(account)
            && let Some(config) = bot.adapter_config(account.name(), host.webhook_url.clone())
            // Errors of the configuration are reported by the program, for all platforms alike.
            && config.check().is_ok()
            && let Ok(api) = Api::new(&config)
        {
            let look = Look { api: &api, bot, id: account, webhook_url: host.webhook_url.as_deref() };
            look.at_all(&mut found, &mut report).await;
        }
        report.steps = steps(account, self.has_token(account), found);
        report
    }
}

fn steps(account: &AccountId, has_token: bool, found: Found) -> Vec<Step> {
    let tokens = [TokenKey { key: "token", variable: TOKEN, file: "telegram.token" }];
    let link = found.username.map_or("https://t.me/NAME".to_owned(), |name| format!("https://t.me/{name}"));
    vec![
        Step::new(
            "Make a bot and copy its token",
            [
                "Open https://t.me/BotFather and send: /newbot",
                "BotFather asks for a name, and then for a user name, which must end in \"bot\".",
                "Copy the token from the answer: a number, a colon, and a longer text, without spaces.",
            ],
        )
        .found(found.token),
        Step::give_tokens(account, &tokens).done(has_token),
        Step::new(
            "Decide about groups",
            [
                "In groups, a new bot gets only messages that begin with / or mention it, and replies to its own messages. There is \
                 nothing to do, unless the bot is to read every message (`ambient` or `require_mention = false` in frontdesk.toml).",
                "For that, send /setprivacy to https://t.me/BotFather, choose the bot and then \"Disable\", remove the bot from each \
                 group, and add it again.",
            ],
        )
        .found(found.groups),
        Step::new("Let only Frontdesk receive its messages", ["With a new bot there is nothing to do. If another program uses the same bot, stop that program first."])
            .found(found.updates),
        Step::talk(account, format!("Open {link}, choose \"Start\", and write something.")),
    ]
}

/// A look at one bot.
struct Look<'a> {
    api: &'a Api,
    bot: &'a Bot,
    id: &'a AccountId,
    webhook_url: Option<&'a str>,
}

impl Look<'_> {
    async fn at_all(&self, found: &mut Found, report: &mut Report) {
        match self.ask::<User, _>(&GetMe::new()).await {
            Ok(user) => self.user_says(user, found, report),
            Err(finding) => return found.token.push(finding),
        }
        match self.ask::<WebhookInfo, _>(&GetWebhookInfo::new()).await {
            Ok(webhook) => self.webhook_says(&webhook, found, report),
            Err(finding) => found.updates.push(Finding { check: "webhook", ..finding }),
        }
    }

    async fn ask<T: DeserializeOwned, P: Payload + serde::Serialize>(
        &self,
        payload: &P,
    ) -> Result<T, Finding> {
        self.api.query(payload).await.map_err(|fault| {
            tracing::debug!(channel = CHANNEL, account = %self.id, method = P::NAME, %fault, "a check failed");
            self.refused(fault)
        })
    }

    /// What a failed call means, without Telegram's own words.
    fn refused(&self, fault: Fault) -> Finding {
        let trouble = match fault {
            // The token is part of the path, so a malformed one gives "not found".
            Fault::Refused(Refusal { code: 401 | 404, .. }) => {
                return Finding::error(
                    "token",
                    "Telegram does not know the token: it was revoked, or was not copied whole.",
                    "Send /token to https://t.me/BotFather, choose the bot, and give the token to Frontdesk.",
                );
            }
            Fault::Refused(Refusal { retry_after: Some(after), .. }) => Trouble::TooMany(after),
            Fault::Refused(Refusal { code, .. }) if code < 500 => {
                return Finding::error(
                    "token",
                    format!("Telegram refuses to tell about the bot (code {code})."),
                    "Send /mybots to https://t.me/BotFather and look whether the bot still exists.",
                );
            }
            Fault::Refused(Refusal { code, .. }) => Trouble::Status(u16::try_from(code).unwrap_or(500)),
            Fault::Foreign(status) => Trouble::Status(status),
            Fault::Unsent(detail) => Trouble::Unsent(detail),
            Fault::Unanswered(detail) => Trouble::Unanswered(detail),
            Fault::Unreadable(_) => Trouble::Unreadable,
        };
        trouble.finding("token", "Telegram", &self.api.host())
    }

    fn user_says(&self, user: User, found: &mut Found, report: &mut Report) {
        let username = user.username.filter(|name| !name.is_empty());
        let whose = match &username {
            Some(name) => format!("it belongs to @{name} (https://t.me/{name})"),
            None => format!("it belongs to the bot {}", user.id),
        };
        found.token.push(Finding::ok("token", format!("Telegram knows the token: {whose}.")));
        report.set("bot", json!({"id": user.id, "username": username}));
        report.set("link", username.as_ref().map(|name| format!("https://t.me/{name}")));
        report.set("can_join_groups", user.can_join_groups);
        report.set("can_read_all_group_messages", user.can_read_all_group_messages);
        let people = &self.bot.account.people;
        let is_in_groups = !people.groups.is_empty();
        found.groups.extend(user.can_join_groups.map(|can| match (can, is_in_groups) {
            (true, _) => Finding::ok("groups", "It can be added to groups."),
            (false, false) => Finding::ok("groups", "It cannot be added to groups, and none is configured."),
            (false, true) => Finding::warning(
                "groups",
                "It cannot be added to groups, although the configuration lists some.",
                "Send /setjoingroups to https://t.me/BotFather, choose the bot, and \"Enable\".",
            ),
        }));
        let reads_all = people.groups.iter().find(|(_, group)| {
            group.chat.require_mention == Some(false) || group.chat.ambient.is_some_and(|ambient| ambient > 0)
        });
        found.groups.extend(user.can_read_all_group_messages.map(|all| match (all, reads_all) {
            (true, _) => Finding::ok("privacy", "Privacy mode is off: in groups it is shown all messages."),
            (false, None) => Finding::ok(
                "privacy",
                "Privacy mode is on: in groups it is shown only what begins with /, mentions it or answers it.",
            ),
            (false, Some((group, _))) => Finding::warning(
                "privacy",
                format!("Privacy mode is on, so it cannot read all messages of the group {group}, as is configured."),
                "Send /setprivacy to https://t.me/BotFather, choose the bot, \"Disable\", and add the bot to the group again.",
            ),
        }));
        found.username = username;
    }

    fn webhook_says(&self, webhook: &WebhookInfo, found: &mut Found, report: &mut Report) {
        let host = host_of(&webhook.url);
        let is_set = !webhook.url.is_empty();
        report.set("webhook", is_set.then(|| json!({"host": host, "pending": webhook.pending_update_count})));
        let is_ours = self.webhook_url.is_some_and(|url| url == webhook.url);
        found.updates.push(match (self.bot.mode, is_set) {
            (Mode::Polling, false) => Finding::ok("webhook", "There is no webhook: the gateway asks for the messages."),
            (Mode::Polling, true) => Finding::warning(
                "webhook",
                format!("Another program has the bot's messages sent to {host}."),
                "Stop that program. Frontdesk removes its webhook at the next start, and the program would set it again.",
            ),
            (Mode::Webhook, false) => Finding::warning(
                "webhook",
                "The webhook is not set, so no message arrives.",
                "Start the gateway, which sets it: frontdesk run",
            ),
            (Mode::Webhook, true) if is_ours => Finding::ok("webhook", format!("Telegram sends the messages to {host}.")),
            (Mode::Webhook, true) => Finding::error(
                "webhook",
                format!("Another program has the bot's messages sent to {host}, not to this gateway."),
                "Stop that program, and start the gateway again, which sets its own address.",
            ),
        });
        if let Some(error) = webhook.last_error_message.as_deref().filter(|_| is_set && is_ours) {
            tracing::debug!(channel = CHANNEL, account = %self.id, error = self.api.clean(error), "the last delivery failed");
            let at = webhook.last_error_date.and_then(|at| chrono::DateTime::from_timestamp(at, 0));
            let at = at.map_or_else(String::new, |at| format!(" at {}", at.format("%F %T UTC")));
            found.updates.push(Finding::warning(
                "deliveries",
                format!("Telegram could not deliver a message to {host}{at}; {} wait.", webhook.pending_update_count),
                "If that goes on, check that the public address leads to the gateway, and that its certificate is valid.",
            ));
        }
    }
}
