//! Tests of the way from the gateway to the platform.

use std::io::{Seek, Write};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use frontdesk_core::address::Principal;
use frontdesk_core::ask::{AskChoice, AskKind, Audience, ChoiceStyle, PostedAsk, Press};
use frontdesk_core::delivery::{
    AlbumFile, Delivery, Ending, MediaFile, MessageRefs, Post, PostKind, Receipt, SendError, Signal,
};
use frontdesk_core::id::{AskId, OutId, TaskId};
use frontdesk_core::message::{Attachment, Event, EventKind, FileKind};
use frontdesk_core::port::Adapter;
use frontdesk_core::profile::{Profile, ReceiptRule};
use frontdesk_core::progress::Progress;

use super::{TestPlatform, run_adapter, until};
use crate::RecordingInbox;

/// Maximum time of one request.
const LIMIT: Duration = Duration::from_secs(15);

fn post(text: &str, profile: &Profile) -> Post {
    Post {
        part: profile.render(text).remove(0),
        out: OutId(1),
        key: format!("t1/{text}"),
        reply_to: None,
        kind: PostKind::Answer,
        about: MessageRefs::default(),
        seq: (profile.receipt == ReceiptRule::Commit).then_some(1),
        more: false,
        ask: None,
        task: None,
        audience: None,
        file: None,
        native: None,
    }
}

/// A post appears on the platform, and has an id on platforms that give ids.
pub(super) async fn a_post_is_shown_and_has_an_id(platform: &impl TestPlatform) {
    let (adapter, inbox) = (platform.adapter(), Arc::new(RecordingInbox::default()));
    run_adapter(&adapter, &inbox, async {
        user_writes(platform, &inbox).await;
        let first = Delivery::Post(post("seen & **named**", adapter.profile()));
        let receipt = adapter.deliver(&platform.chat(), first).await.expect("the platform accepts a post");
        until(|| platform.shown_texts().iter().any(|text| text.contains("named"))).await;
        if adapter.profile().receipt == ReceiptRule::Platform {
            let target = receipt.message.expect("sent needs the platform's id");
            an_edit_changes_it_and_can_be_repeated(platform, &adapter, &target).await;
            a_deletion_deletes_or_is_refused(platform, &adapter, target).await;
        }
    })
    .await;
}

/// Some platforms do not let a bot write to a person who has never written to it.
async fn user_writes(platform: &impl TestPlatform, inbox: &RecordingInbox) {
    platform.writes("hello").await;
    until(|| !inbox.events().is_empty()).await;
}

async fn an_edit_changes_it_and_can_be_repeated(
    platform: &impl TestPlatform,
    adapter: &Arc<dyn Adapter>,
    target: &str,
) {
    let changed =
        Delivery::Edit { target: target.to_owned(), post: post("changed since", adapter.profile()) };
    let edited = adapter.deliver(&platform.chat(), changed.clone()).await;
    edited.expect("its own message can be edited");
    until(|| platform.shown_texts().iter().any(|text| text == "changed since")).await;
    let again = adapter.deliver(&platform.chat(), changed).await;
    again.expect("an edit that changes nothing has succeeded");
}

/// A deleted message is not shown any more, and deleting it again does not cause a retry. A platform that cannot delete
/// refuses.
async fn a_deletion_deletes_or_is_refused(
    platform: &impl TestPlatform,
    adapter: &Arc<dyn Adapter>,
    target: String,
) {
    let delete = || delivered(adapter, platform, Delivery::Delete { target: target.clone() });
    match delete().await {
        Ok(_) => {
            until(|| platform.shown_texts().iter().all(|text| text != "changed since")).await;
            let again = delete().await;
            assert!(matches!(again, Ok(_) | Err(SendError::Refused(_))), "{again:?}");
        }
        Err(error) => assert!(matches!(error, SendError::Refused(_)), "{error}"),
    }
}

