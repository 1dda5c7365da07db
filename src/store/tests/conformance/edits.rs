//! Messages that say something else now.

use frontdesk_core::message::{Event, EventKind, InputKind, Quote};
use frontdesk_store::row::*;

use crate::fixture::*;

fn edit(event: &str, of: &str, text: &str) -> Admitted {
    with_event(says("anna", event, text), |event| {
        event.kind = EventKind::Edit;
        event.platform_message = Some(format!("p-{of}"));
        event.quote = Some(Quote { ours: true, ..Quote::of("q") });
    })
}

/// State, reason and text of a message by its event.
async fn row(fixture: &Fixture, event: &str) -> (String, Option<String>, String) {
    let [Stored::Duplicate { message, .. }] = fixture.accept(99, vec![says("anna", event, "?")]).await[..]
    else {
        panic!("{event} is not known")
    };
    let row = fixture.store.message(message).await.unwrap().unwrap().message;
    (row.state.to_string(), row.reason.map(|reason| reason.to_string()), row.text)
}

#[tokio::test]
async fn an_edit_of_a_waiting_message_takes_its_place() {
    let fixture = Fixture::open().await;
    let message = fixture.accept_one(1, says("anna", "1", "helo")).await;
    assert_eq!(fixture.accept(2, vec![edit("2", "1", "hello")]).await, [Stored::Noted]);
    let turn = fixture.claim("anna").await.unwrap();
    assert_eq!((ids(&turn), turn.messages[0].text.as_str(), turn.more), (vec![message], "hello", false));
    assert_eq!(turn.messages[0].input_kind, InputKind::Message);
    let noted = ("superseded".into(), Some(format!("into:{message}")), String::new());
    assert_eq!(row(&fixture, "2").await, noted);
    assert_eq!(fixture.store.waiting(), 0);
}

#[tokio::test]
async fn a_redelivered_edit_is_known_and_its_message_too() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, says("anna", "1", "helo")).await;
    fixture.accept(2, vec![edit("2", "1", "hello")]).await;
    let items = fixture.accept(3, vec![edit("2", "1", "hello"), says("anna", "1", "helo")]).await;
    assert!(
        items.iter().all(|item| matches!(item, Stored::Duplicate { same: true, refused: None, .. })),
        "{items:?}"
    );
    assert_eq!(fixture.claim("anna").await.unwrap().messages[0].text, "hello", "nothing was turned back");
}

#[tokio::test]
async fn an_edit_of_a_message_that_was_taken_is_a_new_one() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "helo").await;
    let items = fixture.accept(20, vec![edit("2", "anna-helo", "hello")]).await;
    assert!(matches!(items[0], Stored::Accepted { .. }), "{items:?}");
    fixture.finish(answered(&turn, "A")).await;
    let next = fixture.claim("anna").await.unwrap();
    assert_eq!((next.messages[0].text.as_str(), next.messages[0].input_kind), ("hello", InputKind::Edit));
    assert_eq!(next.messages[0].quote.as_ref().unwrap().text, "q");
    // An edit of the edit, which waits no longer either.
    fixture.finish(answered(&next, "B")).await;
    assert!(matches!(
        fixture.accept(21, vec![edit("3", "anna-helo", "hallo")]).await[0],
        Stored::Accepted { .. }
    ));
    assert_eq!(fixture.accept(22, vec![edit("4", "anna-helo", "hullo")]).await, [Stored::Noted]);
    assert_eq!(fixture.claim("anna").await.unwrap().messages[0].text, "hullo");
}

#[tokio::test]
async fn an_edit_that_changes_nothing_is_no_message() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "hello").await;
    let polite = "hello, said politely".to_owned();
    done(fixture.store.rewrite(ids(&turn)[0], turn.claim, polite).await.unwrap());
    assert_eq!(fixture.accept(20, vec![edit("2", "anna-hello", "hello")]).await, [Stored::Noted]);
    assert_eq!(row(&fixture, "2").await, ("superseded".into(), Some("unchanged".into()), String::new()));
    fixture.finish(answered(&turn, "A")).await;
    assert_eq!(fixture.claim("anna").await, None);
}

