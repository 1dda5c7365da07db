//! The app as an agent and as an assistant: threads of private chats, prompts, the stop button, and shortcuts.

use std::sync::Arc;

use frontdesk_conformance::RecordingInbox;
use frontdesk_core::ask::{AskChoice, AskKind, Audience, ChoiceStyle, PostedAsk};
use frontdesk_core::delivery::{Delivery, Ending, MessageRefs, Post, SendError, Signal};
use frontdesk_core::id::AskId;
use frontdesk_core::message::{Conversation, Event, EventKind, ForwardKind};
use frontdesk_core::port::Adapter;
use frontdesk_fakeslack::{BOT, Fault, Person, SlackApi};
use frontdesk_slack::{DmSessions, SuggestedPrompt};
use serde_json::json;

use crate::setup::{account, adapter, post, running, to, until};

/// The thread of a private conversation, and the one in which it is answered.
fn threads(event: &Event) -> (Option<String>, Option<String>) {
    let Conversation::Dm { chat, thread } = &event.conversation else { panic!("{:?}", event.conversation) };
    assert_eq!(chat, "U0000ANNA");
    (thread.clone(), event.address.thread().map(str::to_owned))
}

fn messages(inbox: &RecordingInbox) -> Vec<Event> {
    inbox.events().into_iter().filter(|event| event.kind == EventKind::Message).collect()
}

