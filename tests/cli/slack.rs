//! The program on a fake Slack: a private chat, a channel, a command, and a kill in the middle of an answer.

use std::time::Duration;

use frontdesk_fakeslack::{APP_TOKEN, BOT, Channel, Person, SlackApi, TOKEN};
use tokio::runtime::Runtime;

use crate::program::{Daemon, NewHome, command, until};

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
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let api = runtime.block_on(SlackApi::start());
        let anna = api.person("U0000ANNA", "Anna");
        let garden = api.channel("C0GARDEN", "garden", &[&anna]);
        let home = NewHome::new();
        let config = format!(
            "[channels.slack]\napi_url = \"{}\"\nedit_ms = 20\nper_chat_ms = 0\nallow = [\"U0000ANNA\"]\n\
             [channels.slack.groups.C0GARDEN]\n",
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
    assert!(begun.contains("New conversation") && thread == in_thread.1, "{begun:?} {thread:?}");
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
