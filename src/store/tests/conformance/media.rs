//! Files that come with messages, and files that go out.

use frontdesk_core::id::MessageId;
use frontdesk_core::markup::Part;
use frontdesk_core::message::{Attachment, FileKind, Quote};
use frontdesk_store::UploadLimits;
use frontdesk_store::row::*;

use crate::fixture::*;
use crate::tasks::{claimed, placed, submitted, task};

const DAY: i64 = 86_400;

fn with_files(event: &str, files: u32) -> Admitted {
    let file = |n| Attachment {
        reference: format!("ref-{n}"),
        unique: None,
        kind: FileKind::Voice,
        name: Some("a.ogg".into()),
        mime: None,
        size: Some(7),
        seconds: None,
        kept: None,
    };
    with_event(says("anna", event, "listen"), |event| event.attachments = (0..files).map(file).collect())
}

fn got(message: MessageId, n: u32, name: &str) -> MediaRow {
    MediaRow { message, n, got: Ok((name.into(), 7)) }
}

fn lost(message: MessageId, n: u32, why: &str) -> MediaRow {
    MediaRow { message, n, got: Err(why.into()) }
}

fn leaving(file: &str, caption: Option<&str>) -> OutgoingFile {
    OutgoingFile {
        file: file.into(),
        name: "Report \"1\".pdf".into(),
        mime: Some("application/pdf".into()),
        kind: FileKind::Document,
        size: Some(7),
        after: vec![],
        joins: false,
        caption: caption.map(|text| Part { key: 9, body: text.into(), plain: text.replace('*', "") }),
    }
}

async fn in_use(fixture: &Fixture, names: &[&str]) -> Vec<String> {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    fixture.store.files_in_use(names, t(0)).await.unwrap()
}

#[tokio::test]
async fn what_became_of_each_file_is_known() {
    let fixture = Fixture::open().await;
    let first = fixture.accept_one(1, with_files("1", 2)).await;
    let second = fixture.accept_one(1, with_files("2", 1)).await;
    let rows = vec![got(second, 0, "c"), lost(first, 1, "It is too large."), got(first, 0, "a")];
    fixture.store.fetched(rows.clone(), t(2)).await.unwrap();
    let read = fixture.store.media(&[first, MessageId(4711), second]).await.unwrap();
    assert_eq!(read, [rows[2].clone(), rows[1].clone(), rows[0].clone()]);
    // Another attempt replaces the first.
    fixture.store.fetched(vec![got(first, 1, "b")], t(3)).await.unwrap();
    assert_eq!(fixture.store.media(&[first]).await.unwrap(), [got(first, 0, "a"), got(first, 1, "b")]);
    assert_eq!(fixture.claim("anna").await.unwrap().messages[0].attachments[0].kind, FileKind::Voice);
}

#[tokio::test]
async fn old_files_are_named_and_leave_a_word_behind() {
    let fixture = Fixture::open().await;
    let id = fixture.accept_one(1, with_files("1", 3)).await;
    fixture.store.fetched(vec![got(id, 1, "b")], t(20)).await.unwrap();
    fixture.store.fetched(vec![got(id, 0, "a"), lost(id, 2, "no")], t(10)).await.unwrap();
    assert_eq!(fixture.store.media_older(t(10), 9).await.unwrap(), []);
    assert_eq!(fixture.store.media_older(t(30), 1).await.unwrap(), [got(id, 0, "a")]);
    assert_eq!(fixture.store.media_older(t(30), 9).await.unwrap(), [got(id, 0, "a"), got(id, 1, "b")]);
    fixture.store.media_gone(vec![(id, 0)]).await.unwrap();
    let rows = fixture.store.media(&[id]).await.unwrap();
    assert_eq!(rows, [lost(id, 0, "no longer kept"), got(id, 1, "b"), lost(id, 2, "no")]);
    assert_eq!(fixture.store.media_older(t(30), 9).await.unwrap(), [got(id, 1, "b")]);
}

