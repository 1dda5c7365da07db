//! Deliveries and signals, as people see them.

use std::io::{Seek, Write};
use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::delivery::{Delivery, MediaFile, Post, SendError, Signal};
use frontdesk_core::message::FileKind;
use frontdesk_core::port::{Adapter, FetchError};
use frontdesk_fakeslack::{Fault, SlackApi};
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::setup::{account, adapter, post, says, to};

pub fn file(content: &[u8]) -> MediaFile {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    file.rewind().unwrap();
    MediaFile {
        handle: Arc::new(file),
        size: u64::try_from(content.len()).unwrap(),
        name: "plan.txt".to_owned(),
        mime: Some("text/plain".to_owned()),
        kind: FileKind::Document,
        tried: false,
    }
}

#[tokio::test]
async fn an_answer_goes_to_its_thread_and_notifies_nobody() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let garden = slack.channel("C0GARDEN", "garden", &[&anna]);
    let asked = anna.says(&garden.id, "hello");
    let adapter = adapter(account(&slack));
    let thread = to(&format!("slack:{}:topic:{}", garden.id, asked.ts));
    let part = adapter.profile().render("**hi** <!channel> @channel <@U0000ANNA>").remove(0);
    let receipt = adapter.deliver(&thread, Delivery::Post(Post { part, ..post("") })).await.unwrap();
    let shown = garden.shows().pop().unwrap();
    assert_eq!(shown.text, "*hi* <!channel> @channel <@U0000ANNA>");
    assert_eq!(
        (shown.mentions.len(), shown.thread, receipt.message),
        (0, Some(asked.ts), Some(shown.ts.clone()))
    );
    // An update would link names unless it is told not to.
    let edit = Delivery::Edit { target: shown.ts.clone(), post: post("@everyone") };
    adapter.deliver(&thread, edit).await.unwrap();
    let grow = Signal::Grow { target: shown.ts, text: "@here <!here>".to_owned() };
    adapter.signal(&thread, grow).await.unwrap();
    let shown = garden.shows().pop().unwrap();
    assert_eq!((shown.text.as_str(), shown.mentions.len()), ("@here <!here>", 0));
}

/// A post with blocks, as a program may send it through this adapter.
fn with_blocks(adapter: &impl Adapter, blocks: &Value) -> Delivery {
    let native = adapter.profile().native.unwrap()(blocks).unwrap();
    Delivery::Post(Post { native: Some(native), ..post("It is wet.") })
}

#[tokio::test]
async fn blocks_of_a_program_notify_people_only_if_the_configuration_lets_them() {
    let mrkdwn = json!({"type": "mrkdwn", "text": "*wet* <!here> <@U0000ANNA> @channel"});
    let words =
        json!([{"type": "broadcast", "range": "everyone"}, {"type": "usergroup", "usergroup_id": "S1"}]);
    let blocks = json!([
        {"type": "section", "text": mrkdwn}, {"type": "context", "elements": [mrkdwn]},
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": words}]},
        {"type": "markdown", "text": "<!channel>"},
    ]);
    for blocks_notify in [false, true] {
        let slack = SlackApi::start().await;
        let anna = slack.person("U0000ANNA", "Anna");
        let garden = slack.channel("C0GARDEN", "garden", &[&anna]);
        let mut account = account(&slack);
        account.settings.blocks_notify = blocks_notify;
        let adapter = adapter(account);
        adapter.deliver(&to("slack:C0GARDEN"), with_blocks(&adapter, &blocks)).await.unwrap();
        let shown = garden.shows().pop().unwrap();
        assert_eq!(
            (shown.text.as_str(), shown.message["blocks"].as_array().unwrap().len()),
            ("It is wet.", 4)
        );
        assert_eq!(shown.mentions.len(), if blocks_notify { 9 } else { 0 }, "{:?}", shown.mentions);
    }
}

