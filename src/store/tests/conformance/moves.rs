//! Chats that get another id.

use frontdesk_core::address::Address;
use frontdesk_core::key::SessionKey;
use frontdesk_store::row::*;

use crate::fixture::*;

fn at(text: &str) -> Address {
    text.parse().unwrap()
}

async fn moved(fixture: &Fixture, from: &str, to: &str) -> Option<Moved> {
    fixture.store.chat_moved(&at(from), &at(to), true, t(50)).await.unwrap()
}

async fn send(fixture: &Fixture, to: &str, text: &str) -> OutboxRow {
    let outgoing = OutgoingMessage {
        address: at(to),
        session: None,
        parts: parts(text),
        media: vec![],
        key: format!("{to} {text}"),
        author: admin(),
        now: t(1),
    };
    fixture.store.send(outgoing).await.unwrap().remove(0)
}

async fn session(fixture: &Fixture, key: &str) -> SessionRow {
    fixture.store.session(&key.parse().unwrap()).await.unwrap().unwrap()
}

/// The chats where parts are, by their text.
async fn places(fixture: &Fixture) -> Vec<(String, String)> {
    let mut rows = fixture.store.parts(None, None, 100).await.unwrap();
    rows.reverse();
    rows.into_iter().map(|row| (row.post.part.body, row.address.to_string())).collect()
}

#[tokio::test]
async fn what_is_on_its_way_goes_to_the_new_id() {
    let fixture = Fixture::open().await;
    let unknown = send(&fixture, "telegram:-1", "unknown").await;
    let claimed = fixture.claim_part("-1").await.unwrap();
    fixture.part_ended(&claimed, SendResult::Unknown { error: "?".into() }).await;
    let gone = send(&fixture, "telegram:-1", "sent").await;
    let claimed = fixture.claim_part("-1").await.unwrap();
    assert_eq!((claimed.post.out, unknown.post.out < gone.post.out), (gone.post.out, true));
    fixture.part_ended(&claimed, sent("1")).await;
    send(&fixture, "telegram:-1", "sending").await;
    let sending = fixture.claim_part("-1").await.unwrap();
    for to in [
        "telegram:-1",
        "telegram:-1:topic:5",
        "telegram:-12",
        "telegram:work:-1",
        "telegram:-1:topic:topic:5",
    ] {
        send(&fixture, to, to).await;
    }
    let done = moved(&fixture, "telegram:-1", "telegram:-100").await.unwrap();
    assert_eq!(done.row, ChatAlias { original: at("telegram:-1"), current: at("telegram:-100") });
    assert_eq!(done.wake, [at("telegram:-100"), at("telegram:-100:topic:5")]);
    assert_eq!(
        places(&fixture).await,
        [
            ("unknown", "telegram:-100"),
            ("sent", "telegram:-1"),
            ("sending", "telegram:-100"),
            ("telegram:-1", "telegram:-100"),
            ("telegram:-1:topic:5", "telegram:-100:topic:5"),
            ("telegram:-12", "telegram:-12"),
            ("telegram:work:-1", "telegram:work:-1"),
            ("telegram:-1:topic:topic:5", "telegram:-1:topic:topic:5"),
        ]
        .map(|(text, to)| (text.to_owned(), to.to_owned()))
    );
    let later = SendResult::Later { pause: pause(60), error: "moved".into(), counts: false };
    assert!(fixture.part_ended(&sending, later).await, "whoever sends still holds it");
    assert_eq!(fixture.claim_part("-100").await.unwrap().post.out, sending.post.out);
}

