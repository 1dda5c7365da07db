//! Resets: facts that are written with the message that causes them.

use frontdesk_core::reset::{Reasons, ResetMode};
use frontdesk_store::row::*;

use crate::fixture::*;

const HOUR: i64 = 3600;

fn idle(event: &str) -> Admitted {
    Admitted { policy: policy(ResetMode::Idle), ..says("anna", event, "x") }
}

#[tokio::test]
async fn a_stale_session_starts_anew_with_the_message_that_finds_it() {
    let fixture = Fixture::open().await;
    let first = fixture.accept_one(0, idle("1")).await;
    let accepted = fixture.accept_with_notices(2 * HOUR, vec![idle("2")]).await;
    let Stored::Accepted { message, epoch: 2, ended: Some(1), began: false, .. } = accepted.items[0] else {
        panic!("{accepted:?}")
    };
    assert_eq!(accepted.announced[0].post.key, format!("{message}/notice/reset/0"));
    assert!(accepted.announced[0].post.part.body.contains("/resume 1"));
    let epochs = fixture.store.epochs(&key("anna"), None, 10).await.unwrap();
    let idle = Reasons { idle: true, ..Reasons::default() };
    assert_eq!(
        epochs.iter().map(|e| (e.n, e.reason)).collect::<Vec<_>>(),
        [(2, EpochReason::Rule(idle)), (1, EpochReason::First)]
    );
    assert_eq!((epochs[0].ended, epochs[1].ended), (None, Some(t(2 * HOUR))));
    let old = fixture.store.message(first).await.unwrap().unwrap().message;
    assert_eq!(old.epoch, 1, "an earlier message keeps its epoch");
}

#[tokio::test]
async fn it_resets_once_and_the_reason_names_both_rules() {
    let fixture = Fixture::open().await;
    let both = |event| Admitted { policy: policy(ResetMode::Both), ..says("anna", event, "x") };
    fixture.accept_one(0, both("1")).await;
    let items = fixture.accept(30 * HOUR, vec![both("2"), both("3")]).await;
    assert!(matches!(items[0], Stored::Accepted { epoch: 2, ended: Some(1), .. }));
    assert!(matches!(items[1], Stored::Accepted { epoch: 2, ended: None, .. }));
    assert_eq!(
        fixture.store.epochs(&key("anna"), None, 1).await.unwrap()[0].reason.to_string(),
        "daily,idle"
    );
}

#[tokio::test]
async fn a_quiet_policy_resets_without_a_word() {
    let fixture = Fixture::open().await;
    let quiet =
        frontdesk_core::reset::ResetPolicy::new(ResetMode::Idle, 60, 4, chrono_tz::UTC, false).unwrap();
    fixture.accept_one(0, idle("1")).await;
    let accepted = fixture.accept_with_notices(2 * HOUR, vec![Admitted { policy: quiet, ..idle("2") }]).await;
    assert!(matches!(accepted.items[0], Stored::Accepted { epoch: 2, .. }));
    assert_eq!(accepted.announced, []);
}

#[tokio::test]
async fn a_command_is_no_activity_and_resets_nothing() {
    let fixture = Fixture::open().await;
    fixture.accept_one(0, idle("1")).await;
    let command = Admitted { policy: policy(ResetMode::Idle), ..commands("anna", "2", EpochChange::ByRule) };
    let items = fixture.accept(2 * HOUR, vec![command]).await;
    assert!(matches!(items[0], Stored::Accepted { epoch: 1, ended: None, .. }));
    assert_eq!(fixture.store.session(&key("anna")).await.unwrap().unwrap().last_user_at, Some(t(0)));
}

#[tokio::test]
async fn a_clock_that_goes_back_moves_nothing_back() {
    let fixture = Fixture::open().await;
    fixture.accept_one(2 * HOUR, idle("1")).await;
    let items = fixture.accept(0, vec![idle("2")]).await;
    assert!(matches!(items[0], Stored::Accepted { epoch: 1, .. }));
    assert_eq!(fixture.store.session(&key("anna")).await.unwrap().unwrap().last_user_at, Some(t(2 * HOUR)));
}

