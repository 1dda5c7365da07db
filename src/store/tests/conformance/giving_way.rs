//! Results of background work give way to what people have asked for, and stay in order among themselves.

use frontdesk_core::id::ChatMessageId;
use frontdesk_core::markup::Part;
use frontdesk_store::row::*;

use crate::fixture::*;
use crate::tasks::{claimed, placed, submitted, task};

impl Fixture {
    /// The turn of a new task.
    async fn works(&self, text: &str) -> ClaimedTurn {
        submitted(self, task("anna", text)).await;
        let session = placed(self, "anna").await.remove(0);
        claimed(self, &session).await
    }

    /// A task that has ended with this result.
    async fn reports(&self, result: &str) {
        let turn = self.works(&result.replace('|', " ")).await;
        self.finish(answered(&turn, result)).await;
    }

    async fn answers(&self, answer: &str) {
        let turn = self.turn("anna", answer).await;
        self.finish(answered(&turn, answer)).await;
    }

    /// Sends everything, and returns the ends of the texts.
    async fn sends_all(&self) -> Vec<String> {
        let mut texts = Vec::new();
        while let Some(part) = self.claim_part("anna").await {
            texts.push(end(&part));
            self.part_ended(&part, sent(&texts.len().to_string())).await;
        }
        texts
    }
}

/// The last line of a part.
fn end(part: &OutboxRow) -> String {
    part.post.part.body.lines().last().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_answer_goes_before_results_that_wait() {
    let fixture = Fixture::open().await;
    fixture.reports("result 1").await;
    fixture.reports("result 2").await;
    fixture.answers("one|two").await;
    fixture.answers("three").await;
    assert_eq!(fixture.sends_all().await, ["one", "two", "three", "result 1", "result 2"]);
}

#[tokio::test]
async fn nothing_goes_between_the_parts_of_a_result() {
    let fixture = Fixture::open().await;
    fixture.reports("begin|end").await;
    fixture.reports("next").await;
    let begin = fixture.claim_part("anna").await.unwrap();
    assert_eq!(end(&begin), "begin");
    fixture.answers("answer").await;
    assert!(fixture.claim_part("anna").await.is_none(), "one at a time");
    fixture.part_ended(&begin, sent("1")).await;
    assert_eq!(fixture.sends_all().await, ["end", "answer", "next"]);
}

#[tokio::test]
async fn a_result_that_is_to_be_tried_again_keeps_its_place() {
    let fixture = Fixture::open().await;
    fixture.reports("result").await;
    let result = fixture.claim_part("anna").await.unwrap();
    let later = SendResult::Later { pause: pause(400), error: "429".into(), counts: false };
    fixture.part_ended(&result, later).await;
    fixture.answers("answer").await;
    assert_eq!(fixture.store.claim_part(&address("anna"), t(399)).await.unwrap(), NextPart::Wait(t(400)));
}

#[tokio::test]
async fn a_change_of_a_message_does_not_go_before_it() {
    let fixture = Fixture::open().await;
    fixture.reports("result").await;
    let turn = fixture.works("work").await;
    let draft = OutgoingMessage {
        address: address("anna"),
        session: Some(key("anna")),
        parts: parts("draft"),
        media: vec![],
        key: "k".into(),
        author: admin(),
        now: t(1),
    };
    let rows = done(fixture.store.send_in_turn(turn.claim, draft, None).await.unwrap()).unwrap();
    let of = ChatMessageId::Sent(rows[0].post.out);
    let change = Change::Edit(Part { key: 0, body: "edit".into(), plain: "edit".into() });
    let change = MessageChange { of, change, key: "edit".into(), author: admin(), now: t(2) };
    done(fixture.store.changed_in_turn(turn.claim, change).await.unwrap()).unwrap();
    fixture.answers("answer").await;
    assert_eq!(fixture.sends_all().await, ["answer", "result", "draft", "edit"]);
}
