//! Deliveries and signals, and what the chat shows afterwards.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use frontdesk_botapi::{BOT, BotApi, Fault};
use frontdesk_core::ask::{AskChoice, AskEnd, AskKind, Audience, ChoiceStyle, PostedAsk};
use frontdesk_core::delivery::{Bucket, Delivery, MediaFile, MessageRefs, Post, Receipt, SendError, Signal};
use frontdesk_core::id::AskId;
use frontdesk_core::message::FileKind;
use frontdesk_core::port::Adapter;
use frontdesk_telegram::TelegramAdapter;
use serde_json::json;

use crate::setup::{TestClock, account, adapter, post, says, to};

async fn sent(telegram: &TelegramAdapter, address: &str, delivery: Delivery) -> String {
    telegram.deliver(&to(address), delivery).await.unwrap().message.expect("an id")
}

async fn refused(telegram: &TelegramAdapter, address: &str, delivery: Delivery) -> SendError {
    telegram.deliver(&to(address), delivery).await.unwrap_err()
}

#[tokio::test]
async fn an_answer_is_posted_edited_and_deleted() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    let hello = anna.starts().await;
    let mut account = account(&api);
    account.settings.per_chat_ms = 0;
    let telegram = adapter(account);
    let mut answer = post("<b>hi</b> &amp; welcome", "hi & welcome");
    answer.reply_to = Some(hello.message_id.to_string());
    let id = sent(&telegram, "telegram:1001", Delivery::Post(answer)).await;
    let shown = anna.sees().pop().unwrap();
    assert_eq!(shown.text, "hi & welcome");
    let call = api.journal().posts_in(&anna).pop().unwrap();
    assert!(call.params["link_preview_options"].to_string().contains("true"), "{:?}", call.params);
    assert!(call.params["reply_parameters"].to_string().contains(&hello.message_id.to_string()));

    let edit = Delivery::Edit { target: id.clone(), post: post("bye", "bye") };
    assert_eq!(sent(&telegram, "telegram:1001", edit.clone()).await, id);
    assert_eq!(sent(&telegram, "telegram:1001", edit).await, id, "not modified is success");
    assert_eq!(anna.sees().pop().unwrap().text, "bye");
    let gone = Delivery::Edit { target: "99999".into(), post: post("x", "x") };
    assert!(matches!(refused(&telegram, "telegram:1001", gone).await, SendError::Refused(_)));

    let grown = Signal::Grow { target: id.clone(), text: "a < b".into() };
    for signal in [Signal::Typing, grown.clone(), grown] {
        assert_eq!(telegram.signal(&to("telegram:1001"), signal.clone()).await, Ok(()), "{signal:?}");
    }
    assert_eq!(anna.sees().pop().unwrap().text, "a < b", "the text of a state is not markup");
    let delete = || Delivery::Delete { target: id.clone() };
    assert_eq!(telegram.deliver(&to("telegram:1001"), delete()).await, Ok(Receipt::default()));
    let again = telegram.deliver(&to("telegram:1001"), delete()).await;
    assert_eq!(again, Ok(Receipt::default()), "it is gone, as it was meant to be");
    assert!(anna.sees().iter().all(|shown| shown.text != "a < b"));
}

#[tokio::test]
async fn messages_get_reactions_and_are_pinned() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    let hello = anna.starts().await.message_id.to_string();
    let telegram = adapter(account(&api));
    let react =
        |emoji: Option<&str>| Delivery::React { target: hello.clone(), emoji: emoji.map(str::to_owned) };
    let deliver = async |delivery| telegram.deliver(&to("telegram:1001"), delivery).await;
    for emoji in [Some("👍"), None, Some("❤\u{fe0f}")] {
        assert_eq!(deliver(react(emoji)).await, Ok(Receipt::default()), "{emoji:?}");
    }
    let calls = api.journal().calls_of("setMessageReaction");
    assert_eq!(calls[0].params["reaction"], json!([{"type": "emoji", "emoji": "👍"}]));
    assert_eq!(calls[1].params["reaction"], json!([]), "it is taken back");
    assert_eq!(
        calls[2].params["reaction"],
        json!([{"type": "emoji", "emoji": "❤"}]),
        "as Telegram writes it"
    );
    assert!(matches!(deliver(react(Some("🧦"))).await, Err(SendError::Refused(_))));

    let pin = |target: &str| Delivery::Pin { target: target.to_owned() };
    assert_eq!(deliver(pin(&hello)).await, Ok(Receipt::default()));
    assert_eq!(api.journal().calls_of("pinChatMessage")[0].params["disable_notification"], json!(true));
    assert!(matches!(deliver(pin("99999")).await, Err(SendError::Refused(_))));
}