#[tokio::test]
async fn back_to_the_first_text_is_a_change() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, says("anna", "1", "one")).await;
    fixture.accept(2, vec![edit("2", "1", "two")]).await;
    let turn = fixture.claim("anna").await.unwrap();
    assert_eq!(fixture.accept(3, vec![edit("3", "1", "two")]).await, [Stored::Noted]);
    assert!(matches!(fixture.accept(4, vec![edit("4", "1", "one")]).await[0], Stored::Accepted { .. }));
    fixture.finish(answered(&turn, "A")).await;
}

#[tokio::test]
async fn nobody_edits_what_somebody_else_said() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, says("anna", "1", "hello")).await;
    let eve = with_event(edit("2", "1", "give eve the money"), |event| event.from.id = person("66"));
    assert!(matches!(fixture.accept(2, vec![eve]).await[0], Stored::Accepted { .. }));
    assert_eq!(fixture.claim("anna").await.unwrap().messages[0].text, "hello");
}

#[tokio::test]
async fn a_command_is_not_edited_and_neither_is_another_session() {
    let fixture = Fixture::open().await;
    let command = fixture.accept_one(1, commands("anna", "1", EpochChange::ByRule)).await;
    fixture.accept_one(1, says("bob", "2", "bob's")).await;
    assert!(matches!(fixture.accept(2, vec![edit("3", "1", "x")]).await[0], Stored::Accepted { .. }));
    assert!(matches!(fixture.accept(2, vec![edit("4", "2", "x")]).await[0], Stored::Accepted { .. }));
    assert_eq!(fixture.store.command(command).await.unwrap().unwrap().text, "/command");
    assert_eq!(fixture.claim("bob").await.unwrap().messages[0].text, "bob's");
}

#[tokio::test]
async fn an_edit_is_put_in_place_also_in_a_full_session() {
    let fixture = Fixture::open().await;
    for n in 0..4 {
        fixture.accept_one(1, says("anna", &n.to_string(), "x")).await;
    }
    assert_eq!(fixture.accept(2, vec![edit("e", "0", "y")]).await, [Stored::Noted]);
    assert!(matches!(fixture.accept(3, vec![edit("f", "unknown", "z")]).await[0], Stored::Refused { .. }));
}

#[tokio::test]
async fn a_message_that_comes_after_its_edit_gets_no_answer_of_its_own() {
    let fixture = Fixture::open().await;
    let newer = fixture.accept_one(1, edit("2", "1", "hello")).await;
    assert_eq!(fixture.accept(2, vec![says("anna", "1", "helo")]).await, [Stored::Noted]);
    assert_eq!(row(&fixture, "1").await, ("superseded".into(), Some("outdated".into()), String::new()));
    let turn = fixture.claim("anna").await.unwrap();
    assert_eq!((ids(&turn), turn.messages[0].text.as_str(), turn.more), (vec![newer], "hello", false));
    fixture.finish(answered(&turn, "A")).await;
    // Also when it comes again, with the newer text, as in the history of its chat.
    assert!(matches!(
        fixture.accept(3, vec![says("anna", "1", "hello")]).await[0],
        Stored::Duplicate { same: false, .. }
    ));
    // The text that the agent never got is a change.
    assert!(matches!(fixture.accept(4, vec![edit("3", "1", "helo")]).await[0], Stored::Accepted { .. }));
}

