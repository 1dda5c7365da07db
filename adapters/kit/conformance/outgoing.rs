//! Tests of the way from the gateway to the platform.

use std::io::{Seek, Write};
use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::act::{Act, Ending, MediaFile, MessageRefs, Post, PostKind, SendError};
use frontdesk_core::id::OutId;
use frontdesk_core::message::{Attachment, FileKind};
use frontdesk_core::port::Adapter;
use frontdesk_core::profile::{Profile, ReceiptRule};

use super::{TestPlatform, run_adapter, until};
use crate::RecordingInbox;

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
    }
}

/// A post appears on the platform, and has an id on platforms that give ids.
pub(super) async fn a_post_is_shown_and_has_an_id(platform: &impl TestPlatform) {
    let (adapter, inbox) = (platform.adapter(), Arc::new(RecordingInbox::default()));
    let receipt = run_adapter(&adapter, &inbox, async {
        // Some platforms do not let a bot write to a person who has never written to it.
        platform.writes("hello").await;
        until(|| !inbox.events().is_empty()).await;
        let act = Act::Post(post("seen & **named**", adapter.profile()));
        let receipt = adapter.send(&platform.chat(), act).await.expect("the platform accepts a post");
        until(|| platform.shown_texts().iter().any(|text| text.contains("named"))).await;
        receipt
    })
    .await;
    if adapter.profile().receipt == ReceiptRule::Platform {
        let target = receipt.message.expect("sent needs the platform's id");
        let changed = post("changed since", adapter.profile());
        let edited =
            adapter.send(&platform.chat(), Act::Edit { target: target.clone(), post: changed.clone() }).await;
        edited.expect("its own message can be edited");
        until(|| platform.shown_texts().iter().any(|text| text == "changed since")).await;
        let again =
            adapter.send(&platform.chat(), Act::Edit { target: target.clone(), post: changed.clone() }).await;
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
    let delete = || answered(adapter, platform, Act::Delete { target: target.clone() });
    match delete().await {
        Ok(_) => {
            until(|| platform.shown_texts().iter().all(|text| text != "changed since")).await;
            let again = delete().await;
            assert!(matches!(again, Ok(_) | Err(SendError::Refused(_))), "{again:?}");
        }
        Err(error) => assert!(matches!(error, SendError::Refused(_)), "{error}"),
    }
}

/// No act panics or hangs, and acts that may be lost without harm do not fail temporarily.
pub(super) async fn every_act_returns_in_time(platform: &impl TestPlatform) {
    let adapter = platform.adapter();
    let profile = adapter.profile();
    let about = MessageRefs::default();
    let fleeting = [
        Act::Typing,
        Act::Delta { about: about.clone(), attempt: 1, text: "piece".to_owned() },
        Act::End { about, ending: Ending::Cancelled, usage: None },
        Act::Draft { id: 7, text: "a draft".to_owned() },
    ];
    for act in fleeting {
        let name = format!("{act:?}");
        let sent = answered(&adapter, platform, act).await;
        assert!(!matches!(sent, Err(SendError::Later { .. } | SendError::Unknown(_))), "{name}: {sent:?}");
    }
    let target = "1".to_owned();
    let lasting = [
        Act::React { target: target.clone(), emoji: "👍".to_owned() },
        Act::Pin { target: target.clone() },
        Act::Edit { target: "999999999".to_owned(), post: post("nothing to edit", profile) },
        Act::Delete { target },
        media(profile),
    ];
    for act in lasting {
        let (name, can) = (format!("{act:?}"), !matches!(act, Act::Media { .. }) || profile.media.is_some());
        let sent = answered(&adapter, platform, act).await;
        assert!(can || sent.is_err(), "{name}: an adapter that sends no files must return an error");
        assert!(!matches!(sent, Err(SendError::Unknown(_))), "{name}: {sent:?}");
    }
}

fn media(profile: &Profile) -> Act {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"the file content").unwrap();
    file.rewind().unwrap();
    let file = MediaFile {
        handle: Arc::new(file),
        size: 16,
        name: "content.txt".to_owned(),
        mime: Some("text/plain".to_owned()),
        kind: FileKind::Document,
    };
    Act::Media { file, post: post("beneath", profile) }
}

async fn answered(
    adapter: &Arc<dyn Adapter>,
    platform: &impl TestPlatform,
    act: Act,
) -> Result<frontdesk_core::act::Receipt, SendError> {
    let name = format!("{act:?}");
    let sent = tokio::time::timeout(Duration::from_secs(15), adapter.send(&platform.chat(), act)).await;
    sent.unwrap_or_else(|_| panic!("{name} hangs"))
}

/// A post to a chat that does not exist is not retried.
pub(super) async fn a_post_to_a_missing_chat_is_not_retried(platform: &impl TestPlatform) {
    let adapter = platform.adapter();
    if adapter.profile().receipt == ReceiptRule::Commit {
        return;
    }
    let sent = adapter.send(&platform.missing_chat(), Act::Post(post("anybody?", adapter.profile()))).await;
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
    let fetched = tokio::time::timeout(Duration::from_secs(15), adapter.fetch(&file)).await;
    assert!(fetched.expect("it does not hang").is_err(), "there is no such file");
}
