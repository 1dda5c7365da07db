//! The sections of chat platforms.

use std::path::Path;

use frontdesk_core::access::DmPolicy;
use frontdesk_core::account::AccountId;
use frontdesk_kit::ConfiguredAccount;
use frontdesk_runtime::config::{ResetMode, Sharing};
use frontdesk_telegram::Telegram;
use serde_json::json;

use super::{document, load, parse, problem, read, says};
use crate::config::{Config, More, Problem, Reading, Syntax, show};

mod access;

/// A token as @BotFather writes them.
const TOKEN: &str = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
/// Another bot's.
const OTHER: &str = "987654321:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";

fn of_place(config: &Config, account: &str) -> frontdesk_core::access::ChannelAccess {
    account_of(config, account).access
}

fn account_of(config: &Config, name: &str) -> ConfiguredAccount {
    let id = AccountId::new("telegram", Some(name)).unwrap();
    let accounts = config.channels.accounts(&config.gateway);
    accounts.into_iter().find(|account| account.id == id).unwrap()
}

fn telegram_of(config: &Config) -> &Telegram {
    config.channels.get().unwrap()
}

fn notices(config: &Config) -> Vec<String> {
    crate::channels::notices(&config.channels.accounts(&config.gateway))
}

/// Reads a section that begins with a token.
fn telegram(text: &str) -> Config {
    let text = format!("[channels.telegram]\ntoken = \"{TOKEN}\"\n{text}");
    read(&text).unwrap_or_else(|problems| panic!("{problems:?}")).0
}

fn with_variable(text: &str) -> Result<(Config, document::Node), Vec<Problem>> {
    let env = |name: &str| (name == "TELEGRAM_BOT_TOKEN").then(|| format!(" {TOKEN}\n"));
    let more = More::default();
    parse(
        text,
        Reading {
            syntax: Syntax::Toml,
            folder: std::path::Path::new("/"),
            env: &env,
            more: &more,
            still_waits: &|_| {},
        },
    )
}

#[test]
fn a_section_says_everything_about_a_bot() {
    let config = telegram(
        "dm_policy = \"allowlist\"\nallow = [\"7\", 8]\nadmins = [9]\nbots = [10]\nstreaming = \"block\"\n\
         api_url = \"http://127.0.0.1:1\"\npoll_seconds = 3\nagent = \"main\"\n\
         [channels.telegram.groups.\"-100123\"]\nrequire_mention = false\nagent = \"main\"\nsessions = \"person\"\n\
         ambient = 20\nallow = [7]\nreset = { mode = \"daily\", hour = 5 }\nlimits = { per_minute = 3 }\n\
         [channels.telegram.chats.7]\nreset = { timezone = \"Europe/Berlin\" }\n",
    );
    let access = of_place(&config, "default");
    assert_eq!(access.dm_policy, DmPolicy::Allowlist);
    assert_eq!(access.allow.iter().collect::<Vec<_>>(), ["7", "8"]);
    assert!(access.admins.contains("9") && access.bots.contains("10"));
    assert!(access.groups["-100123"].members.people.contains("7"));
    let routing = account_of(&config, "default").routes();
    let group = &routing.chats["-100123"];
    assert_eq!(
        (group.require_mention, group.sessions, group.ambient),
        (Some(false), Some(Sharing::Person), Some(20))
    );
    assert_eq!((group.reset.mode, group.reset.hour), (Some(ResetMode::Daily), Some(5)));
    assert_eq!(group.limits.map(|limits| limits.per_minute), Some(3));
    assert_eq!(routing.chats["7"].reset.timezone.as_deref(), Some("Europe/Berlin"));
    let settings = &telegram_of(&config).bot.settings;
    assert_eq!((settings.poll_seconds, settings.poll_updates), (3, 100));
}

#[test]
fn a_token_switches_a_bot_on_and_nothing_else_does() {
    let on = |config: &Config| account_of(config, "default").on;
    assert!(!on(&read("").unwrap().0));
    assert!(!on(&read("[channels.telegram]\nallow = [7]\n").unwrap().0));
    assert!(on(&telegram("")));
    assert!(!on(&telegram("enabled = false\n")));
    assert!(on(&with_variable("").unwrap().0), "no file is needed");
    assert!(!on(&with_variable("[channels.telegram]\nenabled = false\n").unwrap().0));
    let config = with_variable(&format!("[channels.telegram]\ntoken = \"{OTHER}\"\n")).unwrap().0;
    let token = telegram_of(&config).bot.account.token().unwrap().expose().to_owned();
    assert_eq!(token, OTHER, "the file comes before the variable");
    assert_eq!(of_place(&with_variable("").unwrap().0, "default").dm_policy, DmPolicy::Pairing);
}