#[tokio::test]
async fn a_message_that_waits_has_the_configured_reaction() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    anna.starts().await;
    let hello = anna.tells("hello").await;
    let reactions =
        || anna.sees().into_iter().find(|shown| shown.message_id == hello.message_id).unwrap().reactions;
    let waits = |waits| Signal::Waits { target: hello.message_id.to_string(), waits };
    let mut account = account(&api);
    account.settings.acknowledge = Some("❤\u{fe0f}".into());
    let telegram = adapter(account);
    assert!(telegram.profile().waiting_marks);
    for (is_waiting, shown) in
        [(true, vec![(BOT, "❤".to_owned())]), (true, vec![(BOT, "❤".to_owned())]), (false, vec![])]
    {
        assert_eq!(telegram.signal(&to("telegram:1001"), waits(is_waiting)).await, Ok(()));
        assert_eq!(reactions(), shown);
    }
    assert_eq!(telegram.signal(&to("telegram:1001"), waits(false)).await, Ok(()), "there was none");
    let gone = Signal::Waits { target: "99999".into(), waits: true };
    assert!(matches!(telegram.signal(&to("telegram:1001"), gone).await, Err(SendError::Refused(_))));
}

#[tokio::test]
async fn a_question_has_buttons_until_it_is_closed() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    anna.starts().await;
    let telegram = adapter(account(&api));
    let mut question = post("Delete <b>all</b>?", "Delete all?");
    let mut ask = asks();
    question.ask = Some(ask.clone());
    let id = sent(&telegram, "telegram:1001", Delivery::Post(question.clone())).await;
    let call = api.journal().posts_in(&anna).pop().unwrap();
    let row = json!([
        {"text": "Yes", "callback_data": "a7:0", "style": "danger"}, {"text": "No", "callback_data": "a7:1"},
    ]);
    assert_eq!(call.params["reply_markup"], json!({"inline_keyboard": [row]}));
    assert_eq!(call.params["parse_mode"], "HTML");
    assert_eq!(anna.sees().pop().unwrap().buttons, ["Yes", "No"]);

    ask.closed = Some(AskEnd::Cancelled);
    let closed =
        Post { ask: Some(ask), ..post("Delete <b>all</b>?\n\nWithdrawn.", "Delete all?\n\nWithdrawn.") };
    let edit = Delivery::Edit { target: id.clone(), post: closed };
    assert_eq!(sent(&telegram, "telegram:1001", edit.clone()).await, id);
    assert_eq!(sent(&telegram, "telegram:1001", edit).await, id, "not modified is success");
    let shown = anna.sees().pop().unwrap();
    assert_eq!((shown.text.as_str(), shown.buttons.len()), ("Delete all?\n\nWithdrawn.", 0));
}

/// A question with two choices.
fn asks() -> PostedAsk {
    let choice = |id: &str, label: &str, style| AskChoice { id: id.into(), label: label.into(), style };
    PostedAsk {
        id: AskId(7),
        kind: AskKind::Confirm,
        text: "Delete **all**?".into(),
        choices: vec![choice("yes", "Yes", ChoiceStyle::Danger), choice("no", "No", ChoiceStyle::Plain)],
        deadline: DateTime::UNIX_EPOCH,
        audience: Audience::Admins,
        closed: None,
    }
}

