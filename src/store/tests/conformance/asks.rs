//! Questions to people: opened with their message, answered once, ended with what asked them.

mod ended;

use std::time::Duration;

use frontdesk_core::ask::{Answerer, AskAnswer, AskEnd, AskError, AskKind, AskState, Audience, Question};
use frontdesk_core::id::AskId;
use frontdesk_core::message::EventKind;
use frontdesk_store::row::*;

use crate::fixture::*;

fn question(text: &str) -> Question {
    let question = Question {
        kind: AskKind::Permission,
        text: text.to_owned(),
        choices: Vec::new(),
        audience: None,
        deadline: Some(Duration::from_secs(600)),
        default: None,
    };
    question.completed().unwrap()
}

pub fn new_ask(ordinal: u32, text: &str) -> NewAsk {
    let audience = Audience::People(vec![person("anna")]);
    NewAsk { ordinal, question: question(text), audience }
}

fn by(who: &str) -> Answerer {
    Answerer { id: person(who), name: Some(format!("Shown as {who}")) }
}

pub fn answering(ask: AskId, who: &str, position: usize) -> Answering {
    Answering {
        ask,
        given: GivenAnswer::Position(position),
        by: by(who),
        standing: Standing::Person,
        place: Some(key("anna")),
        under: None,
    }
}

fn chosen(choice: &str) -> AskAnswer {
    AskAnswer::Choice(choice.to_owned())
}

/// A press of a button, as the gate decides about it.
fn press(event: &str, ask: AskId, who: &str, position: usize) -> Admitted {
    let disposition = Disposition::Answer(Box::new(answering(ask, who, position)));
    let message = Admitted { disposition, ..says(who, event, &format!("{ask}:{position}")) };
    with_event(message, |event| event.kind = EventKind::Button { target: None })
}

impl Fixture {
    async fn open_ask(&self, turn: &ClaimedTurn, ordinal: u32, text: &str) -> AskOpened {
        done(self.store.ask_opened(turn.claim, new_ask(ordinal, text), t(11)).await.unwrap())
    }

    /// A turn of anna's with an open question.
    async fn asking(&self) -> (ClaimedTurn, AskId) {
        let turn = self.turn("anna", "hi").await;
        let AskOpened::Open(id) = self.open_ask(&turn, 0, "Delete it?").await else { panic!() };
        (turn, id)
    }

    async fn end_of(&self, ask: AskId) -> Option<AskEnd> {
        self.store.ask(ask).await.unwrap().unwrap().end
    }

    /// The oldest part for anna is sent under this id of the platform.
    async fn sends(&self, platform_message: &str) -> OutboxRow {
        let row = self.claim_part("anna").await.unwrap();
        self.part_ended(&row, SendResult::Sent { platform_message: Some(platform_message.to_owned()) }).await;
        row
    }
}

#[tokio::test]
async fn a_question_is_opened_together_with_its_message() {
    let fixture = Fixture::open().await;
    let (turn, id) = fixture.asking().await;
    let view = fixture.store.open_asks(Some(&key("anna"))).await.unwrap().remove(0);
    assert_eq!((view.id, view.turn, view.state()), (id, Some(turn.claim.id), AskState::Open));
    assert_eq!(view.audience, Audience::People(vec![person("anna")]));
    let row = fixture.claim_part("anna").await.unwrap();
    let posted = row.post.ask.clone().unwrap();
    assert_eq!((posted.id, posted.choices.len(), posted.closed), (id, 2, None));
    assert!(row.post.part.body.contains("/answer 1 1"), "this channel has no buttons: {row:?}");
    fixture.part_ended(&row, SendResult::Sent { platform_message: Some("q".into()) }).await;
    let found = fixture.store.ask_in(&address("anna"), "q").await.unwrap().unwrap();
    assert_eq!(found.id, id);
    assert_eq!(fixture.store.ask_in(&address("bob"), "q").await.unwrap(), None);
}