#[tokio::test]
async fn a_file_is_in_use_while_a_message_or_an_unsent_part_has_it() {
    let fixture = Fixture::open().await;
    let id = fixture.accept_one(1, with_files("1", 1)).await;
    fixture.store.fetched(vec![got(id, 0, "in")], t(2)).await.unwrap();
    let turn = fixture.claim("anna").await.unwrap();
    fixture.finish(Finish { media: vec![leaving("out", None)], ..answered(&turn, "") }).await;
    assert_eq!(in_use(&fixture, &["in", "nobody's", "out"]).await, ["in", "out"]);
    let part = fixture.claim_part("anna").await.unwrap();
    assert_eq!(in_use(&fixture, &["out"]).await, ["out"], "while it is being sent");
    fixture.part_ended(&part, SendResult::Unknown { error: "?".into() }).await;
    assert_eq!(in_use(&fixture, &["out"]).await, ["out"], "it may be sent again");
    fixture.store.part_dropped(part.post.out, &admin(), t(4)).await.unwrap();
    fixture.store.media_gone(vec![(id, 0)]).await.unwrap();
    assert_eq!(in_use(&fixture, &["in", "out"]).await, Vec::<String>::new());
}

#[tokio::test]
async fn files_follow_the_answer_in_rows_of_their_own() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    let media = vec![leaving("one", Some("*see*")), leaving("two", None)];
    let announced = fixture.finish(Finish { media: media.clone(), ..answered(&turn, "text") }).await;
    let keys: Vec<&str> = announced.iter().map(|row| row.post.key.as_str()).collect();
    let id = turn.claim.id;
    assert_eq!(keys, [format!("{id}/0"), format!("{id}/m0"), format!("{id}/m1")]);
    assert_eq!(
        (announced[1].post.part.body.as_str(), announced[1].post.part.plain.as_str()),
        ("*see*", "see")
    );
    assert_eq!((announced[2].post.part.body.as_str(), announced[0].media.as_ref()), ("", None));
    let file = announced[1].media.clone().unwrap();
    assert_eq!(OutgoingFile { caption: None, ..file.clone() }, leaving("one", None));
    assert_eq!(file.caption, Some(announced[1].post.part.clone()));
    assert_eq!(announced[2].media.clone().unwrap(), leaving("two", None));
    let read = fixture.store.parts(None, None, 10).await.unwrap();
    assert_eq!(read, announced.into_iter().rev().collect::<Vec<_>>(), "a row reads back as it was said");
}

#[tokio::test]
async fn what_an_operator_sends_may_carry_files_and_is_sent_once() {
    let fixture = Fixture::open().await;
    let outgoing = OutgoingMessage {
        address: address("anna"),
        session: None,
        parts: parts("look"),
        media: vec![leaving("one", None)],
        key: "k".into(),
        author: admin(),
        now: t(1),
    };
    let announced = fixture.store.send(outgoing.clone()).await.unwrap();
    assert_eq!(
        announced.iter().map(|row| row.post.key.as_str()).collect::<Vec<_>>(),
        ["send/k/0", "send/k/m0"]
    );
    assert_eq!(fixture.store.send(outgoing).await.unwrap(), announced);
    fixture.claim_part("anna").await.unwrap();
}

#[tokio::test]
async fn an_erased_message_has_no_files_also_not_late() {
    let fixture = Fixture::open().await;
    let id = fixture.accept_one(1, with_files("1", 2)).await;
    fixture.store.fetched(vec![got(id, 0, "a")], t(2)).await.unwrap();
    fixture.store.erase(&key("anna"), &admin(), t(3)).await.unwrap();
    fixture.store.fetched(vec![got(id, 1, "b")], t(4)).await.unwrap();
    assert_eq!(fixture.store.media(&[id]).await.unwrap(), []);
    assert_eq!(in_use(&fixture, &["a", "b"]).await, Vec::<String>::new());
}

#[tokio::test]
async fn they_go_with_the_history() {
    let keep =
        Retention { outbox_days: 1, refused_days: 8, dead_letter_days: 30, history_days: 30, audit_days: 90 };
    let fixture = Fixture::open().await;
    let id = fixture.accept_one(1, with_files("1", 3)).await;
    fixture.store.fetched(vec![got(id, 0, "a"), got(id, 1, "b"), lost(id, 2, "no")], t(2)).await.unwrap();
    let turn = fixture.claim("anna").await.unwrap();
    fixture.finish(answered(&turn, "")).await;
    let waits = fixture.accept_one(1, with_files("2", 1)).await;
    fixture.store.fetched(vec![got(waits, 0, "w")], t(2)).await.unwrap();
    assert_eq!(fixture.store.purge(keep, t(29 * DAY)).await.unwrap(), 0);
    assert_eq!(fixture.store.purge(keep, t(31 * DAY)).await.unwrap(), 5, "a message, a turn and three files");
    assert_eq!(fixture.store.media(&[id, waits]).await.unwrap(), [got(waits, 0, "w")]);
}