#[tokio::test]
async fn blocks_of_a_program_are_sent_whole_or_not_at_all_and_once() {
    let slack = SlackApi::start().await;
    let garden = slack.channel("C0GARDEN", "garden", &[]);
    let adapter = adapter(account(&slack));
    let place = to("slack:C0GARDEN");
    let refused = adapter.deliver(&place, with_blocks(&adapter, &json!([{"type": "nonsense"}]))).await;
    assert!(
        matches!(&refused, Err(SendError::Refused(why)) if why.to_string().contains("invalid_blocks")),
        "{refused:?}"
    );
    let divided = || with_blocks(&adapter, &json!([{"type": "divider"}]));
    slack.fault(Fault::lost().on("chat.postMessage").times(1));
    let lost = adapter.deliver(&place, divided()).await;
    assert!(matches!(lost, Err(SendError::Unknown(_))), "{lost:?}");
    adapter.deliver(&place, divided()).await.unwrap();
    let shown = garden.shows();
    assert_eq!((shown.len(), &shown[0].message["blocks"][0]["type"]), (1, &json!("divider")));
    assert!(!shown[0].edited);
}

#[tokio::test]
async fn a_person_is_written_to_by_their_id_alone() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let adapter = adapter(account(&slack));
    for text in ["one", "two"] {
        adapter.deliver(&to("slack:@U0000ANNA"), says(text)).await.unwrap();
    }
    assert_eq!(anna.sees().len(), 2);
    assert_eq!(slack.journal().calls_of("conversations.open").len(), 1);
    let gone = adapter.deliver(&to("slack:@U404"), says("three")).await;
    assert!(matches!(gone, Err(SendError::Gone(_))), "{gone:?}");
}

#[tokio::test]
async fn failures_say_whether_anything_was_sent() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let chat = to(&format!("slack:{}", anna.tells("hello").channel));
    let (limited, adapter) = (adapter(account(&slack)), adapter(account(&slack)));
    let keyed = |text: &str| Delivery::Post(Post { key: text.to_owned(), ..post(text) });
    let on = |fault: Fault| slack.fault(fault.on("chat.postMessage").times(1));
    on(Fault::too_many(7));
    let limited = limited.deliver(&chat, keyed("a")).await;
    assert!(
        matches!(limited, Err(SendError::Later { after: Some(after), .. }) if after == Duration::from_secs(7))
    );
    on(Fault::lost());
    assert!(matches!(adapter.deliver(&chat, keyed("b")).await, Err(SendError::Unknown(_))));
    on(Fault::status(502));
    assert!(matches!(adapter.deliver(&chat, keyed("c")).await, Err(SendError::Unknown(_))));
    on(Fault::refuse(200, "fatal_error"));
    assert!(matches!(adapter.deliver(&chat, keyed("d")).await, Err(SendError::Unknown(_))));
    slack.cut().await;
    assert!(matches!(adapter.deliver(&chat, keyed("e")).await, Err(SendError::Offline(_))));
    let texts: Vec<String> = anna.sees().into_iter().map(|shown| shown.text).collect();
    assert_eq!(texts, ["hello", "b"]);
}

#[tokio::test]
async fn after_a_refusal_for_speed_one_request_asks_again_and_the_others_wait_for_their_turns() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let garden = slack.channel("C0GARDEN", "garden", &[&anna]);
    let adapter = adapter(account(&slack));
    let at = |n: u32| to(&format!("slack:{}:topic:1.{n:06}", garden.id));
    let ask = |n: u32| {
        let edit = Delivery::Edit { target: format!("1.{n:06}"), post: post("new") };
        let (adapter, to) = (&adapter, at(n));
        async move { adapter.deliver(&to, edit).await }
    };
    let asked = || slack.journal().calls_of("chat.update").len();
    slack.fault(Fault::too_many(1).on("chat.update").times(1));
    assert!(matches!(ask(0).await, Err(SendError::Later { after: Some(_), .. })));
    let mut turns = Vec::new();
    for n in 1..20 {
        match ask(n).await {
            Err(SendError::Later { after: Some(after), .. }) => turns.push(after),
            other => panic!("{other:?}"),
        }
    }
    let shown = adapter.signal(&at(0), Signal::Grow { target: "1.000000".into(), text: "more".into() }).await;
    assert!(matches!(shown, Err(SendError::Later { after: None, .. })), "the chat does not wait: {shown:?}");
    assert_eq!(asked(), 1, "nobody asks while the pause lasts");
    assert!(turns.is_sorted() && turns[0] < turns[18] - Duration::from_secs(15), "{turns:?}");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    slack.fault(Fault::slow(300).on("chat.update").times(1));
    futures_util::future::join_all((1..20).map(ask)).await;
    assert_eq!(asked(), 2, "one request finds out whether the method is free again");
}

