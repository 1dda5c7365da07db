//! A fake Discord beside a gateway: what people write in it and see, also when the gateway is killed meanwhile.

use frontdesk_fakediscord::{BOT, Discord as Server, Id, Shown, TOKEN, User};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::program::{Daemon, NewHome, command, until};
use crate::relay::Relay;

/// A server with one guild, one channel and one person.
struct Discord {
    server: Server,
    ann: User,
    channel: Id,
    /// The private chat.
    private: Id,
    _runtime: Runtime,
}

impl Discord {
    fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = runtime.block_on(Server::start());
        let ann = server.user(7, "Ann");
        let guild = server.guild(9000, "Garden", &ann);
        let channel = server.channel(guild, 5000, 0, "general");
        let private = server.act("dm", json!({"user": 7}))["channel_id"].as_str().unwrap().parse().unwrap();
        Self { server, ann, channel, private, _runtime: runtime }
    }

    /// A home folder whose gateway serves Ann in private and everybody in the channel who mentions it.
    fn home(&self) -> NewHome {
        self.home_with("")
    }

    /// The same with more in its configuration.
    fn home_with(&self, more: &str) -> NewHome {
        let home = NewHome::new();
        home.write(
            "frontdesk.toml",
            &format!(
                "[channels.discord]\napi_url = \"{}/api\"\nallow = [7]\nper_chat_ms = 0\nposition_seconds = 1\n\
                 [channels.discord.groups.\"{}\"]\n{more}",
                self.server.url(),
                self.channel
            ),
        );
        home
    }

    /// A gateway whose token is in the environment. Waits until it is connected.
    fn gateway(&self, home: &NewHome) -> Daemon {
        let mut run = command(&home.path());
        let daemon = Daemon::start_with(run.args(["run", "--port", "0"]).env("DISCORD_TOKEN", TOKEN));
        let is_connected = || self.sessions().iter().any(|session| session["connected"] == true);
        until("the bot is connected", is_connected);
        daemon
    }

    /// The bot's sessions.
    fn sessions(&self) -> Vec<Value> {
        self.server.act("sessions", json!({}))["sessions"].as_array().unwrap().clone()
    }

    /// How often the bot has identified.
    fn identified(&self) -> Value {
        self.server.act("sessions", json!({}))["identified"].clone()
    }

    /// The bot's texts in a channel.
    fn answers(&self, channel: Id) -> Vec<String> {
        let shown = self.server.shows(channel).into_iter();
        shown.filter(|shown| shown.author == BOT).map(|shown| shown.content).collect()
    }

    /// Waits until the bot's last message in a channel contains this.
    #[track_caller]
    fn sees(&self, channel: Id, text: &str) {
        let last = || self.answers(channel).last().is_some_and(|last| last.contains(text));
        until(&format!("{text:?} comes"), last);
    }

    /// Kills a gateway, and waits until Discord has noticed.
    fn kills(&self, daemon: Daemon) {
        daemon.signal(Signal::KILL);
        daemon.end();
        until("the connection ends", || self.sessions().iter().all(|session| session["connected"] == false));
    }

    fn mentions(&self, text: &str) -> Shown {
        let sent = self.ann.says(self.channel, &format!("<@{BOT}> {text}"));
        self.server.shows(self.channel).into_iter().find(|shown| shown.id == sent.message_id).unwrap()
    }
}

/// How often each of these is part of an answer.
fn counts(answers: &[String], texts: &[&str]) -> Vec<usize> {
    texts.iter().map(|text| answers.iter().filter(|answer| answer.contains(text)).count()).collect()
}

#[test]
fn the_proxy_of_the_environment_is_used_for_requests_and_the_gateway() {
    let discord = Discord::start();
    let relay = Relay::before(discord.server.url().trim_start_matches("http://"));
    let home = discord.home();
    let mut run = command(&home.path());
    run.args(["run", "--port", "0"]).env("DISCORD_TOKEN", TOKEN).env("HTTP_PROXY", relay.url());
    let daemon = Daemon::start_with(&mut run);
    until("the bot is connected", || discord.sessions().iter().any(|session| session["connected"] == true));
    discord.server.act("say", json!({"user": 7, "channel": discord.private, "content": "hello"}));
    discord.sees(discord.private, "hello");
    let asked = relay.asked();
    for what in ["/api/v10/gateway/bot ", "encoding=json", "/messages "] {
        assert!(asked.iter().any(|line| line.contains(what)), "{what}: {asked:?}");
    }
    daemon.stop();
}

