//! Delivery of answers to Telegram, checked by the calls that the server received.

use std::sync::Arc;

use frontdesk_botapi::{Call, Fault};

use crate::program::NewHome;
use crate::telegram::Telegram;

const ANNA: i64 = 1001;
const FORUM: i64 = -1002;

/// A configuration in which Anna may write, in private and in the forum.
fn with_anna() -> String {
    format!("allow = [{ANNA}]\n[channels.telegram.groups.\"{FORUM}\"]\nrequire_mention = false\n")
}

fn calls_of(telegram: &Telegram, method: &str) -> Vec<Arc<Call>> {
    telegram.api.journal().calls_of(method)
}

#[test]
fn a_command_is_answered_within_a_second_while_an_answer_streams() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    let _daemon = telegram.gateway(&home, &with_anna());
    let anna = telegram.user(ANNA, "Anna");
    let words: Vec<String> = (0..60).map(|n| format!("word{n}")).collect();
    anna.tells(&format!("!slow 100 {}", words.join(" ")));
    anna.sees("word2");
    anna.tells("/status");
    let asked = telegram.api.journal().deliveries().last().unwrap().arrived;
    anna.sees("The agent is answering.");
    let reply = calls_of(&telegram, "sendMessage").pop().unwrap();
    assert!(reply.text().contains("The agent is answering."), "{reply:?}");
    assert!(reply.at - asked < 1000, "it took {} ms", reply.at - asked);
    let whole = |call: &Arc<Call>| call.text().ends_with("word59");
    telegram.waits(|journal| journal.calls_of("editMessageText").iter().any(whole));
    let end = calls_of(&telegram, "editMessageText").into_iter().find(whole).unwrap();
    assert!(reply.number < end.number, "the answer was still on its way");
    let order: Vec<bool> = anna.texts().iter().map(|text| text.contains("word0 word1")).collect();
    assert_eq!(order, [true, true, false, false], "{:?}", anna.texts());
}

#[test]
fn a_long_answer_makes_no_edit_that_changes_nothing() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    let _daemon = telegram.gateway(&home, &with_anna());
    let anna = telegram.user(ANNA, "Anna");
    let words: Vec<String> = (0..300).map(|n| format!("a-long-word-with-number-{n}")).collect();
    anna.tells(&format!("!slow 10 {}", words.join(" ")));
    anna.sees("number-299");
    let edits: Vec<String> =
        calls_of(&telegram, "editMessageText").iter().map(|call| call.text().to_owned()).collect();
    assert!(edits.len() > 3, "{edits:?}");
    assert!(edits.windows(2).all(|two| two[0] != two[1]), "the same text twice");
    let refused = telegram.api.journal().calls().iter().filter(|call| !call.is_done()).count();
    assert_eq!(refused, 0, "not modified");
    let whole = anna.texts()[1..].join(" ");
    assert_eq!(whole, words.join(" "));
}

#[test]
fn a_stopped_answer_stays_in_the_chat() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    let _daemon = telegram.gateway(&home, &with_anna());
    let anna = telegram.user(ANNA, "Anna");
    let words: Vec<String> = (0..100).map(|n| format!("word{n}")).collect();
    anna.tells(&format!("!slow 100 {}", words.join(" ")));
    let shown = anna.sees("word5");
    anna.tells("/stop");
    let stopped = anna.sees("(stopped)");
    let kept = stopped.strip_suffix("\n\n(stopped)").unwrap();
    assert!(
        kept.starts_with(shown.trim_end()) && words.join(" ").starts_with(kept),
        "{stopped:?} of {shown:?}"
    );
}

#[test]
fn a_partial_answer_that_cannot_be_edited_is_deleted_after_the_whole_one() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    let _daemon = telegram.gateway(&home, &with_anna());
    let anna = telegram.user(ANNA, "Anna");
    telegram.api.fault(Fault::refuse(400, "Bad Request: message can't be edited").on("editMessageText"));
    anna.tells("!slow 60 first paragraph of the answer\n\nsecond **bold** part");
    telegram.waits(|journal| !journal.calls_of("deleteMessage").is_empty());
    let texts = anna.texts();
    assert_eq!(texts[1..], ["first paragraph of the answer\n\nsecond bold part"], "{texts:?}");
    let journal = telegram.api.journal();
    let calls = journal.calls();
    let last = |method: &str| calls.iter().rposition(|call| call.method == method).unwrap();
    assert!(last("sendMessage") < last("deleteMessage"), "never before");
    let edits = calls_of(&telegram, "editMessageText").len();
    assert!(edits <= 2, "{edits} edits of a message that cannot be edited");
}

