//! `frontdesk onboard` and `frontdesk doctor` on fake platforms: what they say about tokens, and that they show none.

mod doctor;
mod faults;
mod slack;

use frontdesk_botapi::{BotApi, TOKEN as TELEGRAM};
use frontdesk_fakediscord::{BOT, Discord, TOKEN as DISCORD};
use frontdesk_fakeslack::{APP, APP_TOKEN, SlackApi, TOKEN as SLACK};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::program::{NewHome, Ran, command, finish};

/// All platforms, and the home of a gateway that uses them.
struct Platforms {
    runtime: Runtime,
    slack: SlackApi,
    discord: Discord,
    telegram: BotApi,
    home: NewHome,
}

/// Whatever is a secret here.
const SECRETS: [&str; 5] = [SLACK, APP_TOKEN, DISCORD, TELEGRAM, "TEST-token"];

impl Platforms {
    fn start() -> Platforms {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let slack = runtime.block_on(SlackApi::start());
        let discord = runtime.block_on(Discord::start());
        let telegram = runtime.block_on(BotApi::start());
        let platforms = Platforms { slack, discord, telegram, home: NewHome::new(), runtime };
        platforms.configure("", "");
        platforms
    }

    /// Writes a configuration without tokens: with more keys for each platform, and more tables of any.
    fn configure(&self, keys: &str, tables: &str) {
        let config = format!(
            "[channels.slack]\napi_url = \"{}\"\n{keys}\n[channels.discord]\napi_url = \"{}/api\"\n{keys}\n\
             [channels.telegram]\napi_url = \"{}\"\n{keys}\n{tables}",
            self.slack.api_url(),
            self.discord.url(),
            self.telegram.url()
        );
        self.home.write("frontdesk.toml", &config);
    }

    /// Runs a command with these tokens in the environment. It must show none of them.
    #[track_caller]
    fn with(&self, arguments: &[&str], tokens: &[(&str, &str)]) -> Ran {
        let ran = finish(command(&self.home.path()).args(arguments).envs(tokens.iter().copied()), "");
        for secret in SECRETS.into_iter().chain(tokens.iter().map(|(_, token)| *token)) {
            assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{secret}: {ran:?}");
        }
        ran
    }

    /// Another program sets the webhook of the Telegram bot.
    fn sets_webhook(&self, url: &str) {
        let method = format!("{}/bot{TELEGRAM}/setWebhook", self.telegram.url());
        let set = async {
            let http = reqwest::Client::builder().no_proxy().build().unwrap();
            http.post(method).json(&json!({"url": url})).send().await.unwrap().json::<Value>().await.unwrap()
        };
        assert_eq!(self.runtime.block_on(set)["ok"], true);
    }

    #[track_caller]
    fn onboards(&self, platform: &str) -> Ran {
        self.with(&["onboard", platform], &ALL)
    }
}

const ALL: [(&str, &str); 4] = [
    ("SLACK_BOT_TOKEN", SLACK),
    ("SLACK_APP_TOKEN", APP_TOKEN),
    ("DISCORD_TOKEN", DISCORD),
    ("TELEGRAM_BOT_TOKEN", TELEGRAM),
];

/// Asserts that all of this is in an output, in this order.
#[track_caller]
fn says(ran: &Ran, parts: &[&str]) {
    let mut rest = ran.out.as_str();
    for part in parts {
        let Some(at) = rest.find(part) else { panic!("{part:?} is not there, or not in its place: {ran:?}") };
        rest = &rest[at + part.len()..];
    }
}

/// The findings of `onboard PLATFORM --json`, as `check: level`.
fn checks(shown: &Value) -> Vec<String> {
    let steps = shown["accounts"][0]["steps"].as_array().unwrap().iter();
    let findings = steps.flat_map(|step| step["findings"].as_array().unwrap());
    findings
        .map(|one| format!("{}: {}", one["check"].as_str().unwrap(), one["level"].as_str().unwrap()))
        .collect()
}

