//! `frontdesk groups`: the groups of Telegram and the channels of Slack with their ids, as an operator looks for them.

use frontdesk_botapi::{BotApi, TOKEN};
use frontdesk_fakeslack::{APP_TOKEN, SlackApi, TOKEN as SLACK_TOKEN};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::program::{Daemon, NewHome, command};

#[test]
fn the_groups_of_a_bot_are_listed_with_what_is_served() {
    let runtime = Runtime::new().unwrap();
    let (telegram, slack) = runtime.block_on(async { (BotApi::start().await, SlackApi::start().await) });
    telegram.supergroup(-1001, "Tea");
    telegram.supergroup(-1002, "Coffee");
    let anna = slack.person("U0000ANNA", "Anna");
    slack.channel("C0GARDEN", "garden", &[&anna]);
    slack.act("channel", json!({"id": "C1OPEN", "name": "o\u{202e}pen", "members": [anna.id], "bot": false}));
    let home = NewHome::new();
    let config = format!(
        "[channels.telegram]\napi_url = \"{}\"\n[channels.telegram.groups.\"-1001\"]\n[channels.telegram.groups.\"-404\"]\n\
         [channels.slack]\napi_url = \"{}\"\n[channels.slack.groups.C0GARDEN]\n",
        telegram.url(),
        slack.api_url()
    );
    home.write("frontdesk.toml", &config);
    let mut run = command(&home.path());
    run.args(["run", "--port", "0"]).env("TELEGRAM_BOT_TOKEN", TOKEN);
    let daemon =
        Daemon::start_with(run.env("SLACK_BOT_TOKEN", SLACK_TOKEN).env("SLACK_APP_TOKEN", APP_TOKEN));

    let listed = home.run(&["groups", "slack"]);
    let rows: Vec<Vec<&str>> =
        listed.good().out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[1], ["C0GARDEN", "garden", "channel", "2", "yes", "yes"], "{listed:?}");
    assert_eq!(rows[2], ["C1OPEN", "o\u{fffd}pen", "channel", "1", "no", "no"], "{listed:?}");
    let one = home.run(&["groups", "slack", "C1OPEN"]);
    assert!(
        one.good().out.contains("served        no: name it in the configuration as groups.\"C1OPEN\""),
        "{one:?}"
    );
    let json = home.run(&["groups", "slack", "--json"]).json();
    assert_eq!((&json["groups"][0]["id"], &json["next"]), (&json!("C0GARDEN"), &json!(null)));

    // Telegram lists nothing: what is served is described, and what the bot does not see is shown as such.
    let listed = home.run(&["groups", "telegram"]);
    let text = &listed.good().out;
    assert!(text.contains("Tea") && text.contains("-404") && !text.contains("Coffee"), "{listed:?}");
    assert!(text.contains("does not list the groups of a bot"), "{listed:?}");
    let json = home.run(&["groups", "telegram", "--json"]).json();
    let known: Vec<_> =
        json["groups"].as_array().unwrap().iter().map(|group| (&group["id"], &group["joined"])).collect();
    assert_eq!(known, [(&json!("-1001"), &json!(true)), (&json!("-404"), &json!(false))]);
    let coffee = home.run(&["groups", "telegram", "-1002"]);
    assert!(coffee.good().out.contains("Coffee"), "{coffee:?}");

    home.run(&["groups", "slack", "C0NOWHERE"]).failed(1, &["the bot sees no such group"]);
    home.run(&["groups", "matrix"]).failed(1, &["there is no channel matrix"]);
    daemon.stop().good();
}
