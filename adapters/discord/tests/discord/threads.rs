//! Threads: of mentions, in forums, and archived ones.

use std::sync::Arc;

use frontdesk_conformance::RecordingInbox;
use frontdesk_core::delivery::{Delivery, Post, SendError, Signal};
use frontdesk_core::markup::Part;
use frontdesk_core::message::Conversation;
use frontdesk_core::port::Adapter;
use frontdesk_discord::DiscordAdapter;
use frontdesk_fakediscord::{BOT, Fault, Id};
use serde_json::json;

use crate::sending::file;
use crate::setup::{Garden, TestClock, post, running, says, texts, to};

fn answering_in_threads(garden: &Garden) -> DiscordAdapter {
    let mut account = garden.account();
    account.settings.answer_in_threads = true;
    account.settings.acknowledge = Some("👀".into());
    DiscordAdapter::new(account, TestClock::new()).unwrap()
}

fn forum(garden: &Garden) -> (Id, frontdesk_core::address::Address) {
    let forum = garden.discord.channel(Id(9000), 6000, 15, "ideas");
    (forum, to(&format!("discord:{forum}")))
}

/// The posts of a forum by their names, the oldest first.
fn posts(garden: &Garden) -> Vec<String> {
    let calls = garden.discord.journal().calls_of("create_thread");
    calls
        .iter()
        .filter(|call| call.is_done())
        .map(|call| call.params["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mention_in_a_channel_is_answered_in_a_thread_of_its_own() {
    let garden = Garden::new().await;
    let (adapter, inbox) = (answering_in_threads(&garden), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, async {
        garden.connected().await;
        garden.ann.says(garden.channel, "among people");
        let asked = garden.ann.says(garden.channel, &format!("<@{BOT}> **what** is <#5000> for?")).message_id;
        inbox.until(|inbox| texts(inbox).len() == 2).await;
        let event = inbox.events().pop().unwrap();
        let place = Conversation::Thread { chat: garden.channel.to_string(), thread: asked.to_string() };
        assert_eq!((&event.conversation, event.addressed), (&place, true));
        assert!(matches!(inbox.events()[0].conversation, Conversation::Channel { .. }));
        // The question stands in the channel, and so does the mark that it waits.
        let target = event.platform_message.clone().unwrap();
        for waits in [true, false, true] {
            adapter.signal(&event.address, Signal::Waits { target: target.clone(), waits }).await.unwrap();
        }
        let question =
            || garden.discord.shows(garden.channel).into_iter().find(|shown| shown.id == asked).unwrap();
        assert_eq!(question().reactions, [("👀".to_owned(), 1)]);
        adapter.signal(&event.address, Signal::Typing).await.unwrap();
        let answer = Post { reply_to: Some(target.clone()), ..post("for everything") };
        adapter.deliver(&event.address, Delivery::Post(answer)).await.unwrap();
        let shown = garden.discord.shows(asked).pop().unwrap();
        assert_eq!((shown.content.as_str(), shown.reply_to), ("for everything", None));
        let call = garden.discord.journal().calls_of("create_message").pop().unwrap();
        assert!(!call.params.contains_key("message_reference"), "the question is in another channel");
        adapter.signal(&event.address, Signal::Waits { target, waits: false }).await.unwrap();
        assert_eq!(question().reactions, []);
        let opened = garden.discord.journal().calls_of("create_thread_from_message");
        assert_eq!(opened.len(), 1);
        assert_eq!(opened[0].params["name"], "what** is  for?");
        // What is written there belongs to the same conversation.
        garden.ann.says(asked, "and more?");
        inbox.until(|inbox| texts(inbox).len() == 3).await;
        assert_eq!(inbox.events().pop().unwrap().conversation, place);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_that_cannot_be_opened_is_gone_so_that_the_channel_gets_the_answer() {
    let garden = Garden::new().await;
    let adapter = answering_in_threads(&garden);
    let asked = garden.ann.says(garden.channel, "<@1> hello").message_id;
    let address = to(&format!("discord:{}:topic:{asked}", garden.channel));
    // Create Public Threads.
    let denied = (1u64 << 35).to_string();
    garden.discord.act("permit", json!({"channel": garden.channel, "target": BOT, "deny": denied}));
    let refused = adapter.deliver(&address, says("no")).await;
    assert!(matches!(refused, Err(SendError::ThreadGone(_))), "{refused:?}");
    garden.discord.act("permit", json!({"channel": garden.channel, "target": BOT}));
    garden.discord.act("delete", json!({"channel": garden.channel, "message": asked}));
    let refused = adapter.deliver(&address, says("gone")).await;
    assert!(matches!(refused, Err(SendError::ThreadGone(_))), "{refused:?}");
    let plain = garden.adapter().deliver(&address, says("off")).await;
    assert!(matches!(plain, Err(SendError::ThreadGone(_))), "{plain:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_for_a_forum_is_a_post_and_its_parts_stand_in_it() {
    let garden = Garden::new().await;
    let (_, address) = forum(&garden);
    let adapter = garden.adapter();
    let part = |key: u32, text: &str| {
        let post = post(text);
        Delivery::Post(Post { part: Part { key, ..post.part.clone() }, ..post })
    };
    adapter.deliver(&address, part(0, "## Weekly report\nall is well")).await.unwrap();
    adapter.deliver(&address, part(1, "and more")).await.unwrap();
    // The process that sends the last part has not made the post.
    garden.adapter().deliver(&address, part(2, "and the end")).await.unwrap();
    assert_eq!(posts(&garden), ["Weekly report"]);
    let thread = garden.discord.journal().calls_of("create_thread")[0].message.unwrap();
    let shown: Vec<String> = garden.discord.shows(thread).into_iter().map(|shown| shown.content).collect();
    assert_eq!(shown, ["## Weekly report\nall is well", "and more", "and the end"]);
    let call = garden.discord.journal().calls_of("create_thread")[0].clone();
    assert_eq!(call.params["message"]["allowed_mentions"]["parse"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_a_post_are_changed_and_deleted_in_it() {
    let garden = Garden::new().await;
    let (forum, address) = forum(&garden);
    // Pin Messages.
    let allowed = (1u64 << 51).to_string();
    garden.discord.act("permit", json!({"channel": forum, "target": BOT, "allow": allowed}));
    let adapter = garden.adapter();
    let part = |key: u32, text: &str| {
        let post = post(text);
        Delivery::Post(Post { part: Part { key, ..post.part.clone() }, ..post })
    };
    let mut sent = Vec::new();
    for (key, text) in [(0, "an idea"), (1, "and more")] {
        sent.push(adapter.deliver(&address, part(key, text)).await.unwrap().message.unwrap());
    }
    let thread = garden.discord.journal().calls_of("create_thread")[0].message.unwrap();
    let more = sent.pop().unwrap();
    adapter.deliver(&address, Delivery::Pin { target: more.clone() }).await.unwrap();
    let react = Delivery::React { target: more.clone(), emoji: Some("👍".into()) };
    adapter.deliver(&address, react).await.unwrap();
    let edit = Delivery::Edit { target: more.clone(), post: post("and less") };
    adapter.deliver(&address, edit).await.unwrap();
    // Discord writes beside them that a message was pinned.
    let shows = || {
        let shown = garden.discord.shows(thread).into_iter();
        shown.filter(|shown| !shown.content.is_empty()).collect::<Vec<_>>()
    };
    let shown = shows();
    assert_eq!((shown[1].content.as_str(), &shown[1].reactions), ("and less", &vec![("👍".to_owned(), 1)]));
    assert!(garden.discord.journal().calls_of("create_pin").last().unwrap().is_done());
    adapter.deliver(&address, Delivery::Delete { target: more }).await.unwrap();
    assert_eq!(shows().len(), 1);
    // Another process has made the post.
    let again = garden.adapter();
    let first = sent.pop().unwrap();
    for _ in 0..2 {
        again.deliver(&address, Delivery::Delete { target: first.clone() }).await.unwrap();
        assert!(shows().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_may_have_been_made_is_looked_for() {
    let garden = Garden::new().await;
    let (_, address) = forum(&garden);
    garden.discord.fault(Fault::lost().on("create_thread").times(1));
    let first = garden.adapter().deliver(&address, says("an idea")).await;
    assert!(matches!(first, Err(SendError::Unknown(_))), "{first:?}");
    garden.adapter().deliver(&address, says("an idea")).await.unwrap();
    assert_eq!(posts(&garden), ["an idea"]);
    garden.adapter().deliver(&address, says("another idea")).await.unwrap();
    assert_eq!(posts(&garden), ["an idea", "another idea"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_for_a_forum_is_named_as_readers_see_it_and_gets_a_tag_where_one_is_needed() {
    let garden = Garden::new().await;
    let (forum, address) = forum(&garden);
    garden
        .discord
        .act("channel", json!({"id": 6001, "guild": 9000, "name": "tagged", "kind": 15, "needs_tag": true}));
    let media = || Delivery::Media { file: file("report.pdf", "out"), post: post("") };
    garden.adapter().deliver(&address, media()).await.unwrap();
    assert_eq!(posts(&garden), ["report.pdf"]);
    let thread = garden.discord.journal().calls_of("create_thread")[0].message.unwrap();
    assert_eq!(garden.discord.shows(thread)[0].files, ["report.pdf"]);
    garden.adapter().deliver(&to("discord:6001"), says("tagged")).await.unwrap();
    assert_eq!(posts(&garden), ["report.pdf", "tagged"]);
    assert_eq!(forum, Id(6000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_somebody_makes_in_a_forum_is_a_conversation() {
    let garden = Garden::new().await;
    let (forum, _) = forum(&garden);
    let (adapter, inbox) = (garden.adapter(), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, async {
        garden.connected().await;
        let made = json!({"channel": forum, "user": 7, "name": "Help", "content": format!("<@{BOT}> how?")});
        let thread = garden.discord.act("thread", made)["channel_id"].as_str().unwrap().to_owned();
        inbox.until(|inbox| texts(inbox).len() == 1).await;
        let event = inbox.events().pop().unwrap();
        let place = Conversation::Thread { chat: forum.to_string(), thread };
        assert_eq!((event.text.as_str(), &event.conversation, event.addressed), ("how?", &place, true));
        adapter.deliver(&event.address, says("so")).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_threads_that_were_archived_in_a_gap_are_read() {
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    let first = garden.adapter();
    running(&first, &inbox, async {
        garden.connected().await;
        garden.ann.says(garden.channel, "before");
        inbox.until(|inbox| texts(inbox).len() == 1).await;
    })
    .await;
    garden.discord.act("forget_sessions", json!({}));
    for n in 0..3 {
        let thread = json!({"channel": garden.channel, "user": 7, "name": format!("Thread {n}")});
        let thread = garden.discord.act("thread", thread)["channel_id"].as_str().unwrap().to_owned();
        garden.discord.act("say", json!({"user": 7, "channel": thread, "content": format!("thread {n}")}));
        garden.discord.act("archive", json!({"channel": thread, "archived": true}));
    }
    let again = garden.adapter();
    let missed = |inbox: &RecordingInbox| {
        texts(inbox).into_iter().filter(|text| text.starts_with("thread")).collect::<Vec<_>>()
    };
    running(&again, &inbox, async { inbox.until(|inbox| missed(inbox).len() == 3).await }).await;
    assert_eq!(missed(&inbox), ["thread 0", "thread 1", "thread 2"]);
    let event = inbox.events().into_iter().find(|event| event.text == "thread 0").unwrap();
    assert_eq!(event.conversation.chat(), garden.channel.to_string());
}