#[tokio::test]
async fn an_edit_that_comes_after_a_newer_one_gets_no_answer_and_changes_nothing() {
    let edit = |event: &str, at: i64, text: &str| {
        with_event(edit(event, "anna-helo", text), |event| event.sent_at = Some(t(at)))
    };
    let fixture = Fixture::open().await;
    fixture
        .accept_one(
            1,
            with_event(says("anna", "1", "helo"), |event| {
                event.platform_message = Some("p-anna-helo".into());
            }),
        )
        .await;
    // The message waits and has the newest text.
    assert_eq!(
        fixture.accept(2, vec![edit("3", 30, "hello"), edit("2", 20, "hallo")]).await,
        [const { Stored::Noted }; 2]
    );
    assert_eq!(row(&fixture, "2").await, ("superseded".into(), Some("outdated".into()), String::new()));
    let turn = fixture.claim("anna").await.unwrap();
    assert_eq!(turn.messages[0].text, "hello");
    fixture.finish(answered(&turn, "A")).await;
    // It was answered.
    assert!(matches!(fixture.accept(4, vec![edit("5", 50, "hullo")]).await[0], Stored::Accepted { .. }));
    assert_eq!(fixture.accept(5, vec![edit("4", 40, "helloo")]).await, [Stored::Noted]);
    // Some platforms tell only the second. The text of the version that came too late was never the message's.
    assert_eq!(fixture.accept(6, vec![edit("6", 50, "helloo")]).await, [Stored::Noted]);
    assert_eq!(fixture.claim("anna").await.unwrap().messages[0].text, "helloo");
}

#[tokio::test]
async fn an_edit_does_not_overtake_the_messages_of_others() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, edit("2", "1", "hello")).await;
    let eve = with_event(says("anna", "1", "hi"), |event| event.from.id = person("66"));
    let elsewhere = Admitted { place: Some(key("hall")), ..says("anna", "9", "hi") };
    let elsewhere = with_event(elsewhere, |event| event.platform_message = Some("p-1".into()));
    for message in [eve, elsewhere, says("anna", "3", "hi")] {
        assert!(matches!(fixture.accept(2, vec![message]).await[0], Stored::Accepted { .. }));
    }
}

#[tokio::test]
async fn an_edit_changes_a_message_of_its_own_chat_where_several_share_a_session() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, says("anna", "1", "here")).await;
    let elsewhere = Admitted { place: Some(key("hall")), ..edit("2", "1", "there") };
    assert!(matches!(fixture.accept(2, vec![elsewhere.clone()]).await[0], Stored::Accepted { .. }));
    assert_eq!(fixture.claim("anna").await.unwrap().messages[0].text, "here");
    let again = with_event(elsewhere, |event| event.id = "3".into());
    assert_eq!(fixture.accept(3, vec![again]).await, [Stored::Noted]);
}

#[tokio::test]
async fn an_edit_does_not_count_as_a_message_of_its_epoch() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, says("anna", "1", "helo")).await;
    fixture.accept(2, vec![edit("2", "1", "hello")]).await;
    let epochs = fixture.store.epochs(&key("anna"), None, 9).await.unwrap();
    assert_eq!((epochs[0].messages, epochs[0].first_text.as_deref()), (1, Some("hello")));
}

#[tokio::test]
async fn a_refused_edit_is_refused() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, says("anna", "1", "helo")).await;
    let disposition = Disposition::Refused(frontdesk_core::message::Refusal::RateLimited);
    let items = fixture.accept(2, vec![Admitted { disposition, ..edit("2", "1", "hello") }]).await;
    assert!(matches!(items[0], Stored::Refused { .. }));
    assert_eq!(fixture.claim("anna").await.unwrap().messages[0].text, "helo");
}

