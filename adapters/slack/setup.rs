//! How people set up an app: its manifest, and the steps on Slack's pages.

mod look;

use async_trait::async_trait;
use frontdesk_core::account::AccountId;
use frontdesk_core::config::Secret;
use frontdesk_kit::Setup;
use frontdesk_kit::setup::{AppNames, CheckHost, Finding, Report, Step, TokenKey};
use serde_json::Value;

use crate::api::Api;
use crate::config::{Account, Events, is_app_token, is_bot_token};
use crate::section::{APP_TOKEN, Bot, Slack, TOKEN};
use look::Look;

/// The manifest of an app that can do all that the adapter does.
const MANIFEST: &str = include_str!("manifest.json");
/// Slack's documentation, App manifest: the longest name of an app, and the longest slash command with its slash.
const LONGEST_NAME: usize = 35;
const LONGEST_COMMAND: usize = 32;

/// Where apps are made.
const PAGE: &str = "https://api.slack.com/apps";

/// The findings of the checks, by the step that they belong to.
#[derive(Default)]
struct Found {
    bot_token: Vec<Finding>,
    events: Vec<Finding>,
}

#[async_trait]
impl Setup for Slack {
    fn title(&self) -> &'static str {
        "Slack"
    }

    fn manifest(&self, names: &AppNames) -> Option<Result<Value, String>> {
        Some(manifest(names))
    }

    fn has_token(&self, account: &AccountId) -> bool {
        self.of(account).is_some_and(|bot| bot.account.token().is_some())
    }

    async fn inspect(&self, account: &AccountId, host: &CheckHost) -> Report {
        let none = Bot::default();
        let bot = self.of(account).unwrap_or(&none);
        let mut report = Report::default();
        let mut found = Found::default();
        if let Ok(api) = Api::new(&asked(bot)) {
            // Errors of the configuration are reported by the program, for all platforms alike.
            let look = Look { api: &api, bot, id: account, webhook_url: host.webhook_url.as_deref() };
            look.at_all(&mut found, &mut report).await;
        }
        report.steps = steps(account, bot, found);
        report
    }
}

/// The account with the tokens that there are: it may not be complete yet.
fn asked(bot: &Bot) -> Account {
    let token = bot.account.token().map(Secret::expose).unwrap_or_default();
    let events = Events::SocketMode { app_token: bot.app_token.clone().unwrap_or_default() };
    Account { settings: bot.settings.clone(), ..Account::new("check", token, events) }
}

/// The manifest with these names.
fn manifest(names: &AppNames) -> Result<Value, String> {
    let mut manifest: Value = serde_json::from_str(MANIFEST).map_err(|error| error.to_string())?;
    if let Some(name) = names.name.as_deref().map(str::trim) {
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            return Err(format!("the name of an app has 1 to {LONGEST_NAME} characters"));
        }
        manifest["display_information"]["name"] = name.into();
        manifest["features"]["bot_user"]["display_name"] = display_name(name).into();
    }
    if let Some(command) = names.command.as_deref().map(str::trim) {
        let rest = command.strip_prefix('/').unwrap_or_default();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        if rest.is_empty() || !rest.chars().all(plain) || command.len() > LONGEST_COMMAND {
            return Err(format!(
                "a slash command is a / and small letters, digits, - and _, at most {LONGEST_COMMAND} characters together, \
                 such as /frontdesk"
            ));
        }
        manifest["features"]["slash_commands"][0]["command"] = command.into();
    }
    Ok(manifest)
}

/// The name of the bot's account: Slack takes small letters, digits, `-`, `_` and `.` for it.
fn display_name(name: &str) -> String {
    let spaced = name.to_lowercase().replace(char::is_whitespace, "-");
    let plain: String = spaced.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
    if plain.chars().any(|c| c.is_ascii_alphanumeric()) { plain } else { "frontdesk".to_owned() }
}

/// The scopes that the manifest gives to the bot.
fn wanted_scopes() -> Vec<String> {
    let manifest: Value = serde_json::from_str(MANIFEST).unwrap_or_default();
    let scopes = manifest["oauth_config"]["scopes"]["bot"].as_array().into_iter().flatten();
    scopes.filter_map(|scope| scope.as_str().map(str::to_owned)).collect()
}

