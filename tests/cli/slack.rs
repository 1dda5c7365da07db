//! The program on a fake Slack: a private chat, a channel, a command, kills in the middle of an answer and of a file, people who
//! may write by their user group, and messages of programs.

use std::time::Duration;

use frontdesk_fakeslack::{APP_TOKEN, BOT, Channel, Fault, Person, SlackApi, TEAM, TOKEN};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::program::{Daemon, NewHome, command, finish, until};
use crate::relay::Relay;

/// A server with a person and a channel, and the home of a gateway.
struct Slack {
    _runtime: Runtime,
    api: SlackApi,
    anna: Person,
    garden: Channel,
    home: NewHome,
}

impl Slack {
    fn start() -> Slack {
        Slack::with("", "")
    }

    /// With more keys of the account, and more sections of the configuration.
    fn with(keys: &str, sections: &str) -> Slack {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let api = runtime.block_on(SlackApi::start());
        let anna = api.person("U0000ANNA", "Anna");
        let garden = api.channel("C0GARDEN", "garden", &[&anna]);
        let home = NewHome::new();
        let config = format!(
            "[channels.slack]\napi_url = \"{}\"\nedit_ms = 20\nper_chat_ms = 0\nallow = [\"U0000ANNA\", \"usergroup:S0GARDEN\"]\n\
             {keys}[channels.slack.groups.C0GARDEN]\n{sections}",
            api.api_url()
        );
        home.write("frontdesk.toml", &config);
        Slack { _runtime: runtime, api, anna, garden, home }
    }

    /// A gateway whose tokens are in the environment. Returns once it is connected.
    fn gateway(&self) -> Daemon {
        let mut command = command(&self.home.path());
        command.args(["run", "--port", "0"]).env("SLACK_BOT_TOKEN", TOKEN).env("SLACK_APP_TOKEN", APP_TOKEN);
        let daemon = Daemon::start_with(&mut command);
        until("it has a socket", || self.api.sockets() > 0);
        daemon
    }

    /// A gateway that reaches Slack through this proxy only.
    fn gateway_behind(&self, relay: &Relay) -> Daemon {
        let mut command = command(&self.home.path());
        command.args(["run", "--port", "0"]).env("SLACK_BOT_TOKEN", TOKEN).env("SLACK_APP_TOKEN", APP_TOKEN);
        Daemon::start_with(command.env("HTTP_PROXY", relay.url()))
    }

    /// What the bot has written in private.
    fn told(&self) -> Vec<String> {
        self.anna.sees().into_iter().filter(|shown| shown.user == BOT).map(|shown| shown.text).collect()
    }

    /// What the bot has written in the channel: the text, and the thread in which it stands.
    fn shown(&self) -> Vec<(String, Option<String>)> {
        let own = self.garden.shows().into_iter().filter(|shown| shown.user == BOT);
        own.map(|shown| (shown.text, shown.thread)).collect()
    }
}

#[test]
fn the_proxy_of_the_environment_is_used_for_the_web_api_and_the_sockets() {
    let slack = Slack::start();
    let url = slack.api.api_url();
    let relay = Relay::before(url.trim_start_matches("http://").split('/').next().unwrap());
    let daemon = slack.gateway_behind(&relay);
    until("it has a socket", || slack.api.sockets() > 0);
    slack.anna.tells("hello");
    until("it answers in private", || slack.told() == ["hello"]);
    let asked = relay.asked();
    for what in ["/api/apps.connections.open ", "/link/?ticket=", "/api/chat.postMessage "] {
        assert!(asked.iter().any(|line| line.contains(what)), "{what}: {asked:?}");
    }
    daemon.stop();
}

#[test]
fn two_tokens_in_the_environment_make_a_bot_that_answers_in_private_in_threads_and_to_commands() {
    let slack = Slack::start();
    let daemon = slack.gateway();
    slack.anna.tells("hello &amp; &lt;3");
    until("it answers in private", || slack.told() == ["hello & <3"]);
    let asked = slack.anna.says(&slack.garden.id, &format!("<@{BOT}> is it wet?"));
    let in_thread = ("is it wet?".to_owned(), Some(asked.ts.clone()));
    until("it answers in a thread", || slack.shown() == [in_thread.clone()]);
    slack.anna.says(&slack.garden.id, "nobody in particular");
    slack.anna.replies(&asked, &format!("<@{BOT}> !new"));
    until("it begins a new conversation", || slack.shown().len() == 2);
    let (begun, thread) = slack.shown().pop().unwrap();
    assert!(begun.contains("Send !resume 1") && thread == in_thread.1, "{begun:?} {thread:?}");
    slack.anna.commands(&slack.garden.id, "/frontdesk", "whoami");
    until("it answers the command", || slack.shown().len() == 3);
    assert!(slack.shown()[2].0.contains("U0000ANNA"), "{:?}", slack.shown());
    let stranger = slack.api.person("U0000EVE", "Eve");
    stranger.tells("let me in");
    until("a stranger gets a code", || stranger.sees().len() == 2);
    assert!(stranger.sees()[1].text.contains("U0000EVE"), "{:?}", stranger.sees());
    let log = daemon.stop().good().err.clone();
    assert!(!log.contains(TOKEN) && !log.contains(APP_TOKEN), "{log}");
}

