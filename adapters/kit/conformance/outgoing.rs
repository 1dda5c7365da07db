//! From the house to the platform.

use std::io::{Seek, Write};
use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::act::{About, Act, Ending, MediaFile, Post, PostKind, SendError};
use frontdesk_core::id::OutId;
use frontdesk_core::markup;
use frontdesk_core::message::{Attachment, FileKind};
use frontdesk_core::port::Adapter;
use frontdesk_core::profile::{Profile, ReceiptRule};

use super::{Rig, living, until};
use crate::Ledger;

fn post(text: &str, profile: &Profile) -> Post {
    Post {
        part: markup::render(text, profile).remove(0),
        out: OutId(1),
        key: format!("t1/{text}"),
        reply_to: None,
        kind: PostKind::Answer,
        about: About::default(),
        seq: (profile.receipt == ReceiptRule::Commit).then_some(1),
        more: false,
    }
}

/// What was posted is seen, and what was seen has a name where the platform gives names.
pub(super) async fn a_post_is_seen_and_named(rig: &impl Rig) {
    let (adapter, inbox) = (rig.adapter(), Arc::new(Ledger::default()));
    let receipt = living(&adapter, &inbox, async {
        // A person who never wrote cannot be written to everywhere.
        rig.writes("hello").await;
        until(|| !inbox.events().is_empty()).await;
        let act = Act::Post(post("seen & **named**", adapter.profile()));
        let receipt = adapter.send(&rig.chat(), act).await.expect("a post is taken");
        until(|| rig.shows().iter().any(|text| text.contains("named"))).await;
        receipt
    })
    .await;
    if adapter.profile().receipt == ReceiptRule::Platform {
        let target = receipt.message.expect("sent needs the platform's id");
        let changed = post("changed since", adapter.profile());
        let edited =
            adapter.send(&rig.chat(), Act::Edit { target: target.clone(), post: changed.clone() }).await;
        edited.expect("its own message can be edited");
        until(|| rig.shows().iter().any(|text| text == "changed since")).await;
        let again =
            adapter.send(&rig.chat(), Act::Edit { target: target.clone(), post: changed.clone() }).await;
        again.expect("an edit that changes nothing has succeeded");
        a_deletion_deletes_or_is_refused(rig, &adapter, target).await;
    }
}

/// A message that was deleted is not shown any more, and deleting it twice is no reason to try again. A platform that
/// cannot delete says so.
async fn a_deletion_deletes_or_is_refused(rig: &impl Rig, adapter: &Arc<dyn Adapter>, target: String) {
    let delete = || answered(adapter, rig, Act::Delete { target: target.clone() });
    match delete().await {
        Ok(_) => {
            until(|| rig.shows().iter().all(|text| text != "changed since")).await;
            let again = delete().await;
            assert!(matches!(again, Ok(_) | Err(SendError::Refused(_))), "{again:?}");
        }
        Err(error) => assert!(matches!(error, SendError::Refused(_)), "{error}"),
    }
}

/// No act panics or hangs, and what is fleeting is no error.
pub(super) async fn every_act_has_an_answer(rig: &impl Rig) {
    let adapter = rig.adapter();
    let profile = adapter.profile();
    let about = About::default();
    let fleeting = [
        Act::Typing,
        Act::Delta { about: about.clone(), attempt: 1, text: "piece".to_owned() },
        Act::End { about, ending: Ending::Cancelled, usage: None },
        Act::Draft { id: 7, text: "a draft".to_owned() },
    ];
    for act in fleeting {
        let name = format!("{act:?}");
        let sent = answered(&adapter, rig, act).await;
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
        let sent = answered(&adapter, rig, act).await;
        assert!(can || sent.is_err(), "{name}: who sends no files must say so");
        assert!(!matches!(sent, Err(SendError::Unknown(_))), "{name}: {sent:?}");
    }
}

fn media(profile: &Profile) -> Act {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"just some words").unwrap();
    file.rewind().unwrap();
    let file = MediaFile {
        handle: Arc::new(file),
        size: 15,
        name: "words.txt".to_owned(),
        mime: Some("text/plain".to_owned()),
        kind: FileKind::Document,
    };
    Act::Media { file, post: post("beneath", profile) }
}

async fn answered(
    adapter: &Arc<dyn Adapter>,
    rig: &impl Rig,
    act: Act,
) -> Result<frontdesk_core::act::Receipt, SendError> {
    let name = format!("{act:?}");
    let sent = tokio::time::timeout(Duration::from_secs(15), adapter.send(&rig.chat(), act)).await;
    sent.unwrap_or_else(|_| panic!("{name} hangs"))
}

/// A chat that is gone is not tried for ever.
pub(super) async fn a_chat_that_is_not_there_is_no_reason_to_try_again(rig: &impl Rig) {
    let adapter = rig.adapter();
    if adapter.profile().receipt == ReceiptRule::Commit {
        return;
    }
    let sent = adapter.send(&rig.nowhere(), Act::Post(post("anybody?", adapter.profile()))).await;
    assert!(matches!(sent, Err(SendError::Gone(_) | SendError::Refused(_))), "{sent:?}");
}

/// A reference that means nothing is an answer, not a panic.
pub(super) async fn a_file_that_is_not_there_is_an_answer_too(rig: &impl Rig) {
    let adapter = rig.adapter();
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