#[tokio::test]
async fn new_begins_an_epoch_that_the_next_message_of_the_batch_has() {
    let fixture = Fixture::open().await;
    fixture.accept_one(0, says("anna", "1", "x")).await;
    let items =
        fixture.accept(1, vec![commands("anna", "2", EpochChange::New), says("anna", "3", "y")]).await;
    let Stored::Accepted { message, epoch: 2, ended: Some(1), .. } = items[0] else { panic!("{items:?}") };
    assert!(matches!(items[1], Stored::Accepted { epoch: 2, ended: None, .. }));
    assert_eq!(fixture.state(message).await.1.as_deref(), Some("from:1"));
}

#[tokio::test]
async fn new_as_the_first_word_stays_in_the_first_epoch() {
    let fixture = Fixture::open().await;
    let items =
        fixture.accept(1, vec![Admitted { epoch: EpochChange::New, ..says("anna", "1", "hi") }]).await;
    assert!(matches!(items[0], Stored::Accepted { epoch: 1, began: true, ended: None, .. }));
}

#[tokio::test]
async fn resume_goes_back_and_the_next_reset_counts_on_from_the_highest() {
    let fixture = Fixture::open().await;
    fixture.accept_one(0, idle("1")).await;
    fixture.accept_one(1, commands("anna", "2", EpochChange::New)).await;
    fixture.accept_one(2, commands("anna", "3", EpochChange::New)).await;
    let items = fixture.accept(10 * HOUR, vec![commands("anna", "4", EpochChange::Resume(Some(1)))]).await;
    let Stored::Accepted { message, epoch: 1, ended: Some(3), .. } = items[0] else { panic!("{items:?}") };
    assert_eq!(fixture.state(message).await.1.as_deref(), Some("from:3"));
    // Resuming is activity: the message after it is not reset away from what was resumed.
    let items = fixture.accept(10 * HOUR + 1, vec![idle("5")]).await;
    assert!(matches!(items[0], Stored::Accepted { epoch: 1, ended: None, .. }));
    let items = fixture.accept(20 * HOUR, vec![idle("6")]).await;
    assert!(matches!(items[0], Stored::Accepted { epoch: 4, ended: Some(1), .. }));
    let epochs = fixture.store.epochs(&key("anna"), None, 10).await.unwrap();
    assert_eq!(epochs.iter().filter(|e| e.ended.is_none()).map(|e| e.n).collect::<Vec<_>>(), [4]);
}

#[tokio::test]
async fn resume_without_a_number_takes_the_one_that_ended_last() {
    let fixture = Fixture::open().await;
    fixture.accept_one(0, says("anna", "1", "x")).await;
    fixture.accept_one(1, commands("anna", "2", EpochChange::New)).await;
    for (at, event, epoch) in [(2, "3", 1), (3, "4", 2)] {
        let items = fixture.accept(at, vec![commands("anna", event, EpochChange::Resume(None))]).await;
        assert!(matches!(items[0], Stored::Accepted { epoch: e, .. } if e == epoch), "{items:?}");
    }
}

#[tokio::test]
async fn resuming_what_is_not_there_changes_nothing() {
    let fixture = Fixture::open().await;
    fixture.accept_one(0, says("anna", "1", "x")).await;
    for (event, n) in [("2", Some(9)), ("3", Some(1)), ("4", None)] {
        let id = fixture.accept_one(1, commands("anna", event, EpochChange::Resume(n))).await;
        assert_eq!(fixture.state(id).await.1.as_deref(), Some("missing"), "{n:?}");
    }
    assert_eq!(fixture.store.session(&key("anna")).await.unwrap().unwrap().epoch, 1);
}

