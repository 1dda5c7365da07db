//! The button that drops a message goes with whatever ends the message, and its notice says so.

use frontdesk_core::command::WaitingPlace;
use frontdesk_core::id::MessageId;
use frontdesk_core::notice::Notice;
use frontdesk_store::row::*;

use crate::fixture::*;

const WHO: &str = "web:main";

/// A running turn, and a message that its agent did not take in, with a button that drops it.
async fn waits(fixture: &Fixture) -> (ClaimedTurn, MessageId) {
    let turn = fixture.turn(WHO, "hi").await;
    let message = fixture.accept_one(11, says(WHO, "2", "later")).await;
    done(fixture.store.steered(turn.claim, message, t(12)).await.unwrap());
    done(fixture.store.unsteered(turn.claim, message, t(12)).await.unwrap());
    let open = fixture.store.open_asks(None).await.unwrap();
    assert_eq!(open.iter().map(|ask| ask.choices[0].label.as_str()).collect::<Vec<_>>(), ["Drop it"]);
    (turn, message)
}

/// What stands in place of the notice once it has lost its button.
async fn closed(fixture: &Fixture) -> String {
    assert_eq!(fixture.store.open_asks(None).await.unwrap(), []);
    let frames = fixture.store.frames(&key(WHO), 0, 20).await.unwrap();
    let is_closed = |frame: &&OutboxRow| frame.post.ask.as_ref().is_some_and(|ask| ask.closed.is_some());
    frames.iter().find(is_closed).expect("the button goes").post.part.body.clone()
}

async fn commanded(fixture: &Fixture, effect: CommandEffect) {
    let command = fixture.accept_one(13, commands(WHO, "c", EpochChange::ByRule)).await;
    let reply = Box::new(|_: &CommandFacts| "ok".to_owned());
    done(fixture.store.answer_command(command, effect, t(14), reply).await.unwrap());
}

#[tokio::test]
async fn whatever_ends_a_message_that_waits_takes_its_button_away_and_says_so() {
    for way in
        ["/stop", "the session is stopped", "/queue drop", "nobody waits for it", "revoked", "revoked here"]
    {
        let fixture = Fixture::open().await;
        let (_turn, message) = waits(&fixture).await;
        match way {
            "/stop" => commanded(&fixture, CommandEffect::Stop).await,
            "the session is stopped" => {
                fixture.store.cancel(&key(WHO), &admin(), t(14)).await.unwrap();
            }
            "/queue drop" => {
                let what = Dequeue::One(WaitingPlace::Message(message));
                commanded(&fixture, CommandEffect::Dequeue { what, any: true }).await;
            }
            "nobody waits for it" => {
                fixture.store.cancel_message(message, t(14)).await.unwrap().unwrap();
            }
            _ => {
                let principal = fixture.store.message(message).await.unwrap().unwrap().message.from.id;
                let scope = (way == "revoked here").then_some(Scope::Dm);
                let change = AccessChange::Revoke { principal, scope, also: Vec::new(), private: None };
                fixture.change(14, change).await;
            }
        }
        assert_ne!(fixture.state(message).await.0, "waiting", "{way}");
        let told = format!("{}\n\nIt is not answered: it was stopped or dropped.", Notice::FollowsUp.text());
        assert_eq!(closed(&fixture).await, told, "{way}");
    }
}

#[tokio::test]
async fn a_message_whose_answer_begins_only_loses_its_button() {
    let fixture = Fixture::open().await;
    let (turn, message) = waits(&fixture).await;
    fixture.finish(answered(&turn, "A")).await;
    assert_eq!(ids(&fixture.claim(WHO).await.unwrap()), [message]);
    assert_eq!(closed(&fixture).await, Notice::FollowsUp.text());
}
