//! What a reader sees of an agent's Markdown, on a server that parses it like the real one.

use frontdesk_botapi::{BotApi, User};
use frontdesk_core::delivery::Delivery;
use frontdesk_core::port::Adapter;
use frontdesk_telegram::TelegramAdapter;

use crate::setup::{account, adapter, post, to};

/// Sends an answer as the gateway does. Returns the text and the entities of each message, as `type=piece` or
/// `type=piece>target`.
async fn shown(telegram: &TelegramAdapter, anna: &User, answer: &str) -> Vec<(String, Vec<String>)> {
    let before = anna.sees().len();
    for part in telegram.profile().render(answer) {
        let delivery = Delivery::Post(post(&part.body, &part.plain));
        telegram
            .deliver(&to("telegram:1001"), delivery)
            .await
            .unwrap_or_else(|error| panic!("{answer:?}: {error}"));
    }
    let pieces = |message: &serde_json::Value, text: &str| {
        let units: Vec<u16> = text.encode_utf16().collect();
        let number = |value: &serde_json::Value| usize::try_from(value.as_u64().unwrap()).unwrap();
        let entities = message["entities"].as_array().cloned().unwrap_or_default();
        let written = entities.iter().map(|entity| {
            let start = number(&entity["offset"]);
            let piece = String::from_utf16(&units[start..start + number(&entity["length"])]).unwrap();
            let target = entity["url"].as_str().map(|url| format!(">{url}")).unwrap_or_default();
            format!("{}={piece}{target}", entity["type"].as_str().unwrap())
        });
        written.collect()
    };
    anna.sees()[before..]
        .iter()
        .map(|shown| (shown.text.clone(), pieces(&shown.message, &shown.text)))
        .collect()
}

async fn one(telegram: &TelegramAdapter, anna: &User, answer: &str) -> (String, Vec<String>) {
    let mut shown = shown(telegram, anna, answer).await;
    assert_eq!(shown.len(), 1, "{answer:?}");
    shown.remove(0)
}

#[tokio::test]
async fn a_reader_never_loses_the_target_of_a_link() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    anna.starts().await;
    let telegram = adapter(account(&api));
    for target in [
        "https://example.org/a?b=1&c=2",
        "http://127.0.0.1:8080/x",
        "http://[::1]:8080/x",
        "https://münchen.example/",
        "http://localhost:3000/",
        "http://intranet/page",
        "http://{host}.example.org/",
        "http://example.org:99999/",
        "ftp://example.org/file",
        "tel:+49123456",
        "mailto:anna@example.org?subject=x",
        "javascript:alert(1)",
        "file:///etc/hosts",
        "docs/setup.md",
        "#usage",
        "tg://user?id=1001",
        "tg://resolve?domain=frontdesk",
    ] {
        let (text, entities) = one(&telegram, &anna, &format!("see [the page]({target}) now")).await;
        let linked = entities.contains(&format!("text_link=the page>{target}"));
        assert!(linked || text == format!("see the page ({target}) now"), "{target}: {text:?} {entities:?}");
        let inside =
            entities.iter().any(|entity| entity.contains("mention") || entity.starts_with("url=tg:"));
        assert!(!inside, "{target}: an agent mentions nobody and opens nothing: {entities:?}");
    }
}

#[tokio::test]
async fn names_of_files_lead_nowhere_and_real_addresses_do() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    anna.starts().await;
    let telegram = adapter(account(&api));
    let answer = "see README.md, main.rs:42, (backup.sh), R&D.md, a_b.py, x.zip. **lib.so** `y.pl` src/z.rs";
    let (text, entities) = one(&telegram, &anna, answer).await;
    assert_eq!(text, answer.replace(['*', '`'], ""));
    assert!(entities.iter().all(|entity| entity.starts_with("code=")), "{entities:?}");
    let (_, entities) =
        one(&telegram, &anna, "[README.md](https://README.md) example.com a@example.org").await;
    assert_eq!(
        entities,
        ["text_link=README.md>https://readme.md/", "url=example.com", "email=a@example.org"]
    );
}

#[tokio::test]
async fn code_keeps_its_shape_in_every_message() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    anna.starts().await;
    let telegram = adapter(account(&api));
    let line = "\t\tlet x = 1;\t// with a comment that makes the line longer than it need be\n";
    let messages = shown(&telegram, &anna, &format!("```rust\n{}```", line.repeat(150))).await;
    assert!(messages.len() > 1);
    let lines: Vec<&str> = messages.iter().flat_map(|(text, _)| text.lines()).collect();
    assert_eq!(lines.len(), 150);
    let expected = "        let x = 1;  // with a comment that makes the line longer than it need be";
    assert!(lines.iter().all(|line| *line == expected), "{:?}", lines.iter().find(|line| **line != expected));
}

#[tokio::test]
async fn nothing_invisible_is_sent_and_nothing_visible_is_refused() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    anna.starts().await;
    let telegram = adapter(account(&api));
    for blank in
        ["\u{200b}", "\u{2060}", "\u{a0}\u{3000}", "\u{feff}\u{2800}\u{fffc}", "**\u{200e}**", "> \u{202e}"]
    {
        for (text, _) in shown(&telegram, &anna, blank).await {
            assert!(text.chars().any(|char| char.is_ascii_punctuation()), "{blank:?} shows {text:?}");
        }
        let padded = format!("{}\n\nhello", blank.repeat(5_000));
        let last = shown(&telegram, &anna, &padded).await.pop().unwrap();
        assert!(last.0.ends_with("hello"), "{blank:?}");
    }
    let (text, _) = one(&telegram, &anna, "one\u{2028}two\u{b}pa\u{30a}").await;
    assert_eq!(text, "one\ntwo\npå");
}