#[tokio::test]
async fn a_refused_message_does_not_reset() {
    let fixture = Fixture::open().await;
    fixture.accept_one(0, Admitted { per_session: 1, ..idle("1") }).await;
    let full = Admitted { per_session: 1, ..idle("2") };
    let items = fixture
        .accept(5 * HOUR, vec![full, Admitted { epoch: EpochChange::New, per_session: 1, ..idle("3") }]);
    assert!(items.await.iter().all(|item| matches!(item, Stored::Refused { .. })));
    assert_eq!(fixture.store.session(&key("anna")).await.unwrap().unwrap().last_epoch, 1);
}

#[tokio::test]
async fn a_reset_from_outside_is_an_epoch_like_any_other() {
    let fixture = Fixture::open().await;
    assert_eq!(fixture.store.reset(&key("anna"), EpochReason::Api, &admin(), t(1)).await.unwrap(), None);
    fixture.accept_one(0, says("anna", "1", "x")).await;
    assert_eq!(fixture.store.reset(&key("anna"), EpochReason::Api, &admin(), t(9)).await.unwrap(), Some(2));
    let session = fixture.store.session(&key("anna")).await.unwrap().unwrap();
    assert_eq!((session.epoch, session.last_user_at), (2, None));
}

#[tokio::test]
async fn an_erased_session_has_no_words_and_knows_its_events() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "secret").await;
    fixture.finish(answered(&turn, "secret too|and more")).await;
    let waiting = fixture.accept_one(20, says("anna", "w", "secret")).await;
    let command = fixture.accept_one(20, commands("anna", "c", EpochChange::ByRule)).await;
    assert_eq!(
        fixture.store.erase(&key("anna"), &admin(), t(30)).await.unwrap(),
        Some(Stopped { running: vec![], waiting: vec![waiting] })
    );
    assert_eq!(fixture.store.erase(&key("bob"), &admin(), t(30)).await.unwrap(), None);
    let rows = fixture.store.history(&key("anna"), None, None, 10).await.unwrap();
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|row| row.message.text.is_empty() && row.answer.is_none()));
    assert!(rows.iter().all(|row| row.message.from.name.is_none()));
    for id in [waiting, command] {
        assert_eq!(fixture.state(id).await.0, "cancelled");
    }
    let parts = fixture.store.parts(None, None, 10).await.unwrap();
    assert!(parts.iter().all(|part| part.state == OutboxState::Dropped && part.post.part.body.is_empty()));
    let epochs = fixture.store.epochs(&key("anna"), None, 10).await.unwrap();
    assert_eq!(epochs.iter().map(|e| (e.n, e.reason)).collect::<Vec<_>>(), [(2, EpochReason::Erased)]);
    for text in ["secret", "other"] {
        let items = fixture.accept(31, vec![says("anna", "w", text)]).await;
        assert_eq!(items, [Stored::Erased { message: waiting }], "{text}");
    }
    assert_eq!(fixture.store.waiting(), 0);
}

#[tokio::test]
async fn erasing_ends_what_runs_and_says_whose_agents_must_be_told() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    let waiting = fixture.accept_one(11, says("anna", "2", "b")).await;
    let erased = fixture.store.erase(&key("anna"), &admin(), t(30)).await.unwrap();
    assert_eq!(erased, Some(Stopped { running: vec![turn.claim.id], waiting: vec![waiting] }));
    assert_eq!(fixture.store.finish(answered(&turn, "late")).await.unwrap(), Fenced::Stale);
    assert_eq!(fixture.claim("anna").await, None);
}

#[tokio::test]
async fn a_command_as_the_first_contact_starts_no_silence() {
    let fixture = Fixture::open().await;
    fixture.accept_one(0, commands("anna", "1", EpochChange::ByRule)).await;
    let session = fixture.store.session(&key("anna")).await.unwrap().unwrap();
    assert_eq!(session.last_user_at, None, "nothing that a reset could be due after");
    let accepted = fixture.accept_with_notices(2 * HOUR, vec![idle("2")]).await;
    assert!(matches!(accepted.items[0], Stored::Accepted { epoch: 1, ended: None, began: false, .. }));
    assert_eq!(accepted.announced, []);
    // From the first words on, silence counts.
    let items = fixture.accept(4 * HOUR, vec![idle("3")]).await;
    assert!(matches!(items[0], Stored::Accepted { epoch: 2, ended: Some(1), .. }));
}

