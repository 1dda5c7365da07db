//! `frontdesk doctor` looks at every configured account.

use super::*;

#[test]
fn the_doctor_looks_at_every_account_and_says_what_to_do() {
    let platforms = Platforms::start();
    let ran = platforms.with(&["doctor"], &ALL);
    says(
        ran.good(),
        &[
            "ACCOUNT",
            "STATE",
            "telegram",
            "token",
            "ok",
            "discord",
            "intents",
            "ok",
            "slack",
            "bot token",
            "ok",
        ],
    );
    platforms.discord.act("grant", json!({"intents": 0}));
    let ran = platforms.with(&["doctor"], &ALL);
    ran.failed(1, &["one check failed"]);
    says(&ran, &["discord", "intents", "error", "Message Content Intent is off", "next:", "switch on"]);
    let ran = platforms.with(&["doctor", "--json"], &ALL);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let shown: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(shown["healthy"], false);
    let wrong = shown["findings"].as_array().unwrap().iter().find(|row| row["level"] == "error").unwrap();
    assert_eq!(
        (&wrong["area"], &wrong["subject"], &wrong["check"]),
        (&json!("accounts"), &json!("discord"), &json!("intents"))
    );
    assert_eq!(shown["data"]["accounts"]["slack"]["workspace"]["name"], "First");
}

#[test]
fn an_account_that_is_switched_off_is_left_out_by_the_doctor_and_named_by_onboard() {
    let platforms = Platforms::start();
    platforms.configure("enabled = false", "");
    says(platforms.with(&["doctor"], &ALL).good(), &["No account is configured."]);
    says(platforms.with(&["onboard"], &ALL).good(), &["slack", "switched off", "Remove `enabled = false`"]);
    let ran = platforms.onboards("slack");
    says(ran.good(), &["Slack\n   warning  The account is switched off", "ok       The bot is @frontdesk"]);
}

#[test]
fn the_doctor_names_errors_of_the_configuration_and_further_accounts() {
    let platforms = Platforms::start();
    let work = "[channels.telegram.accounts.work]\ntoken = \"99:nobody\"\n[channels.discord.accounts.b]\nallow = [\"@ann\"]\n\
                enabled = true\n";
    platforms.configure("", work);
    let ran = platforms.with(&["doctor"], &[("TELEGRAM_BOT_TOKEN", TELEGRAM)]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    says(
        &ran,
        &["telegram", "token", "ok", "telegram@work", "token", "error", "Telegram does not know the token"],
    );
    says(
        &ran,
        &[
            "discord@b",
            "configuration",
            "error",
            "channels.discord.accounts.b.allow[0]",
            "Correct it in",
            "frontdesk.toml:",
        ],
    );
    let ran =
        platforms.with(&["onboard", "telegram", "--account", "work"], &[("TELEGRAM_BOT_TOKEN", TELEGRAM)]);
    ran.failed(1, &["1 error"]);
    assert!(ran.out.starts_with("Telegram, account telegram@work\n"), "{ran:?}");
    platforms.configure("", "[gateway]\nprot = 1\n");
    platforms.with(&["doctor"], &ALL).failed(78, &["gateway.prot"]);
    platforms.configure("", "[channels.web]\nagent = \"nobody\"\n");
    platforms.with(&["doctor"], &ALL).failed(78, &["channels.web.agent"]);
}