#[tokio::test]
async fn a_files_text_that_does_not_fit_beneath_it_follows_it() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    let long = OutgoingFile { after: parts("one|two"), ..leaving("out/long", None) };
    let media = vec![long, leaving("out/short", Some("short"))];
    fixture.finish(Finish { media, ..answered(&turn, "Here.") }).await;
    let mut order = Vec::new();
    while let Some(part) = fixture.claim_part("anna").await {
        order.push((part.post.part.body.clone(), part.media.clone().map(|file| file.file)));
        fixture.part_ended(&part, sent("1")).await;
    }
    let file = |file: &str| Some(file.to_owned());
    let expected =
        [("Here.", None), ("", file("out/long")), ("one", None), ("two", None), ("short", file("out/short"))];
    assert_eq!(order, expected.map(|(text, file)| (text.to_owned(), file)));
}

#[tokio::test]
async fn a_caption_that_is_refused_follows_its_file_as_a_message() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    fixture.finish(Finish { media: vec![leaving("out/a", Some("*short*"))], ..answered(&turn, "") }).await;
    let file = fixture.claim_part("anna").await.unwrap();
    assert!(fixture.part_ended(&file, SendResult::Uncaptioned { error: "too long".into() }).await);
    let again = fixture.claim_part("anna").await.unwrap();
    assert_eq!((again.post.out, again.post.part.body.as_str()), (file.post.out, ""));
    assert!(again.media.as_ref().is_some_and(|file| file.caption.is_none()));
    fixture.part_ended(&again, sent("1")).await;
    let words = fixture.claim_part("anna").await.unwrap();
    assert_eq!((words.post.part.body.as_str(), words.post.part.plain.as_str()), ("*short*", "short"));
    assert_eq!(words.post.about, file.post.about);
}

#[tokio::test]
async fn the_files_of_a_quoted_message_are_those_that_came_with_it() {
    let fixture = Fixture::open().await;
    let first = fixture.accept_one(1, with_files("1", 2)).await;
    fixture.store.fetched(vec![got(first, 0, "a"), lost(first, 1, "It is too large.")], t(2)).await.unwrap();
    let files = async |chat: &str, message: &str| {
        let chat = if chat.contains(':') { chat.parse().unwrap() } else { address(chat) };
        fixture.store.files_of(&chat, message).await.unwrap()
    };
    assert_eq!(files("anna", "p-1").await, [got(first, 0, "a"), lost(first, 1, "It is too large.")]);
    assert_eq!(files("bob", "p-1").await, [], "ids belong to their chat");
    assert_eq!(files("web:anna", "p-1").await, []);
    assert_eq!(files("anna", "p-2").await, []);
}

#[tokio::test]
async fn a_file_of_a_quoted_message_is_kept_with_the_message_that_quotes_it() {
    let fixture = Fixture::open().await;
    let quoting = with_event(says("anna", "1", "this?"), |event| event.quote = Some(Quote::of("[photo]")));
    let quoting = fixture.accept_one(1, quoting).await;
    fixture.store.fetched(vec![got(quoting, 1000, "a")], t(2)).await.unwrap();
    assert_eq!(fixture.store.media(&[quoting]).await.unwrap(), [got(quoting, 1000, "a")]);
    fixture.store.erase(&key("anna"), &admin(), t(3)).await.unwrap();
    fixture.store.fetched(vec![got(quoting, 1000, "a")], t(4)).await.unwrap();
    assert_eq!(fixture.store.media(&[quoting]).await.unwrap(), [], "nobody's after an erasure");
}

/// Claims the oldest part of anna's chat and the other files of its album.
async fn claimed_album(fixture: &Fixture) -> Vec<OutboxRow> {
    match fixture.store.claim_part(&address("anna"), t(1000)).await.unwrap() {
        NextPart::Send { part, others } => [vec![*part], others].concat(),
        other => panic!("{other:?}"),
    }
}

/// An answer with the files `a` and `b` in an album, and `c` alone.
async fn with_an_album() -> Fixture {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    let joined = OutgoingFile { joins: true, ..leaving("b", Some("*two*")) };
    let media = vec![leaving("a", Some("one")), joined, leaving("c", None)];
    fixture.finish(Finish { media, ..answered(&turn, "") }).await;
    fixture
}

fn names(rows: &[OutboxRow]) -> Vec<&str> {
    rows.iter().filter_map(|row| row.media.as_ref()).map(|media| media.file.as_str()).collect()
}