#[test]
fn a_bot_that_is_wanted_and_has_no_token_does_not_start() {
    says(
        "[channels.telegram]\nenabled = true\n",
        &["1:11", "channels.telegram.token", "no token", "@BotFather", "TELEGRAM_BOT_TOKEN"],
    );
    says(
        "[channels.telegram.accounts.work]\nenabled = true\n",
        &["1:29", "channels.telegram.accounts.work.token", "no token"],
    );
    let silent =
        read("[channels.telegram]\nallow = [7]\n[channels.telegram.accounts.work]\nagent = \"main\"\n");
    assert_eq!(notices(&silent.unwrap().0).len(), 2);
    let open = notices(&telegram("dm_policy = \"open\"\n"));
    assert!(matches!(open.as_slice(), [notice] if notice.contains("everybody on Telegram")), "{open:?}");
    assert_eq!(notices(&read("").unwrap().0), Vec::<String>::new());
}

#[test]
fn a_token_that_is_none_is_not_shown() {
    for token in ["hunter2", "555123", "555123:", "555123:a b", "bot:hunter2"] {
        let problem = problem(&format!("[channels.telegram]\ntoken = \"{token}\"\n"));
        assert!(problem.contains("2:1: channels.telegram.token: this is not a bot's token"), "{problem}");
        assert!(!problem.contains(token), "{problem}");
    }
}

#[test]
fn an_inherited_setting_is_shown_as_written_and_reported_once() {
    let text = format!(
        "[channels.telegram]\ntoken = \"{TOKEN}\"\napi_url = \"http://${{KEY}}\"\n\
         [channels.telegram.accounts.work]\ntoken = \"{OTHER}\"\n"
    );
    let shown = show::effective(&read(&text).unwrap().1);
    let work = &shown["channels"]["telegram"]["accounts"]["work"];
    assert_eq!((&work["api_url"], &work["token"]), (&json!("http://${KEY}"), &json!("***")));
    let wrong = "[channels.telegram]\npoll_seconds = \"x\"\n[channels.telegram.accounts.a]\n[channels.telegram.accounts.b]\n";
    says(wrong, &["2:16", "channels.telegram.poll_seconds", "a whole number"]);
}

#[test]
fn one_bot_is_one_account() {
    let two = |token: &str| {
        format!(
            "[channels.telegram]\ntoken = \"{TOKEN}\"\n[channels.telegram.accounts.work]\ntoken = \"{token}\"\n"
        )
    };
    for same in [TOKEN, "123456789:another-secret"] {
        let problem = problem(&two(same));
        for part in ["4:1", "channels.telegram.accounts.work.token", "the same bot as channels.telegram"] {
            assert!(problem.contains(part), "{problem}");
        }
        assert!(!problem.contains("123456789"), "{problem}");
    }
    read(&two(OTHER)).unwrap();
}

#[test]
fn an_account_has_a_name_of_its_own() {
    says(
        "[channels.telegram]\nedit_ms = 1000\n[channels.telegram.accounts.default]\nedit_ms = 2000\n",
        &["3:29", "accounts.default", "write each of them once"],
    );
    says("[channels.telegram.accounts.\"a/b\"]\n", &["letters, digits"]);
}

#[test]
fn groups_are_named_by_their_ids_and_once() {
    for id in ["@group", "*", "", "5", "the group"] {
        says(&format!("[channels.telegram.groups.\"{id}\"]\nrequire_mention = false\n"), &["1:27", "-100"]);
    }
    says(
        "[channels.telegram.groups.\"-5\"]\nallow = [\"@anna\"]\n",
        &["2:10", "groups.-5.allow[0]", "not an id"],
    );
    says("[channels.telegram.groups.\"-5\"]\nroles = [\"1\"]\n", &["no roles", "`allow`"]);
    says("[channels.telegram.groups.\"-5\"]\nagent = \"nobody\"\n", &["2:1", "no agent `nobody`"]);
    says("[channels.telegram.groups.\"-5\".reset]\nhour = 25\n", &["2:1", "groups.-5.reset.hour"]);
    says(
        "[channels.telegram.accounts.w.groups.\"-5\".reset]\nhour = 25\n",
        &["2:1", "accounts.w.groups.-5.reset.hour"],
    );
    says("[channels.telegram.chats.\"@anna\"]\nagent = \"main\"\n", &["1:26", "not an id"]);
    says(
        "[channels.telegram.groups.\"-5\"]\n[channels.telegram.chats.\"-5\"]\nagent = \"main\"\n",
        &["2:26", "is listed in `groups` as well"],
    );
    read(
        "[channels.telegram.chats.\"-5\"]\nagent = \"main\"\n[channels.telegram.chats.5]\nagent = \"main\"\n",
    )
    .unwrap();
}