/// On a platform with buttons a question has one for each choice, and a press arrives as the choice's data from the
/// person who pressed it. Elsewhere the text lists the choices, and the question is a post like any other.
pub(super) async fn a_question_has_buttons_and_a_press_arrives(platform: &impl TestPlatform) {
    let (adapter, inbox) = (platform.adapter(), Arc::new(RecordingInbox::default()));
    let person = Principal::at(adapter.account(), &platform.person()).unwrap();
    run_adapter(&adapter, &inbox, async {
        user_writes(platform, &inbox).await;
        let ask = question(person.clone());
        let data = Press { ask: ask.id, choice: 1 }.to_string();
        let post = Post { ask: Some(ask), ..post("Shall it go on?", adapter.profile()) };
        let asked = adapter.deliver(&platform.chat(), Delivery::Post(post)).await;
        let asked = asked.expect("the platform accepts a question").message.unwrap_or_default();
        until(|| platform.shown_texts().iter().any(|text| text.contains("Shall it go on?"))).await;
        let pressed = platform.presses(&asked, "Stop it").await;
        assert!(
            pressed || !adapter.profile().buttons || adapter.profile().receipt == ReceiptRule::Commit,
            "a platform with buttons has one for each choice"
        );
        if pressed {
            let arrived =
                |event: &Event| matches!(event.kind, EventKind::Button { .. }) && event.text == data;
            until(|| inbox.events().iter().any(arrived)).await;
            let events = inbox.events();
            let press = events.iter().find(|event| arrived(event)).unwrap();
            assert!(press.from.id == person && press.address == platform.chat() && press.addressed);
        }
    })
    .await;
}

/// A question to one person, with the choices "Go on" and "Stop it".
pub fn question(who: Principal) -> PostedAsk {
    let choice = |id: &str, label: &str| AskChoice {
        id: id.to_owned(),
        label: label.to_owned(),
        style: ChoiceStyle::Plain,
    };
    PostedAsk {
        id: AskId(7),
        kind: AskKind::Confirm,
        text: "Shall it go on?".to_owned(),
        choices: vec![choice("go", "Go on"), choice("stop", "Stop it")],
        deadline: DateTime::<Utc>::MAX_UTC,
        audience: Audience::People(vec![who]),
        closed: None,
    }
}

/// An album has an id for each of its files, or one for all of them.
pub(super) async fn an_album_is_accepted_as_a_whole(platform: &impl TestPlatform) {
    let (adapter, inbox) = (platform.adapter(), Arc::new(RecordingInbox::default()));
    if adapter.profile().albums.is_none() {
        return;
    }
    run_adapter(&adapter, &inbox, async {
        user_writes(platform, &inbox).await;
        let sent = delivered(&adapter, platform, album(adapter.profile())).await;
        let receipt = sent.expect("the platform accepts an album");
        assert!(receipt.message.is_some() && [0, 1].contains(&receipt.others.len()), "{receipt:?}");
    })
    .await;
}

/// No signal panics or hangs, and none fails in a way that would pace the next one.
pub(super) async fn every_signal_returns_in_time(platform: &impl TestPlatform) {
    let (adapter, inbox) = (platform.adapter(), Arc::new(RecordingInbox::default()));
    let about = MessageRefs::default();
    let signals = [
        Signal::Typing,
        Signal::Delta { about: about.clone(), attempt: 1, text: "piece".to_owned() },
        Signal::Progress {
            about: about.clone(),
            task: Some(TaskId(7)),
            attempt: 1,
            progress: Progress { percent: Some(50), line: Some("half of it".to_owned()) },
        },
        Signal::End { about, ending: Ending::Cancelled, usage: None },
        Signal::Draft { id: 7, text: "a draft".to_owned() },
        Signal::Grow { target: "999999999".to_owned(), text: "nothing to grow".to_owned() },
        Signal::Waits { target: "999999999".to_owned(), waits: true },
    ];
    let given = async || {
        for signal in signals.clone() {
            let name = format!("{signal:?}");
            let given = tokio::time::timeout(LIMIT, adapter.signal(&platform.chat(), signal)).await;
            let given = given.unwrap_or_else(|_| panic!("{name} hangs"));
            assert!(
                !matches!(given, Err(SendError::Later { .. } | SendError::Unknown(_))),
                "{name}: {given:?}"
            );
        }
    };
    // Also before `run` has been called, and while it runs.
    given().await;
    run_adapter(&adapter, &inbox, given()).await;
}