#[tokio::test]
async fn the_files_of_an_album_are_sent_together_and_each_has_its_own_id() {
    let fixture = with_an_album().await;
    let album = claimed_album(&fixture).await;
    assert_eq!(names(&album), ["a", "b"]);
    assert!(album.iter().all(|row| row.album == Some(album[0].post.out) && row.attempts == 1), "{album:?}");
    assert_eq!(fixture.claim_part("anna").await, None, "nothing overtakes it");
    let later = SendResult::Later { pause: pause(200), error: "502".into(), counts: true };
    fixture.part_ended(&album[0], later).await;
    let again = claimed_album(&fixture).await;
    assert_eq!((names(&again), again[1].failures), (vec!["a", "b"], 1));
    let platform_messages = vec![Some("11".into()), Some("12".into())];
    assert!(fixture.part_ended(&again[0], SendResult::AlbumSent { platform_messages }).await);
    let rows = fixture.store.parts(Some(OutboxState::Sent), None, 9).await.unwrap();
    let ids: Vec<_> = rows.iter().rev().map(|row| row.platform_message.as_deref()).collect();
    assert_eq!(ids, [Some("11"), Some("12")]);
    assert_eq!(names(&claimed_album(&fixture).await), ["c"]);
}

#[tokio::test]
async fn an_album_that_arrives_after_a_revocation_is_on_record() {
    let fixture = with_an_album().await;
    let album = claimed_album(&fixture).await;
    fixture.change(50, revoke_with_chat("anna")).await;
    let platform_messages = vec![Some("11".into()), Some("12".into())];
    let ended =
        fixture.store.part_ended(album[0].claim(), SendResult::AlbumSent { platform_messages }, t(60));
    assert_eq!(ended.await.unwrap(), Fenced::Stale);
    let rows = fixture.store.parts(Some(OutboxState::Sent), None, 9).await.unwrap();
    let ids: Vec<_> = rows.iter().rev().map(|row| row.platform_message.as_deref()).collect();
    assert_eq!(ids, [Some("11"), Some("12")]);
    assert_eq!(fixture.store.parts(Some(OutboxState::Dropped), None, 9).await.unwrap().len(), 1, "the third");
}

#[tokio::test]
async fn a_refused_album_is_taken_apart_and_its_files_keep_their_order() {
    let fixture = with_an_album().await;
    let album = claimed_album(&fixture).await;
    fixture.part_ended(&album[0], SendResult::Apart { error: "no".into() }).await;
    for (file, caption) in [("a", "one"), ("b", "*two*"), ("c", "")] {
        let one = claimed_album(&fixture).await;
        assert_eq!((names(&one), one[0].post.part.body.as_str()), (vec![file], caption));
        fixture.part_ended(&one[0], sent(file)).await;
    }
}

#[tokio::test]
async fn an_album_that_was_cut_off_is_sent_again_as_a_whole_or_held_as_a_whole() {
    for resend in [true, false] {
        let fixture = with_an_album().await;
        claimed_album(&fixture).await;
        let fixture = fixture.restarted(2).await;
        fixture.store.recover(Recovery { resend, ..recovery() }).await.unwrap();
        if resend {
            assert_eq!(names(&claimed_album(&fixture).await), ["a", "b"]);
            continue;
        }
        let held = fixture.store.parts(Some(OutboxState::Unknown), None, 9).await.unwrap();
        assert_eq!(names(&held), ["b", "a"]);
        // An operator saw that only the second file is missing.
        fixture.store.part_retried(held[0].post.out, &admin(), t(600)).await.unwrap();
        let one = claimed_album(&fixture).await;
        assert_eq!(names(&one), ["b"]);
        fixture.part_ended(&one[0], sent("12")).await;
        assert_eq!(names(&fixture.store.parts(Some(OutboxState::Unknown), None, 9).await.unwrap()), ["a"]);
    }
}

#[tokio::test]
async fn an_album_whose_end_cannot_be_stored_is_dead_as_a_whole() {
    let fixture = with_an_album().await;
    let album = claimed_album(&fixture).await;
    fixture.store.mark_part_dead(album[0].claim(), "why".into(), t(30)).await.unwrap();
    assert_eq!(names(&fixture.store.parts(Some(OutboxState::Dead), None, 9).await.unwrap()), ["b", "a"]);
    assert_eq!(names(&claimed_album(&fixture).await), ["c"]);
}