#[test]
fn a_webhook_needs_a_public_address_and_a_secret() {
    let with = |gateway: &str, more: &str| {
        format!(
            "[gateway]\n{gateway}\n[channels.telegram]\ntoken = \"{TOKEN}\"\nmode = \"webhook\"\n{more}\n"
        )
    };
    says(&with("", "webhook_secret = \"s\""), &["5:1", "channels.telegram.mode", "gateway.public_url"]);
    let public = "public_url = \"https://frontdesk.example.org/\"";
    says(&with(public, ""), &["channels.telegram.webhook_secret", "a webhook needs a secret"]);
    let wrong = problem(&with(public, "webhook_secret = \"hunter 2\""));
    assert!(wrong.contains("6:1") && !wrong.contains("hunter"), "{wrong}");
    let (config, document) = read(&with(public, "webhook_secret = \"hunter2\"")).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    let shown = show::effective(&document);
    assert_eq!(shown["channels"]["telegram"]["webhook_secret"], json!("***"));
    assert!(!shown.to_string().contains("hunter2"));
}

#[test]
fn a_token_is_shown_nowhere_however_it_was_written() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("bot"), format!("{TOKEN}\n")).unwrap();
    let secret = TOKEN.split(':').nth(1).unwrap();
    for token in [
        format!("\"{TOKEN}\""),
        "\"${BOT}\"".to_owned(),
        "\"${NONE:-123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw}\"".to_owned(),
        "{ file = \"bot\" }".to_owned(),
        format!("{{ command = [\"printf\", \"{TOKEN}\"] }}"),
    ] {
        let file = dir.path().join("frontdesk.toml");
        std::fs::write(&file, format!("[channels.telegram]\ntoken = {token}\n")).unwrap();
        let env = |name: &str| (name == "BOT").then(|| TOKEN.to_owned());
        let loaded = load(&file, &env).unwrap();
        assert_eq!(telegram_of(&loaded.config).bot.account.token().unwrap().expose(), TOKEN);
        let shown = show::effective(&loaded.document);
        assert_eq!(shown["channels"]["telegram"]["token"], json!("***"));
        for text in [shown.to_string(), show::toml(&shown), format!("{:?}", loaded.config)] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    says("[channels.telegram]\ntoken = { file = \"/no/such\" }\n", &["2:1", "cannot be read"]);
    says("[channels.telegram]\ntoken = 5\n", &["2:9", "a text"]);
}

#[test]
fn names_of_keys_in_other_programs_are_explained() {
    for (theirs, ours) in [
        ("botToken = \"x\"", "`token`"),
        ("dmPolicy = \"open\"", "`dm_policy`"),
        ("allowlist = [1]", "`allow`"),
        ("allowFrom = [1]", "`allow`"),
        ("streamingMode = \"off\"", "`streaming`"),
    ] {
        says(&format!("[channels.telegram]\n{theirs}\n"), &["2:1", "unknown key", ours]);
    }
    says("[channels.telegram.groups.\"-5\"]\nrequireMention = true\n", &["`require_mention`"]);
    says("[channels.telegram.accounts.w]\nbotToken = \"x\"\n", &["`token`"]);
}