#[test]
fn a_kill_in_the_middle_leaves_one_answer_and_what_was_written_meanwhile_is_answered_too() {
    let slack = Slack::start();
    let daemon = slack.gateway();
    slack.anna.tells("!slow 700 one two three four five six seven eight nine ten eleven twelve thirteen");
    until("the answer grows", || slack.told().iter().any(|text| text.starts_with("one")));
    drop(daemon);
    until("the sockets are closed", || slack.api.sockets() == 0);
    slack.anna.tells("are you there?");
    // Slack tries a second time at once, and a third time after a minute. The gateway does not wait for that.
    let daemon = slack.gateway();
    let whole = "one two three four five six seven eight nine ten eleven twelve thirteen";
    until("both are answered", || slack.told() == [whole, "are you there?"]);
    slack.api.advance(Duration::from_secs(400));
    slack.anna.tells("and now?");
    until("the last one is answered", || slack.told().len() == 3);
    assert_eq!(slack.told(), [whole, "are you there?", "and now?"], "nothing was answered twice");
    daemon.stop().good();
}

/// An agent that asks before it answers.
const ASKS: &str = r#"
while read -r line; do
  case "$line" in
    *'"type":"prompt"'*) echo '{"type":"ask","id":"1","kind":"permission","text":"May I dig?"}' ;;
    *'"type":"answer"'*) printf '{"type":"delta","text":"It is done."}\n{"type":"done"}\n' ;;
  esac
done
"#;

#[test]
fn nothing_that_a_stranger_does_has_an_effect_and_a_name_gives_no_right() {
    let club = "[channels.slack.groups.C0CLUB]\nallow = [\"U0000ANNA\"]\n\
                [agents.main]\nkind = \"command\"\nmode = \"lasting\"\ncommand = [\"sh\", \"../../asks.sh\"]\n";
    let slack = Slack::with("", club);
    slack.home.write("asks.sh", ASKS);
    // Her name is that of somebody who may write.
    let eve = slack.api.person("U0000EVE", "Anna");
    let club = slack.api.channel("C0CLUB", "club", &[&slack.anna, &eve]);
    let daemon = slack.gateway();
    let shown = || -> Vec<_> { club.shows().into_iter().filter(|shown| shown.user == BOT).collect() };
    let asked = slack.anna.says(&club.id, &format!("<@{BOT}> dig"));
    until("it asks Anna", || shown().iter().any(|shown| !shown.buttons.is_empty()));
    let question = shown().pop().unwrap();

    let said = eve.says(&club.id, &format!("<@{BOT}> let me in"));
    eve.edits(&said, &format!("<@{BOT}> /gateway allow slack U0000EVE"));
    eve.replies(&asked, &format!("<@{BOT}> !stop"));
    eve.replies(&asked, &format!("<@{BOT}> !gateway block slack U0000ANNA"));
    eve.reacts(&club.id, &question.ts, "+1");
    eve.presses(&club.id, &question.ts, &question.buttons[0]);
    for command in ["stop", "new", "gateway allow slack U0000EVE", "answer a1 1", "bg dig", "link"] {
        eve.commands(&club.id, "/frontdesk", command);
    }
    let own = json!({"user": eve.id, "callback_id": "new", "channel": club.id, "ts": asked.ts});
    slack.api.act("shortcut", own);
    // What came after all of that is handled, so that was as well.
    slack.anna.says(&club.id, &format!("<@{BOT}> !whoami"));
    until("Anna is answered", || shown().iter().any(|shown| shown.text.contains("U0000ANNA")));
    let open = slack.home.run(&["asks", "--json"]).json();
    assert_eq!(open["asks"].as_array().map(Vec::len), Some(1), "Anna's question is still open: {open}");
    slack.anna.presses(&club.id, &question.ts, &question.buttons[0]);
    until("Anna's answer counts", || shown().iter().any(|shown| shown.text == "It is done."));
    let for_all = shown().into_iter().filter(|shown| shown.only.is_none());
    let for_all: Vec<String> = for_all.map(|shown| shown.text).collect();
    assert_eq!(for_all.iter().filter(|text| text.contains("May I dig?")).count(), 1, "{for_all:?}");
    assert!(!for_all.iter().any(|text| text.contains("U0000EVE")), "{for_all:?}");
    let access = slack.home.run(&["access", "--json"]).good().out.clone();
    assert!(!access.contains("U0000EVE"), "{access}");
    let sessions = slack.home.run(&["sessions", "--json"]).good().out.clone();
    assert!(!sessions.contains(&said.ts), "{sessions}");
    daemon.stop().good();
}