#[tokio::test]
async fn an_answer_holds_once_and_the_message_of_the_question_changes() {
    let fixture = Fixture::open().await;
    let (_turn, id) = fixture.asking().await;
    fixture.sends("q").await;
    let answer = |who: &str, position| fixture.store.ask_answered(answering(id, who, position), t(20));
    assert_eq!(answer("bob", 0).await.unwrap(), Err(AskError::NotYours));
    assert_eq!(answer("anna", 5).await.unwrap(), Err(AskError::UnknownChoice));
    let answered = answer("anna", 0).await.unwrap().unwrap();
    assert_eq!(answered, Answered { shown: "Allow".into(), confirmed: None });
    let end = AskEnd::Answered { answer: chosen("allow"), by: by("anna") };
    assert_eq!(answer("anna", 1).await.unwrap(), Err(AskError::Closed(end.clone())));
    assert_eq!(fixture.end_of(id).await, Some(end.clone()));
    let told = fixture.renderer.ended_asks.lock().unwrap().clone();
    assert_eq!(told.iter().map(|ended| (ended.id, &ended.end)).collect::<Vec<_>>(), [(id, &end)]);
    let edit = fixture.claim_part("anna").await.unwrap();
    assert_eq!((edit.edit(), edit.post.ask.clone().unwrap().closed), (Some("q"), Some(end)));
    assert!(edit.post.part.body.contains("Shown as anna"), "{}", edit.post.part.body);
}

#[tokio::test]
async fn a_resumed_turn_gets_its_open_question_and_its_stored_answer() {
    let fixture = Fixture::open().await;
    let (turn, id) = fixture.asking().await;
    done(fixture.store.requeue(turn.claim, None, t(1)).await.unwrap());
    let again = fixture.claim("anna").await.unwrap();
    assert_eq!(fixture.open_ask(&again, 0, "Delete it?").await, AskOpened::Open(id));
    fixture.store.ask_answered(answering(id, "anna", 1), t(20)).await.unwrap().unwrap();
    done(fixture.store.requeue(again.claim, None, t(1)).await.unwrap());
    let again = fixture.claim("anna").await.unwrap();
    let AskOpened::Ended(end) = fixture.open_ask(&again, 0, "Delete it?").await else { panic!() };
    assert_eq!(end.answer(), Some(&chosen("deny")));
    let late = fixture.store.ask_opened(turn.claim, new_ask(1, "x"), t(30)).await.unwrap();
    assert_eq!(late, Fenced::Stale);
}

#[tokio::test]
async fn a_resumed_turn_that_asks_something_else_withdraws_the_old_question() {
    let fixture = Fixture::open().await;
    let (turn, old) = fixture.asking().await;
    done(fixture.store.requeue(turn.claim, None, t(1)).await.unwrap());
    let again = fixture.claim("anna").await.unwrap();
    let AskOpened::Open(new) = fixture.open_ask(&again, 0, "Delete all?").await else { panic!() };
    assert_ne!(new, old);
    assert_eq!((fixture.end_of(old).await, fixture.end_of(new).await), (Some(AskEnd::Cancelled), None));
}

#[tokio::test]
async fn a_start_keeps_the_question_of_a_turn_that_runs_again_and_ends_the_others() {
    for acted in [false, true] {
        let fixture = Fixture::open().await;
        let (turn, id) = fixture.asking().await;
        if acted {
            done(fixture.store.side_effect(turn.claim, String::new(), t(12)).await.unwrap());
        }
        let fixture = fixture.restarted(2).await;
        fixture.store.recover(Recovery { now: t(20), max_deaths: 3, resend: true }).await.unwrap();
        let expected = acted.then_some(AskEnd::Expired { default: None });
        assert_eq!(fixture.end_of(id).await, expected);
    }
}

#[tokio::test]
async fn a_turn_and_a_session_have_a_limited_number_of_open_questions() {
    let fixture = Fixture::open().await;
    let (turn, _) = fixture.asking().await;
    for n in 1..4 {
        assert!(matches!(fixture.open_ask(&turn, n, "And?").await, AskOpened::Open(_)));
    }
    assert_eq!(fixture.open_ask(&turn, 4, "And?").await, AskOpened::TooMany);
}

