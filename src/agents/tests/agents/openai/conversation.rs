//! What a model remembers: the history, images, summaries.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use frontdesk_agents::openai;
use frontdesk_core::history::{History, HistoryEntry, HistoryError, HistoryPage, HistoryRequest};
use frontdesk_core::id::MessageId;
use frontdesk_core::message::FileKind;
use frontdesk_core::port::{File, Turn};
use frontdesk_fakemodel::Script;
use serde_json::{Value, json};

use super::Fixture;
use crate::sandbox::{anna, turn};

/// A history of these entries, the newest first.
#[derive(Debug)]
pub struct Entries(pub Vec<HistoryEntry>);

#[async_trait]
impl History for Entries {
    async fn page(&self, _: HistoryRequest) -> Result<HistoryPage, HistoryError> {
        Ok(HistoryPage { entries: self.0.clone(), next: None })
    }
}

#[derive(Debug)]
struct Unreadable;

#[async_trait]
impl History for Unreadable {
    async fn page(&self, _: HistoryRequest) -> Result<HistoryPage, HistoryError> {
        Err(HistoryError("disk full".to_owned()))
    }
}

fn asked(text: impl Into<String>) -> HistoryEntry {
    HistoryEntry::Message { id: MessageId(1), from: anna(), text: text.into(), received: Default::default() }
}

fn answered(text: impl Into<String>) -> HistoryEntry {
    HistoryEntry::Answer { text: text.into(), complete: true }
}

/// A turn after these entries, the newest first.
fn after(entries: Vec<HistoryEntry>, text: &str) -> Turn {
    Turn { history: Arc::new(Entries(entries)), ..turn(1, text) }
}

fn contents(messages: &[Value]) -> Vec<&str> {
    messages.iter().skip(1).map(|message| message["content"].as_str().expect("a text")).collect()
}

#[tokio::test]
async fn a_model_reads_the_conversation_before_the_message() {
    let fixture = Fixture::new().await;
    let stopped = HistoryEntry::Answer { text: "I was saying".into(), complete: false };
    let entries = vec![stopped, asked("and?"), answered("noted"), asked("remember 7")];
    fixture.run(after(entries, "which number?")).await.answer();
    let messages = fixture.messages();
    assert_eq!(
        contents(&messages),
        ["remember 7", "noted", "and?", "I was saying\n\n[This answer was cut off here.]", "which number?"]
    );
    assert_eq!(messages[2]["role"], "assistant");
}

#[tokio::test]
async fn a_history_that_cannot_be_read_is_no_empty_one() {
    let fixture = Fixture::new().await;
    let turn = Turn { history: Arc::new(Unreadable), ..turn(1, "hi") };
    assert!(fixture.run(turn).await.error().contains("disk full"));
    assert!(fixture.model.requests().is_empty());
}

