//! A post whose result nobody knows is looked for before it is sent again; and answers where the app is not.

use std::time::Duration;

use frontdesk_core::delivery::{Delivery, MediaFile, Post, SendError};
use frontdesk_core::port::Adapter;
use frontdesk_fakeslack::{Fault, SlackApi};
use serde_json::json;

use crate::sending::file;
use crate::setup::{account, adapter, post, to};

fn keyed(key: &str, text: &str) -> Delivery {
    Delivery::Post(Post { key: key.to_owned(), ..post(text) })
}

#[tokio::test]
async fn a_post_without_an_answer_is_not_sent_twice() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let asked = anna.tells("hello");
    let adapter = adapter(account(&slack));
    for place in [format!("slack:{}", asked.channel), format!("slack:{}:topic:{}", asked.channel, asked.ts)] {
        slack.fault(Fault::lost().on("chat.postMessage").times(1));
        let lost = adapter.deliver(&to(&place), keyed(&place, "it is wet")).await;
        assert!(matches!(lost, Err(SendError::Unknown(_))), "{lost:?}");
        let before = anna.sees();
        let again = adapter.deliver(&to(&place), keyed(&place, "it is wet")).await.unwrap();
        assert_eq!(again.message.as_ref(), before.last().map(|shown| &shown.ts));
        assert_eq!(anna.sees().len(), before.len());
        // Once that is known, nobody asks again.
        let asked = slack.journal().calls().len();
        adapter.deliver(&to(&place), keyed("next", "and warm")).await.unwrap();
        assert_eq!(slack.journal().calls().len(), asked + 1);
    }
    // A proxy has given up waiting for Slack, which has posted the message or not.
    for fault in [Fault::done_then(504), Fault::status(504)] {
        let (place, what) = (to(&format!("slack:{}", asked.channel)), format!("{fault:?}"));
        slack.fault(fault.on("chat.postMessage").times(1));
        let unknown = adapter.deliver(&place, keyed(&what, &what)).await;
        assert!(matches!(unknown, Err(SendError::Unknown(_))), "{unknown:?}");
        adapter.deliver(&place, keyed(&what, &what)).await.unwrap();
        assert_eq!(anna.sees().iter().filter(|shown| shown.text == what).count(), 1, "{what}");
    }
    slack.fault(Fault::hangup().on("chat.postMessage").times(1));
    let place = to(&format!("slack:{}", asked.channel));
    assert!(adapter.deliver(&place, keyed("k9", "never seen")).await.is_err());
    adapter.deliver(&place, keyed("k9", "never seen")).await.unwrap();
    assert_eq!(anna.sees().iter().filter(|shown| shown.text == "never seen").count(), 1);
}

#[tokio::test]
async fn after_a_start_the_first_post_into_a_place_is_looked_for() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let asked = anna.tells("hello");
    let place = to(&format!("slack:{}", asked.channel));
    let killed = adapter(account(&slack));
    let first = killed.deliver(&place, keyed("k1", "half an ans")).await.unwrap();
    let started = adapter(account(&slack));
    let again = started.deliver(&place, keyed("k1", "half an answer, and the rest")).await.unwrap();
    assert_eq!(again, first);
    let texts: Vec<String> = anna.sees().into_iter().map(|shown| shown.text).collect();
    assert_eq!(texts, ["hello", "half an answer, and the rest"]);
}

/// A file that is sent for the first time, or again.
fn media(key: &str, content: &[u8], tried: bool) -> Delivery {
    Delivery::Media {
        file: MediaFile { tried, ..file(content) },
        post: Post { key: key.to_owned(), ..post("the plan") },
    }
}

#[tokio::test]
async fn a_file_whose_result_is_unknown_is_looked_for_before_it_is_sent_again() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let asked = anna.tells("hello");
    let shown = || anna.sees().iter().filter(|shown| shown.files == ["plan.txt"]).count();
    for place in [format!("slack:{}", asked.channel), format!("slack:{}:topic:{}", asked.channel, asked.ts)] {
        let (adapter, to, before) = (adapter(account(&slack)), to(&place), shown());
        // It has arrived, and the answer is lost.
        slack.fault(Fault::lost().on("files.completeUploadExternal").times(1));
        let lost = adapter.deliver(&to, media(&place, b"water at six", false)).await;
        assert!(matches!(lost, Err(SendError::Unknown(_))), "{lost:?}");
        let again = adapter.deliver(&to, media(&place, b"water at six", true)).await.unwrap();
        let file = anna.sees().pop().unwrap().message["files"][0]["id"].clone();
        assert_eq!((shown() - before, again.message.unwrap().as_str()), (1, file.as_str().unwrap()));
        // A proxy has answered for Slack.
        let (key, before) = (format!("{place} 504"), shown());
        slack.fault(Fault::done_then(504).on("files.completeUploadExternal").times(1));
        let unknown = adapter.deliver(&to, media(&key, b"water at noon", false)).await;
        assert!(matches!(unknown, Err(SendError::Unknown(_))), "{unknown:?}");
        adapter.deliver(&to, media(&key, b"water at noon", true)).await.unwrap();
        assert_eq!(shown() - before, 1);
        let before = shown() - 1;
        // It has not arrived: an older one of the same name and size is not taken for it.
        slack.fault(Fault::hangup().on("files.completeUploadExternal").times(1));
        let lost = adapter.deliver(&to, media("next", b"water at ten", false)).await;
        assert!(matches!(lost, Err(SendError::Unknown(_))), "{lost:?}");
        adapter.deliver(&to, media("next", b"water at ten", true)).await.unwrap();
        assert_eq!(shown() - before, 2);
        // A search that failed forgets nothing of that.
        slack.fault(Fault::hangup().on("files.completeUploadExternal").times(1));
        assert!(adapter.deliver(&to, media("last", b"water at six", false)).await.is_err());
        let search = if place.contains("topic") { "conversations.replies" } else { "conversations.history" };
        slack.fault(Fault::status(502).on(search).times(1));
        let failed = adapter.deliver(&to, media("last", b"water at six", true)).await;
        assert!(matches!(failed, Err(SendError::Later { .. })), "{failed:?}");
        adapter.deliver(&to, media("last", b"water at six", true)).await.unwrap();
        assert_eq!(shown() - before, 3);
    }
}

