//! Answers that only one person sees.

use std::sync::Arc;

use frontdesk_conformance::RecordingInbox;
use frontdesk_core::address::Principal;
use frontdesk_core::ask::AskError;
use frontdesk_core::delivery::{Delivery, Post};
use frontdesk_core::id::AskId;
use frontdesk_core::markup::Part;
use frontdesk_core::message::{Event, Outcome};
use frontdesk_core::port::Adapter;
use serde_json::{Value, json};

use crate::setup::{Garden, post, running, to};

/// A command in the channel, or in private. Waits until it is acknowledged.
async fn asks(garden: &Garden, inbox: &RecordingInbox, name: &str, private: bool) -> (Value, Event) {
    let channel = if private { Value::Null } else { json!(garden.channel) };
    let slash = json!({"user": 7, "channel": channel, "name": name});
    let asked = garden.discord.act("slash", slash)["interaction"].clone();
    garden.discord.until(|| look(garden, &asked)["state"] == "thinking").await;
    (asked, inbox.events().pop().unwrap())
}

fn look(garden: &Garden, interaction: &Value) -> Value {
    garden.discord.look("interaction", json!({"id": interaction}))
}

fn answer(to: &Event, text: &str, audience: Option<&str>) -> Post {
    let audience = audience.map(|id| Principal::new("discord", None, id).unwrap());
    Post { reply_to: to.platform_message.clone(), audience, ..post(text) }
}

/// Texts with those who alone see them.
fn shown(garden: &Garden, interaction: &Value) -> Vec<(String, Value)> {
    let messages = look(garden, interaction)["messages"].as_array().unwrap().clone();
    messages
        .iter()
        .map(|one| (one["content"].as_str().unwrap().to_owned(), one["only_for"].clone()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_concern_one_person_are_answered_to_them_alone() {
    let garden = Garden::new().await;
    let (adapter, inbox) = (garden.adapter(), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, async {
        garden.commands().await;
        for name in ["gateway", "whoami", "link", "usage", "status"] {
            let (asked, event) = asks(&garden, &inbox, name, false).await;
            let reader = if name == "status" { json!(null) } else { json!("7") };
            assert_eq!(shown(&garden, &asked), [(String::new(), reader.clone())], "{name} is thinking");
            let sent = adapter.deliver(&garden.address(), Delivery::Post(answer(&event, name, None))).await;
            assert_eq!(shown(&garden, &asked), [(name.to_owned(), reader)]);
            // Also when it changes.
            let edit = Delivery::Edit { target: sent.unwrap().message.unwrap(), post: post("changed") };
            adapter.deliver(&garden.address(), edit).await.unwrap();
            assert_eq!(shown(&garden, &asked)[0].0, "changed");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_for_its_sender_although_everybody_has_seen_that_the_bot_thinks() {
    let garden = Garden::new().await;
    let (adapter, inbox) = (garden.adapter(), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, async {
        garden.commands().await;
        let (asked, event) = asks(&garden, &inbox, "new", false).await;
        assert_eq!(shown(&garden, &asked), [(String::new(), json!(null))]);
        let first = answer(&event, "only moderators may", Some("7"));
        let second = answer(&event, "use this", Some("7"));
        let second = Post { part: Part { key: 1, ..second.part.clone() }, ..second };
        for part in [first, second] {
            adapter.deliver(&garden.address(), Delivery::Post(part)).await.unwrap();
        }
        let alone = |text: &str| (text.to_owned(), json!("7"));
        assert_eq!(shown(&garden, &asked), [alone("only moderators may"), alone("use this")]);
        assert!(garden.discord.journal().calls_of("create_message").is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_for_one_person_stays_so_after_a_restart() {
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    let first = garden.adapter();
    let (asked, event) = running(&first, &inbox, async {
        garden.commands().await;
        asks(&garden, &inbox, "new", false).await
    })
    .await;
    let again = garden.adapter();
    let post = answer(&event, "only moderators may", Some("7"));
    again.deliver(&garden.address(), Delivery::Post(post)).await.unwrap();
    assert_eq!(shown(&garden, &asked), [("only moderators may".to_owned(), json!("7"))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_hidden_in_a_private_chat() {
    let garden = Garden::new().await;
    let (adapter, inbox) = (garden.adapter(), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, async {
        garden.commands().await;
        let (asked, event) = asks(&garden, &inbox, "whoami", true).await;
        let post = answer(&event, "you are 7", Some("7"));
        adapter.deliver(&event.address, Delivery::Post(post)).await.unwrap();
        assert_eq!(shown(&garden, &asked), [("you are 7".to_owned(), json!(null))]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_by_somebody_else_is_refused_to_them_alone() {
    let garden = Garden::new().await;
    let bob = garden.discord.user(8, "Bob");
    garden.discord.act("member", json!({"guild": 9000, "user": 8}));
    assert_eq!(bob.id.to_string(), "8");
    let (adapter, inbox) = (garden.adapter(), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, async {
        garden.connected().await;
        let ask = frontdesk_conformance::question(Principal::new("discord", None, "7").unwrap());
        let question = Post { ask: Some(ask), ..post("Shall it go on?") };
        let at = to(&format!("discord:{}", garden.channel));
        let sent = adapter.deliver(&at, Delivery::Post(question)).await.unwrap().message.unwrap();
        let button = garden.discord.shows(garden.channel)[0].buttons[0].0.clone();
        inbox.gives(Outcome::NotAnswered { ask: AskId(1), error: AskError::NotYours });
        let press = json!({"user": 8, "channel": garden.channel, "message": sent, "button": button});
        let pressed = garden.discord.act("press", press)["interaction"].clone();
        garden.discord.until(|| look(&garden, &pressed)["state"] == "answered").await;
        assert_eq!(shown(&garden, &pressed), [(AskError::NotYours.to_string(), json!("8"))]);
        assert_eq!(inbox.events().pop().unwrap().from.id.as_str(), "discord:8");
    })
    .await;
}