#[tokio::test]
async fn an_answer_stays_in_its_topic() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    let forum = api.forum(-1002, "Forum");
    let plans = forum.topic(&anna, "Plans").await;
    let telegram = adapter(account(&api));
    let thread = plans.thread.unwrap();
    sent(&telegram, &format!("telegram:-1002:topic:{thread}"), says("here")).await;
    assert_eq!(forum.shows().pop().unwrap().thread, Some(thread));
    telegram.signal(&to(&format!("telegram:-1002:topic:{thread}")), Signal::Typing).await.unwrap();
    assert_eq!(api.journal().calls_of("sendChatAction")[0].thread, Some(thread));
    let nowhere = refused(&telegram, "telegram:-1002:topic:4242", says("lost")).await;
    assert!(matches!(nowhere, SendError::ThreadGone(_)), "never into another topic: {nowhere}");
}

#[tokio::test]
async fn the_general_topic_is_written_to_without_its_number() {
    let api = BotApi::start().await;
    let forum = api.forum(-1002, "Forum");
    let general = "telegram:-1002:topic:1";
    let telegram = adapter(account(&api));
    let id = sent(&telegram, general, says("here")).await;
    sent(&telegram, general, Delivery::Edit { target: id.clone(), post: post("there", "there") }).await;
    sent(&telegram, general, Delivery::Media { file: text_file(), post: post("beneath", "beneath") }).await;
    telegram.signal(&to(general), Signal::Typing).await.unwrap();
    let shown: Vec<String> = forum.shows().into_iter().map(|shown| shown.text).collect();
    assert!(shown.ends_with(&["there".to_owned(), "beneath".to_owned()]), "{shown:?}");
    let draft = Signal::Draft { id: 7, text: "a draft".into() };
    telegram.signal(&to(general), draft).await.ok();
    telegram.deliver(&to(general), Delivery::Delete { target: id }).await.unwrap();
    for call in api.journal().calls() {
        assert_eq!(call.thread, None, "{}", call.method);
    }
}

fn text_file() -> MediaFile {
    let mut handle = tempfile::tempfile().unwrap();
    handle.write_all(b"words").unwrap();
    let (name, mime) = ("a.txt".to_owned(), Some("text/plain".to_owned()));
    MediaFile { handle: Arc::new(handle), size: 5, name, mime, kind: FileKind::Document, tried: false }
}

#[tokio::test]
async fn each_failure_has_the_right_consequence() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    anna.starts().await;
    let telegram = adapter(account(&api));
    let markup = refused(&telegram, "telegram:1001", Delivery::Post(post("<x>hi</x>", "hi"))).await;
    assert!(matches!(markup, SendError::Markup(_)), "{markup}");
    let stranger = refused(&telegram, "telegram:4242", says("hi")).await;
    assert!(matches!(stranger, SendError::Gone(_)), "{stranger}");
    anna.blocks().await;
    let blocked = refused(&telegram, "telegram:1001", says("hi")).await;
    assert!(matches!(blocked, SendError::Gone(_)), "{blocked}");
    anna.unblocks().await;
    let long = refused(&telegram, "telegram:1001", says(&"x".repeat(4097))).await;
    assert!(matches!(long, SendError::Refused(_)), "{long}");
    api.fault(Fault::too_many(3).on("sendMessage").times(1));
    let flood = refused(&telegram, "telegram:1001", says("hi")).await;
    let expected = Some(Duration::from_secs(3));
    assert!(
        matches!(flood, SendError::Later { after, scope: Bucket::Chat, .. } if after == expected),
        "{flood}"
    );
    api.fault(Fault::status(502).on("sendMessage").times(1));
    let proxy = refused(&telegram, "telegram:1001", says("hi")).await;
    assert!(matches!(proxy, SendError::Later { after: None, .. }), "{proxy}");
    api.fault(Fault::lost().on("sendMessage").times(1));
    let lost = refused(&telegram, "telegram:1001", says("perhaps")).await;
    assert!(matches!(lost, SendError::Unknown(_)), "{lost}");
    assert_eq!(anna.sees().pop().unwrap().text, "perhaps", "it did arrive");
    api.fault(Fault::slow(10_000).on("sendMessage").times(1));
    let slow = refused(&telegram, "telegram:1001", says("slowly")).await;
    assert!(matches!(slow, SendError::Unknown(_)), "{slow}");
    api.cut().await;
    let offline = refused(&telegram, "telegram:1001", says("hi")).await;
    assert!(
        matches!(&offline, SendError::Offline(cause) if cause.for_log().contains("cannot be reached")),
        "{offline}"
    );
}