#[tokio::test]
async fn after_a_kill_a_file_is_found_by_its_name_and_size() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let place = to(&format!("slack:{}", anna.tells("hello").channel));
    let killed = adapter(account(&slack));
    let first = killed.deliver(&place, media("k1", b"water at six", false)).await.unwrap();
    let started = adapter(account(&slack));
    let again = started.deliver(&place, media("k1", b"water at six", true)).await.unwrap();
    assert_eq!((again, anna.sees().len()), (first, 2));
    started.deliver(&place, media("k2", b"another one", true)).await.unwrap();
    assert_eq!(anna.sees().len(), 3, "it has another size");
    started.deliver(&place, media("k3", b"water at six", false)).await.unwrap();
    assert_eq!(anna.sees().len(), 4, "it was never sent before");
}

#[tokio::test]
async fn a_search_that_slack_does_not_allow_holds_nothing_back() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let place = to(&format!("slack:{}", anna.tells("hello").channel));
    let adapter = adapter(account(&slack));
    slack.fault(Fault::too_many(60).on("conversations.history").times(1));
    adapter.deliver(&place, keyed("k1", "one")).await.unwrap();
    slack.act("scopes", json!({"token": frontdesk_fakeslack::TOKEN, "remove": ["im:history"]}));
    slack.fault(Fault::lost().on("chat.postMessage").times(1));
    assert!(adapter.deliver(&place, keyed("k2", "two")).await.is_err());
    adapter.deliver(&place, keyed("k2", "two")).await.unwrap();
    assert_eq!(anna.sees().len(), 4, "it comes twice, because nobody may look");
}

#[tokio::test]
async fn a_command_where_the_app_is_not_is_answered_to_its_sender_alone() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    slack.act("channel", json!({"id": "C0AWAY", "name": "away", "members": ["U0000ANNA"], "bot": false}));
    let used = json!({"channel": "C0AWAY", "user": anna.id, "command": "/frontdesk", "text": "status"});
    let url = slack.act("slash", used)["response_url"].as_str().unwrap().to_owned();
    let adapter = adapter(account(&slack));
    let answer = |text: &str, more| Post { reply_to: Some(format!("response {url}")), more, ..post(text) };
    let to = to("slack:C0AWAY");
    let sent = adapter.deliver(&to, Delivery::Post(answer("all is", true))).await.unwrap();
    assert!(slack.shows("C0AWAY").is_empty(), "nothing can be changed there");
    let target = sent.message.unwrap();
    adapter.deliver(&to, Delivery::Edit { target, post: answer("all is well", false) }).await.unwrap();
    let shown = slack.shows("C0AWAY");
    assert_eq!(
        (shown.len(), shown[0].text.as_str(), shown[0].only.as_deref()),
        (1, "all is well", Some("U0000ANNA"))
    );
    let elsewhere = adapter.deliver(&to, Delivery::Post(post("unasked"))).await;
    assert!(matches!(elsewhere, Err(SendError::Gone(_))), "{elsewhere:?}");
}

