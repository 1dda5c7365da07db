//! An account that becomes another bot's: what the platform called by the ids of the bot before is forgotten.

use frontdesk_core::account::AccountId;

use crate::fixture::*;

fn account() -> AccountId {
    address("anna").account().clone()
}

impl Fixture {
    /// The account of anna's chat connects as this bot; returns whether it was another one before.
    async fn connects_as(&self, login: &str) -> bool {
        let account = &account();
        self.store.account_connects(account, login.to_owned(), t(200)).await.unwrap()
    }

    /// An answer to anna that was sent as the platform's message 77; her question was p-anna-QUESTION.
    async fn exchange(&self, question: &str) {
        let turn = self.turn("anna", question).await;
        self.finish(answered(&turn, "Well")).await;
        let part = self.claim_part("anna").await.unwrap();
        self.part_ended(&part, sent("77")).await;
    }

    async fn knows(&self, platform_message: &str) -> bool {
        self.store.quote_of(&address("anna"), platform_message).await.unwrap().is_some()
    }
}

#[tokio::test]
async fn the_login_of_an_account_is_remembered() {
    let fixture = Fixture::open().await;
    let login = async |fixture: &Fixture| fixture.store.account_login(&account()).await.unwrap();
    assert_eq!(login(&fixture).await, None);
    assert!(!fixture.connects_as("100").await, "nothing was known of a bot before");
    assert!(!fixture.connects_as("100").await);
    let fixture = fixture.restarted(2).await;
    assert_eq!(login(&fixture).await.as_deref(), Some("100"));
    assert!(fixture.connects_as("200").await);
    assert_eq!(login(&fixture).await.as_deref(), Some("200"));
}

#[tokio::test]
async fn a_first_login_and_the_same_again_forget_nothing() {
    let fixture = Fixture::open().await;
    fixture.exchange("a").await;
    for _ in 0..2 {
        fixture.connects_as("100").await;
        assert!(fixture.knows("77").await && fixture.knows("p-anna-a").await);
    }
}

#[tokio::test]
async fn another_login_does_not_know_the_messages_of_the_one_before() {
    let fixture = Fixture::open().await;
    fixture.connects_as("100").await;
    fixture.exchange("a").await;
    assert!(fixture.knows("77").await && fixture.knows("p-anna-a").await);
    fixture.connects_as("200").await;
    assert!(!fixture.knows("77").await, "a sent one");
    assert!(!fixture.knows("p-anna-a").await, "a received one");
}

#[tokio::test]
async fn other_accounts_keep_what_they_know() {
    let fixture = Fixture::open().await;
    let other: AccountId = "telegram@work".parse().unwrap();
    fixture.store.account_connects(&other, "1".into(), t(1)).await.unwrap();
    fixture.connects_as("100").await;
    fixture.exchange("a").await;
    assert!(fixture.store.account_connects(&other, "2".into(), t(2)).await.unwrap());
    assert!(fixture.knows("77").await && fixture.knows("p-anna-a").await);
}

#[tokio::test]
async fn an_answer_replies_to_nothing_that_another_login_received() {
    let fixture = Fixture::open().await;
    fixture.connects_as("100").await;
    let running = fixture.turn("anna", "a").await;
    fixture.accept_one(20, says("anna", "2", "b")).await;
    fixture.connects_as("200").await;
    fixture.finish(answered(&running, "A")).await;
    assert_eq!(fixture.claim_part("anna").await.unwrap().post.reply_to, None, "its turn ran");
    let waiting = fixture.claim("anna").await.unwrap();
    assert_eq!(waiting.messages[0].platform_message, None, "it waited");
}

#[tokio::test]
async fn an_edit_that_is_still_to_be_sent_becomes_a_new_message() {
    for finished_first in [true, false] {
        let fixture = Fixture::open().await;
        fixture.connects_as("100").await;
        let turn = fixture.turn("anna", "a").await;
        let row = done(fixture.store.stream(turn.claim, "We".into(), t(101)).await.unwrap()).unwrap();
        fixture.store.streamed(row.post.out, "77".into()).await.unwrap();
        if finished_first {
            fixture.finish(answered(&turn, "Well, yes.")).await;
            fixture.connects_as("200").await;
        } else {
            fixture.connects_as("200").await;
            fixture.finish(answered(&turn, "Well, yes.")).await;
        }
        let part = fixture.claim_part("anna").await.unwrap();
        assert_eq!((part.post.part.body.as_str(), part.edit()), ("Well, yes.", None));
        fixture.part_ended(&part, sent("1")).await;
        assert!(
            fixture.claim_part("anna").await.is_none(),
            "nothing is deleted with an id of the bot before"
        );
    }
}