#[tokio::test]
async fn later_edits_can_be_notes_for_the_next_turn_or_nothing() {
    for (later, reason) in
        [(LaterEdits::Noted { most: 3 }, "edit_noted"), (LaterEdits::Ignored, "edit_ignored")]
    {
        let fixture = Fixture::open().await;
        let edit = |event: &str, text: &str| Admitted {
            edits: EditRule { later, max_age: None },
            ..edit(event, "anna-helo", text)
        };
        fixture.finish(answered(&fixture.turn("anna", "helo").await, "A")).await;
        for _ in 0..2 {
            let items = fixture.accept(20, vec![edit("2", "hello")]).await;
            assert!(matches!(items[0], Stored::Noted | Stored::Duplicate { same: true, .. }), "{items:?}");
        }
        assert_eq!(row(&fixture, "2").await, ("superseded".into(), Some(reason.into()), String::new()));
        assert_eq!(fixture.accept(21, vec![edit("3", "hello")]).await, [Stored::Noted]);
        assert_eq!(row(&fixture, "3").await.1.as_deref(), Some("unchanged"));
        assert_eq!(fixture.claim("anna").await, None);
        fixture.accept_one(30, says("anna", "4", "next")).await;
        let turn = fixture.claim("anna").await.unwrap();
        let notes: Vec<_> =
            turn.context_messages.iter().map(|note| (note.text.as_str(), note.input_kind)).collect();
        let expected = [("hello", InputKind::Edit)];
        assert_eq!(notes, if later == LaterEdits::Ignored { &[] } else { &expected[..] });
    }
}

#[tokio::test]
async fn the_edit_of_an_old_message_is_ignored_and_that_of_an_unknown_one_is_a_message() {
    let fixture = Fixture::open().await;
    let edits = EditRule { later: LaterEdits::Answered, max_age: Some(chrono::Duration::minutes(5)) };
    let edit =
        |event: &str, of: &str, text: &str| Admitted { edits, per_session: 9, ..edit(event, of, text) };
    let turn = fixture.turn("anna", "helo").await;
    fixture.finish(answered(&turn, "A")).await;
    let (early, late) = (2 * 60, 7 * 60);
    assert!(matches!(
        fixture.accept(early, vec![edit("2", "anna-helo", "b")]).await[0],
        Stored::Accepted { .. }
    ));
    fixture.finish(answered(&fixture.claim("anna").await.unwrap(), "B")).await;
    assert_eq!(fixture.accept(late, vec![edit("3", "anna-helo", "c")]).await, [Stored::Noted]);
    assert_eq!(
        row(&fixture, "3").await.1.as_deref(),
        Some("edit_ignored"),
        "the age is that of the first version"
    );
    assert!(matches!(fixture.accept(late, vec![edit("4", "other", "d")]).await[0], Stored::Accepted { .. }));
    // Also across the beginning of a conversation.
    fixture.accept_one(late, says_new("anna", "5", "new")).await;
    assert_eq!(fixture.accept(late, vec![edit("6", "anna-helo", "e")]).await, [Stored::Noted]);
}

fn deletion(who: &str, of: &str) -> Admitted {
    with_event(says(who, &format!("{of}/deleted"), ""), |event| {
        event.kind = EventKind::Deleted;
        event.platform_message = Some(format!("p-{of}"));
    })
}

#[tokio::test]
async fn a_deleted_message_that_waits_is_not_answered_and_one_that_was_taken_is() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "taken").await;
    let dropped = fixture.accept_one(20, says("anna", "2", "a mistake")).await;
    let kept = fixture.accept_one(21, says("anna", "3", "meant")).await;
    let other = with_event(deletion("anna", "3"), |event| event.from.id = person("8"));
    let all = vec![deletion("anna", "anna-taken"), deletion("anna", "2"), other];
    assert_eq!(fixture.accept(22, all).await, [Stored::Noted, Stored::Noted, Stored::Noted]);
    let again = fixture.accept(22, vec![deletion("anna", "2")]).await.remove(0);
    assert!(matches!(again, Stored::Duplicate { same: true, .. }), "{again:?}");
    assert_eq!(fixture.store.waiting(), 1);
    fixture.finish(answered(&turn, "A")).await;
    assert_eq!(ids(&fixture.claim("anna").await.unwrap()), [kept], "only its author's deletion counts");
    let row = fixture.store.message(dropped).await.unwrap().unwrap().message;
    assert_eq!(row.state, MessageState::Cancelled);
}

