//! Limits that the adapter keeps by itself: sizes, lengths, and how often a sign is shown.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_conformance::RecordingInbox;
use frontdesk_core::delivery::{AlbumFile, Bucket, Delivery, MediaFile, Post, SendError, Signal};
use frontdesk_core::markup::Part;
use frontdesk_core::port::Adapter;
use frontdesk_discord::DiscordAdapter;
use frontdesk_fakediscord::Fault;
use serde_json::json;

use crate::sending::file;
use crate::setup::{Garden, TestClock, post, running, says, texts};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_over_the_limit_is_not_uploaded() {
    let garden = Garden::new().await;
    let adapter = garden.adapter();
    let sized = |bytes: u64| {
        let content = "x".repeat(usize::try_from(bytes).unwrap());
        Delivery::Media { file: file("a.bin", &content), post: post(&bytes.to_string()) }
    };
    let most = 10 * 1024 * 1024;
    adapter.deliver(&garden.address(), sized(most)).await.unwrap();
    let refused = adapter.deliver(&garden.address(), sized(most + 1)).await;
    assert!(
        matches!(&refused, Err(SendError::Refused(why)) if why.to_string().contains("10485760")),
        "{refused:?}"
    );
    assert_eq!(garden.discord.journal().calls_of("create_message").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_an_album_are_one_message_with_all_captions() {
    let garden = Garden::new().await;
    let one = |name: &str, caption: &str| {
        let part = Part { key: 0, body: caption.into(), plain: caption.into() };
        let post = Post { part, ..post(name) };
        let file: MediaFile = file(name, name);
        AlbumFile { file, post }
    };
    let album = vec![one("a.txt", "first"), one("b.txt", ""), one("c.txt", "third")];
    garden.adapter().deliver(&garden.address(), Delivery::Album(album)).await.unwrap();
    let shown = garden.discord.shows(garden.channel);
    assert_eq!(shown.len(), 1);
    assert_eq!((shown[0].content.as_str(), shown[0].flags), ("first\nthird", 4));
    assert_eq!(shown[0].files, ["a.txt", "b.txt", "c.txt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_is_shown_where_the_answer_will_be() {
    let garden = Garden::new().await;
    let adapter = garden.adapter();
    adapter.signal(&garden.address(), Signal::Typing).await.unwrap();
    let shown = garden.discord.journal().calls_of("trigger_typing_indicator");
    assert_eq!(shown.iter().map(|call| call.chat).collect::<Vec<_>>(), [garden.channel]);
    let every = adapter.profile().typing.unwrap().as_secs();
    assert!((1..10).contains(&every), "Discord shows it for ten seconds, not {every}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_author_of_a_gap_has_the_roles_of_a_member() {
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    let first = garden.adapter();
    running(&first, &inbox, async {
        garden.connected().await;
        garden.ann.says(garden.channel, "before");
        inbox.until(|inbox| texts(inbox).len() == 1).await;
    })
    .await;
    garden.discord.act("role", json!({"id": 33, "guild": 9000, "name": "Gardeners"}));
    garden.discord.act("member", json!({"guild": 9000, "user": 7, "roles": [33], "nick": "Annie"}));
    garden.discord.act("forget_sessions", json!({}));
    garden.ann.says(garden.channel, "missed");
    let again = garden.adapter();
    running(&again, &inbox, async { inbox.until(|inbox| texts(inbox).len() == 2).await }).await;
    let missed = inbox.events().into_iter().find(|event| event.text == "missed").unwrap();
    assert_eq!((missed.from.roles, missed.from.name), (vec!["33".to_owned()], Some("Annie".to_owned())));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_address_is_banned_nothing_is_sent() {
    let garden = Garden::new().await;
    let (clock, inbox) = (TestClock::new(), Arc::new(RecordingInbox::default()));
    let adapter = DiscordAdapter::new(garden.account(), clock.clone()).unwrap();
    garden.discord.act("heartbeat", json!({"interval_ms": 10_000_000}));
    running(&adapter, &inbox, async {
        garden.commands().await;
        let slash = json!({"user": 7, "channel": garden.channel, "name": "status"});
        garden.discord.act("slash", slash);
        inbox.until(|inbox| inbox.events().len() == 1).await;
        garden
            .discord
            .until(|| garden.discord.journal().calls_of("create_interaction_response").len() == 1)
            .await;
        let answer = Post { reply_to: inbox.events()[0].platform_message.clone(), ..post("all is well") };
        garden.discord.fault(Fault::status(429));
        let banned = adapter.deliver(&garden.address(), says("one")).await;
        assert!(matches!(&banned, Err(SendError::Later { scope: Bucket::Account, .. })), "{banned:?}");
        garden.discord.clear_faults();
        for delivery in [says("two"), Delivery::Post(answer.clone())] {
            let banned = adapter.deliver(&garden.address(), delivery).await;
            assert!(matches!(&banned, Err(SendError::Later { scope: Bucket::Account, .. })), "{banned:?}");
        }
        assert_eq!(garden.answers(), [""; 1], "the bot thinks");
        clock.advance(Duration::from_secs(61));
        for delivery in [says("two"), Delivery::Post(answer)] {
            adapter.deliver(&garden.address(), delivery).await.unwrap();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_may_write_more_sends_longer_messages() {
    let garden = Garden::new().await;
    let mut account = garden.account();
    account.settings.text_limit = 4000;
    let adapter = DiscordAdapter::new(account, TestClock::new()).unwrap();
    assert_eq!((adapter.profile().limit.max, adapter.profile().caption), (4000, 4000));
}