#[test]
fn a_person_is_answered_in_private_in_a_channel_and_by_commands() {
    let discord = Discord::start();
    let home = discord.home();
    let daemon = discord.gateway(&home);
    discord.ann.tells("hello **there**");
    discord.sees(discord.private, "hello **there**");
    discord.ann.says(discord.channel, "not for the bot");
    let asked = discord.mentions("and here?");
    discord.sees(discord.channel, "and here?");
    let answer = discord.server.shows(discord.channel).pop().unwrap();
    assert_eq!((answer.reply_to, answer.flags), (Some(asked.id), 4), "it answers, and shows no previews");
    assert_eq!(discord.answers(discord.channel).len(), 1);
    let registered = || !discord.server.journal().calls_of("bulk_set_application_commands").is_empty();
    until("the commands are registered", registered);
    let status =
        discord.server.act("slash", json!({"user": 7, "channel": discord.channel, "name": "status"}));
    let shown = || discord.server.act("interaction", json!({"id": status["interaction"]}));
    until("the command is answered", || shown()["state"] == "answered");
    let text = shown()["messages"][0]["content"].clone();
    assert!(text.as_str().unwrap().contains("This is conversation 1"), "{text}");
    daemon.stop().good();
}

#[test]
fn a_killed_gateway_takes_up_its_session_and_answers_what_it_missed_once() {
    let discord = Discord::start();
    let home = discord.home();
    let daemon = discord.gateway(&home);
    discord.ann.tells("before");
    discord.sees(discord.private, "before");
    discord.kills(daemon);
    let missed = ["missed 0", "missed 1", "missed 2"];
    for text in missed {
        discord.ann.tells(text);
    }
    discord.mentions("in the channel");
    let daemon = discord.gateway(&home);
    discord.sees(discord.private, "missed 2");
    discord.sees(discord.channel, "in the channel");
    assert_eq!(counts(&discord.answers(discord.private), &missed), [1, 1, 1]);
    assert_eq!(discord.identified(), 1, "the session went on");
    daemon.stop().good();
}

#[test]
fn a_killed_gateway_whose_session_is_gone_reads_what_it_missed() {
    let discord = Discord::start();
    let home = discord.home();
    let daemon = discord.gateway(&home);
    discord.ann.tells("before");
    discord.sees(discord.private, "before");
    discord.mentions("before");
    discord.sees(discord.channel, "before");
    discord.kills(daemon);
    let missed = ["missed 0", "missed 1", "missed 2"];
    for text in missed {
        discord.ann.tells(text);
    }
    discord.mentions("in the channel");
    discord.server.act("forget_sessions", json!({}));
    let daemon = discord.gateway(&home);
    discord.sees(discord.private, "missed 2");
    discord.sees(discord.channel, "in the channel");
    assert_eq!(counts(&discord.answers(discord.private), &missed), [1, 1, 1]);
    assert_eq!(counts(&discord.answers(discord.channel), &["before", "in the channel"]), [1, 1]);
    assert_eq!(discord.identified(), 2, "a new session has begun");
    daemon.stop().good();
}

#[test]
fn what_an_operator_has_to_change_is_in_the_log() {
    let discord = Discord::start();
    let home = discord.home();
    discord.server.act("endpoint", json!({"url": "https://e.org/interactions"}));
    let hidden = discord.server.channel(Id(9000), 5001, 0, "hidden");
    let mut daemon = discord.gateway(&home);
    let line = daemon.logs("Interactions Endpoint URL");
    assert!(line.contains("https://e.org/interactions"), "{line}");
    discord.ann.tells("before");
    discord.sees(discord.private, "before");
    discord.kills(daemon);
    // Read Message History.
    discord.server.act("permit", json!({"channel": hidden, "target": BOT, "deny": "65536"}));
    discord.ann.says(hidden, "missed");
    discord.server.act("forget_sessions", json!({}));
    let mut daemon = discord.gateway(&home);
    let line = daemon.logs("Read Message History");
    assert!(line.contains("5001"), "{line}");
    daemon.stop().good();
}

#[test]
fn a_message_that_was_deleted_while_it_waited_is_not_answered() {
    let discord = Discord::start();
    let home = discord.home();
    let daemon = discord.gateway(&home);
    discord.ann.tells("!slow 3000 one two three");
    let waits = discord.ann.tells("a mistake");
    let status = || home.run(&["status", "--json"]).state()["totals"]["waiting"].clone();
    until("it waits", || status() == 1);
    discord.server.act("delete", json!({"channel": waits.channel_id, "message": waits.message_id}));
    until("nothing waits any more", || status() == 0);
    discord.sees(discord.private, "one two three");
    discord.ann.tells("and this?");
    discord.sees(discord.private, "and this?");
    assert_eq!(counts(&discord.answers(discord.private), &["a mistake"]), [0]);
    daemon.stop().good();
}