#[test]
fn a_discord_bot_is_checked_and_its_invite_link_asks_for_what_it_needs() {
    let platforms = Platforms::start();
    let ann = platforms.discord.user(7, "Ann");
    let guild = platforms.discord.guild(9000, "Garden", &ann);
    let ran = platforms.onboards("discord");
    let link = format!(
        "https://discord.com/oauth2/authorize?client_id={BOT}&scope=bot+applications.commands&permissions="
    );
    says(
        ran.good(),
        &[
            "2. Copy the token of its bot\n   ok       Discord knows the token: it belongs to the bot frontdesk.",
            "ok       Message Content Intent is on.",
            "ok       Commands and buttons come to Frontdesk",
            "ok       The bot is in 1 server: Garden.",
            "warning  In Garden the bot lacks permissions: Pin Messages.",
            &link,
            "View Channels: to see the messages",
        ],
    );
    let pins = (1_u64 << 51).to_string();
    platforms.discord.act("role", json!({"id": 33, "guild": guild, "name": "Pins", "permissions": pins}));
    platforms.discord.act("member", json!({"guild": guild, "user": BOT, "roles": [33]}));
    let shown = platforms.with(&["onboard", "discord", "--json"], &ALL).json();
    let all = ["token", "intents", "commands", "servers", "permissions"].map(|check| format!("{check}: ok"));
    assert_eq!(checks(&shown), all);
    let data = &shown["accounts"][0]["data"];
    assert_eq!(data["servers"], json!([{"id": "9000", "name": "Garden", "missing": []}]));
    let bits = data["permissions"].as_array().unwrap().iter();
    let sum: u64 = bits.map(|one| one["bit"].as_str().unwrap().parse::<u64>().unwrap()).sum();
    assert_eq!(data["invite_url"], format!("{link}{sum}"));
    assert_eq!(
        sum & (1 << 3 | 1 << 13 | 1 << 28),
        0,
        "no administrator, no right over messages of others or roles"
    );
}

#[test]
fn what_keeps_a_discord_bot_from_working_is_named_with_where_to_click() {
    let platforms = Platforms::start();
    let ran = platforms.onboards("discord");
    says(ran.good(), &["warning  The bot is in no server", "Open the invite link"]);
    platforms.discord.act("grant", json!({"intents": 0}));
    platforms.discord.act("endpoint", json!({"url": "https://e.org:8443/secret-path"}));
    platforms.discord.act("code_grant", json!({"on": true}));
    let ran = platforms.onboards("discord");
    ran.failed(1, &["Discord does not work yet: 2 errors"]);
    says(
        &ran,
        &[
            "error    Message Content Intent is off",
            &format!(
                "https://discord.com/developers/applications/{BOT}/bot, switch on \"Message Content Intent\""
            ),
            "error    An Interactions Endpoint URL is set, so Discord sends the bot's commands and buttons to e.org:8443",
            &format!("https://discord.com/developers/applications/{BOT}/information"),
            "warning  The invite link does not work, because \"Requires OAuth2 Code Grant\" is on.",
        ],
    );
    assert!(!ran.out.contains("secret-path"), "{ran:?}");
}

#[test]
fn a_telegram_bot_is_checked_and_so_are_its_webhook_and_its_groups() {
    let platforms = Platforms::start();
    let ran = platforms.onboards("telegram");
    says(
        ran.good(),
        &[
            "ok       Telegram knows the token: it belongs to @frontdesk_bot (https://t.me/frontdesk_bot).",
            "ok       It can be added to groups.",
            "ok       Privacy mode is off",
            "ok       There is no webhook",
            "Open https://t.me/frontdesk_bot",
        ],
    );
    let bot = platforms.telegram.default_bot();
    bot.privacy(true);
    bot.joins_groups(false);
    says(
        platforms.onboards("telegram").good(),
        &["ok       It cannot be added to groups", "ok       Privacy mode is on"],
    );
    platforms.configure("", "[channels.telegram.groups.\"-5\"]\nrequire_mention = false\n");
    platforms.sets_webhook(&format!("https://other.example.org/hook/{TELEGRAM}"));
    let ran = platforms.onboards("telegram");
    says(
        ran.good(),
        &[
            "warning  It cannot be added to groups, although the configuration lists some.",
            "/setjoingroups",
            "warning  Privacy mode is on, so it cannot read all messages of the group -5",
            "/setprivacy",
            "warning  Another program has the bot's messages sent to other.example.org.",
        ],
    );
    let left = platforms.telegram.journal();
    assert!(left.calls_of("deleteWebhook").is_empty(), "it changes nothing");
}

