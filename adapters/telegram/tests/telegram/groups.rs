//! Events of groups: messages, edits, reactions, topics, albums, and a move to a supergroup.

use std::sync::Arc;

use frontdesk_botapi::{BotApi, Content, Forward};
use frontdesk_conformance::RecordingInbox;
use frontdesk_core::message::{Conversation, EventKind, SenderKind};

use crate::setup::{account, adapter, running, until};

#[tokio::test]
async fn each_kind_of_event_in_a_group_is_read() {
    let api = BotApi::start().await;
    let (anna, ben) = (api.user(1001, "Anna"), api.user(1002, "Ben"));
    let bot = api.default_bot();
    bot.privacy(false);
    let tea = api.supergroup(-1001, "Tea");
    tea.promotes(&bot).await;
    let forum = api.forum(-1002, "Forum");
    let plans = forum.topic(&anna, "Plans").await;
    let inbox = Arc::new(RecordingInbox::default());
    let captions = ["@frontdesk_bot compare", "", ""];
    running(&adapter(account(&api)), &inbox, async {
        // Reactions are only delivered after they were asked for.
        until(|| inbox.heard() > 0).await;
        let first = anna.says(&tea, "@frontdesk_bot what is this?").await;
        anna.edits(&tea, first, "@frontdesk_bot what is that?").await;
        ben.reacts(&tea, first.message_id, "👍").await;
        anna.message(&tea).text("/stop@frontdesk_bot").as_chat(-1001).send().await;
        ben.message(&tea).text("read").forwarded(Forward::User(anna.id)).send().await;
        ben.says(&plans, "in the topic").await;
        for (n, caption) in captions.into_iter().enumerate() {
            let picture = Content::of(vec![0xff, 0xd8, u8::try_from(n).unwrap()]);
            let draft = anna.message(&tea).photo(picture).album("77");
            if caption.is_empty() {
                draft.send().await
            } else {
                draft.text(caption).send().await
            };
        }
        until(|| api.journal().unconfirmed() == 0).await;
    })
    .await;
    let events = inbox.events();
    let by_text =
        |text: &str| events.iter().find(|event| event.text == text).unwrap_or_else(|| panic!("{text}"));
    assert!(by_text("what is this?").addressed);
    assert_eq!(by_text("what is that?").kind, EventKind::Edit);
    assert!(
        events
            .iter()
            .any(|event| matches!(&event.kind, EventKind::Reaction { added, .. } if added == &["👍"]))
    );
    assert_eq!(by_text("/stop").from.kind, SenderKind::Chat, "an anonymous admin has no person's rights");
    let forward = by_text("read").forward.clone().unwrap();
    assert_eq!(forward.id.map(|id| id.to_string()), Some(format!("telegram:{}", anna.id)));
    let topic = Conversation::Topic { chat: "-1002".into(), thread: plans.thread.unwrap().to_string() };
    assert_eq!(by_text("in the topic").conversation, topic);
    let album: Vec<_> = events.iter().filter(|event| event.album.is_some()).collect();
    assert_eq!(album.len(), 3);
    assert!(album.iter().all(|event| event.addressed && event.attachments.len() == 1));
}

#[tokio::test]
async fn a_move_to_a_supergroup_is_an_event() {
    let api = BotApi::start().await;
    let group = api.group(-500, "Tea");
    let inbox = Arc::new(RecordingInbox::default());
    group.migrates(-1_000_500).await;
    running(&adapter(account(&api)), &inbox, async { until(|| api.journal().unconfirmed() == 0).await })
        .await;
    let moved =
        inbox.events().into_iter().find(|event| matches!(event.kind, EventKind::Moved { .. })).unwrap();
    assert_eq!(moved.kind, EventKind::Moved { to: "-1000500".into() });
    assert_eq!(moved.conversation.chat(), "-500");
}