#[test]
fn a_message_that_is_deleted_after_a_restart_while_it_waits_is_not_answered() {
    let discord = Discord::start();
    let home = discord.home();
    let daemon = discord.gateway(&home);
    discord.ann.tells("!slow 6000 one two three");
    let waits = discord.ann.tells("a mistake");
    let status = || home.run(&["status", "--json"]).json()["totals"]["waiting"].clone();
    until("it waits", || status() == 1);
    discord.kills(daemon);
    let daemon = discord.gateway(&home);
    until("it waits again", || status() == 1);
    discord.server.act("delete", json!({"channel": waits.channel_id, "message": waits.message_id}));
    until("nothing waits any more", || status() == 0);
    discord.sees(discord.private, "one two three");
    discord.ann.tells("and this?");
    discord.sees(discord.private, "and this?");
    assert_eq!(counts(&discord.answers(discord.private), &["a mistake"]), [0]);
    daemon.stop().good();
}

/// What Bob, who may not write there, sees of what he has done with a command or a button.
fn told(discord: &Discord, interaction: &Value) -> (Value, Value) {
    let shown = || discord.server.act("interaction", json!({"id": interaction}));
    until("Bob is told", || shown()["state"] == "answered");
    let message = &shown()["messages"][0];
    (message["only_for"].clone(), message["content"].clone())
}

#[test]
fn somebody_who_may_not_write_reaches_no_agent_in_any_way() {
    let discord = Discord::start();
    let server = &discord.server;
    let [closed, forum, unlisted] = [(5001, 0, "closed"), (5002, 15, "ideas"), (5003, 0, "unlisted")]
        .map(|(id, kind, name)| server.channel(Id(9000), id, kind, name));
    let rules = [closed, forum]
        .map(|chat| format!("[channels.discord.groups.\"{chat}\"]\nallow = [7]\nrequire_mention = false\n"));
    let home = discord.home_with(&rules.concat());
    let daemon = discord.gateway(&home);
    let registered = || !server.journal().calls_of("bulk_set_application_commands").is_empty();
    until("the commands are registered", registered);
    let bob = server.user(8, "Bob");
    server.act("member", json!({"guild": 9000, "user": 8}));
    // A question to Ann, whose buttons everybody in the channel sees.
    discord.ann.says(closed, "/queue");
    let question = || server.shows(closed).pop().filter(|shown| !shown.buttons.is_empty());
    until("Ann is asked", || question().is_some());
    let (question, hello) = (question().unwrap(), format!("<@{BOT}> hello"));
    let press =
        json!({"user": 8, "channel": closed, "message": question.id, "button": question.buttons[0].0});
    let pressed = server.act("press", press);
    let alone = |text: &str| (json!("8"), json!(text));
    assert_eq!(told(&discord, &pressed["interaction"]), alone("This question is not for you."));
    for channel in [closed, unlisted] {
        let said = bob.says(channel, &hello).message_id;
        let edit = json!({"channel": channel, "message": said, "content": format!("{hello} again")});
        server.act("edit", edit);
        server.act("react", json!({"channel": channel, "message": said, "user": 8, "emoji": "👀"}));
        server.act("thread", json!({"channel": channel, "user": 8, "name": "Mine", "content": hello}));
        for name in ["status", "new", "gateway"] {
            let slash = server.act("slash", json!({"user": 8, "channel": channel, "name": name}));
            assert_eq!(told(&discord, &slash["interaction"]), alone("This was not passed on."), "{name}");
        }
    }
    server.act("thread", json!({"channel": forum, "user": 8, "name": "My idea", "content": hello}));
    // What was delivered before it has been handled.
    discord.ann.says(closed, "the last one");
    discord.sees(closed, "the last one");
    let sent = server.journal().calls_of("create_message");
    let sent: Vec<(Id, &str)> =
        sent.iter().map(|call| (call.chat, call.params["content"].as_str().unwrap())).collect();
    assert!(sent.iter().all(|(chat, text)| *chat == closed && !text.contains("hello")), "{sent:?}");
    assert_eq!(sent.len(), 2, "{sent:?}");
    let sessions = home.run(&["sessions", "--json"]).json();
    let keys: Vec<&Value> = sessions["sessions"].as_array().unwrap().iter().map(|one| &one["key"]).collect();
    assert_eq!(keys, [&json!(format!("agent:main:discord:channel:{closed}"))]);
    daemon.stop().good();
}