fn with_files(fixture: &Fixture, files: &[(&str, &[u8])]) -> Turn {
    let mut turn = turn(1, "look");
    for (name, bytes) in files {
        let path = fixture.sandbox.home.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        let kind = if name.ends_with("png") { FileKind::Photo } else { FileKind::Document };
        turn.prompt[0].files.push(File {
            kind,
            name: Some((*name).to_owned()),
            mime: None,
            size: None,
            got: Ok(path),
            transcript: None,
        });
    }
    turn
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nrest";

#[tokio::test]
async fn images_reach_a_model_that_sees_and_other_files_are_named() {
    let fixture = Fixture::with(|config| openai::Config { max_image: 100, ..config }).await;
    let large = [PNG, &[0; 100]].concat();
    let turn = with_files(&fixture, &[("a.png", PNG), ("b.png", &large), ("c.pdf", b"%PDF")]);
    fixture.run(turn).await.answer();
    let content = fixture.messages()[1]["content"].clone();
    let said: Value = serde_json::from_str(content[0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(said["text"], "look");
    let seen = |n: usize| (said["files"][n]["name"].clone(), said["files"][n]["you_see_it"].clone());
    assert_eq!(seen(0), (json!("a.png"), json!(true)));
    assert_eq!(seen(1), (json!("b.png"), json!(false)));
    assert_eq!(seen(2), (json!("c.pdf"), json!(false)));
    assert_eq!(content[1]["image_url"]["url"], "data:image/png;base64,iVBORw0KGgpyZXN0");
    assert_eq!(content.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn images_are_in_the_order_of_the_messages_and_not_of_their_files() {
    let fixture = Fixture::new().await;
    let png = |n: u8| [PNG, &[n]].concat();
    let url = |n: u8| {
        let data = base64::engine::general_purpose::STANDARD.encode(png(n));
        json!({"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{data}")}})
    };
    let mut turn = with_files(&fixture, &[("c.png", &png(1)), ("a.png", &png(2)), ("c.png", &png(1))]);
    let mut next = with_files(&fixture, &[("b.png", &png(3))]).prompt;
    next[0].quoted_files = with_files(&fixture, &[("0.png", &png(4))]).prompt.remove(0).files;
    turn.prompt.extend(next);
    fixture.run(turn).await.answer();
    let content = fixture.messages()[1]["content"].as_array().unwrap()[1..].to_vec();
    assert_eq!(content, [url(1), url(2), url(1), url(3), url(4)]);
}

#[tokio::test]
async fn a_model_that_does_not_see_is_told_that_an_image_came() {
    let fixture = Fixture::with(|config| openai::Config { vision: false, ..config }).await;
    fixture.run(with_files(&fixture, &[("a.png", PNG)])).await.answer();
    let said: Value = serde_json::from_str(fixture.messages()[1]["content"].as_str().unwrap()).unwrap();
    assert_eq!(said["files"], json!([{"kind": "photo", "name": "a.png", "you_see_it": false}]));
}

/// Nine exchanges of 2000 bytes: about 4600 tokens, 57 % of a window of 8192.
fn long_conversation() -> Vec<HistoryEntry> {
    (0..9)
        .rev()
        .flat_map(|n| {
            [answered(format!("a{n} {}", "x".repeat(994))), asked(format!("q{n} {}", "x".repeat(994)))]
        })
        .collect()
}

async fn small(compact: bool) -> Fixture {
    Fixture::with(|config| openai::Config { context_window: 8192, compact, ..config }).await
}

#[tokio::test]
async fn a_long_conversation_is_summarized_and_its_end_kept() {
    let fixture = small(true).await;
    let mut entries = long_conversation();
    assert!(fixture.run(after(entries.clone(), "hi")).await.compacted.is_empty(), "it is not full yet");
    entries.insert(0, answered("y".repeat(2500)));
    fixture.model.will(Script::answer(&["they ", "like 7"]));
    let reported = fixture.run(after(entries, "which number?")).await;
    assert_eq!(reported.answer(), "hello there");
    let [compacted] = &reported.compacted[..] else { panic!("{reported:?}") };
    assert_eq!(compacted.summary.as_deref(), Some("they like 7"));
    assert!((5300..6200).contains(&compacted.tokens.unwrap()), "{compacted:?}");
    let requests = fixture.model.requests();
    let summarizes = requests[1]["messages"].as_array().unwrap().last().unwrap()["content"].to_string();
    assert!(summarizes.contains("replaced by a summary"), "{summarizes}");
    let messages = fixture.messages();
    let contents = contents(&messages);
    assert!(contents[0].contains("they like 7"), "{contents:?}");
    assert_eq!(
        (contents.last(), contents.len()),
        (Some(&"which number?"), 3),
        "the last answer is kept: {contents:?}"
    );
}

#[tokio::test]
async fn a_conversation_that_cannot_be_summarized_loses_its_beginning() {
    for compact in [false, true] {
        let fixture = small(compact).await;
        let entries = [long_conversation(), long_conversation()].concat();
        if compact {
            fixture.model.will(Script::refusal(400, &json!({"message": "no"})));
        }
        for _ in 0..2 {
            let reported = fixture.run(after(entries.clone(), "hi")).await;
            assert_eq!((reported.answer(), reported.compacted.len()), ("hello there", 0));
            let messages = fixture.messages();
            let size: usize = contents(&messages).iter().map(|text| text.len()).sum();
            assert!((15_000..24_576).contains(&size), "{size} bytes of at most 75 %");
            assert!(contents(&messages)[0].starts_with('q'), "a person begins");
        }
        // A failed summary is not tried again at once.
        assert_eq!(fixture.model.requests().len(), if compact { 3 } else { 2 });
    }
}

#[tokio::test]
async fn a_summary_takes_the_place_of_what_it_covers() {
    let fixture = Fixture::new().await;
    let summary = HistoryEntry::Compaction { summary: Some("they like 7".into()), at: Default::default() };
    let entries = vec![answered("b"), asked("a"), summary, answered(format!("old {}", "x".repeat(60_000)))];
    fixture.run(after(entries, "hi")).await.answer();
    let messages = fixture.messages();
    let contents = contents(&messages);
    assert!(contents[0].contains("they like 7") && contents.len() == 3, "{contents:?}");
}

#[tokio::test]
async fn compact_asks_for_a_summary_with_the_persons_wishes() {
    let fixture = Fixture::new().await;
    let mut turn = after(vec![answered("noted"), asked("remember 7")], "");
    turn.prompt.clear();
    fixture.model.will(Script::answer(&["they like 7"]));
    let compacted = fixture.agent.compact(turn.clone(), Some("keep the \"number\"".into())).await.unwrap();
    assert_eq!(compacted.summary.as_deref(), Some("they like 7"));
    let messages = fixture.messages();
    let task: Value = serde_json::from_str(contents(&messages).last().unwrap()).unwrap();
    assert_eq!(task["wishes_of_the_person"], "keep the \"number\"");
    let empty = Turn { history: Arc::new(Entries(Vec::new())), ..turn };
    assert_eq!(fixture.agent.compact(empty, None).await.unwrap().summary, None);
    assert_eq!(fixture.model.requests().len(), 1);
}

#[tokio::test]
async fn a_conversation_that_does_not_fit_is_sent_shorter() {
    let fixture = Fixture::with(|config| openai::Config { compact: false, ..config }).await;
    let entries: Vec<HistoryEntry> = (0..10).flat_map(|_| long_conversation()).collect();
    let refusal = json!({"message": "This model's maximum context length is 8192 tokens.", "code": "context_length_exceeded"});
    fixture.model.will(Script::refusal(400, &refusal));
    fixture.model.will(Script::saying(&[]).event(&json!({"error": refusal})));
    assert_eq!(fixture.run(after(entries, "hi")).await.answer(), "hello there");
    let sizes: Vec<usize> =
        fixture.model.requests().iter().map(|request| request["messages"].to_string().len()).collect();
    assert_eq!(sizes.len(), 3);
    assert!(sizes[1] > sizes[2], "{sizes:?}");
}

/// What a provider says when a request does not fit.
fn too_long() -> Script {
    let refusal = json!({"message": "This model's maximum context length is 8192 tokens.", "code": "context_length_exceeded"});
    Script::refusal(400, &refusal)
}

/// The sizes of the requests since the first `of`.
fn sizes(fixture: &Fixture, of: usize) -> Vec<usize> {
    let size = |request: &Value| request["messages"].to_string().len();
    fixture.model.requests().iter().skip(of).map(size).collect()
}

#[tokio::test]
async fn a_smaller_window_is_remembered_for_the_epoch() {
    let fixture = Fixture::with(|config| openai::Config { compact: false, ..config }).await;
    let entries: Vec<HistoryEntry> = (0..30).flat_map(|_| long_conversation()).collect();
    fixture.model.will(too_long());
    let reported = fixture.run(after(entries.clone(), "hi")).await;
    assert_eq!(reported.usage.unwrap().context_window, Some(64_000));
    let first = sizes(&fixture, 0);
    assert_eq!(first.len(), 2);
    fixture.run(after(entries.clone(), "hi")).await.answer();
    assert_eq!(sizes(&fixture, 2), [first[1]], "the next turn begins with what fits");
    let next_epoch = Turn { epoch: 2, ..after(entries.clone(), "hi") };
    fixture.run(next_epoch).await.answer();
    assert!(sizes(&fixture, 3)[0] > first[1], "another conversation is asked with the configured window");
    fixture.agent.forget(&after(Vec::new(), "").session, 1).await;
    fixture.run(after(entries, "hi")).await.answer();
    assert!(sizes(&fixture, 4)[0] > first[1], "an epoch that is over is forgotten");
}

#[tokio::test]
async fn a_window_that_only_seemed_too_small_is_not_remembered() {
    let fixture = Fixture::with(|config| openai::Config { compact: false, ..config }).await;
    let entries: Vec<HistoryEntry> = (0..30).flat_map(|_| long_conversation()).collect();
    fixture.model.will(too_long());
    // The text has twice as many tokens as was estimated, so it did not fit into the configured window either.
    fixture.model.will(Script::saying(&["hi"]).finish("stop").usage(96_000, 1));
    fixture.run(after(entries.clone(), "hi")).await.answer();
    let reported = fixture.run(after(entries, "hi")).await;
    assert_eq!(reported.answer(), "hello there");
    assert_eq!(reported.usage.unwrap().context_window, Some(128_000));
}

#[tokio::test]
async fn a_summary_that_does_not_fit_is_asked_for_with_less() {
    for by_hand in [false, true] {
        let fixture = small(true).await;
        let entries = [long_conversation(), long_conversation()].concat();
        fixture.model.will(too_long());
        fixture.model.will(Script::answer(&["they like 7"]));
        let summary = match by_hand {
            true => {
                let turn = Turn { prompt: Vec::new(), ..after(entries, "") };
                let compacted = fixture.agent.compact(turn, None).await.unwrap();
                assert_eq!(compacted.usage.unwrap().input, Some(100), "what it cost is told");
                compacted.summary
            }
            false => {
                let reported = fixture.run(after(entries, "hi")).await;
                assert_eq!(reported.answer(), "hello there");
                // The summary and the answer.
                assert_eq!(reported.usage.as_ref().unwrap().input, Some(200));
                reported.compacted[0].summary.clone()
            }
        };
        assert_eq!(summary.as_deref(), Some("they like 7"));
        let sizes = sizes(&fixture, 0);
        assert!(sizes[1] < sizes[0] * 2 / 3, "{sizes:?}");
    }
}

#[tokio::test]
async fn an_aborted_compaction_ends_at_once_and_closes_its_connection() {
    let fixture = Fixture::new().await;
    let turn = Turn { prompt: Vec::new(), ..after(vec![answered("noted"), asked("remember 7")], "") };
    fixture.model.will(Script::saying(&["they"]).hang());
    let compacting = fixture.agent.compact(turn.clone(), None);
    let aborting = async {
        fixture.model.asked(1).await.unwrap();
        fixture.agent.abort(turn.id).await;
    };
    let (compacted, ()) = tokio::join!(compacting, aborting);
    assert!(compacted.unwrap_err().to_string().contains("stopped"));
    crate::sandbox::eventually("the connection is closed", || fixture.model.open() == 0).await;
}

#[tokio::test]
async fn the_context_is_counted_as_the_provider_counts() {
    let fixture = small(true).await;
    // Twice as many tokens as usual for this text: it now fills the window.
    fixture.model.will(Script::saying(&["hi"]).finish("stop").usage(11_000, 1));
    fixture.run(after(long_conversation(), "hi")).await.answer();
    let reported = fixture.run(after(long_conversation(), "hi")).await;
    assert_eq!(reported.compacted.len(), 1);
}
