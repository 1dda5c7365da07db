//! The first minutes of somebody new, in the order of docs/discord.md and docs/slack.md: a token in the environment, run, invite,
//! an admin, a mention, a thread, a command, files in both directions, and a button.

use frontdesk_fakediscord::{Discord, Id, TOKEN};
use frontdesk_fakeslack::{APP_TOKEN, BOT, SlackApi, TOKEN as SLACK_TOKEN};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::program::{Daemon, NewHome, command, until};

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// A home without configuration, apart from the address of the fake, and with a file that the agent can send.
fn new_home(section: &str) -> NewHome {
    let home = NewHome::new();
    home.write("frontdesk.toml", section);
    std::fs::create_dir_all(home.path().join("media")).unwrap();
    home.write("media/plan.txt", "water the garden");
    home
}

/// The names of the files that people have sent in a session of this channel.
fn received(home: &NewHome, key: &str) -> Vec<String> {
    let shown = home.run(&["sessions", "messages", key, "--json"]).json();
    let messages = shown["messages"].as_array().unwrap().iter();
    let files = messages.flat_map(|message| message["attachments"].as_array().cloned().unwrap_or_default());
    files.filter_map(|file| file["name"].as_str().map(str::to_owned)).collect()
}

#[test]
fn a_discord_bot_in_five_minutes() {
    let runtime = runtime();
    let server = runtime.block_on(Discord::start());
    let ann = server.user(7, "Ann");
    let home =
        new_home(&format!("[channels.discord]\napi_url = \"{}/api\"\nper_chat_ms = 0\n", server.url()));
    let mut run = command(&home.path());
    let daemon = Daemon::start_with(run.args(["run", "--port", "0"]).env("DISCORD_TOKEN", TOKEN));
    let is_connected = || {
        let sessions = server.act("sessions", json!({}));
        sessions["sessions"].as_array().is_some_and(|all| all.iter().any(|one| one["connected"] == true))
    };
    until("the bot is connected", is_connected);
    let guild = server.guild(9000, "Garden", &ann);
    let channel = server.channel(guild, 5000, 0, "general");
    let private: Id = server.act("dm", json!({"user": 7}))["channel_id"].as_str().unwrap().parse().unwrap();
    let shown = |channel: Id| -> Vec<_> {
        server.shows(channel).into_iter().filter(|shown| shown.author == frontdesk_fakediscord::BOT).collect()
    };
    let last = |channel: Id| shown(channel).pop().map(|shown| shown.content).unwrap_or_default();
    let says = |channel: Id, text: &str| {
        server.act("say", json!({"user": 7, "channel": channel, "content": text}));
    };
    let mention = format!("<@{}>", frontdesk_fakediscord::BOT);

    says(private, "hello?");
    until("a stranger gets their id", || last(private).contains('7'));
    home.run(&["access", "allow", "discord", "7", "--admin"]).good();
    says(private, "hello!");
    until("an admin is answered", || last(private) == "hello!");
    says(channel, &format!("{mention} /gateway allow-here"));
    until("the channel is served", || !shown(channel).is_empty());
    says(channel, &format!("{mention} is it wet?"));
    until("a mention is answered", || last(channel) == "is it wet?");

    let opened = server.act("thread", json!({"channel": channel, "user": 7, "name": "Plans"}));
    let thread: Id = opened["channel_id"].as_str().unwrap().parse().unwrap();
    says(thread, &format!("{mention} and here?"));
    until("a thread is answered in the thread", || last(thread) == "and here?");

    let asked = server.act("slash", json!({"user": 7, "channel": channel, "name": "status"}));
    let state = || server.act("interaction", json!({"id": asked["interaction"]}));
    until("a command is answered", || state()["state"] == "answered");

    let file = json!([{"name": "notes.txt", "base64": "dGhlIHJvc2VzIGFyZSBkcnk="}]);
    server.act("say", json!({"user": 7, "channel": private, "content": "my notes", "files": file}));
    until("the file's message is answered", || last(private).contains("my notes"));
    assert_eq!(received(&home, "agent:main:discord:dm:7"), ["notes.txt"]);
    says(private, "!media plan.txt the plan");
    until("a file is sent", || shown(private).last().is_some_and(|shown| shown.files == ["plan.txt"]));

    says(private, "/gateway stop");
    until("it asks", || shown(private).last().is_some_and(|shown| !shown.buttons.is_empty()));
    let question = shown(private).pop().unwrap();
    let press = json!({"channel": private, "message": question.id, "user": 7, "button": "Stop the gateway"});
    server.act("press", press);
    daemon.end().good();
}

#[test]
fn a_slack_app_in_ten_minutes() {
    let runtime = runtime();
    let api = runtime.block_on(SlackApi::start());
    let anna = api.person("U0000ANNA", "Anna");
    let home = new_home(&format!("[channels.slack]\napi_url = \"{}\"\nper_chat_ms = 0\n", api.api_url()));
    let mut run = command(&home.path());
    run.args(["run", "--port", "0"]).env("SLACK_BOT_TOKEN", SLACK_TOKEN).env("SLACK_APP_TOKEN", APP_TOKEN);
    let daemon = Daemon::start_with(&mut run);
    until("it has a socket", || api.sockets() > 0);
    let garden = api.channel("C0GARDEN", "garden", &[&anna]);
    let told = || -> Vec<_> { anna.sees().into_iter().filter(|shown| shown.user == BOT).collect() };
    let shown = || -> Vec<_> { garden.shows().into_iter().filter(|shown| shown.user == BOT).collect() };
    let last = || told().pop().map(|shown| shown.text).unwrap_or_default();
    let mention = format!("<@{BOT}>");

    let private = anna.tells("hello?").channel;
    until("a stranger gets their id", || last().contains("U0000ANNA"));
    home.run(&["access", "allow", "slack", "U0000ANNA", "--admin"]).good();
    anna.tells("hello!");
    until("an admin is answered", || last() == "hello!");
    anna.says(&garden.id, &format!("{mention} !gateway allow-here"));
    until("the channel is served", || {
        home.run(&["access", "--json"]).json()["chats"].as_array().is_some_and(|chats| !chats.is_empty())
    });
    let asked = anna.says(&garden.id, &format!("{mention} is it wet?"));
    let answer = |text: &str| shown().into_iter().find(|shown| shown.text == text);
    until("a mention is answered in a thread", || {
        answer("is it wet?").is_some_and(|answer| answer.thread.as_deref() == Some(&asked.ts))
    });
    anna.replies(&asked, &format!("{mention} and here?"));
    until("the thread goes on", || {
        answer("and here?").is_some_and(|answer| answer.thread.as_deref() == Some(&asked.ts))
    });
    anna.commands(&garden.id, "/frontdesk", "whoami");
    until("a command is answered", || shown().iter().any(|shown| shown.text.contains("U0000ANNA")));

    let file: Value = json!([{"name": "notes.txt", "base64": "dGhlIHJvc2VzIGFyZSBkcnk="}]);
    anna.writes(json!({"channel": anna.id, "text": "my notes", "files": file}));
    until("the file's message is answered", || last().contains("my notes"));
    assert_eq!(received(&home, "agent:main:slack:dm:U0000ANNA"), ["notes.txt"]);
    anna.tells("!media plan.txt the plan");
    until("a file is sent", || told().last().is_some_and(|shown| shown.files == ["plan.txt"]));

    anna.tells("!gateway stop");
    until("it asks", || told().last().is_some_and(|shown| !shown.buttons.is_empty()));
    let question = told().pop().unwrap();
    anna.presses(&private, &question.ts, "Stop the gateway");
    daemon.end().good();
}