#[tokio::test]
async fn a_press_is_stored_if_it_counts_and_a_redelivery_is_recognised() {
    let fixture = Fixture::open().await;
    let (_turn, id) = fixture.asking().await;
    let refused = fixture.accept(20, vec![press("e1", id, "bob", 0)]).await;
    assert_eq!(refused, [Stored::NotAnswered { ask: id, error: AskError::NotYours }]);
    let accepted = fixture.accept(21, vec![press("e2", id, "anna", 0)]).await;
    let [Stored::Answered { message, ask, ref answered }] = accepted[..] else { panic!("{accepted:?}") };
    assert_eq!((ask, answered.shown.as_str(), answered.confirmed), (id, "Allow", None));
    let row = fixture.store.message(message).await.unwrap().unwrap().message;
    assert_eq!((row.disposition, row.state), (RowDisposition::Answer, MessageState::Answered));
    assert_eq!(fixture.store.waiting(), 0);
    let again = fixture.accept(22, vec![press("e2", id, "anna", 0)]).await;
    assert!(matches!(again[..], [Stored::Duplicate { same: true, .. }]), "{again:?}");
    let second = fixture.accept(23, vec![press("e3", id, "anna", 1)]).await;
    assert!(matches!(second[..], [Stored::NotAnswered { error: AskError::Closed(_), .. }]), "{second:?}");
}

#[tokio::test]
async fn a_person_answers_only_where_they_may_write() {
    let fixture = Fixture::open().await;
    let (_turn, id) = fixture.asking().await;
    for (place, is_asked) in [(None, false), (Some(key("bob")), false), (Some(key("anna")), true)] {
        let answer = Answering { place, ..answering(id, "anna", 1) };
        let answered = fixture.store.ask_answered(answer, t(12)).await.unwrap();
        assert_eq!(answered.is_ok(), is_asked, "{answered:?}");
    }
}

#[tokio::test]
async fn a_confirmed_command_waits_once_with_the_person_who_confirmed_it() {
    let fixture = Fixture::open().await;
    let command = fixture.accept_one(1, commands("anna", "1", EpochChange::ByRule)).await;
    let confirmation = CommandChoices {
        question: question("Stop?"),
        commands: vec![("allow".into(), "/gateway stop confirm".into())],
    };
    let reply: frontdesk_store::Reply = Box::new(|_| "never shown".into());
    let answered = fixture.store.answer_with(
        command,
        CommandEffect::None,
        ReplyForm::Question(confirmation),
        t(2),
        reply,
    );
    done(answered.await.unwrap());
    let asked = fixture.store.open_asks(None).await.unwrap().remove(0);
    assert_eq!(
        (asked.turn, &asked.audience),
        (None, &Audience::People(vec![asked_by(&fixture, command).await]))
    );
    fixture.sends("q").await;
    let fixture = fixture.restarted(2).await;
    let who = asked_by(&fixture, command).await;
    let answering = Answering { by: Answerer { id: who.clone(), name: None }, ..answering(asked.id, "x", 0) };
    let refused = fixture.store.ask_answered(answering.clone(), t(3)).await.unwrap();
    assert_eq!(refused.unwrap_err(), AskError::NotYours, "they are no admin any more");
    let answering = Answering { standing: Standing::Admin, ..answering };
    let confirmed = fixture.store.ask_answered(answering, t(3)).await.unwrap().unwrap().confirmed.unwrap();
    let waiting = fixture.store.command(confirmed).await.unwrap().unwrap();
    assert_eq!((waiting.text.as_str(), &waiting.from.id), ("/gateway stop confirm", &who));
    assert_eq!(fixture.store.waiting(), 1);
    let recovered = fixture.store.recover(Recovery { now: t(9), max_deaths: 3, resend: true }).await.unwrap();
    assert_eq!(recovered.commands, [confirmed]);
}

