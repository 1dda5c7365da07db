//! Commands and buttons: acknowledged in time, answered, and ended.

use std::sync::Arc;

use frontdesk_conformance::RecordingInbox;
use frontdesk_core::delivery::{Delivery, Ending, MessageRefs, Post, Signal};
use frontdesk_core::id::MessageId;
use frontdesk_core::message::Outcome;
use frontdesk_core::port::{Adapter, Busy};
use frontdesk_fakediscord::Fault;
use serde_json::{Value, json};

use crate::setup::{Garden, post, running, says};

fn slash(garden: &Garden, name: &str) -> Value {
    let slash = json!({"user": 7, "channel": garden.channel, "name": name});
    garden.discord.act("slash", slash)["interaction"].clone()
}

fn seen(garden: &Garden, interaction: &Value) -> Value {
    garden.discord.look("interaction", json!({"id": interaction}))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_registered_acknowledged_and_answered() {
    let garden = Garden::new().await;
    let (adapter, inbox) = (garden.adapter(), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, async {
        garden.commands().await;
        let asked = slash(&garden, "status");
        garden.discord.until(|| seen(&garden, &asked)["state"] == "thinking").await;
        let event = inbox.events().pop().unwrap();
        assert_eq!((event.text.as_str(), event.addressed), ("/status", true));
        let answer = Post { reply_to: event.platform_message.clone(), ..post("all is well") };
        let sent = adapter.deliver(&garden.address(), Delivery::Post(answer.clone())).await.unwrap();
        let shown = seen(&garden, &asked);
        assert_eq!(
            (&shown["state"], &shown["messages"][0]["content"]),
            (&json!("answered"), &json!("all is well"))
        );
        assert_eq!(shown["messages"][0]["flags"], 4, "no previews");
        let call = &garden.discord.journal().calls_of("update_original_webhook_message")[0];
        assert_eq!(call.params["allowed_mentions"]["parse"], json!([]));
        assert_eq!(Some(shown["messages"][0]["id"].as_str().unwrap()), sent.message.as_deref());
        // The same part once more is the same message.
        assert_eq!(adapter.deliver(&garden.address(), Delivery::Post(answer)).await.unwrap(), sent);
        assert_eq!(garden.answers().len(), 1);
    })
    .await;
    // The second start finds its commands.
    let again = garden.adapter();
    running(&again, &inbox, async {
        garden
            .discord
            .until(|| garden.discord.journal().calls_of("list_application_commands").len() == 2)
            .await;
        for n in 0..5 {
            again.deliver(&garden.address(), says(&format!("meanwhile {n}"))).await.unwrap();
        }
    })
    .await;
    assert_eq!(garden.discord.journal().calls_of("bulk_set_application_commands").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_too_late_is_a_message() {
    let garden = Garden::new().await;
    let (adapter, inbox) = (garden.adapter(), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, async {
        garden.commands().await;
        slash(&garden, "status");
        inbox.until(|inbox| inbox.events().len() == 1).await;
        let event = inbox.events().pop().unwrap();
        garden.discord.advance(std::time::Duration::from_secs(1000));
        let answer = Post { reply_to: event.platform_message, ..post("at last") };
        adapter.deliver(&garden.address(), Delivery::Post(answer)).await.unwrap();
        assert_eq!(garden.answers().last().unwrap(), "at last");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_before_the_acknowledgement_is_the_response_in_every_attempt() {
    let garden = Garden::new().await;
    let (adapter, inbox) = (garden.adapter(), Arc::new(RecordingInbox::default()));
    garden.discord.fault(Fault::hangup().on("create_interaction_response").times(1));
    running(&adapter, &inbox, async {
        garden.commands().await;
        slash(&garden, "status");
        inbox.until(|inbox| inbox.events().len() == 1).await;
        let event = inbox.events().pop().unwrap();
        let refused = || garden.discord.journal().calls_of("create_interaction_response").len();
        while refused() == 0 {
            tokio::task::yield_now().await;
        }
        let mut shown = Vec::new();
        for _ in 0..2 {
            let answer = Post { reply_to: event.platform_message.clone(), ..post("done") };
            shown.push(adapter.deliver(&garden.address(), Delivery::Post(answer)).await.unwrap().message);
        }
        assert_eq!(shown[0], shown[1]);
        assert!(garden.discord.journal().calls_of("create_message").is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thinking_ends_with_the_turn_if_there_is_no_answer() {
    let garden = Garden::new().await;
    let (adapter, inbox) = (garden.adapter(), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, async {
        garden.commands().await;
        let asked = slash(&garden, "stop");
        garden.discord.until(|| seen(&garden, &asked)["state"] == "thinking").await;
        let about = MessageRefs { session: None, messages: vec![MessageId(1)] };
        let end = Signal::End { about, ending: Ending::Cancelled, usage: None };
        adapter.signal(&garden.address(), end.clone()).await.unwrap();
        assert_eq!(seen(&garden, &asked)["messages"], json!([]));
        adapter.signal(&garden.address(), end).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thinking_that_cannot_be_deleted_at_once_is_deleted_later() {
    let garden = Garden::new().await;
    let (adapter, inbox) = (garden.adapter(), Arc::new(RecordingInbox::default()));
    garden.discord.act("heartbeat", json!({"interval_ms": 300}));
    running(&adapter, &inbox, async {
        garden.commands().await;
        let mut asked = Vec::new();
        for _ in 0..3 {
            let one = slash(&garden, "stop");
            garden.discord.until(|| seen(&garden, &one)["state"] == "thinking").await;
            asked.push(one);
        }
        garden.discord.fault(Fault::status(502).on("delete_original_webhook_message").times(1));
        let about = MessageRefs { session: None, messages: (1..=3).map(MessageId).collect() };
        let end = Signal::End { about, ending: Ending::Cancelled, usage: None };
        let failed = adapter.signal(&garden.address(), end).await;
        assert!(failed.is_err());
        let gone = |one: &Value| seen(&garden, one)["messages"] == json!([]);
        assert_eq!(asked.iter().filter(|one| gone(one)).count(), 2, "one failure holds up no other");
        garden.discord.until(|| asked.iter().all(gone)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_of_one_command_holds_up_no_other() {
    let garden = Garden::new().await;
    let (adapter, inbox) = (garden.adapter(), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, async {
        garden.commands().await;
        for _ in 0..2 {
            let asked = slash(&garden, "status");
            garden.discord.until(|| seen(&garden, &asked)["state"] == "thinking").await;
        }
        garden.discord.act("limits", json!({"bucket": 1, "window_ms": 600_000}));
        for event in inbox.events() {
            let answer = Post { reply_to: event.platform_message, ..post("all is well") };
            adapter.deliver(&garden.address(), Delivery::Post(answer)).await.unwrap();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_takes_is_said_to_its_sender_alone() {
    let garden = Garden::new().await;
    let (adapter, inbox) = (garden.adapter(), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, async {
        garden.commands().await;
        inbox.gives(Outcome::Denied);
        let asked = slash(&garden, "status");
        garden.discord.until(|| seen(&garden, &asked)["state"] == "answered").await;
        let shown = &seen(&garden, &asked)["messages"][0];
        assert_eq!((&shown["only_for"], &shown["content"]), (&json!("7"), &json!("This was not passed on.")));
        // Its hidden message comes back over the gateway and is no event.
        adapter.deliver(&garden.address(), says("after it")).await.unwrap();
        assert_eq!(inbox.events().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_into_a_thread_that_was_archived_meanwhile_opens_it() {
    let garden = Garden::new().await;
    let (adapter, inbox) = (garden.adapter(), Arc::new(RecordingInbox::default()));
    let thread = json!({"channel": garden.channel, "user": 7, "name": "Hers"});
    let thread = garden.discord.act("thread", thread)["channel_id"].clone();
    running(&adapter, &inbox, async {
        garden.commands().await;
        let slash = json!({"user": 7, "channel": thread, "name": "status"});
        let asked = garden.discord.act("slash", slash)["interaction"].clone();
        garden.discord.until(|| seen(&garden, &asked)["state"] == "thinking").await;
        garden.discord.act("archive", json!({"channel": thread, "archived": true}));
        let event = inbox.events().into_iter().find(|event| event.text == "/status").unwrap();
        let answer = Post { reply_to: event.platform_message.clone(), ..post("all is well") };
        adapter.deliver(&event.address, Delivery::Post(answer)).await.unwrap();
        assert_eq!(seen(&garden, &asked)["messages"][0]["content"], "all is well");
        let opened = &garden.discord.journal().calls_of("update_channel")[0];
        assert_eq!(opened.params["archived"], false);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_acknowledged_before_it_is_stored() {
    let garden = Garden::new().await;
    let (adapter, inbox) = (garden.adapter(), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, async {
        garden.commands().await;
        (0..100_000).for_each(|_| inbox.refuses(Busy::Full { waiting: 1 }));
        let asked = slash(&garden, "status");
        while inbox.refusals() > 99_997 {
            tokio::task::yield_now().await;
        }
        assert!(garden.discord.journal().calls_of("create_interaction_response").is_empty());
        inbox.takes();
        garden.discord.until(|| seen(&garden, &asked)["state"] == "thinking").await;
        assert_eq!(inbox.events().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_acknowledged_too_late_is_carried_out_and_answered_with_a_message() {
    let garden = Garden::new().await;
    let (adapter, inbox) = (garden.adapter(), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, async {
        garden.commands().await;
        (0..100_000).for_each(|_| inbox.refuses(Busy::Full { waiting: 1 }));
        let asked = slash(&garden, "status");
        garden.discord.advance(std::time::Duration::from_millis(3100));
        inbox.takes();
        let calls = || garden.discord.journal().calls_of("create_interaction_response");
        garden.discord.until(|| !calls().is_empty()).await;
        assert_eq!(seen(&garden, &asked)["state"], "failed");
        let event = inbox.events().pop().unwrap();
        let answer = Post { reply_to: event.platform_message, ..post("all is well") };
        adapter.deliver(&garden.address(), Delivery::Post(answer)).await.unwrap();
        assert_eq!(garden.answers(), ["all is well"]);
    })
    .await;
}