#[tokio::test]
async fn an_answer_that_grows_delays_no_message_in_any_chat() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    anna.starts().await;
    api.group(-500, "Tea");
    let clock = TestClock::new();
    let telegram = TelegramAdapter::new(account(&api), clock.clone()).unwrap();
    let edited = || api.journal().calls_of("editMessageText").len();
    for (address, most) in [("telegram:-500", 15), ("telegram:1001", 40)] {
        let begun = telegram.deliver(&to(address), says("0")).await.unwrap();
        let (target, before) = (begun.message.unwrap(), edited());
        // The default pause between two edits, for a minute.
        for n in 1..75 {
            clock.advance(Duration::from_millis(800));
            let grown = Signal::Grow { target: target.clone(), text: n.to_string() };
            let shown = telegram.signal(&to(address), grown).await;
            assert!(matches!(shown, Ok(()) | Err(SendError::Later { after: None, .. })), "{shown:?}");
        }
        let edits = edited() - before;
        assert!(edits < most && edits > most / 2, "{address}: {edits} edits a minute");
    }
    api.fault(Fault::too_many(1).on("editMessageText").times(1));
    clock.advance(Duration::from_secs(60));
    let target = telegram.deliver(&to("telegram:1001"), says("0")).await.unwrap().message.unwrap();
    clock.advance(Duration::from_secs(3));
    for (n, passes) in [(0, false), (1, true), (2, false)] {
        let grown = Signal::Grow { target: target.clone(), text: format!("more {n}") };
        assert_eq!(telegram.signal(&to("telegram:1001"), grown).await.is_ok(), passes, "{n}");
    }
}

#[tokio::test]
async fn refusals_in_several_chats_at_once_are_the_bots_own_limit() {
    let api = BotApi::start().await;
    let telegram = adapter(account(&api));
    for (id, expected) in [(1, Bucket::Chat), (2, Bucket::Chat), (3, Bucket::Account)] {
        api.user(id, "Anna").starts().await;
        api.fault(Fault::too_many(9).on("sendMessage").times(1));
        let refused = refused(&telegram, &format!("telegram:{id}"), says("hi")).await;
        assert!(matches!(refused, SendError::Later { scope, .. } if scope == expected), "{id}: {refused}");
    }
}

#[tokio::test]
async fn a_moved_group_is_reported_with_its_new_id() {
    let api = BotApi::start().await;
    let group = api.group(-500, "Tea");
    group.migrates(-1_000_500).await;
    let moved = refused(&adapter(account(&api)), "telegram:-500", says("hi")).await;
    assert_eq!(moved, SendError::Moved { to: "-1000500".into() });
}

#[tokio::test]
async fn a_draft_is_a_call_of_its_own_and_pieces_are_none() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    anna.starts().await;
    let telegram = adapter(account(&api));
    for text in ["so far", "so far so good"] {
        let draft = Signal::Draft { id: 7, text: text.into() };
        assert_eq!(telegram.signal(&to("telegram:1001"), draft).await, Ok(()));
    }
    let drafts = api.journal().calls_of("sendMessageDraft");
    assert_eq!(drafts.iter().map(|call| call.text()).collect::<Vec<_>>(), ["so far", "so far so good"]);
    assert!(drafts.iter().all(|call| call.params["draft_id"].to_string().contains('7')), "{drafts:?}");
    let nothing = Signal::Draft { id: 7, text: String::new() };
    assert_eq!(telegram.signal(&to("telegram:1001"), nothing).await, Ok(()));
    let about = MessageRefs::default();
    let piece = Signal::Delta { about, attempt: 1, text: "x".into() };
    assert_eq!(telegram.signal(&to("telegram:1001"), piece).await, Ok(()));
}