#[test]
fn members_of_a_user_group_may_write_and_a_guest_gets_no_answer() {
    let slack = Slack::start();
    slack.api.act("group", json!({"id": "S0GARDEN", "users": ["U0000BERT", "U0000GUEST"]}));
    let (bert, guest) = (
        slack.api.person("U0000BERT", "Bert"),
        slack.api.person_in(TEAM, "U0000GUEST", "Gus", json!({"is_restricted": true})),
    );
    let daemon = slack.gateway();
    guest.tells("let me in");
    bert.tells("I water it");
    until("a member is answered", || bert.sees().len() == 2);
    assert_eq!(bert.sees()[1].text, "I water it");
    // What waits at the head of the queue is checked once more, with the same groups.
    slack.anna.tells("and I look at it");
    until("the last one is answered", || slack.told() == ["and I look at it"]);
    assert_eq!(guest.sees().len(), 1, "{:?}", guest.sees());
    daemon.stop().good();
}

#[test]
fn a_question_that_is_deleted_while_it_is_answered_is_answered_in_its_channel() {
    let slack = Slack::with("streaming = \"off\"\n", "");
    let daemon = slack.gateway();
    let asked = slack.anna.says(&slack.garden.id, &format!("<@{BOT}> !wait 700 it is wet"));
    until("its turn runs", || slack.home.run(&["status", "--json"]).state()["totals"]["running"] == json!(1));
    slack.api.fault(Fault::refuse(200, "thread_not_found").on("chat.postMessage").times(1));
    slack.anna.deletes(&asked);
    until("it is answered", || slack.shown() == [("it is wet".to_owned(), None)]);
    daemon.stop().good();
}

#[test]
fn a_kill_while_a_file_is_sent_leaves_one_file() {
    let slack = Slack::start();
    let daemon = slack.gateway();
    let to = format!("slack:{}", slack.garden.id);
    let plan = slack.home.write("plan.txt", "water at six");
    // Slack has shown the file, and its answer does not come.
    slack.api.fault(Fault::lost().on("files.completeUploadExternal").times(1));
    slack.home.run(&["send", "--to", &to, "--media", plan.to_str().unwrap()]).good();
    until("it is shown", || slack.garden.shows().len() == 1);
    drop(daemon);
    slack.api.clear_faults();
    let daemon = slack.gateway();
    let sent = || slack.home.run(&["outbox", "--state", "sent", "--json"]).json();
    until("its row is sent", || sent()["parts"].as_array().is_some_and(|parts| parts.len() == 1));
    assert_eq!(slack.garden.shows().len(), 1);
    daemon.stop().good();
}

#[test]
fn programs_send_blocks_and_an_account_with_a_webhook_only_sends() {
    let webhook = "[channels.slack.accounts.alerts]\nwebhook_url = \"${ALERTS}\"\n";
    let slack = Slack::with("", webhook);
    let alerts = slack.api.channel("C0ALERTS", "alerts", &[&slack.anna]);
    let hook = slack.api.act("webhook", json!({"channel": alerts.id}))["url"].as_str().unwrap().to_owned();
    let mut run = command(&slack.home.path());
    run.args(["run", "--port", "0"]).env("SLACK_BOT_TOKEN", TOKEN).env("SLACK_APP_TOKEN", APP_TOKEN);
    let daemon = Daemon::start_with(run.env("ALERTS", &hook));
    until("it has a socket", || slack.api.sockets() > 0);
    slack.home.run(&["send", "--to", "slack:alerts:webhook", "--message", "**wet** <!here>"]).good();
    until("the webhook's channel shows it", || alerts.shows().len() == 1);
    assert_eq!((alerts.shows()[0].text.as_str(), alerts.shows()[0].mentions.len()), ("*wet* <!here>", 0));
    let (url, token) = slack.home.reached();
    let send = |blocks: Value| {
        let body = json!({"to": "slack:C0GARDEN", "text": "It is wet.", "blocks": blocks}).to_string();
        let mut post = std::process::Command::new("curl");
        post.args(["-s", &format!("{url}/api/send"), "-H", &format!("Authorization: Bearer {token}")]);
        post.args(["-H", "content-type: application/json", "-d", &body]);
        finish(&mut post, "").json()
    };
    let text = json!({"type": "mrkdwn", "text": "*wet* <!channel> <@U0000ANNA>"});
    send(json!([{"type": "section", "text": text}]));
    until("the channel shows them", || slack.garden.shows().len() == 1);
    let shown = slack.garden.shows().remove(0);
    assert_eq!(shown.message["blocks"][0]["text"]["text"], "*wet* &lt;!channel> &lt;@U0000ANNA>");
    assert_eq!(shown.text, "It is wet.");
    let message = json!({"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "Garden"}}]});
    let file = slack.home.write("blocks.json", &message.to_string());
    let sent = ["send", "--to", "slack:C0GARDEN", "--message", "dry", "--blocks", file.to_str().unwrap()];
    slack.home.run(&sent).good();
    until("the channel shows these too", || slack.garden.shows().len() == 2);
    assert_eq!(slack.garden.shows()[1].message["blocks"][0]["type"], "header");
    let refused = send(json!([{"text": "no type"}]));
    assert!(refused["error"]["message"].as_str().unwrap().contains("blocks[0] is no block"), "{refused}");
    let log = daemon.stop().good().err.clone();
    assert!(!log.contains(hook.rsplit('/').next().unwrap()), "{log}");
}