#[tokio::test]
async fn a_message_for_one_person_is_seen_by_them_alone_or_by_everybody_but_never_by_nobody() {
    let slack = SlackApi::start().await;
    let (anna, bert) = (slack.person("U0000ANNA", "Anna"), slack.person("U0000BERT", "Bert"));
    let garden = slack.channel("C0GARDEN", "garden", &[&anna]);
    let adapter = adapter(account(&slack));
    let asked = anna.says(&garden.id, "hello");
    let replied = anna.replies(&asked, "and more");
    let written = bert.tells("hello");
    let (channel, thread) =
        (format!("slack:{}", garden.id), format!("slack:{}:topic:{}", garden.id, asked.ts));
    let private = format!("slack:{}", written.channel);
    let used = json!({"channel": garden.id, "user": anna.id, "command": "/frontdesk", "text": "status"});
    let command =
        || format!("response {}", slack.act("slash", used.clone())["response_url"].as_str().unwrap());
    let alone = Some(anna.id.as_str());
    // Where it goes, for whom, as the answer to what; who sees it, and in which thread.
    let cases = [
        (&channel, &anna, Some(replied.ts.clone()), alone, None),
        // Nobody would see it in a thread that it begins.
        (&thread, &anna, Some(asked.ts.clone()), alone, None),
        (&thread, &anna, Some(replied.ts.clone()), alone, Some(asked.ts.clone())),
        (&thread, &anna, None, alone, None),
        (&channel, &anna, Some(command()), alone, None),
        // A private chat has one reader anyway, and Bert is not in the channel.
        (&private, &bert, Some(written.ts.clone()), None, None),
        (&channel, &bert, Some(replied.ts.clone()), None, None),
        // Nobody knows whether she is still there.
        (&thread, &anna, Some("1700000000.000100".to_owned()), None, Some(asked.ts.clone())),
    ];
    let deliver = async |key: &str, place: &str, reader: &str, reply_to: Option<String>| {
        let audience = Some(format!("slack:{reader}").parse().unwrap());
        let post = Post { audience, reply_to, key: key.to_owned(), ..post("only for you") };
        let chat = to(place);
        let before = slack.shows(chat.chat()).len();
        let receipt = adapter.deliver(&chat, Delivery::Post(post)).await?;
        let mut shown = slack.shows(chat.chat());
        assert_eq!(shown.len(), before + 1, "{key}");
        let last = shown.remove(before);
        assert!(receipt.message == Some(last.ts.clone()) || receipt.message.as_deref() == Some("response"));
        Ok::<_, SendError>((last.text, last.only, last.thread))
    };
    for (n, (place, reader, reply_to, only, shown_in)) in cases.into_iter().enumerate() {
        let shown = deliver(&format!("k{n}"), place, &reader.id, reply_to).await.unwrap();
        assert_eq!(shown, ("only for you".to_owned(), only.map(str::to_owned), shown_in), "{n}");
    }
    let expired = command();
    slack.advance(Duration::from_secs(31 * 60));
    let (_, only, _) = deliver("late", &channel, &anna.id, Some(expired)).await.unwrap();
    assert_eq!(only, None);
    slack.fault(Fault::lost().on("chat.postEphemeral").times(1));
    let lost = deliver("lost", &channel, &anna.id, None).await;
    assert!(matches!(lost, Err(SendError::Unknown(_))), "{lost:?}");
    slack.fault(Fault::too_many(3).on("chat.postEphemeral").times(1));
    let limited = deliver("limited", &channel, &anna.id, None).await;
    assert!(matches!(limited, Err(SendError::Later { after: Some(_), .. })), "{limited:?}");
}

#[tokio::test]
async fn a_message_that_will_change_is_not_for_one_person() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let garden = slack.channel("C0GARDEN", "garden", &[&anna]);
    let adapter = adapter(account(&slack));
    let audience = Some("slack:U0000ANNA".parse().unwrap());
    for post in [Post { more: true, ..post("half an ans") }, crate::agents::question()] {
        adapter
            .deliver(&to("slack:C0GARDEN"), Delivery::Post(Post { audience: audience.clone(), ..post }))
            .await
            .unwrap();
    }
    assert!(garden.shows().len() == 2 && garden.shows().iter().all(|shown| shown.only.is_none()));
}

#[tokio::test]
async fn an_answer_after_half_an_hour_is_a_message_and_one_that_cannot_be_shown_is_not_sent() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let garden = slack.channel("C0GARDEN", "garden", &[&anna]);
    let away = json!({"id": "C0AWAY", "name": "away", "members": ["U0000ANNA"], "bot": false});
    slack.act("channel", away);
    let adapter = adapter(account(&slack));
    let used = |channel: &str| {
        let used = json!({"channel": channel, "user": anna.id, "command": "/frontdesk", "text": "status"});
        slack.act("slash", used)["response_url"].as_str().unwrap().to_owned()
    };
    for (minutes, channel) in [(16, "C0GARDEN"), (31, "C0GARDEN"), (16, "C0AWAY"), (31, "C0AWAY")] {
        let (url, before) = (used(channel), slack.shows(channel).len());
        slack.advance(Duration::from_secs(minutes * 60));
        let answer = Post { reply_to: Some(format!("response {url}")), ..post("all is well") };
        let sent = adapter.deliver(&to(&format!("slack:{channel}")), Delivery::Post(answer)).await;
        let is_lost = (minutes, channel) == (31, "C0AWAY");
        assert_eq!(slack.shows(channel).len() - before, usize::from(!is_lost), "{minutes} {channel}");
        match sent {
            Err(SendError::Refused(why)) if is_lost => {
                assert!(why.to_string().contains("expired_url"), "{why}")
            }
            sent => assert!(!is_lost && sent.is_ok(), "{sent:?}"),
        }
    }
    assert!(garden.shows().iter().all(|shown| shown.only.is_none()), "everybody in the channel sees it");
}