#[tokio::test]
async fn the_files_of_a_task_are_in_use_until_it_has_ended() {
    let fixture = Fixture::open().await;
    let file = Attachment {
        reference: "ref".into(),
        unique: None,
        kind: FileKind::Document,
        name: None,
        mime: None,
        size: None,
        seconds: None,
        kept: Some("in/notes.txt".into()),
    };
    let mut new = task("anna", "work");
    new.order.attachments = vec![file];
    submitted(&fixture, new).await;
    assert_eq!(in_use(&fixture, &["in/notes.txt", "in/other.txt"]).await, ["in/notes.txt"]);
    let session = placed(&fixture, "anna").await.remove(0);
    let turn = claimed(&fixture, &session).await;
    assert_eq!(in_use(&fixture, &["in/notes.txt"]).await, ["in/notes.txt"]);
    fixture.finish(answered(&turn, "done")).await;
    assert_eq!(in_use(&fixture, &["in/notes.txt"]).await, [""; 0]);
}

fn upload(name: &str, who: &str, file: &str, size: u64) -> UploadRow {
    let attachment = Attachment {
        reference: format!("hash of {file}"),
        unique: None,
        kind: FileKind::Document,
        name: Some("a.txt".into()),
        mime: Some("text/plain".into()),
        size: Some(size),
        seconds: None,
        kept: Some(file.into()),
    };
    UploadRow { name: name.into(), principal: format!("telegram:{who}").parse().unwrap(), attachment }
}

#[tokio::test]
async fn an_upload_is_kept_for_its_owner_until_it_is_too_old_and_no_message_names_it() {
    let fixture = Fixture::open().await;
    let store = &fixture.store;
    let none = UploadLimits::default();
    let (one, two) = (upload("one", "anna", "in/one", 7), upload("two", "anna", "in/two", 5));
    let key = || Some("telegram:anna k".to_owned());
    assert_eq!(store.uploaded(one.clone(), key(), none, t(1)).await.unwrap(), UploadStored::New);
    let again = store.uploaded(upload("other", "anna", "in/other", 7), key(), none, t(1)).await.unwrap();
    assert_eq!(again, UploadStored::Before(one.clone()));
    let person = UploadLimits { person: 11, total: 0 };
    assert_eq!(store.uploaded(two.clone(), None, person, t(2)).await.unwrap(), UploadStored::OverDaily);
    let total = UploadLimits { person: 12, total: 11 };
    assert_eq!(store.uploaded(two.clone(), None, total, t(2)).await.unwrap(), UploadStored::OverTotal);
    assert_eq!(
        store.uploaded(two.clone(), None, UploadLimits { total: 12, ..total }, t(2)).await.unwrap(),
        UploadStored::New
    );
    assert_eq!(store.media_bytes().await.unwrap(), 12);
    assert_eq!(store.upload(&one.principal, "one").await.unwrap(), Some(one.clone()));
    let bob = "telegram:bob".parse().unwrap();
    assert_eq!(store.upload(&bob, "one").await.unwrap(), None);
    assert_eq!(store.upload_dropped(&bob, "one").await.unwrap(), None);
    assert_eq!(in_use(&fixture, &["in/one", "in/two", "in/none"]).await, ["in/one", "in/two"]);
    // A message that waits keeps its file, and so does its turn.
    let message =
        with_event(says("anna", "1", "look"), |event| event.attachments = vec![one.attachment.clone()]);
    let id = fixture.accept_one(3, message).await;
    let session = fixture.store.message(id).await.unwrap().unwrap().message.session;
    assert_eq!(store.session_files(&session).await.unwrap(), ["in/one"]);
    assert_eq!(store.uploads_expired(t(2)).await.unwrap(), ["in/one"]);
    assert_eq!(in_use(&fixture, &["in/one", "in/two"]).await, ["in/one", "in/two"]);
    fixture.claim("anna").await.unwrap();
    assert_eq!(in_use(&fixture, &["in/one"]).await, ["in/one"]);
    assert_eq!(
        store.attachment(&session, id, 0).await.unwrap(),
        Some((Some("in/one".into()), one.attachment))
    );
    assert_eq!(store.attachment(&session, id, 1).await.unwrap(), None);
    assert_eq!(store.upload_dropped(&two.principal, "two").await.unwrap().as_deref(), Some("in/two"));
    assert_eq!(in_use(&fixture, &["in/two"]).await, Vec::<String>::new());
}