/// What is told to the app when somebody with an agent view looks elsewhere.
fn looks_at_a_channel(slack: &SlackApi, anna: &Person) {
    let event = json!({"type": "app_context_changed", "user": anna.id, "context": {"channel_id": "C1"}});
    slack.act("event", json!({"user": anna.id, "event": event}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_conversation_is_what_slack_shows_as_one_unless_the_configuration_says_otherwise() {
    for (sessions, has_agent_view, opens, keeps) in [
        (DmSessions::Auto, false, false, true),
        (DmSessions::Auto, true, true, true),
        (DmSessions::Thread, false, true, true),
        (DmSessions::Chat, false, false, false),
        (DmSessions::Chat, true, true, false),
    ] {
        let slack = SlackApi::start().await;
        let anna = slack.person("U0000ANNA", "Anna");
        let mut account = account(&slack);
        account.settings.dm_sessions = sessions;
        let inbox = Arc::new(RecordingInbox::default());
        let first = adapter(account.clone());
        running(&first, &inbox, &slack, async {
            if has_agent_view {
                looks_at_a_channel(&slack, &anna);
                until(|| inbox.batches().iter().any(|(ids, _)| !ids.is_empty())).await;
            }
            let top = anna.tells("at the top");
            until(|| messages(&inbox).len() == 1).await;
            anna.replies(&top, "in its thread");
            until(|| messages(&inbox).len() == 2).await;
            let [said, replied] = messages(&inbox).try_into().unwrap();
            let thread = Some(top.ts.clone());
            let in_session = |is: bool| thread.clone().filter(|_| is);
            let case = format!("{sessions:?} {has_agent_view}");
            assert_eq!(threads(&said), (in_session(opens && keeps), in_session(opens)), "{case}");
            assert_eq!(threads(&replied), (in_session(keeps), thread.clone()), "{case}");
        })
        .await;
        // What was seen is known after a restart: it is in the position.
        let position = inbox.batches().into_iter().filter_map(|(_, cursor)| cursor).next_back().unwrap();
        until(|| slack.sockets() == 0).await;
        let (again, inbox) = (adapter(account), Arc::new(RecordingInbox::at(&position)));
        running(&again, &inbox, &slack, async {
            anna.tells("once more");
            let is_new = |event: &&Event| event.text == "once more";
            until(|| messages(&inbox).iter().any(|event| is_new(&event))).await;
            let event = messages(&inbox).iter().find(is_new).cloned().unwrap();
            assert_eq!(event.address.thread().is_some(), opens, "{sessions:?} {has_agent_view}");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assistants_thread_is_a_conversation_and_shows_the_prompts_of_the_configuration() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let mut account = account(&slack);
    let prompt = SuggestedPrompt { title: "Weather".into(), message: "Is it wet in the garden?".into() };
    account.settings.prompts = vec![prompt];
    let (adapter, inbox) = (adapter(account), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, &slack, async {
        slack.act("home", json!({"user": anna.id, "tab": "home"}));
        let opened = slack.act("assistant", json!({"user": anna.id}));
        let (channel, ts) = (opened["channel"].as_str().unwrap(), opened["ts"].as_str().unwrap());
        let shown = |thread: &str| slack.look(channel)["threads"][thread]["prompts"].clone();
        until(|| !shown(ts).is_null()).await;
        assert_eq!(shown(ts), json!([{"title": "Weather", "message": "Is it wet in the garden?"}]));
        anna.writes(json!({"channel": channel, "thread": ts, "text": "hello"}));
        until(|| messages(&inbox).len() == 1).await;
        assert_eq!(threads(&messages(&inbox)[0]), (Some(ts.to_owned()), Some(ts.to_owned())));
        // An agent view has no thread yet.
        slack.act("home", json!({"user": anna.id, "tab": "messages"}));
        until(|| !shown("").is_null()).await;
        assert_eq!(slack.journal().calls_of("assistant.threads.setSuggestedPrompts").len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_prompts_in_the_configuration_nothing_is_suggested() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let (adapter, inbox) = (adapter(account(&slack)), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, &slack, async {
        slack.act("home", json!({"user": anna.id, "tab": "messages"}));
        slack.act("assistant", json!({"user": anna.id}));
        let is_opened = |event: &Event| event.kind == EventKind::Other("assistant_thread_started".to_owned());
        until(|| inbox.events().iter().any(is_opened)).await;
        anna.tells("hello");
        until(|| messages(&inbox).len() == 1).await;
    })
    .await;
    assert!(slack.journal().calls_of("assistant.threads.setSuggestedPrompts").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stop_button_of_a_session_is_the_command_in_its_conversation() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let (adapter, inbox) = (adapter(account(&slack)), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, &slack, async {
        looks_at_a_channel(&slack, &anna);
        until(|| inbox.batches().iter().any(|(ids, _)| !ids.is_empty())).await;
        let asked = anna.tells("a long story");
        let stop = json!({"type": "agent_session_stopped", "user": anna.id, "thread_ts": asked.ts,
                          "streaming_message_ts": []});
        slack.act("event", json!({"user": anna.id, "event": stop}));
        until(|| messages(&inbox).len() == 2).await;
        let [said, stopped] = messages(&inbox).try_into().unwrap();
        assert_eq!((stopped.text.as_str(), stopped.addressed), ("/stop", true));
        assert_eq!((stopped.conversation, stopped.address), (said.conversation, said.address));
    })
    .await;
}

/// A question that nobody has answered yet.
pub fn question() -> Post {
    let ask = PostedAsk {
        id: AskId(7),
        kind: AskKind::Choice,
        text: "Water it?".to_owned(),
        choices: vec![AskChoice { id: "yes".into(), label: "Yes".into(), style: ChoiceStyle::Plain }],
        deadline: chrono::DateTime::<chrono::Utc>::MAX_UTC,
        audience: Audience::Admins,
        closed: None,
    };
    Post { ask: Some(ask), key: "t1/1".to_owned(), ..post("Water it?") }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_works_waits_for_an_answer_and_rests() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let garden = slack.channel("C0GARDEN", "garden", &[&anna]);
    let (adapter, inbox) = (adapter(account(&slack)), Arc::new(RecordingInbox::default()));
    let end = || {
        let (about, ending) = (MessageRefs::default(), Ending::Answered);
        Signal::End { about, ending, usage: None }
    };
    running(&adapter, &inbox, &slack, async {
        looks_at_a_channel(&slack, &anna);
        until(|| inbox.batches().iter().any(|(ids, _)| !ids.is_empty())).await;
        let asked = anna.tells("a long story");
        let thread = to(&format!("slack:{}:topic:{}", asked.channel, asked.ts));
        let state = || slack.look(&asked.channel)["threads"][&asked.ts]["session"].clone();
        let told = || slack.journal().calls_of("agents.sessions.setStatus").len();
        for _ in 0..2 {
            adapter.signal(&thread, Signal::Typing).await.unwrap();
            assert_eq!((state(), told()), (json!("processing"), 1), "it needs to be said once");
        }
        adapter.deliver(&thread, Delivery::Post(post("Once upon a time"))).await.unwrap();
        assert_eq!(state(), "processing", "an answer may go on");
        adapter.deliver(&thread, Delivery::Post(question())).await.unwrap();
        assert_eq!(state(), "suspended");
        adapter.signal(&thread, Signal::Typing).await.unwrap();
        assert_eq!(state(), "processing");
        adapter.signal(&thread, end()).await.unwrap();
        assert_eq!((state(), told()), (json!("active"), 4));
        assert!(slack.journal().calls_of("assistant.threads.setStatus").is_empty());
        // A question of a command, whose session did not work.
        adapter.deliver(&thread, Delivery::Post(question())).await.unwrap();
        assert_eq!(told(), 4);
        // In a channel there are no sessions, and an app may have none.
        let said = anna.says(&garden.id, "hello");
        let text = |channel: &str, ts: &str| slack.look(channel)["threads"][ts]["status"]["text"].clone();
        let in_channel = to(&format!("slack:{}:topic:{}", garden.id, said.ts));
        adapter.signal(&in_channel, Signal::Typing).await.unwrap();
        assert_eq!((text(&garden.id, &said.ts), told()), (json!("is writing…"), 4));
        slack.fault(Fault::refuse(200, "unknown_method").on("agents.sessions.setStatus"));
        adapter.signal(&thread, Signal::Typing).await.unwrap();
        assert_eq!(text(&asked.channel, &asked.ts), "is writing…");
        adapter.signal(&thread, end()).await.unwrap();
        assert_eq!(text(&asked.channel, &asked.ts), json!(null));
        slack.clear_faults();
        slack.fault(Fault::too_many(3).on("agents.sessions.setStatus"));
        let limited = adapter.signal(&thread, Signal::Typing).await;
        assert!(matches!(limited, Err(SendError::Later { after: None, .. })), "{limited:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shortcut_gives_a_message_to_the_agent_and_another_begins_anew_in_private() {
    let slack = SlackApi::start().await;
    let (anna, bert) = (slack.person("U0000ANNA", "Anna"), slack.person("U0000BERT", "Bert"));
    let garden = slack.channel("C0GARDEN", "garden", &[&anna, &bert]);
    let said = bert.says(&garden.id, "!stop watering, says &lt;the&gt; doctor");
    slack.act("forget", json!({}));
    let (adapter, inbox) = (adapter(account(&slack)), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, &slack, async {
        let used = json!({"user": anna.id, "callback_id": "ask", "channel": garden.id, "ts": said.ts});
        slack.act("shortcut", used);
        until(|| messages(&inbox).len() == 1).await;
        let asked = messages(&inbox).remove(0);
        assert_eq!((asked.from.id.id(), asked.addressed), ("U0000ANNA", true));
        assert_eq!(asked.text, "!stop watering, says <the> doctor", "no command is read in it");
        let author = asked.forward.unwrap();
        assert_eq!((author.kind, author.id.unwrap().id()), (ForwardKind::Person, "U0000BERT"));
        assert_eq!(
            asked.conversation,
            Conversation::Thread { chat: garden.id.clone(), thread: said.ts.clone() }
        );
        slack.act("shortcut", json!({"user": anna.id, "callback_id": "new"}));
        until(|| messages(&inbox).len() == 2).await;
        let begun = messages(&inbox).remove(1);
        assert_eq!((begun.text.as_str(), begun.address.chat()), ("/new", "@U0000ANNA"));
        assert_eq!(begun.conversation, Conversation::Dm { chat: "U0000ANNA".into(), thread: None });
        looks_at_a_channel(&slack, &anna);
        let is_known = |event: &Event| event.kind == EventKind::Other("app_context_changed".to_owned());
        until(|| inbox.events().iter().any(is_known)).await;
        let noted = anna.tells("keep this");
        let used = json!({"user": anna.id, "callback_id": "ask", "channel": noted.channel, "ts": noted.ts});
        slack.act("shortcut", used);
        until(|| messages(&inbox).len() == 4).await;
        let thread = Some(noted.ts.clone());
        assert_eq!(
            messages(&inbox).iter().skip(2).map(threads).collect::<Vec<_>>(),
            [(thread.clone(), thread.clone()), (thread.clone(), thread)]
        );
        slack.act("shortcut", json!({"user": anna.id, "callback_id": "of_another_app"}));
        let is_counted = |event: &Event| event.kind == EventKind::Other("shortcut".to_owned());
        until(|| inbox.events().iter().any(is_counted)).await;
    })
    .await;
    assert!(garden.shows().iter().all(|shown| shown.user != BOT));
}
