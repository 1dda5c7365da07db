//! What `frontdesk onboard slack` says about an app and its tokens.

use super::*;

#[test]
fn a_slack_app_whose_tokens_are_good_has_every_step_done_and_is_named() {
    let platforms = Platforms::start();
    let ran = platforms.onboards("slack");
    says(
        ran.good(),
        &[
            "1. Create the app\n   done",
            "2. Install it",
            "ok       The bot is @frontdesk in the workspace First (https://first.slack.com/).",
            "ok       The token has all",
            "3. Copy the app's token",
            "ok       The app's token may open connections.",
            "ok       Socket Mode is on.",
            "4. Give the tokens to Frontdesk\n   done",
            "5. Start it and write to it\n   Start the gateway: frontdesk run",
            "frontdesk access allow slack YOUR_ID --admin",
        ],
    );
    let shown = platforms.with(&["onboard", "slack", "--json"], &ALL).json();
    assert_eq!(checks(&shown), ["bot_token: ok", "scopes: ok", "app_token: ok", "socket_mode: ok"]);
    assert_eq!(shown["accounts"][0]["state"], "ok");
    let data = &shown["accounts"][0]["data"];
    assert_eq!(
        (&data["workspace"]["name"], &data["app"], &data["socket_mode"]),
        (&json!("First"), &json!(APP), &json!(true))
    );
    assert_eq!(data["scopes"]["missing"], json!([]));
    assert_eq!(platforms.slack.sockets(), 0, "nobody has connected");
}

#[test]
fn what_a_slack_app_lacks_is_named_with_what_to_do() {
    let platforms = Platforms::start();
    platforms.slack.act("scopes", json!({"token": SLACK, "remove": ["pins:write", "users:read"]}));
    let ran = platforms.onboards("slack");
    ran.failed(1, &["Slack does not work yet: 1 error"]);
    says(
        &ran,
        &[
            "error    The token lacks the scopes pins:write, users:read.",
            "On https://api.slack.com/apps/A0000FRONT add them under \"OAuth & Permissions\"",
            "ok       Socket Mode is on.",
        ],
    );
    platforms.slack.act("scopes", json!({"token": APP_TOKEN, "remove": ["connections:write"]}));
    platforms.slack.act("revoke", json!({"token": SLACK, "error": "token_revoked"}));
    let ran = platforms.onboards("slack");
    ran.failed(1, &["2 errors"]);
    says(
        &ran,
        &[
            "The bot's token was revoked",
            "install the app",
            "The app's token lacks the scope connections:write.",
        ],
    );
}

#[test]
fn socket_mode_that_is_off_is_found_whichever_way_slack_says_it() {
    let platforms = Platforms::start();
    platforms.slack.act("socket_mode", json!({"app": APP, "state": "off"}));
    let ran = platforms.onboards("slack");
    ran.failed(1, &["1 error"]);
    says(
        &ran,
        &[
            "error    Socket Mode is off",
            "On https://api.slack.com/apps/A0000FRONT switch it on under \"Socket Mode\".",
        ],
    );
    platforms.slack.act("socket_mode", json!({"app": APP, "state": "doubtful"}));
    let ran = platforms.onboards("slack");
    says(
        ran.good(),
        &["ok       The app's token may open", "warning  Slack says that Socket Mode is not turned on"],
    );
}

#[test]
fn slack_tokens_that_were_swapped_or_belong_to_two_apps_are_found() {
    let platforms = Platforms::start();
    let swapped = [("SLACK_BOT_TOKEN", APP_TOKEN), ("SLACK_APP_TOKEN", SLACK)];
    let ran = platforms.with(&["onboard", "slack"], &swapped);
    ran.failed(78, &["Slack is not set up"]);
    let steps = [
        "error    channels.slack.token: this is the app-level token (xapp-)",
        "SLACK_APP_TOKEN",
        "4. Give the tokens",
    ];
    says(
        &ran,
        &[
            steps[0],
            steps[1],
            steps[2],
            "Set the environment variables SLACK_BOT_TOKEN and SLACK_APP_TOKEN to the tokens.",
        ],
    );
    assert!(
        platforms.slack.journal().calls().is_empty(),
        "a token that is in the wrong place is sent nowhere"
    );
    let other = json!({"id": "A0000OTHER", "token": "xapp-1-A0000OTHER-1-x", "secret": "s", "team": "T0000FIRST",
                       "bot_token": "xoxb-3-other", "bot": "U0003", "name": "Other"});
    platforms.slack.act("app", other);
    let ran = platforms.with(
        &["onboard", "slack"],
        &[("SLACK_BOT_TOKEN", SLACK), ("SLACK_APP_TOKEN", "xapp-1-A0000OTHER-1-x")],
    );
    ran.failed(1, &["1 error"]);
    says(
        &ran,
        &[
            "error    The app's token belongs to the app A0000OTHER and the bot's token to the app A0000FRONT.",
        ],
    );
}

#[test]
fn the_manifest_is_printed_ready_to_paste_with_other_names_if_wanted() {
    let home = NewHome::new();
    let printed = home.run(&["onboard", "slack", "--manifest"]).json();
    let page: Value = serde_json::from_str(include_str!("../../../adapters/slack/manifest.json")).unwrap();
    assert_eq!(printed, page);
    let named = ["onboard", "slack", "--manifest", "--name", "The Help", "--command", "/help-me"];
    let printed = home.run(&named).json();
    assert_eq!(printed["display_information"]["name"], "The Help");
    assert_eq!(printed["features"]["slash_commands"][0]["command"], "/help-me");
    home.run(&["onboard", "slack", "--manifest", "--command", "help"]).failed(2, &["a slash command is a /"]);
    home.run(&["onboard", "discord", "--manifest"]).failed(2, &["Discord has no manifests"]);
    home.run(&["onboard", "slack", "--name", "X"]).failed(2, &["--manifest"]);
    home.run(&["onboard", "slakc"]).failed(2, &["did you mean slack?", "telegram"]);
    assert!(!home.path().exists(), "nothing was written");
}