#[tokio::test]
async fn an_epoch_in_which_nothing_was_said_does_not_grow_stale() {
    let fixture = Fixture::open().await;
    fixture.accept_one(0, idle("1")).await;
    fixture.accept_one(0, commands("anna", "2", EpochChange::New)).await;
    let accepted = fixture.accept_with_notices(2 * HOUR, vec![idle("3")]).await;
    assert!(matches!(accepted.items[0], Stored::Accepted { epoch: 2, ended: None, .. }));
    assert_eq!(accepted.announced, []);
    let items = fixture.accept(4 * HOUR, vec![Admitted { epoch: EpochChange::New, ..idle("4") }]).await;
    assert!(matches!(items[0], Stored::Accepted { epoch: 3, .. }));
    let items = fixture.accept(6 * HOUR, vec![idle("5")]).await;
    assert!(matches!(items[0], Stored::Accepted { epoch: 4, .. }), "its first words counted");
    fixture.store.reset(&key("anna"), EpochReason::Api, &admin(), t(6 * HOUR)).await.unwrap();
    let items = fixture.accept(8 * HOUR, vec![Admitted { per_session: 9, ..idle("6") }]).await;
    assert!(matches!(items[0], Stored::Accepted { epoch: 5, ended: None, .. }));
}

#[tokio::test]
async fn a_daily_reset_is_held_back_until_the_person_is_silent_and_not_forgotten() {
    let fixture = Fixture::open().await;
    let daily = |event: &str| Admitted {
        policy: policy(ResetMode::Daily).waiting_for_quiet(30).unwrap(),
        per_session: 99,
        ..says("anna", event, "x")
    };
    let epoch = async |at: i64, event: &str| match fixture.accept(at, vec![daily(event)]).await[0] {
        Stored::Accepted { epoch, .. } => epoch,
        ref other => panic!("{other:?}"),
    };
    // The boundary at four o'clock lies at this time.
    let boundary = 20 * HOUR;
    assert_eq!(epoch(boundary - 60, "1").await, 1);
    assert_eq!(epoch(boundary + 60, "2").await, 1);
    assert_eq!(epoch(boundary + 60 + 29 * 60, "3").await, 1);
    assert_eq!(epoch(boundary + 60 + 59 * 60, "4").await, 2, "half an hour of silence");
    assert_eq!(epoch(boundary + 2 * HOUR + 60, "5").await, 2, "once");
    // What is held back belongs to the conversation: a new one owes nothing.
    let next = boundary + 24 * HOUR;
    assert_eq!(epoch(next - 60, "6").await, 2);
    assert_eq!(epoch(next + 60, "7").await, 2);
    fixture.accept_one(next + 120, says_new("anna", "8", "x")).await;
    assert_eq!(epoch(next + HOUR, "9").await, 3);
}

#[tokio::test]
async fn a_chat_is_known_by_its_last_message_and_after_new_by_that() {
    let fixture = Fixture::open().await;
    fixture.accept_one(0, idle("1")).await;
    fixture.accept_one(HOUR, says("bob", "2", "x")).await;
    fixture.accept_one(2 * HOUR, commands("anna", "3", EpochChange::New)).await;
    let account = address("1").account().clone();
    let chats = async |since: i64| {
        let chats = fixture.store.chats_since(&account, t(since), 10).await.unwrap();
        chats.iter().map(|chat| chat.chat().to_owned()).collect::<Vec<_>>()
    };
    let (anna, bob) = (says("anna", "4", "x").event.address, says("bob", "5", "x").event.address);
    assert_eq!(chats(0).await, [anna.chat(), bob.chat()]);
    assert_eq!(chats(2 * HOUR).await, [anna.chat()]);
    assert!(chats(3 * HOUR).await.is_empty());
}