#[test]
fn an_answer_to_a_deleted_topic_goes_to_the_group_and_is_logged_once() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    let daemon = telegram.gateway(&home, &with_anna());
    let anna = telegram.user(ANNA, "Anna");
    let forum = telegram.api.forum(FORUM, "Forum");
    let topic = telegram.does(async {
        let topic = forum.topic(&anna.user, "Plans").await;
        anna.user.says(&topic, "!wait 500 the answer").await;
        topic
    });
    telegram.waits(|journal| !journal.calls_of("sendChatAction").is_empty());
    telegram.does(topic.is_deleted());
    telegram.waits(|journal| !journal.posts_in(&forum).is_empty());
    let shown = forum.shows().pop().unwrap();
    assert_eq!((shown.text.as_str(), shown.thread), ("the answer", None));
    let log = daemon.stop().good().err.clone();
    assert_eq!(log.matches("was not delivered").count(), 1, "{log}");
    assert!(log.contains("cause=\"400 Bad Request: message thread not found\""), "{log}");
}

#[test]
fn the_log_names_the_cause_of_parts_that_are_tried_again_once_and_quotes_no_message() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    let daemon = telegram.gateway(&home, &format!("streaming = \"off\"\n{}", with_anna()));
    let anna = telegram.user(ANNA, "Anna");
    let busy = Fault::refuse(500, "Internal Server Error: \"hunter2\" is odd");
    telegram.api.fault(busy.on("sendMessage").times(2));
    anna.tells("hunter2");
    telegram.waits(|journal| journal.calls_of("sendMessage").len() == 3);
    anna.sees("hunter2");
    let odd = Fault::refuse(400, "Bad Request: message is odd: hunter2");
    telegram.api.fault(odd.on("sendMessage").times(1));
    anna.tells("hunter2, again");
    anna.sees("could not be delivered");
    let log = daemon.stop().good().err.clone();
    assert_eq!(log.matches("cause=\"500 Internal Server Error\"").count(), 1, "{log}");
    assert_eq!(log.matches("cause=\"400 Bad Request: message is odd\"").count(), 1, "{log}");
    assert!(!log.contains("hunter2"), "{log}");
}

#[test]
fn the_general_topic_is_reached_by_its_number() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    let _daemon = telegram.gateway(&home, &with_anna());
    let forum = telegram.api.forum(FORUM, "Forum");
    let to = format!("telegram:{FORUM}:topic:1");
    home.run(&["send", "--to", &to, "--message", "hello"]).good();
    telegram.waits(|journal| !journal.posts_in(&forum).is_empty());
    assert_eq!(telegram.api.journal().posts_in(&forum)[0].thread, None);
}

#[test]
fn a_picture_is_sent_even_if_its_caption_is_over_the_limit() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    let _daemon = telegram.gateway(&home, &with_anna());
    std::fs::create_dir_all(home.path().join("media")).unwrap();
    std::fs::write(home.path().join("media/a.txt"), "words").unwrap();
    let captions = [
        "x".repeat(1017) + " the end",
        "**b** ".repeat(200) + "the end",
        "\u{1f600}".repeat(1000) + " the end",
    ];
    for (number, caption) in (0_i64..).zip(captions) {
        let anna = telegram.user(ANNA + number, "Anna");
        let seen = telegram.api.journal().calls_of("sendDocument").len();
        home.run(&["access", "allow", "telegram", &(ANNA + number).to_string()]).good();
        anna.tells(&format!("!media a.txt {caption}"));
        telegram.waits(|journal| journal.calls_of("sendDocument").len() > seen);
        let file = calls_of(&telegram, "sendDocument").pop().unwrap();
        assert!(file.is_done() && file.text().is_empty(), "{file:?}");
        // So many marks take more than one message.
        let words = caption.replace("**", "");
        anna.sees("the end");
        let texts: Vec<String> = anna.texts().into_iter().skip(1).filter(|text| !text.is_empty()).collect();
        assert_eq!(texts.join(" "), words);
    }
}

#[test]
fn after_a_429_no_call_is_made_before_its_time() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    let _daemon = telegram.gateway(&home, &with_anna());
    let anna = telegram.user(ANNA, "Anna");
    telegram.api.fault(Fault::too_many(2).in_chat(ANNA).times(1));
    anna.tells("hello");
    telegram.waits(|journal| journal.calls().iter().filter(|call| call.chat == ANNA).count() >= 2);
    let journal = telegram.api.journal();
    let mut times = journal.calls().iter().filter(|call| call.chat == ANNA).map(|call| call.at);
    let (first, second) = (times.next().unwrap(), times.next().unwrap());
    assert!(second - first >= 2000, "{} ms after the refusal", second - first);
    anna.sees("hello");
}
