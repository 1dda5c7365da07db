//! Chats as admins set them.

use frontdesk_core::address::Address;
use frontdesk_core::key::SessionKey;
use frontdesk_store::row::*;

use crate::fixture::*;

fn serve(chat: &str, allowed: bool) -> AccessChange {
    AccessChange::Serve { chat: address(chat), allowed }
}

fn mute(chat: &str, until: Option<i64>) -> AccessChange {
    AccessChange::Mute { chat: address(chat), until: until.map(t) }
}

fn served(new: bool) -> AccessDone {
    AccessDone::Served { new, ended: Revoked::default() }
}

async fn chats(fixture: &Fixture) -> Vec<(String, bool, Option<i64>)> {
    let rows = fixture.store.access_state().await.unwrap().chats;
    let until = |row: &ChatRow| row.muted_until.map(|until| (until - t(0)).num_seconds());
    rows.iter().map(|row| (row.chat.to_string(), row.allowed, until(row))).collect()
}

fn session(text: &str) -> SessionKey {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_group_is_served_until_it_is_not() {
    let fixture = Fixture::open().await;
    assert_eq!(fixture.change(1, serve("-1", true)).await, served(true));
    assert_eq!(fixture.change(2, serve("-1", true)).await, served(false));
    assert_eq!(chats(&fixture).await, [("telegram:-1".into(), true, None)]);
    assert_eq!(fixture.change(3, serve("-1", false)).await, served(true));
    assert_eq!(fixture.change(4, serve("-2", false)).await, served(false));
    assert_eq!(chats(&fixture).await[0], ("telegram:-1".into(), false, None));
    assert_eq!(
        fixture.audit().await,
        [
            "serve telegram:-1: done",
            "serve telegram:-1: unchanged",
            "unserve telegram:-1: done",
            "unserve telegram:-2: unchanged"
        ]
    );
}

#[tokio::test]
async fn a_group_that_is_served_no_more_has_nothing_open() {
    let fixture = Fixture::open().await;
    fixture.change(1, serve("-1", true)).await;
    let running = fixture.accept_one(1, in_group("-1", "anna", "1", "runs")).await;
    let group = session("agent:main:telegram:group:-1");
    let turn = fixture.store.claim_turn(&group, ONE, t(2)).await.unwrap().unwrap();
    let waiting = fixture.accept_one(3, in_group("-1", "bob", "2", "waits")).await;
    let command = Admitted { disposition: Disposition::Command, ..in_group("-1", "bob", "3", "/help") };
    let command = fixture.accept_one(3, command).await;
    let topic = "agent:main:telegram:topic:-1:5";
    let topic_message = fixture
        .accept_one(3, Admitted { session: session(topic), ..in_group("-1", "bob", "4", "topic") })
        .await;
    let context_message =
        Admitted { disposition: Disposition::Context(9), ..in_group("-1", "eve", "5", "psst") };
    fixture.accept(3, vec![context_message]).await;
    let mut kept = vec![fixture.accept_one(3, in_group("-12", "bob", "6", "another group")).await];
    kept.push(fixture.accept_one(3, says("-1", "7", "a private chat with the same id")).await);
    let discord = Admitted {
        session: session("agent:main:discord:group:-1"),
        ..in_group("-1", "bob", "8", "another channel")
    };
    kept.push(fixture.accept_one(3, discord).await);

    let AccessDone::Served { new: true, ended } = fixture.change(4, serve("-1", false)).await else {
        panic!()
    };
    assert_eq!(ended.running, [(group.clone(), address("-1"), turn.claim.id)]);
    let ended_waiting: Vec<_> = ended.waiting.iter().map(|(key, _, id)| (key.to_string(), *id)).collect();
    let here = group.to_string();
    assert_eq!(ended_waiting, [(here.clone(), waiting), (here, command), (topic.into(), topic_message)]);
    assert_eq!(fixture.state(running).await, ("cancelled".into(), Some("revoked".into())));
    for id in [waiting, command, topic_message] {
        assert_eq!(fixture.state(id).await, ("refused".into(), Some("revoked".into())));
    }
    for id in kept {
        assert_eq!(fixture.state(id).await.0, "waiting");
    }
    assert_eq!(fixture.store.waiting(), 3);
    fixture.accept_one(5, in_group("-1", "anna", "9", "once more")).await;
    let next = fixture.store.claim_turn(&group, ONE, t(6)).await.unwrap().unwrap();
    assert_eq!(next.context_messages, []);
}

#[tokio::test]
async fn a_muted_chat_goes_on_waiting() {
    let fixture = Fixture::open().await;
    let id = fixture.accept_one(1, in_group("-1", "anna", "1", "hello")).await;
    assert_eq!(fixture.change(2, mute("-1", Some(500))).await, AccessDone::Muted { before: false });
    assert_eq!(fixture.change(3, mute("-1", Some(500))).await, AccessDone::Muted { before: true });
    assert_eq!(chats(&fixture).await, [("telegram:-1".into(), false, Some(500))]);
    assert_eq!(fixture.state(id).await.0, "waiting");
    fixture.change(4, serve("-1", true)).await;
    assert_eq!(chats(&fixture).await, [("telegram:-1".into(), true, Some(500))]);
    fixture.change(5, mute("-1", None)).await;
    assert_eq!(chats(&fixture).await, [("telegram:-1".into(), true, None)]);
    assert_eq!(
        fixture.audit().await,
        [
            "mute telegram:-1: done",
            "mute telegram:-1: unchanged",
            "serve telegram:-1: done",
            "unmute telegram:-1: done"
        ]
    );
}

#[tokio::test]
async fn a_chat_of_another_account_is_another_chat() {
    let fixture = Fixture::open().await;
    let id = fixture.accept_one(1, in_group("-1", "anna", "1", "hello")).await;
    let chat = Address::new("telegram", Some("work"), "-1", None).unwrap();
    fixture.change(2, AccessChange::Serve { chat, allowed: false }).await;
    assert_eq!(fixture.state(id).await.0, "waiting");
}