fn steps(account: &AccountId, bot: &Bot, found: Found) -> Vec<Step> {
    let is_known =
        found.bot_token.iter().any(|finding| finding.check == "bot_token" && finding.next.is_none());
    let is_given = bot.account.token().is_some_and(is_bot_token)
        && (bot.app_token.as_ref().is_some_and(is_app_token) || bot.signing_secret.is_some());
    let token = TokenKey { key: "token", variable: TOKEN, file: "slack-bot.token" };
    let app_token = TokenKey { key: "app_token", variable: APP_TOKEN, file: "slack-app.token" };
    let over_http = bot.signing_secret.is_some();
    let events = match over_http {
        true => Step::new(
            "Let Slack send the events to the gateway",
            [format!(
                "On the app's page, switch Socket Mode off, and enter https://YOUR_ADDRESS/webhooks/slack/{} under \"Event \
                 Subscriptions\", \"Interactivity & Shortcuts\" and \"Slash Commands\". YOUR_ADDRESS is where Slack reaches this \
                 gateway from the internet.",
                account.name()
            )],
        ),
        false => Step::new(
            "Copy the app's token",
            [
                "On the app's page choose \"Basic Information\", \"App-Level Tokens\", \"Generate Token and Scopes\", and give it any \
                 name.",
                "Choose \"Add Scope\", connections:write, and \"Generate\". Copy the token, which begins with xapp-.",
            ],
        ),
    };
    vec![
        Step::new(
            "Create the app",
            [
                "Print its manifest: frontdesk onboard slack --manifest".to_owned(),
                format!("Open {PAGE} and choose \"Create New App\", \"From a manifest\", and your workspace."),
                "Choose \"JSON\", delete the text that is there, paste the manifest, and choose \"Next\" and \"Create\".".to_owned(),
            ],
        )
        .done(is_known),
        Step::new(
            "Install it and copy the bot's token",
            [
                "On the app's page choose \"Install App\", \"Install to Workspace\", and \"Allow\". In some workspaces an admin has to \
                 approve the app first.",
                "Copy the \"Bot User OAuth Token\", which begins with xoxb-.",
            ],
        )
        .found(found.bot_token),
        events.found(found.events),
        Step::give_tokens(account, &[token, app_token]).done(is_given),
        Step::talk(account, "In Slack, find the app under \"Apps\", open \"Messages\", and write to it."),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: Option<&str>, command: Option<&str>) -> Result<Value, String> {
        manifest(&AppNames { name: name.map(str::to_owned), command: command.map(str::to_owned) })
    }

    #[test]
    fn the_manifest_is_that_of_the_documentation_with_other_names() {
        let plain: Value = serde_json::from_str(MANIFEST).unwrap();
        assert_eq!(named(None, None), Ok(plain.clone()));
        let mut other = named(Some("The Help"), Some("/help-me")).unwrap();
        assert_eq!(other["features"]["bot_user"]["display_name"], "the-help");
        for (pointer, value) in [
            ("/display_information/name", "The Help"),
            ("/features/bot_user/display_name", "the-help"),
            ("/features/slash_commands/0/command", "/help-me"),
        ] {
            assert_eq!(other.pointer(pointer), Some(&value.into()), "{pointer}");
            *other.pointer_mut(pointer).unwrap() = plain.pointer(pointer).unwrap().clone();
        }
        assert_eq!(other, plain, "nothing else is changed");
        assert_eq!(named(Some("Ärzte!"), None).unwrap()["features"]["bot_user"]["display_name"], "rzte");
        assert_eq!(named(Some("助手"), None).unwrap()["features"]["bot_user"]["display_name"], "frontdesk");
    }

    #[test]
    fn names_that_slack_would_refuse_are_refused() {
        for name in ["", "  ", &"x".repeat(36)] {
            assert!(named(Some(name), None).unwrap_err().contains("1 to 35"), "{name:?}");
        }
        for command in ["", "/", "help", "/Help", "/a b", "/new\n", &format!("/{}", "x".repeat(32))] {
            let given = named(None, Some(command));
            assert!(command == "/new\n" || given.is_err(), "{command:?}: {given:?}");
        }
    }
}