#[test]
fn where_events_arrive_over_http_the_address_is_compared() {
    let platforms = Platforms::start();
    let config = format!(
        "[gateway]\npublic_url = \"https://me.example.org\"\n[channels.telegram]\napi_url = \"{}\"\nmode = \"webhook\"\n\
         webhook_secret = \"hook-secret\"\n[channels.slack]\napi_url = \"{}\"\nsigning_secret = \"signing-secret\"\n",
        platforms.telegram.url(),
        platforms.slack.api_url()
    );
    platforms.home.write("frontdesk.toml", &config);
    says(platforms.onboards("telegram").good(), &["warning  The webhook is not set", "frontdesk run"]);
    platforms.sets_webhook("https://other.example.org/hook");
    let ran = platforms.onboards("telegram");
    ran.failed(1, &["1 error"]);
    says(
        &ran,
        &["error    Another program has the bot's messages sent to other.example.org, not to this gateway."],
    );
    platforms.sets_webhook("https://me.example.org/webhooks/telegram/default");
    says(platforms.onboards("telegram").good(), &["ok       Telegram sends the messages to me.example.org."]);
    let ran = platforms.with(&["onboard", "slack"], &[("SLACK_BOT_TOKEN", SLACK)]);
    says(
        ran.good(),
        &[
            "3. Let Slack send the events",
            "ok       Slack is to send the events to https://me.example.org/webhooks/slack/default.",
        ],
    );
    assert!(platforms.slack.journal().calls_of("apps.connections.open").is_empty());
    assert!(!ran.out.contains("signing-secret"), "{ran:?}");
}

#[test]
fn without_tokens_the_steps_say_where_they_come_from() {
    let home = NewHome::new();
    for (platform, title, parts) in [
        (
            "slack",
            "Slack",
            ["https://api.slack.com/apps", "connections:write", "SLACK_BOT_TOKEN and SLACK_APP_TOKEN"],
        ),
        (
            "discord",
            "Discord",
            ["https://discord.com/developers/applications", "DISCORD_TOKEN", "client_id=APP&"],
        ),
        ("telegram", "Telegram", ["https://t.me/BotFather", "/newbot", "TELEGRAM_BOT_TOKEN"]),
    ] {
        let ran = home.run(&["onboard", platform]);
        ran.failed(78, &[&format!("{title} is not set up: it has no token yet")]);
        says(&ran, &["1. ", parts[0], "2. "]);
        assert!(parts.iter().all(|part| ran.out.contains(part)), "{parts:?}: {ran:?}");
        let shown = finish(command(&home.path()).args(["onboard", platform, "--json"]), "");
        let json: Value = serde_json::from_str(&shown.out).unwrap();
        assert_eq!((shown.code, &json["accounts"][0]["state"]), (Some(78), &json!("no_token")));
    }
    let listed = home.run(&["onboard"]);
    says(
        listed.good(),
        &["web", "on", "telegram", "not set up", "frontdesk onboard telegram", "slack", "not set up"],
    );
    home.run(&["onboard", "web"]).failed(2, &["web needs no setup"]);
    let nothing = home.run(&["doctor"]);
    says(nothing.good(), &["No account is configured."]);
}

#[test]
fn the_list_says_which_platforms_have_tokens_and_which_have_an_error() {
    let platforms = Platforms::start();
    let tokens = [("SLACK_BOT_TOKEN", SLACK), ("DISCORD_TOKEN", DISCORD)];
    let shown = platforms.with(&["onboard", "--json"], &tokens).json();
    let states: Vec<(&Value, &Value)> =
        shown["accounts"].as_array().unwrap().iter().map(|row| (&row["account"], &row["state"])).collect();
    let expected =
        [("web", "on"), ("telegram", "not set up"), ("discord", "has its tokens"), ("slack", "has an error")]
            .map(|(account, state)| (json!(account), json!(state)));
    assert_eq!(states, expected.iter().map(|(account, state)| (account, state)).collect::<Vec<_>>());
    assert!(platforms.discord.journal().calls().is_empty(), "nothing is asked");
}
