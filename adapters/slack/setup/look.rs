//! What Slack says about the tokens of an app.

use frontdesk_core::account::AccountId;
use frontdesk_core::config::Secret;
use frontdesk_kit::setup::{Finding, Report, Trouble, shown};
use serde_json::json;

use super::{Found, PAGE, wanted_scopes};
use crate::CHANNEL;
use crate::api::Api;
use crate::config::{is_app_token, is_bot_token};
use crate::error::{Fault, Refusal};
use crate::section::Bot;

/// Slack's warning, in an answer that is good otherwise.
const NOT_TURNED_ON: &str = "socket mode is not turned on";

const WHERE_BOT_TOKEN: &str =
    "copy the \"Bot User OAuth Token\" (xoxb-) from \"Install App\", and give it to Frontdesk.";
const WHERE_APP_TOKEN: &str = "make a new token with the scope connections:write under \"Basic Information\", \"App-Level \
                               Tokens\", and give it to Frontdesk.";

/// A look at one app.
pub(super) struct Look<'a> {
    pub api: &'a Api,
    pub bot: &'a Bot,
    pub id: &'a AccountId,
    pub webhook_url: Option<&'a str>,
}

impl Look<'_> {
    /// Looks at each token that there is and that can be one.
    pub(super) async fn at_all(&self, found: &mut Found, report: &mut Report) {
        let mut app = None;
        if self.bot.account.token().is_some_and(is_bot_token) {
            app = self.at_bot_token(found, report).await;
        }
        match (&self.bot.app_token, &self.bot.signing_secret) {
            (_, Some(_)) => found.events.extend(
                self.webhook_url
                    .map(|url| Finding::ok("events", format!("Slack is to send the events to {url}."))),
            ),
            (Some(token), None) if is_app_token(token) => {
                self.at_app_token(token, app.as_deref(), found, report).await;
            }
            _ => {}
        }
    }

    /// Returns the app's id.
    async fn at_bot_token(&self, found: &mut Found, report: &mut Report) -> Option<String> {
        let (me, scopes) = match self.api.identity().await {
            Ok(known) => known,
            Err(fault) => {
                self.log("auth.test", &fault);
                found.bot_token.push(self.bot_token_refused(fault));
                return None;
            }
        };
        let text = |name: &str| me[name].as_str().filter(|text| !text.is_empty());
        let app = text("app_id").map(str::to_owned);
        let (bot, team) = (text("user").unwrap_or("?"), text("team").unwrap_or("?"));
        let url = text("url").map(|url| format!(" ({})", shown(url))).unwrap_or_default();
        if text("bot_id").is_none() {
            found.bot_token.push(Finding::error(
                "bot_token",
                format!("The token belongs to the person {} and to no bot.", shown(bot)),
                self.on_page(app.as_deref(), WHERE_BOT_TOKEN),
            ));
            return app;
        }
        found.bot_token.push(Finding::ok(
            "bot_token",
            format!("The bot is @{} in the workspace {}{url}.", shown(bot), shown(team)),
        ));
        report.set("bot", json!({"id": me["user_id"], "name": me["user"]}));
        report.set("workspace", json!({"id": me["team_id"], "name": me["team"], "url": me["url"]}));
        report.set("app", app.clone());
        found.bot_token.push(self.scopes_say(scopes, app.as_deref(), report));
        app
    }

    fn scopes_say(&self, granted: Option<Vec<String>>, app: Option<&str>, report: &mut Report) -> Finding {
        let wanted = wanted_scopes();
        let Some(granted) = granted else {
            return Finding::warning(
                "scopes",
                "Slack did not say which scopes the token has.",
                "If something does not work, compare the scopes under \"OAuth & Permissions\" with those of the manifest.",
            );
        };
        let missing: Vec<&String> = wanted.iter().filter(|scope| !granted.contains(scope)).collect();
        report.set("scopes", json!({"granted": granted, "missing": missing}));
        if missing.is_empty() {
            return Finding::ok(
                "scopes",
                format!("The token has all {} scopes of the manifest.", wanted.len()),
            );
        }
        let names: Vec<&str> = missing.iter().map(|scope| scope.as_str()).collect();
        let noun = if names.len() == 1 { "scope" } else { "scopes" };
        Finding::error(
            "scopes",
            format!("The token lacks the {noun} {}.", names.join(", ")),
            self.on_page(
                app,
                "add them under \"OAuth & Permissions\", \"Bot Token Scopes\", and install the app again under \"Install App\".",
            ),
        )
    }

    async fn at_app_token(&self, token: &Secret, app: Option<&str>, found: &mut Found, report: &mut Report) {
        let of_token = token.expose().split('-').nth(2).filter(|id| id.starts_with('A'));
        if let (Some(app), Some(other)) = (app, of_token)
            && app != other
        {
            found.events.push(Finding::error(
                "app_token",
                format!(
                    "The app's token belongs to the app {} and the bot's token to the app {}.",
                    shown(other),
                    shown(app)
                ),
                self.on_page(Some(app), WHERE_APP_TOKEN),
            ));
        }
        let page = |what: &str| self.on_page(app.or(of_token), what);
        let warnings = match self.api.try_socket(token).await {
            Ok(warnings) => warnings,
            Err(fault) => {
                self.log("apps.connections.open", &fault);
                let finding = self.app_token_refused(fault, page);
                report.set("socket_mode", (finding.check == "socket_mode").then_some(false));
                return found.events.push(finding);
            }
        };
        found.events.push(Finding::ok("app_token", "The app's token may open connections."));
        let is_off = warnings.iter().any(|warning| warning.to_lowercase().contains(NOT_TURNED_ON));
        report.set("socket_mode", !is_off);
        found.events.push(match is_off {
            true => Finding::warning(
                "socket_mode",
                "Slack says that Socket Mode is not turned on, so messages may not arrive.",
                page("switch it on under \"Socket Mode\"; if it is on, install the app again under \"Install App\"."),
            ),
            false => Finding::ok("socket_mode", "Socket Mode is on."),
        });
    }

    /// What to do on the app's page.
    fn on_page(&self, app: Option<&str>, what: &str) -> String {
        let is_id = |id: &&str| id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        match app.filter(is_id) {
            Some(app) => format!("On {PAGE}/{app} {what}"),
            None => format!("On the app's page ({PAGE}) {what}"),
        }
    }

    fn log(&self, method: &str, fault: &Fault) {
        tracing::debug!(channel = CHANNEL, account = %self.id, method, %fault, "a check failed");
    }

    /// Why the bot's token is not accepted, without Slack's own words.
    fn bot_token_refused(&self, fault: Fault) -> Finding {
        let refusal = match self.trouble(fault, "bot_token") {
            Ok(finding) => return finding,
            Err(refusal) => refusal,
        };
        let error = |found: &str, next: &str| Finding::error("bot_token", found, self.on_page(None, next));
        match refusal.error.as_str() {
            "invalid_auth" | "not_authed" => error(
                "Slack does not know the bot's token: it is of another app, or was not copied whole.",
                WHERE_BOT_TOKEN,
            ),
            "token_revoked" | "account_inactive" => error(
                "The bot's token was revoked: the app was removed from the workspace or installed again.",
                "install the app under \"Install App\", copy the new token (xoxb-), and give it to Frontdesk.",
            ),
            "token_expired" => error(
                "The bot's token has expired, because the app rotates its tokens.",
                "switch token rotation off under \"OAuth & Permissions\", and install the app again.",
            ),
            "team_disabled"
            | "org_login_required"
            | "user_removed_from_team"
            | "access_denied"
            | "forbidden_team"
            | "team_access_not_granted" => error(
                "The workspace does not let the app in.",
                "ask an admin of the workspace to approve it.",
            ),
            _ => error("Slack does not accept the bot's token.", WHERE_BOT_TOKEN),
        }
    }

    /// Why the app's token is not accepted, without Slack's own words.
    fn app_token_refused(&self, fault: Fault, page: impl Fn(&str) -> String) -> Finding {
        let refusal = match self.trouble(fault, "app_token") {
            Ok(finding) => return finding,
            Err(refusal) => refusal,
        };
        let error = |found: &str, next: &str| Finding::error("app_token", found, page(next));
        match refusal.error.as_str() {
            "socket_mode_not_enabled" => Finding::error(
                "socket_mode",
                "Socket Mode is off, so nothing arrives.",
                page("switch it on under \"Socket Mode\"."),
            ),
            "missing_scope" | "no_permission" => {
                error("The app's token lacks the scope connections:write.", WHERE_APP_TOKEN)
            }
            "not_allowed_token_type" => error("The app's token is no app-level token.", WHERE_APP_TOKEN),
            "invalid_auth" | "not_authed" | "token_revoked" | "account_inactive" => error(
                "Slack does not know the app's token: it was revoked, or was not copied whole.",
                WHERE_APP_TOKEN,
            ),
            _ => error("Slack does not accept the app's token.", WHERE_APP_TOKEN),
        }
    }

    /// What says nothing about the token; else the refusal.
    fn trouble(&self, fault: Fault, check: &'static str) -> Result<Finding, Refusal> {
        let trouble = match fault {
            Fault::Refused(Refusal { retry_after: Some(after), .. }) => Trouble::TooMany(after),
            Fault::Refused(refusal) if refusal.is_passing() => Trouble::Busy,
            Fault::Refused(refusal) => return Err(refusal),
            Fault::Unsent(detail) => Trouble::Unsent(detail),
            Fault::Unanswered(detail) => Trouble::Unanswered(detail),
            Fault::Foreign(status) => Trouble::Status(status),
            Fault::Unreadable(_) => Trouble::Unreadable,
        };
        Ok(trouble.finding(check, "Slack", &self.api.host()))
    }
}
