//! Tests of the section.

use serde_json::json;

use super::*;

#[test]
fn ids_of_people_and_of_channels_are_told_apart_and_names_are_neither() {
    for id in ["U0123456789", "W012A3CDE", "T024BE7LD/U0123456789", "B0123"] {
        assert_eq!(kind(id), Kind::Person, "{id}");
    }
    assert_eq!((kind("C0123456789"), kind("G0123456789")), (Kind::Group, Kind::Group));
    for id in [
        "",
        "*",
        "@anna",
        "anna",
        "U",
        "u0123456789",
        "D0123456789",
        "T024BE7LD/C0123456789",
        "x/U0123",
        "#general",
    ] {
        assert_eq!(kind(id), Kind::None, "{id:?}");
    }
}

fn errors(section: serde_json::Value) -> Vec<String> {
    let section: Slack = serde_json::from_value(section).unwrap();
    section.check(&|_| None).into_iter().map(|error| format!("{}: {}", error.path, error.problem)).collect()
}

#[test]
fn tokens_are_checked_by_their_kind_and_an_app_is_one_account() {
    assert_eq!(errors(json!({"token": "xoxb-1-a", "app_token": "xapp-1-A1-a"})), [""; 0]);
    let wrong = errors(json!({"token": "xapp-1-A1-a", "app_token": "xapp-1-A1-a"}));
    assert!(wrong[0].starts_with("channels.slack.token: this is the app-level token"), "{wrong:?}");
    let wrong = errors(json!({"token": "xoxp-1-a", "app_token": "xapp-1-A1-a"}));
    assert!(wrong[0].starts_with("channels.slack.token: this is not a bot's token"), "{wrong:?}");
    let wrong = errors(json!({"token": "xoxb-1-a", "app_token": "xoxb-1-a"}));
    assert!(wrong[0].starts_with("channels.slack.app_token: this is a bot's token"), "{wrong:?}");
    let wrong = errors(json!({"token": "xoxb-1-a"}));
    assert!(wrong[0].starts_with("channels.slack.app_token: this is not an app-level token"), "{wrong:?}");
    let both = json!({"token": "xoxb-1-a", "app_token": "xapp-1-A1-a",
                      "accounts": {"work": {"token": "xoxb-2-b", "app_token": "xapp-1-A1-a"}}});
    let wrong = errors(both);
    assert!(wrong[0].contains("the same app as"), "{wrong:?}");
    assert!(wrong.iter().all(|error| !error.contains("xapp-1") && !error.contains("xoxb-")), "{wrong:?}");
}

#[test]
fn events_over_http_need_a_public_address_and_no_app_token() {
    let http = json!({"token": "xoxb-1-a", "signing_secret": "s"});
    assert!(errors(http.clone())[0].contains("gateway.public_url"));
    let section: Slack = serde_json::from_value(http).unwrap();
    assert_eq!(section.check(&|_| Some("https://bot.example.org/x".to_owned())), []);
    let both = json!({"token": "xoxb-1-a", "signing_secret": "s", "app_token": "xapp-1-A1-a"});
    assert!(errors(both)[0].contains("leave one of them out"));
    let mut section: Slack =
        serde_json::from_value(json!({"token": "xoxb-1-a", "signing_secret": "s"})).unwrap();
    section.take_variables(&Variables::from([(APP_TOKEN, "xapp-1-A1-a".to_owned())]));
    assert!(section.bot.app_token.is_none(), "the file says otherwise");
}

