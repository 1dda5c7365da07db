//! Updates that cannot be read: they are kept, and delay nothing.

use std::sync::Arc;

use frontdesk_botapi::BotApi;
use frontdesk_conformance::RecordingInbox;
use frontdesk_core::message::EventKind;

use crate::setup::{account, adapter, ended, running, texts, undecodable, until};

#[tokio::test]
async fn an_unreadable_update_does_not_affect_the_others() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    let bot = api.default_bot();
    let inbox = Arc::new(RecordingInbox::default());
    anna.tells("one").await;
    let garbage = [
        r#""message":{"some":"garbage"}"#.to_owned(),
        r#""hologram":{"depth":3}"#.to_owned(),
        r#""message_reaction":{}"#.to_owned(),
        format!(r#""message":{}1{}"#, "[".repeat(500), "]".repeat(500)),
    ];
    for fields in &garbage {
        bot.hears_garbage(fields);
    }
    anna.tells("two").await;
    running(&adapter(account(&api)), &inbox, async { until(|| api.journal().unconfirmed() == 0).await })
        .await;
    let events = inbox.events();
    assert_eq!([&events[0].kind, &events[5].kind], [&EventKind::Message; 2]);
    let kinds: Vec<&str> = events[1..5].iter().map(|event| undecodable(event).kind.as_str()).collect();
    assert_eq!(kinds, ["message", "hologram", "message_reaction", "message"]);
    for (event, fields) in events[1..5].iter().zip(&garbage) {
        let body = String::from_utf8(undecodable(event).body.clone()).unwrap();
        assert!(body.contains(fields), "kept as it arrived");
    }
}

#[tokio::test]
async fn an_update_without_a_number_does_not_delay_others() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    let bot = api.default_bot();
    let inbox = Arc::new(RecordingInbox::default());
    let nameless = r#""update_id":"seven","message":{"text":"kept"}"#;
    // At the beginning of a batch, where no earlier update bounds its number.
    bot.hears_garbage(nameless);
    running(&adapter(account(&api)), &inbox, async {
        until(|| inbox.events().len() >= 2).await;
        let one = anna.tells("one").await.update_id;
        until(|| api.journal().unconfirmed() == 0).await;
        // After others, with a gap in the numbers before it: it is returned again until the offset has reached it.
        bot.numbers_from(one + 100);
        anna.tells("two").await;
        until(|| api.journal().unconfirmed() == 0).await;
        bot.numbers_from(one + 105);
        bot.hears_garbage(nameless);
        until(|| api.journal().unconfirmed() == 0).await;
        bot.hears_garbage(nameless);
        anna.tells("three").await;
        until(|| api.journal().unconfirmed() == 0).await;
    })
    .await;
    assert_eq!(
        texts(&inbox).into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>(),
        ["one", "two", "three"]
    );
    let kept: Vec<String> =
        inbox.events().into_iter().filter(|event| event.text.is_empty()).map(|event| event.id).collect();
    assert!(
        kept.iter().all(|id| *id == kept[0] && id.starts_with("raw:")),
        "one name, however often it comes: {kept:?}"
    );
}

#[tokio::test]
async fn polls_full_of_updates_without_numbers_are_reported() {
    let api = BotApi::start().await;
    let inbox = Arc::new(RecordingInbox::default());
    for n in 0..100 {
        api.default_bot().hears_garbage(&format!(r#""update_id":null,"n":{n}"#));
    }
    let error = ended(&adapter(account(&api)), &inbox).await;
    assert!(error.to_string().contains("none can be acknowledged"), "{error}");
    assert_eq!(inbox.events().len(), 100, "they are kept all the same");
}
