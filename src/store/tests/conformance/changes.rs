//! What agents do with messages that were sent or received before.

use frontdesk_core::account::AccountId;
use frontdesk_core::id::{ChatMessageId, OutId};
use frontdesk_core::markup::Part;
use frontdesk_store::row::{
    Change, ChangeRefused, ClaimedTurn, MessageChange, OutboxAct, OutboxState, OutgoingMessage, SendResult,
};

use crate::fixture::{Fixture, address, admin, answered, done, key, says, sent, t};

impl Fixture {
    /// A running turn, and a message that its agent has sent.
    async fn sending(&self) -> (ClaimedTurn, OutId) {
        let turn = self.turn("anna", "a").await;
        let outgoing = OutgoingMessage {
            address: address("anna"),
            session: Some(key("anna")),
            parts: vec![part("draft")],
            media: vec![],
            key: "k1".into(),
            author: admin(),
            now: t(1),
        };
        let rows = done(self.store.send_in_turn(turn.claim, outgoing, None).await.unwrap()).unwrap();
        (turn, rows[0].post.out)
    }

    /// The turn does something with a message.
    async fn does(&self, turn: &ClaimedTurn, of: ChatMessageId, change: Change) -> Result<(), ChangeRefused> {
        let key = format!("{of} {change:?}");
        let change = MessageChange { of, change, key, author: admin(), now: t(2) };
        done(self.store.changed_in_turn(turn.claim, change).await.unwrap()).map(drop)
    }
}

fn part(text: &str) -> Part {
    Part { key: 0, body: text.into(), plain: text.into() }
}

fn gone() -> SendResult {
    SendResult::Dead { error: "refused".into() }
}

#[tokio::test]
async fn a_change_is_sent_once_the_platform_has_named_its_message() {
    let fixture = Fixture::open().await;
    let (turn, out) = fixture.sending().await;
    let own = ChatMessageId::Sent(out);
    fixture.does(&turn, own, Change::Edit(part("final"))).await.unwrap();
    fixture.does(&turn, own, Change::Pin).await.unwrap();
    let post = fixture.claim_part("anna").await.unwrap();
    assert_eq!((post.act, post.target.as_deref()), (OutboxAct::Post, None));
    fixture.part_ended(&post, sent("77")).await;
    for (act, body) in [(OutboxAct::Edit, "final"), (OutboxAct::Pin, "")] {
        let row = fixture.claim_part("anna").await.unwrap();
        assert_eq!((row.act, row.target.as_deref(), row.post.part.body.as_str()), (act, Some("77"), body));
        fixture.part_ended(&row, SendResult::Sent { platform_message: None }).await;
    }
    // Another turn of the conversation may change it too, and one of another conversation may not.
    fixture.finish(answered(&turn, "A")).await;
    let later = fixture.turn("anna", "b").await;
    assert_eq!(fixture.does(&later, own, Change::Delete).await, Ok(()));
    let ben = fixture.turn("ben", "c").await;
    assert_eq!(fixture.does(&ben, own, Change::Pin).await, Err(ChangeRefused::NoSuchMessage));
}

#[tokio::test]
async fn a_change_of_a_message_that_never_arrives_is_dropped() {
    let fixture = Fixture::open().await;
    let (turn, out) = fixture.sending().await;
    let own = ChatMessageId::Sent(out);
    fixture.does(&turn, own, Change::Edit(part("final"))).await.unwrap();
    let post = fixture.claim_part("anna").await.unwrap();
    fixture.part_ended(&post, gone()).await;
    let notice = fixture.claim_part("anna").await.unwrap();
    assert!(!notice.post.part.body.contains("final"), "the chat is told that a message is missing");
    assert_eq!(fixture.texts(OutboxState::Dropped).await, ["final"]);
    assert_eq!(fixture.does(&turn, own, Change::Pin).await, Err(ChangeRefused::NotSent));
}

#[tokio::test]
async fn an_edit_that_is_not_made_leaves_no_message_and_no_notice() {
    for how in ["refused", "another login", "too late"] {
        let fixture = Fixture::open().await;
        let (turn, out) = fixture.sending().await;
        let post = fixture.claim_part("anna").await.unwrap();
        fixture.part_ended(&post, sent("77")).await;
        fixture.does(&turn, ChatMessageId::Sent(out), Change::Edit(part("final"))).await.unwrap();
        let account: AccountId = "telegram".parse().unwrap();
        match how {
            "refused" => {
                let edit = fixture.claim_part("anna").await.unwrap();
                fixture.part_ended(&edit, gone()).await;
            }
            "another login" => {
                fixture.store.account_connects(&account, "1".into(), t(3)).await.unwrap();
                fixture.store.account_connects(&account, "2".into(), t(4)).await.unwrap();
            }
            _ => fixture.store.expire_parts(t(90), t(91)).await.unwrap(),
        }
        assert!(fixture.claim_part("anna").await.is_none(), "{how}");
    }
}

#[tokio::test]
async fn a_message_of_a_person_is_not_edited_and_one_without_an_id_is_not_found() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    let received = ChatMessageId::Received(turn.messages[0].id);
    assert_eq!(fixture.does(&turn, received, Change::Edit(part("x"))).await, Err(ChangeRefused::NotYours));
    fixture.does(&turn, received, Change::React("👍".into())).await.unwrap();
    let row = fixture.claim_part("anna").await.unwrap();
    assert_eq!(
        (row.act, row.target.as_deref(), row.post.part.body.as_str()),
        (OutboxAct::React, Some("p-anna-a"), "👍")
    );
    // A reaction that is refused is no gap.
    assert!(!fixture.part_ended(&row, SendResult::Unmarked { error: "no".into() }).await);
    let later = fixture.accept_one(20, says("anna", "2", "b")).await;
    let account: AccountId = "telegram".parse().unwrap();
    fixture.store.account_connects(&account, "1".into(), t(3)).await.unwrap();
    fixture.does(&turn, received, Change::Pin).await.unwrap();
    fixture.store.account_connects(&account, "2".into(), t(4)).await.unwrap();
    assert!(fixture.claim_part("anna").await.is_none(), "it belongs to the login before");
    let unnamed = fixture.does(&turn, ChatMessageId::Received(later), Change::Pin).await;
    assert_eq!(unnamed, Err(ChangeRefused::NoSuchMessage));
}