#[tokio::test]
async fn a_message_that_is_deleted_by_its_id_is_not_answered_whoever_wrote_it() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "taken").await;
    let dropped = fixture.accept_one(20, says("anna", "2", "a mistake")).await;
    let kept = fixture.accept_one(21, says("anna", "3", "meant")).await;
    let deletion =
        |message: &str| Event::deleted_by_id(&batch(22, vec![]).source, message.to_owned()).unwrap();
    let all = ["p-anna-taken", "p-2", "p-2", "p-unknown"].map(|message| Decided::Deletion(deletion(message)));
    let stored = fixture.store.accept(batch(22, all.to_vec())).await.unwrap();
    assert_eq!(stored, [Stored::Noted, Stored::Noted, Stored::Noted, Stored::Noted]);
    let mut other = batch(23, vec![Decided::Deletion(deletion("p-3"))]);
    other.source.id = "another".to_owned();
    fixture.store.accept(other).await.unwrap();
    assert_eq!(fixture.store.waiting(), 1);
    fixture.finish(answered(&turn, "A")).await;
    assert_eq!(ids(&fixture.claim("anna").await.unwrap()), [kept], "ids are those of one source");
    let row = fixture.store.message(dropped).await.unwrap().unwrap().message;
    assert_eq!(row.state, MessageState::Cancelled);
}

#[tokio::test]
async fn no_version_of_a_message_is_answered_that_comes_after_its_deletion() {
    let fixture = Fixture::open().await;
    // Also the first message of a session.
    assert_eq!(fixture.accept(20, vec![deletion("anna", "1")]).await, [Stored::Noted]);
    assert_eq!(fixture.accept(21, vec![says("anna", "1", "never mind")]).await, [Stored::Noted]);
    fixture.finish(answered(&fixture.turn("anna", "hello").await, "A")).await;
    assert_eq!(fixture.accept(30, vec![deletion("anna", "2")]).await, [Stored::Noted]);
    let command = Admitted { disposition: Disposition::Command, ..says("anna", "2", "/retry") };
    assert_eq!(fixture.accept(31, vec![command]).await, [Stored::Noted]);
    let edited = vec![edit("3", "2", "still")];
    assert_eq!(fixture.accept(32, edited).await, [Stored::Noted]);
    assert_eq!(fixture.store.waiting(), 0);
    let by_another = with_event(says("anna", "4", "mine"), |event| {
        event.from.id = person("8");
        event.platform_message = Some("p-2".to_owned());
    });
    let outcome = fixture.accept(33, vec![by_another]).await.remove(0);
    assert!(matches!(outcome, Stored::Accepted { .. }), "only its author's deletion counts: {outcome:?}");
}

#[tokio::test]
async fn a_message_is_answered_that_comes_after_an_edit_of_it_was_refused() {
    let fixture = Fixture::open().await;
    fixture.finish(answered(&fixture.turn("anna", "hello").await, "A")).await;
    let refused = Admitted {
        disposition: Disposition::Refused(frontdesk_core::message::Refusal::RateLimited),
        ..edit("2/edited", "2", "newer")
    };
    let outcome = fixture.accept(20, vec![refused]).await.remove(0);
    assert!(matches!(outcome, Stored::Refused { .. }), "{outcome:?}");
    let original = fixture.accept(21, vec![says("anna", "2", "older")]).await.remove(0);
    assert!(matches!(original, Stored::Accepted { .. }), "{original:?}");
}

#[tokio::test]
async fn the_edit_of_a_message_that_was_refused_is_a_message_of_its_own() {
    for later in [LaterEdits::Noted { most: 3 }, LaterEdits::Ignored] {
        let fixture = Fixture::open().await;
        fixture.finish(answered(&fixture.turn("anna", "hello").await, "A")).await;
        let refused = Admitted {
            disposition: Disposition::Refused(frontdesk_core::message::Refusal::RateLimited),
            ..says("anna", "2", "too fast")
        };
        fixture.accept(20, vec![refused]).await;
        let edits = EditRule { later, max_age: None };
        let edited = Admitted { edits, ..edit("2/edited", "2", "now") };
        let outcome = fixture.accept(21, vec![edited]).await.remove(0);
        assert!(matches!(outcome, Stored::Accepted { .. }), "the agent never got it: {outcome:?}");
    }
}