#[tokio::test]
async fn files_are_shown_together_with_their_texts() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let asked = anna.tells("send it");
    let chat = to(&format!("slack:{}:topic:{}", asked.channel, asked.ts));
    let adapter = adapter(account(&slack));
    let media = Delivery::Media { file: file(b"water at six"), post: post("here &amp; now") };
    let receipt = adapter.deliver(&chat, media).await.unwrap();
    let shown = anna.sees().pop().unwrap();
    assert_eq!(
        (shown.files, shown.text.as_str(), shown.thread),
        (vec!["plan.txt".to_owned()], "here & now", Some(asked.ts))
    );
    assert_eq!(receipt.message.unwrap(), shown.message["files"][0]["id"]);
    slack.fault(Fault::lost().on("upload").times(1));
    let lost = adapter.deliver(&chat, Delivery::Media { file: file(b"x"), post: post("") }).await;
    assert!(matches!(lost, Err(SendError::Later { .. })), "nobody has seen anything: {lost:?}");
}

#[tokio::test]
async fn a_file_is_fetched_with_the_token_from_slack_alone() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    anna.writes(
        json!({"channel": anna.id, "files": [{"name": "a.txt", "base64": "aGVsbG8=", "mime": "text/plain"}]}),
    );
    let file = anna.sees()[0].message["files"][0].clone();
    let attachment = |reference: String| frontdesk_core::message::Attachment {
        reference,
        unique: None,
        kind: FileKind::Document,
        name: None,
        mime: Some("text/plain".to_owned()),
        size: None,
        seconds: None,
        kept: None,
    };
    let (id, url) = (file["id"].as_str().unwrap(), file["url_private_download"].as_str().unwrap());
    let adapter = adapter(account(&slack));
    for reference in [format!("{id} {url}"), id.to_owned()] {
        let pieces = adapter.fetch(&attachment(reference)).await.unwrap();
        let bytes: Vec<Vec<u8>> = pieces.map(Result::unwrap).collect().await;
        assert_eq!(bytes.concat(), b"hello");
    }
    slack.act("redirects", json!({"on": true}));
    let pieces = adapter.fetch(&attachment(format!("{id} {url}"))).await.unwrap();
    let bytes: Vec<Vec<u8>> = pieces.map(Result::unwrap).collect().await;
    assert_eq!(bytes.concat(), b"hello", "from where it was redirected to");
    slack.act("redirects", json!({"on": false}));
    let elsewhere = adapter.fetch(&attachment(format!("{id} https://files.slack.com.evil.example/a"))).await;
    assert!(matches!(elsewhere, Err(FetchError::Refused(_))));
    slack.fault(Fault::status(502).times(1));
    let down = adapter.fetch(&attachment(format!("{id} {url}"))).await;
    assert!(matches!(down, Err(FetchError::Later(_))), "the proxy in front shows a page, too");
    slack.act("scopes", json!({"token": frontdesk_fakeslack::TOKEN, "remove": ["files:read"]}));
    let page = adapter.fetch(&attachment(format!("{id} {url}"))).await;
    assert!(matches!(page, Err(FetchError::Refused(why)) if why.contains("files:read")));
    slack.act("redirects", json!({"on": true}));
    let page = adapter.fetch(&attachment(format!("{id} {url}"))).await;
    assert!(matches!(page, Err(FetchError::Refused(why)) if why.contains("asks to log in")));
}

