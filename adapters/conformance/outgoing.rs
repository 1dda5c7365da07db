//! Tests of the way from the gateway to the platform.

use std::io::{Seek, Write};
use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::delivery::{
    AlbumFile, Delivery, Ending, MediaFile, MessageRefs, Post, PostKind, Receipt, SendError, Signal,
};
use frontdesk_core::id::OutId;
use frontdesk_core::message::{Attachment, FileKind};
use frontdesk_core::port::Adapter;
use frontdesk_core::profile::{Profile, ReceiptRule};

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
        audience: None,
    }
}

/// A post appears on the platform, and has an id on platforms that give ids.
pub(super) async fn a_post_is_shown_and_has_an_id(platform: &impl TestPlatform) {
    let (adapter, inbox) = (platform.adapter(), Arc::new(RecordingInbox::default()));
    let receipt = run_adapter(&adapter, &inbox, async {
        // Some platforms do not let a bot write to a person who has never written to it.
        platform.writes("hello").await;
        until(|| !inbox.events().is_empty()).await;
        let first = Delivery::Post(post("seen & **named**", adapter.profile()));
        let receipt = adapter.deliver(&platform.chat(), first).await.expect("the platform accepts a post");
        until(|| platform.shown_texts().iter().any(|text| text.contains("named"))).await;
        receipt
    })
    .await;
    if adapter.profile().receipt == ReceiptRule::Platform {
        let target = receipt.message.expect("sent needs the platform's id");
        let changed =
            Delivery::Edit { target: target.clone(), post: post("changed since", adapter.profile()) };
        let edited = adapter.deliver(&platform.chat(), changed.clone()).await;
        edited.expect("its own message can be edited");
        until(|| platform.shown_texts().iter().any(|text| text == "changed since")).await;
        let again = adapter.deliver(&platform.chat(), changed).await;
        again.expect("an edit that changes nothing has succeeded");
        a_deletion_deletes_or_is_refused(platform, &adapter, target).await;
    }
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

/// No signal panics or hangs, and none fails in a way that would pace the next one.
pub(super) async fn every_signal_returns_in_time(platform: &impl TestPlatform) {
    let adapter = platform.adapter();
    let about = MessageRefs::default();
    let signals = [
        Signal::Typing,
        Signal::Delta { about: about.clone(), attempt: 1, text: "piece".to_owned() },
        Signal::End { about, ending: Ending::Cancelled, usage: None },
        Signal::Draft { id: 7, text: "a draft".to_owned() },
        Signal::Grow { target: "999999999".to_owned(), text: "nothing to grow".to_owned() },
    ];
    for signal in signals {
        let name = format!("{signal:?}");
        let given = tokio::time::timeout(LIMIT, adapter.signal(&platform.chat(), signal)).await;
        let given = given.unwrap_or_else(|_| panic!("{name} hangs"));
        assert!(!matches!(given, Err(SendError::Later { .. } | SendError::Unknown(_))), "{name}: {given:?}");
    }
}

/// No delivery panics or hangs, and each has a certain result.
pub(super) async fn every_delivery_returns_in_time(platform: &impl TestPlatform) {
    let adapter = platform.adapter();
    let profile = adapter.profile();
    let deliveries = [
        Delivery::Edit { target: "999999999".to_owned(), post: post("nothing to edit", profile) },
        Delivery::Delete { target: "1".to_owned() },
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
    };
    let fetched = tokio::time::timeout(LIMIT, adapter.fetch(&file)).await;
    assert!(fetched.expect("it does not hang").is_err(), "there is no such file");
}
