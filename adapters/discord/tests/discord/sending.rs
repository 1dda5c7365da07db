//! Deliveries and signals, and what becomes of those that fail.

use std::io::{Seek, Write};
use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::delivery::{Bucket, Delivery, MediaFile, Post, SendError, Signal};
use frontdesk_core::message::{Attachment, FileKind};
use frontdesk_core::port::{Adapter, FetchError};
use frontdesk_discord::DiscordAdapter;
use frontdesk_fakediscord::{BOT, Fault, Id};
use futures_util::StreamExt;
use serde_json::json;

use crate::setup::{Garden, TestClock, post, running, says, to};

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_is_sent_again_is_the_same_message() {
    let garden = Garden::new().await;
    let adapter = garden.adapter();
    garden.discord.fault(Fault::lost().on("create_message").times(1));
    let first = adapter.deliver(&garden.address(), says("once")).await;
    assert!(matches!(first, Err(SendError::Unknown(_))), "{first:?}");
    // It has grown since.
    let grown = Post { key: "db/once".into(), ..post("once and more") };
    let sent = adapter.deliver(&garden.address(), Delivery::Post(grown)).await.unwrap();
    assert_eq!(garden.answers(), ["once and more"]);
    assert_eq!(sent.message, Some(garden.discord.shows(garden.channel)[0].id.to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_is_for_those_who_share_it_and_is_kept() {
    let garden = Garden::new().await;
    let clock = TestClock::new();
    let adapter = DiscordAdapter::new(garden.account(), clock.clone()).unwrap();
    for (scope, bucket) in [("user", Bucket::Chat), ("shared", Bucket::Chat), ("global", Bucket::Account)] {
        let limit = json!({"operation": "create_message", "scope": scope, "retry_after_ms": 400, "times": 1});
        garden.discord.act("too_many", limit);
        let asked = || garden.discord.journal().calls_of("create_message").len();
        let before = asked();
        for _ in 0..2 {
            let refused = adapter.deliver(&garden.address(), says("x")).await;
            let Err(SendError::Later { after: Some(after), scope, .. }) = refused else {
                panic!("{refused:?}")
            };
            assert!(after <= Duration::from_millis(400) && scope == bucket);
        }
        assert_eq!(asked() - before, 1, "the second one is not sent at all");
        clock.advance(Duration::from_millis(400));
    }
    adapter.deliver(&garden.address(), says("at last")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_of_a_bucket_are_obeyed() {
    let garden = Garden::new().await;
    let adapter = garden.adapter();
    garden.discord.act("limits", json!({"bucket": 2, "window_ms": 60_000}));
    let mut ends = Vec::new();
    for n in 0..4 {
        ends.push(adapter.deliver(&garden.address(), says(&format!("{n}"))).await.is_ok());
    }
    assert_eq!(ends, [true, true, false, false]);
    assert_eq!(garden.discord.journal().calls_of("create_message").len(), 2, "no request was one too many");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_names_its_question_as_far_as_it_may() {
    let garden = Garden::new().await;
    let adapter = garden.adapter();
    let question = garden.ann.says(garden.channel, "well?").message_id;
    let answer = |text: &str| Delivery::Post(Post { reply_to: Some(question.to_string()), ..post(text) });
    adapter.deliver(&garden.address(), answer("yes")).await.unwrap();
    // Without a right to read the history it is a plain message.
    garden.discord.act("permit", json!({"channel": garden.channel, "target": BOT, "deny": "65536"}));
    adapter.deliver(&garden.address(), answer("no")).await.unwrap();
    garden.discord.act("permit", json!({"channel": garden.channel, "target": BOT}));
    garden.discord.act("delete", json!({"channel": garden.channel, "message": question}));
    adapter.deliver(&garden.address(), answer("gone")).await.unwrap();
    let replies: Vec<Option<Id>> =
        garden.discord.shows(garden.channel).iter().map(|shown| shown.reply_to).collect();
    assert_eq!(replies, [Some(question), None, None]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_notified_and_no_preview_is_shown() {
    let garden = Garden::new().await;
    garden.discord.act("permit", json!({"channel": garden.channel, "target": BOT, "allow": "131072"}));
    garden.adapter().deliver(&garden.address(), says("<@7> and @everyone")).await.unwrap();
    let call = garden.discord.journal().calls_of("create_message")[0].clone();
    assert_eq!(call.params["allowed_mentions"]["parse"], json!([]));
    assert_eq!(garden.discord.shows(garden.channel)[0].flags, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_notified_and_no_preview_is_shown_by_what_changes_a_message() {
    let garden = Garden::new().await;
    for (previews, flags) in [(false, Some(json!(4))), (true, None)] {
        let mut account = garden.account();
        account.settings.link_previews = previews;
        let adapter = DiscordAdapter::new(account, TestClock::new()).unwrap();
        let before = garden.discord.journal().calls_of("update_message").len();
        let text = format!("https://e.org for @everyone {previews}");
        let sent = adapter.deliver(&garden.address(), says(&text)).await.unwrap().message.unwrap();
        let grow = Signal::Grow { target: sent.clone(), text: format!("{text} and") };
        adapter.signal(&garden.address(), grow).await.unwrap();
        let edit = Delivery::Edit { target: sent, post: post(&format!("{text} and more")) };
        adapter.deliver(&garden.address(), edit).await.unwrap();
        let calls = garden.discord.journal().calls_of("update_message").split_off(before);
        assert_eq!(calls.len(), 2);
        for call in calls {
            assert_eq!(
                (&call.params["allowed_mentions"]["parse"], call.params.get("flags")),
                (&json!([]), flags.as_ref())
            );
        }
    }
    let shown = garden.discord.shows(garden.channel);
    assert_eq!(shown.iter().map(|shown| shown.flags).collect::<Vec<_>>(), [4, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bot_stops_before_its_address_is_banned() {
    let garden = Garden::new().await;
    let clock = TestClock::new();
    let adapter = DiscordAdapter::new(garden.account(), clock.clone()).unwrap();
    let limits = json!({"bucket": 100_000, "window_ms": 1, "global": 100_000, "invalid": 2500});
    garden.discord.act("limits", limits);
    garden.discord.act("permit", json!({"channel": garden.channel, "target": BOT, "deny": "2048"}));
    let mut ends = Vec::new();
    for n in 0..2600 {
        ends.push(adapter.deliver(&garden.address(), says(&format!("{n}"))).await.unwrap_err());
    }
    let held = |end: &SendError| matches!(end, SendError::Later { scope: Bucket::Account, .. });
    assert!(ends.iter().take(2000).all(|end| matches!(end, SendError::Refused(_))), "{:?}", ends[0]);
    assert!(ends.iter().skip(2000).all(held), "{:?}", ends.last());
    assert_eq!(garden.discord.journal().calls_of("create_message").len(), 2000);
    garden.discord.act("permit", json!({"channel": garden.channel, "target": BOT}));
    clock.advance(Duration::from_secs(600));
    adapter.deliver(&garden.address(), says("at last")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_that_was_archived_meanwhile_opens_for_a_message() {
    let garden = Garden::new().await;
    let adapter = garden.adapter();
    let thread = json!({"channel": garden.channel, "user": 7, "name": "Hers"});
    let thread = garden.discord.act("thread", thread)["channel_id"].as_str().unwrap().to_owned();
    garden.discord.act("archive", json!({"channel": thread, "archived": true}));
    let address = to(&format!("discord:{}:topic:{thread}", garden.channel));
    adapter.deliver(&address, says("after it")).await.unwrap();
    assert_eq!(garden.discord.shows(thread.parse().unwrap()).last().unwrap().content, "after it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_opens_for_an_edit_and_a_locked_one_is_gone() {
    let garden = Garden::new().await;
    let adapter = garden.adapter();
    let thread = json!({"channel": garden.channel, "user": 7, "name": "Hers"});
    let thread = garden.discord.act("thread", thread)["channel_id"].as_str().unwrap().to_owned();
    let address = to(&format!("discord:{}:topic:{thread}", garden.channel));
    let sent = adapter.deliver(&address, says("before")).await.unwrap().message.unwrap();
    garden.discord.act("archive", json!({"channel": thread, "archived": true}));
    let edit = Delivery::Edit { target: sent, post: post("after") };
    adapter.deliver(&address, edit).await.unwrap();
    assert_eq!(garden.discord.shows(thread.parse().unwrap()).last().unwrap().content, "after");
    garden.discord.act("archive", json!({"channel": thread, "archived": true, "locked": true}));
    let refused = adapter.deliver(&address, says("more")).await;
    assert!(matches!(refused, Err(SendError::ThreadGone(_))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_chat_is_opened_once_and_may_be_refused() {
    let garden = Garden::new().await;
    let adapter = garden.adapter();
    for n in 0..2 {
        adapter.deliver(&to("discord:@7"), says(&format!("{n}"))).await.unwrap();
    }
    assert_eq!(garden.discord.journal().calls_of("create_dm").len(), 1);
    garden.discord.act("block", json!({"user": 7, "on": true}));
    let refused = adapter.deliver(&to("discord:@7"), says("again")).await;
    assert!(matches!(refused, Err(SendError::Gone(_))), "{refused:?}");
    let unknown = adapter.deliver(&to("discord:@404"), says("x")).await;
    assert!(matches!(unknown, Err(SendError::Refused(_) | SendError::Gone(_))), "{unknown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reactions_replace_each_other_and_mark_what_waits() {
    let garden = Garden::new().await;
    let mut account = garden.account();
    account.settings.acknowledge = Some("👀".into());
    let adapter = DiscordAdapter::new(account, TestClock::new()).unwrap();
    let target = garden.ann.says(garden.channel, "look").message_id.to_string();
    let react =
        |emoji: Option<&str>| Delivery::React { target: target.clone(), emoji: emoji.map(str::to_owned) };
    let shown = || garden.discord.shows(garden.channel)[0].reactions.clone();
    adapter.deliver(&garden.address(), react(Some("👍"))).await.unwrap();
    adapter.deliver(&garden.address(), react(Some("❤"))).await.unwrap();
    assert_eq!(shown(), [("❤".to_owned(), 1)]);
    adapter.deliver(&garden.address(), react(None)).await.unwrap();
    let waits = |waits| Signal::Waits { target: target.clone(), waits };
    adapter.signal(&garden.address(), waits(true)).await.unwrap();
    assert_eq!(shown(), [("👀".to_owned(), 1)]);
    for _ in 0..2 {
        adapter.signal(&garden.address(), waits(false)).await.unwrap();
    }
    assert_eq!(shown(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn emoji_of_a_server_are_reactions_by_their_names() {
    let garden = Garden::new().await;
    let adapter = garden.adapter();
    garden.discord.act("emoji", json!({"guild": 9000, "id": 12, "name": "party"}));
    let target = garden.ann.says(garden.channel, "look").message_id.to_string();
    let react =
        |emoji: Option<&str>| Delivery::React { target: target.clone(), emoji: emoji.map(str::to_owned) };
    let shown = || garden.discord.shows(garden.channel)[0].reactions.clone();
    for written in [":party:", "<:party:12>"] {
        adapter.deliver(&garden.address(), react(Some(written))).await.unwrap();
        assert_eq!(shown(), [("party".to_owned(), 1)]);
        adapter.deliver(&garden.address(), react(Some("👍"))).await.unwrap();
        assert_eq!(shown(), [("👍".to_owned(), 1)], "{written} was taken back");
    }
    let refused = adapter.deliver(&garden.address(), react(Some(":unknown:"))).await;
    assert!(matches!(refused, Err(SendError::Refused(_))), "{refused:?}");
}

pub fn file(name: &str, content: &str) -> MediaFile {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content.as_bytes()).unwrap();
    file.rewind().unwrap();
    MediaFile {
        handle: Arc::new(file),
        size: u64::try_from(content.len()).unwrap(),
        name: name.to_owned(),
        mime: Some("text/plain".to_owned()),
        kind: FileKind::Document,
        tried: false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_go_out_and_come_in_after_their_links_have_ended() {
    let garden = Garden::new().await;
    let (adapter, inbox) = (garden.adapter(), Arc::new(frontdesk_conformance::RecordingInbox::default()));
    let media = Delivery::Media { file: file("a.txt", "out"), post: post("see") };
    adapter.deliver(&garden.address(), media).await.unwrap();
    assert_eq!(garden.discord.shows(garden.channel)[0].files, ["a.txt"]);
    running(&adapter, &inbox, async {
        garden.connected().await;
        let files = json!([{"name": "b.txt", "base64": "aW4=", "content_type": "text/plain"}]);
        garden.discord.act("say", json!({"user": 7, "channel": garden.channel, "files": files}));
        inbox.until(|inbox| inbox.events().len() == 1).await;
    })
    .await;
    garden.discord.advance(Duration::from_secs(100_000));
    let attachment = inbox.events()[0].attachments[0].clone();
    let pieces: Vec<_> = adapter.fetch(&attachment).await.unwrap().collect().await;
    let bytes: Vec<u8> = pieces.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(bytes, b"in");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_on_another_host_is_not_fetched() {
    let garden = Garden::new().await;
    let files = json!([{"name": "b.txt", "base64": "aW4=", "content_type": "text/plain"}]);
    let said = garden.discord.act("say", json!({"user": 7, "channel": garden.channel, "files": files}));
    let message = said["message_id"].as_str().unwrap();
    let url = format!("http://localhost:{}/api", garden.discord.port());
    let mut account = garden.account();
    account.settings.api_url = Some(url);
    let adapter = DiscordAdapter::new(account, TestClock::new()).unwrap();
    let path = format!("channels/{}/messages/{message}", garden.channel);
    let http = reqwest::Client::builder().no_proxy().user_agent("DiscordBot (test, 1)").build().unwrap();
    let asked = http.get(format!("{}/api/v10/{path}", garden.discord.url()));
    let asked =
        asked.header("authorization", format!("Bot {}", frontdesk_fakediscord::TOKEN)).send().await.unwrap();
    let shown: serde_json::Value = asked.json().await.unwrap();
    let reference =
        format!("{}/{message}/{}", garden.channel, shown["attachments"][0]["id"].as_str().unwrap());
    let attachment = Attachment {
        reference,
        unique: None,
        kind: FileKind::Document,
        name: None,
        mime: None,
        size: None,
        seconds: None,
        kept: None,
    };
    let Err(error) = adapter.fetch(&attachment).await else { panic!("it was fetched") };
    assert!(matches!(&error, FetchError::Refused(why) if why.contains("Discord's hosts")), "{error}");
}