#[test]
fn numbers_of_the_platform_are_checked_by_their_keys() {
    says(
        "[channels.telegram]\npoll_seconds = 51\n",
        &["2:1", "channels.telegram.poll_seconds", "between 0 and 50"],
    );
    says(
        &format!("[channels.telegram.accounts.w]\ntoken = \"{TOKEN}\"\ntext_limit = 5000\n"),
        &["3:1", "channels.telegram.accounts.w.text_limit"],
    );
    says(
        &format!("[channels.telegram]\ntoken = \"{TOKEN}\"\napi_url = \"nonsense\"\n"),
        &["3:1", "channels.telegram.api_url", "not the address of a Bot API"],
    );
    let twice = problem(&format!(
        "[channels.telegram]\ntoken = \"{TOKEN}\"\napi_url = \"${{KEY}}\"\n[channels.telegram.accounts.w]\ntoken = \"{OTHER}\"\n"
    ));
    assert!(!twice.contains("hunter2"), "{twice}");
    says("[channels.telegram]\nstreaming = \"fast\"\n", &["\"off\", \"partial\", \"block\" or \"draft\""]);
}

#[test]
fn telegram_is_a_channel_that_rules_may_name() {
    read("[sessions.reset.channel.telegram]\nhour = 3\n").unwrap();
}

#[test]
fn the_account_default_is_the_section_itself() {
    let section = format!("[channels.telegram]\ntoken = \"{TOKEN}\"\nadmins = [5]\ngroups.\"-5\" = {{}}\n");
    let account = section.replace("[channels.telegram]", "[channels.telegram.accounts.default]");
    assert_eq!(read(&account).unwrap().0, read(&section).unwrap().0);
    let mixed = format!(
        "[channels.telegram]\nedit_ms = 2000\n[channels.telegram.accounts.default]\ntoken = \"{TOKEN}\"\n\
         per_chat_ms = 1500\n[channels.telegram.accounts.work]\ntoken = \"{OTHER}\"\n"
    );
    let config = read(&mixed).unwrap().0;
    let telegram = telegram_of(&config);
    let (first, work) = (&telegram.bot.settings, &telegram.accounts["work"].settings);
    assert_eq!((telegram.accounts.len(), first.edit_ms, first.per_chat_ms), (1, 2000, 1500));
    assert_eq!(
        (work.edit_ms, work.per_chat_ms),
        (2000, 1000),
        "what one account says holds for that account"
    );
    says(
        "[channels.telegram.accounts.default]\ndm_polcy = \"open\"\n",
        &["2:1", "did you mean `dm_policy`?"],
    );
    says(
        "[channels.telegram.accounts.default]\nallow = [\"@anna\"]\n",
        &["2:10", "channels.telegram.allow[0]"],
    );
}

#[test]
fn a_role_or_an_agent_of_a_group_that_does_not_exist_is_refused_with_what_helps() {
    says(
        "[channels.telegram.groups.\"-5\"]\nrole = \"research\"\n",
        &["2:1", "there is no role `research`. Add"],
    );
    says(
        "[channels.telegram.groups.\"-5\"]\nroles = [\"research\"]\n",
        &["2:1", "this platform has no roles", "To give the group one of [roles], write `role`"],
    );
    says(
        "[agents.main]\nkind = \"echo\"\n[agents.research]\nkind = \"echo\"\n\
         [channels.telegram.groups.\"-5\"]\nagent = \"reserch\"\n",
        &["6:1", "no agent `reserch`; did you mean `research`?"],
    );
}

#[test]
fn an_empty_token_is_reported_with_its_key() {
    let notices = |text: &str, env: &dyn Fn(&str) -> Option<String>| {
        let more = More::default();
        let reading =
            Reading { syntax: Syntax::Toml, folder: Path::new("/"), env, more: &more, still_waits: &|_| {} };
        self::notices(&parse(text, reading).unwrap().0).join("\n")
    };
    let empty = |name: &str| (name == "TELEGRAM_BOT_TOKEN").then(|| " ".to_owned());
    assert!(notices("", &empty).contains("the environment variable TELEGRAM_BOT_TOKEN is empty"));
    assert_eq!(notices("", &|_| None), "");
    for text in ["token = \"\"", "token = \" \"", "token = \"${TELEGRAM_BOT_TOKEN}\""] {
        let shown = notices(&format!("[channels.telegram]\n{text}\n"), &empty);
        assert!(shown.contains("channels.telegram.token is empty"), "{text}: {shown}");
    }
    let work = notices("[channels.telegram.accounts.work]\ntoken = \"\"\n", &|_| None);
    assert!(work.contains("channels.telegram.accounts.work.token is empty"), "{work}");
    let enabled = "[channels.telegram]\nenabled = true\ntoken = \"\"\n";
    says(enabled, &["3:1", "channels.telegram.token", "has no token"]);
}