#[test]
fn a_webhook_is_an_account_of_its_own_without_tokens() {
    let url = "https://hooks.slack.com/services/T1/B1/secret";
    let two = json!({"token": "xoxb-1-a", "app_token": "xapp-1-A1-a", "accounts": {"alerts": {"webhook_url": url}}});
    assert_eq!(errors(two.clone()), [""; 0]);
    let section: Slack = serde_json::from_value(two).unwrap();
    assert!(section.accounts(&|_| None).iter().all(|account| account.on && account.notice.is_none()));
    for other in ["token", "app_token", "signing_secret"] {
        let wrong = errors(json!({other: "xoxb-1-a", "webhook_url": url}));
        assert!(wrong[0].contains("an account of its own"), "{other}: {wrong:?}");
    }
    let wrong = errors(json!({"webhook_url": "https://example.org/secret"}));
    assert!(
        wrong[0].contains("not the address of an incoming webhook") && !wrong[0].contains("secret"),
        "{wrong:?}"
    );
    let twice = errors(json!({"webhook_url": url, "accounts": {"b": {"webhook_url": url}}}));
    assert!(
        twice[0].contains("the same webhook as channels.slack;") && !twice[0].contains("secret"),
        "{twice:?}"
    );
}

#[test]
fn who_may_write_is_named_by_ids_of_four_kinds() {
    let good = json!(["U0123", "team:T0123", "usergroup:S0123", "channel:C0123"]);
    let with = |allow: serde_json::Value| {
        errors(json!({"token": "xoxb-1-a", "app_token": "xapp-1-A1-a", "allow": allow,
                      "groups": {"C0124": {"allow": ["team:E0123"], "moderators": ["usergroup:S0123"]}}}))
    };
    assert_eq!(with(good), [""; 0]);
    for (entry, says) in [
        ("team:first", "written like team:T0123456789"),
        ("usergroup:T0123", "written like usergroup:S0123456789"),
        ("channel:general", "not a group's id"),
        ("role:S0123", "one of these forms: U0123456789, team:T0123456789, usergroup:S0123456789"),
        ("group:S0123", "one of these forms: U0123456789, channel:ID, team:T0123456789"),
        ("@anna", "not an id"),
    ] {
        let wrong = with(json!([entry]));
        assert!(wrong.len() == 1 && wrong[0].starts_with("channels.slack.allow[0]"), "{wrong:?}");
        assert!(wrong[0].contains(says), "{wrong:?}");
    }
}

#[test]
fn up_to_four_prompts_with_a_title_and_a_message_are_suggested() {
    let with = |prompts: Vec<serde_json::Value>| {
        errors(json!({"token": "xoxb-1-a", "app_token": "xapp-1-A1-a", "prompts": prompts}))
    };
    let prompt = json!({"title": "Weather", "message": "Is it wet?"});
    assert_eq!(with(vec![prompt.clone(); 4]), [""; 0]);
    assert!(with(vec![prompt.clone(); 5])[0].contains("at most 4"));
    for half in [json!({"title": "Weather"}), json!({"title": " ", "message": "x"}), json!({"message": "x"})]
    {
        let wrong = with(vec![prompt.clone(), half]);
        assert!(wrong[0].starts_with("channels.slack.prompts[1]: "), "{wrong:?}");
    }
}

#[test]
fn only_what_concerns_the_connection_changes_the_fingerprint() {
    let of = |section: serde_json::Value| {
        let section: Slack = serde_json::from_value(section).unwrap();
        section.accounts(&|_| None)[0].fingerprint
    };
    let first = of(json!({"token": "xoxb-1-a"}));
    assert_eq!(of(json!({"token": "xoxb-1-a", "allow": ["U0123"], "agent": "b"})), first);
    for other in [
        json!({"token": "xoxb-1-b"}),
        json!({"token": "xoxb-1-a", "app_token": "xapp-1-A1-a"}),
        json!({"token": "xoxb-1-a", "dm_sessions": "thread"}),
        json!({"token": "xoxb-1-a", "allow": ["usergroup:S0123"]}),
        json!({"token": "xoxb-1-a", "signing_secret": "s"}),
        json!({"webhook_url": "https://hooks.slack.com/services/T1/B1/x"}),
    ] {
        assert_ne!(of(other.clone()), first, "{other}");
    }
}