#[tokio::test]
async fn each_choice_of_a_menu_runs_its_own_command_and_a_menu_takes_no_place_of_a_question() {
    let fixture = Fixture::open().await;
    for event in 1..10 {
        let command =
            fixture.accept_one(event, commands("anna", &event.to_string(), EpochChange::ByRule)).await;
        let choices = CommandChoices {
            question: Question { kind: AskKind::Choice, ..question("Which?") },
            commands: vec![("allow".into(), "/model a".into()), ("deny".into(), "/model b".into())],
        };
        let reply: frontdesk_store::Reply = Box::new(|_| "never shown".into());
        done(
            fixture
                .store
                .answer_with(command, CommandEffect::None, ReplyForm::Question(choices), t(20), reply)
                .await
                .unwrap(),
        );
    }
    for (menu, position, runs) in [(0, 1, "/model b"), (1, 0, "/model a")] {
        let asked = fixture.store.open_asks(None).await.unwrap().swap_remove(menu);
        let Audience::People(people) = &asked.audience else { panic!("{asked:?}") };
        let by = Answerer { id: people[0].clone(), name: None };
        let answer = Answering { by, ..answering(asked.id, "x", position) };
        let ran = fixture.store.ask_answered(answer, t(21)).await.unwrap().unwrap().confirmed.unwrap();
        assert_eq!(fixture.store.command(ran).await.unwrap().unwrap().text, runs);
        let reply: frontdesk_store::Reply = Box::new(|_| "chosen".into());
        done(fixture.store.answer_command(ran, CommandEffect::None, t(22), reply).await.unwrap());
    }
    let turn = fixture.turn("anna", "hi").await;
    assert!(matches!(fixture.open_ask(&turn, 0, "Delete it?").await, AskOpened::Open(_)));
}

/// Who sent a command.
async fn asked_by(
    fixture: &Fixture,
    command: frontdesk_core::id::MessageId,
) -> frontdesk_core::address::Principal {
    fixture.store.message(command).await.unwrap().unwrap().message.from.id
}

#[tokio::test]
async fn on_a_channel_that_fetches_rows_question_and_end_are_two_frames() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("web:main", "hi").await;
    let AskOpened::Open(id) = fixture.open_ask(&turn, 0, "Delete it?").await else { panic!() };
    let answering = Answering { place: Some(key("web:main")), ..answering(id, "anna", 0) };
    fixture.store.ask_answered(answering, t(20)).await.unwrap().unwrap();
    let frames = fixture.store.frames(&key("web:main"), 0, 10).await.unwrap();
    let asks: Vec<_> = frames.into_iter().map(|frame| frame.post.ask.unwrap()).collect();
    assert_eq!(
        asks.iter().map(|ask| (ask.id, ask.closed.is_some())).collect::<Vec<_>>(),
        [(id, false), (id, true)]
    );
}

#[tokio::test]
async fn a_question_is_purged_with_the_history_and_never_while_it_is_open() {
    let fixture = Fixture::open().await;
    let (turn, id) = fixture.asking().await;
    let keep = Retention {
        outbox_days: 400,
        refused_days: 400,
        dead_letter_days: 400,
        history_days: 30,
        audit_days: 400,
    };
    let late = t(60 * 24 * 3600);
    fixture.store.purge(keep, late).await.unwrap();
    assert!(fixture.store.ask(id).await.unwrap().is_some());
    fixture.finish(answered(&turn, "A")).await;
    fixture.store.purge(keep, late).await.unwrap();
    assert_eq!(fixture.store.ask(id).await.unwrap(), None);
}

#[tokio::test]
async fn a_question_to_admins_is_for_those_of_its_account() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "hi").await;
    let new = NewAsk { audience: Audience::Admins, ..new_ask(0, "Delete it?") };
    let opened = fixture.store.ask_opened(turn.claim, new, t(11)).await.unwrap();
    let AskOpened::Open(id) = done(opened) else { panic!() };
    for (who, is_asked) in [("telegram@other:root", false), ("telegram:root", true)] {
        let by = Answerer { id: who.parse().unwrap(), name: None };
        let answer = Answering { by, standing: Standing::Admin, ..answering(id, "anna", 1) };
        assert_eq!(fixture.store.ask_answered(answer, t(12)).await.unwrap().is_ok(), is_asked, "{who}");
    }
}