/// No delivery panics or hangs, and each has a certain result.
pub(super) async fn every_delivery_returns_in_time(platform: &impl TestPlatform) {
    let adapter = platform.adapter();
    let profile = adapter.profile();
    let deliveries = [
        Delivery::Edit { target: "999999999".to_owned(), post: post("nothing to edit", profile) },
        Delivery::Delete { target: "1".to_owned() },
        Delivery::React { target: "1".to_owned(), emoji: Some("👍".to_owned()) },
        Delivery::Pin { target: "1".to_owned() },
        media(profile),
        album(profile),
    ];
    for delivery in deliveries {
        let name = format!("{delivery:?}");
        let can = match &delivery {
            Delivery::Media { .. } => profile.media.is_some(),
            Delivery::Album(_) => profile.albums.is_some(),
            _ => true,
        };
        let sent = delivered(&adapter, platform, delivery).await;
        assert!(
            can || sent.is_err(),
            "{name}: an adapter that sends no files or albums must return an error"
        );
        assert!(!matches!(sent, Err(SendError::Unknown(_))), "{name}: {sent:?}");
    }
}

fn album(profile: &Profile) -> Delivery {
    let one = |text| AlbumFile { file: file(), post: post(text, profile) };
    Delivery::Album(vec![one("the first"), one("the second")])
}

fn media(profile: &Profile) -> Delivery {
    Delivery::Media { file: file(), post: post("beneath", profile) }
}

fn file() -> MediaFile {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"the file content").unwrap();
    file.rewind().unwrap();
    MediaFile {
        handle: Arc::new(file),
        size: 16,
        name: "content.txt".to_owned(),
        mime: Some("text/plain".to_owned()),
        kind: FileKind::Document,
        tried: false,
    }
}

async fn delivered(
    adapter: &Arc<dyn Adapter>,
    platform: &impl TestPlatform,
    delivery: Delivery,
) -> Result<Receipt, SendError> {
    let name = format!("{delivery:?}");
    let sent = tokio::time::timeout(LIMIT, adapter.deliver(&platform.chat(), delivery)).await;
    sent.unwrap_or_else(|_| panic!("{name} hangs"))
}

/// A post to a chat that does not exist is not retried.
pub(super) async fn a_post_to_a_missing_chat_is_not_retried(platform: &impl TestPlatform) {
    let adapter = platform.adapter();
    if adapter.profile().receipt == ReceiptRule::Commit {
        return;
    }
    let sent =
        adapter.deliver(&platform.missing_chat(), Delivery::Post(post("anybody?", adapter.profile()))).await;
    assert!(matches!(sent, Err(SendError::Gone(_) | SendError::Refused(_))), "{sent:?}");
}

/// An unknown file reference gives an error and does not panic.
pub(super) async fn a_missing_file_is_an_error(platform: &impl TestPlatform) {
    let adapter = platform.adapter();
    let file = Attachment {
        reference: "no such file".to_owned(),
        unique: None,
        kind: FileKind::Document,
        name: Some("../../etc/passwd".to_owned()),
        mime: None,
        size: None,
        seconds: None,
        kept: None,
    };
    let fetched = tokio::time::timeout(LIMIT, adapter.fetch(&file)).await;
    assert!(fetched.expect("it does not hang").is_err(), "there is no such file");
}