#[tokio::test]
async fn writing_is_shown_in_threads_and_ends() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let asked = anna.tells("hello");
    let adapter = adapter(account(&slack));
    let status = || slack.look(&asked.channel)["threads"][&asked.ts]["status"]["text"].clone();
    adapter.signal(&to(&format!("slack:{}", asked.channel)), Signal::Typing).await.unwrap();
    assert!(slack.journal().calls_of("assistant.threads.setStatus").is_empty());
    let thread = to(&format!("slack:{}:topic:{}", asked.channel, asked.ts));
    adapter.signal(&thread, Signal::Typing).await.unwrap();
    assert_eq!(status(), "is writing…");
    let end = Signal::End {
        about: frontdesk_core::delivery::MessageRefs::default(),
        ending: frontdesk_core::delivery::Ending::Cancelled,
        usage: None,
    };
    adapter.signal(&thread, end).await.unwrap();
    assert_eq!(status(), json!(null));
}

#[tokio::test]
async fn what_was_escaped_is_shown_as_it_was_meant_by_a_post_and_by_an_edit() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let chat = to(&format!("slack:{}", anna.tells("hello").channel));
    let adapter = adapter(account(&slack));
    for (markdown, shown) in [
        ("a & b < c > d", "a & b < c > d"),
        ("write `&lt;b&gt;` for <b>", "write `&lt;b&gt;` for <b>"),
        ("`a && b` &amp; `<!here>`", "`a && b` & `<!here>`"),
        ("[R&D](https://e.com/?a=1&b=2)", "R&D"),
    ] {
        let part = adapter.profile().render(markdown).remove(0);
        let posted = Post { part, ..post("") };
        let sent = adapter.deliver(&chat, Delivery::Post(posted.clone())).await.unwrap();
        assert_eq!(anna.sees().pop().unwrap().text, shown, "{markdown}");
        let edit = Delivery::Edit { target: sent.message.unwrap(), post: posted };
        adapter.deliver(&chat, edit).await.unwrap();
        assert_eq!(anna.sees().pop().unwrap().text, shown, "{markdown}");
    }
}

#[tokio::test]
async fn a_long_answer_is_several_messages_each_of_which_can_be_edited_and_a_file_comes_after_them() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let chat = to(&format!("slack:{}", anna.tells("hello").channel));
    let adapter = adapter(account(&slack));
    // An answer of 3,887 characters is one message; its escapes count.
    for (text, is_one) in [("a".repeat(3_887), true), ("<&".repeat(3_887), false)] {
        let before = anna.sees().len();
        let parts = adapter.profile().render(&text);
        let messages = parts.len();
        assert_eq!(messages == 1, is_one, "{messages}");
        for (n, part) in parts.into_iter().enumerate() {
            let posted = Post { part, key: format!("{}/{n}", text.len()), ..post("") };
            let sent = adapter.deliver(&chat, Delivery::Post(posted.clone())).await.unwrap();
            // The limit of an edit is lower than that of a post: msg_too_long.
            let edit = Delivery::Edit { target: sent.message.unwrap(), post: posted };
            adapter.deliver(&chat, edit).await.unwrap();
        }
        adapter.deliver(&chat, Delivery::Media { file: file(b"x"), post: post("") }).await.unwrap();
        let shown = anna.sees().split_off(before);
        let whole: String = shown.iter().map(|shown| shown.text.as_str()).collect();
        assert_eq!((whole.as_str(), shown.len()), (text.as_str(), messages + 1));
        assert_eq!(shown.last().unwrap().files, ["plan.txt"]);
    }
}

#[tokio::test]
async fn an_answer_to_a_question_that_was_deleted_meanwhile_says_that_its_thread_is_gone() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let garden = slack.channel("C0GARDEN", "garden", &[&anna]);
    let asked = anna.says(&garden.id, "hello");
    anna.deletes(&asked);
    let adapter = adapter(account(&slack));
    let thread = to(&format!("slack:{}:topic:{}", garden.id, asked.ts));
    for error in ["thread_not_found", "cannot_reply_to_message"] {
        slack.fault(Fault::refuse(200, error).on("chat.postMessage").times(1));
        let gone = adapter.deliver(&thread, says("an answer")).await;
        assert!(matches!(gone, Err(SendError::ThreadGone(_))), "{gone:?}");
    }
}
