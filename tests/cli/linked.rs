//! One conversation in the private chats of one person on Discord and on Slack.

use frontdesk_fakediscord::{BOT as DISCORD_BOT, Discord, Id, TOKEN};
use frontdesk_fakeslack::{APP_TOKEN, BOT, SlackApi, TOKEN as SLACK_TOKEN};
use rustix::process::Signal;
use serde_json::json;

use crate::program::{Daemon, NewHome, command, until};

#[test]
fn a_conversation_begun_on_discord_goes_on_on_slack_also_after_a_kill() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (discord, slack) = runtime.block_on(async { (Discord::start().await, SlackApi::start().await) });
    let (ann, anna) = (discord.user(7, "Ann"), slack.person("U0000ANNA", "Anna"));
    let private: Id = discord.act("dm", json!({"user": 7}))["channel_id"].as_str().unwrap().parse().unwrap();
    let home = NewHome::new();
    home.write(
        "frontdesk.toml",
        &format!(
            "[channels.discord]\napi_url = \"{}/api\"\nallow = [7]\nper_chat_ms = 0\n\
             [channels.slack]\napi_url = \"{}\"\nallow = [\"U0000ANNA\"]\nper_chat_ms = 0\n",
            discord.url(),
            slack.api_url()
        ),
    );
    let gateway = || {
        let mut run = command(&home.path());
        run.args(["run", "--port", "0"]).env("DISCORD_TOKEN", TOKEN);
        run.env("SLACK_BOT_TOKEN", SLACK_TOKEN).env("SLACK_APP_TOKEN", APP_TOKEN);
        let daemon = Daemon::start_with(&mut run);
        let connected = || {
            let sessions = discord.act("sessions", json!({}));
            sessions["sessions"].as_array().is_some_and(|all| all.iter().any(|one| one["connected"] == true))
        };
        until("both are connected", || connected() && slack.sockets() > 0);
        daemon
    };
    let on_discord = || -> Vec<_> {
        discord.shows(private).into_iter().filter(|shown| shown.author == DISCORD_BOT).collect()
    };
    let on_slack = || -> Vec<_> { anna.sees().into_iter().filter(|shown| shown.user == BOT).collect() };
    let sees = |text: &str| {
        until(text, || on_discord().last().is_some_and(|shown| shown.content.contains(text)));
        until(text, || on_slack().last().is_some_and(|shown| shown.text.contains(text)));
    };

    let daemon = gateway();
    ann.tells("begun on Discord");
    until("Discord is answered", || on_discord().len() == 1);
    ann.tells("/link");
    until("a code is shown", || on_discord().len() == 2);
    let shown = on_discord().pop().unwrap().content;
    let code: String = shown.split_once("/link ").unwrap().1.chars().take(8).collect();
    let chat = anna.tells(&format!("!link {code}")).channel;
    sees("Shall this private chat");
    let (first, second) = (on_discord().pop().unwrap(), on_slack().pop().unwrap());
    assert!(first.content.contains("slack") && first.content.contains("U0000ANNA"), "{}", first.content);
    assert!(second.text.contains("discord") && second.text.contains('7'), "{}", second.text);
    let label = second.buttons[0].clone();
    anna.presses(&chat, &second.ts, &label);
    until("the other chat has to agree", || on_slack().len() > 1);
    daemon.signal(Signal::KILL);
    drop(daemon);

    let daemon = gateway();
    let press = json!({"channel": private, "message": first.id, "user": 7, "button": label});
    discord.act("press", press);
    sees("share one conversation now");
    anna.tells("goes on on Slack");
    until("Slack is answered", || on_slack().last().is_some_and(|shown| shown.text == "goes on on Slack"));
    let key = "agent:main:discord:dm:7";
    let shown = home.run(&["sessions", "messages", key, "--json"]).json();
    let texts: Vec<&str> =
        shown["messages"].as_array().unwrap().iter().filter_map(|message| message["text"].as_str()).collect();
    for text in ["begun on Discord", "goes on on Slack"] {
        assert!(texts.contains(&text), "{text}: {shown}");
    }
    assert!(!on_discord().iter().any(|shown| shown.content.contains("goes on on Slack")), "the wrong chat");
    daemon.stop().good();
}