#[tokio::test]
async fn turns_messages_and_sessions_follow_and_keep_their_keys() {
    let fixture = Fixture::open().await;
    let topic = "agent:main:telegram:topic:-1:5";
    let member = "agent:other:telegram:member:-1::anna";
    let group = "agent:main:telegram:group:-1";
    let here = |session: &str, to: &str, event: &str| {
        let message = Admitted { session: session.parse().unwrap(), ..in_group("-1", "anna", event, event) };
        with_event(message, |event| event.address = at(to))
    };
    fixture.accept_one(1, here(group, "telegram:-1", "1")).await;
    fixture.accept_one(1, here(topic, "telegram:-1:topic:5", "2")).await;
    fixture.accept_one(1, here(member, "telegram:-1", "3")).await;
    fixture.accept_one(1, in_group("-12", "anna", "4", "elsewhere")).await;
    fixture.accept_one(1, says("-1", "5", "a private chat")).await;
    let group_key: SessionKey = group.parse().unwrap();
    let running = fixture.store.claim_turn(&group_key, ONE, t(2)).await.unwrap().unwrap();
    moved(&fixture, "telegram:-1", "telegram:-100").await.unwrap();

    assert_eq!(session(&fixture, group).await.address, at("telegram:-100"));
    assert_eq!(session(&fixture, topic).await.address, at("telegram:-100:topic:5"));
    assert_eq!(session(&fixture, member).await.address, at("telegram:-100"));
    assert_eq!(session(&fixture, "agent:main:telegram:group:-12").await.address, at("telegram:-12"));
    let announced = fixture.finish(answered(&running, "A")).await;
    assert_eq!(announced[0].address, at("telegram:-100"));
    let topic: SessionKey = topic.parse().unwrap();
    let turn = fixture.store.claim_turn(&topic, ONE, t(3)).await.unwrap().unwrap();
    assert_eq!(
        (turn.address, turn.messages[0].address.clone()),
        (at("telegram:-100:topic:5"), at("telegram:-100:topic:5"))
    );
    let row = fixture.store.message(ids(&running)[0]).await.unwrap().unwrap().message;
    assert_eq!(row.address, at("telegram:-100"));
}

#[tokio::test]
async fn a_move_is_known_once_and_what_comes_after_it_still_follows() {
    let fixture = Fixture::open().await;
    assert!(moved(&fixture, "telegram:-1", "telegram:-100").await.is_some());
    assert_eq!(moved(&fixture, "telegram:-1", "telegram:-100").await, None);
    send(&fixture, "telegram:-1", "late").await;
    let late = moved(&fixture, "telegram:-1", "telegram:-100").await.unwrap();
    assert_eq!(late.wake, [at("telegram:-100")]);
    assert_eq!(moved(&fixture, "telegram:-1", "telegram:-100").await, None);
    let state = fixture.store.access_state().await.unwrap();
    assert_eq!(state.moved.len(), 1);
    assert_eq!(*fixture.renderer.access.lock().unwrap(), [(state, 0)], "the listener learns of it once");
}

#[tokio::test]
async fn a_chat_that_moves_twice_is_known_by_its_first_id() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, in_group("-1", "anna", "1", "x")).await;
    moved(&fixture, "telegram:-1", "telegram:-2").await;
    let done = moved(&fixture, "telegram:-2", "telegram:-3").await.unwrap();
    assert_eq!(done.row, ChatAlias { original: at("telegram:-1"), current: at("telegram:-3") });
    assert_eq!(session(&fixture, "agent:main:telegram:group:-1").await.address, at("telegram:-3"));
    let fixture = fixture.restarted(2).await;
    let known = fixture.store.access_state().await.unwrap().moved;
    let row = |current: &str| ChatAlias { original: at("telegram:-1"), current: at(current) };
    assert_eq!(known, [row("telegram:-2"), row("telegram:-3")]);
}

#[tokio::test]
async fn a_chat_does_not_move_to_where_it_is() {
    let fixture = Fixture::open().await;
    assert_eq!(moved(&fixture, "telegram:-1", "telegram:-1").await, None);
    moved(&fixture, "telegram:-1", "telegram:-2").await;
    assert_eq!(moved(&fixture, "telegram:-2", "telegram:-1").await, None);
    assert_eq!(fixture.store.access_state().await.unwrap().moved.len(), 1);
}
