//! What an agent is told of its conversation: its own name for it, what was chosen, and what was said before.

use frontdesk_core::agent::{Origin, SessionOption};
use frontdesk_core::delivery::{Ending, PostKind};
use frontdesk_core::delta::{Compacted, Usage};
use frontdesk_core::history::{HistoryEntry, HistoryPage, HistoryRequest};
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_store::row::*;

use crate::fixture::*;

const ALL: HistoryRequest = HistoryRequest { before: None, messages: 100, bytes: usize::MAX };

async fn run(fixture: &Fixture, event: &str, effect: CommandEffect) -> (MessageId, CommandFacts) {
    let id = fixture.accept_one(20, commands("anna", event, EpochChange::ByRule)).await;
    let reply = Box::new(|_: &CommandFacts| "done".to_owned());
    (id, done(fixture.answer_command(id, effect, t(21), reply).await.unwrap()).facts)
}

async fn page(fixture: &Fixture, epoch: u64, but: TurnId, request: HistoryRequest) -> HistoryPage {
    fixture.store.conversation(&key("anna"), epoch, but, request).await.unwrap()
}

/// The entries as short texts; what was stopped ends with `...`.
fn texts(page: &HistoryPage) -> Vec<String> {
    let text = |entry: &HistoryEntry| match entry {
        HistoryEntry::Message { text, .. } => text.clone(),
        HistoryEntry::Answer { text, complete: true } => format!("> {text}"),
        HistoryEntry::Answer { text, .. } => format!("> {text}..."),
        HistoryEntry::Compaction { summary, .. } => format!("({})", summary.as_deref().unwrap_or_default()),
    };
    page.entries.iter().map(text).collect()
}

/// A whole exchange.
async fn exchange(fixture: &Fixture, says: &str, answer: &str) -> ClaimedTurn {
    let turn = fixture.turn("anna", says).await;
    fixture.finish(answered(&turn, answer)).await;
    turn
}

fn summary(text: &str) -> Compacted {
    Compacted { summary: Some(text.into()), tokens: Some(900), usage: None }
}

/// A command is carried out that changed the epoch when it was accepted.
async fn replied(fixture: &Fixture, command: MessageId) {
    let reply = Box::new(|_: &CommandFacts| "ok".to_owned());
    done(fixture.store.answer_command(command, CommandEffect::None, t(41), reply).await.unwrap());
}

#[tokio::test]
async fn an_agents_name_for_a_conversation_is_kept_for_its_epoch() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    assert_eq!((turn.agent_ref.as_deref(), turn.origin), (None, Origin::Message));
    done(fixture.store.agent_ref(turn.claim, "s1".into()).await.unwrap());
    done(fixture.store.agent_ref(turn.claim, "s2".into()).await.unwrap());
    // The next boot finds it with the turn that was cut off.
    let fixture = fixture.restarted(2).await;
    fixture.store.recover(recovery()).await.unwrap();
    let again = fixture.claim("anna").await.unwrap();
    assert_eq!(again.agent_ref.as_deref(), Some("s2"));
    let late = fixture.store.agent_ref(turn.claim, "late".into()).await.unwrap();
    assert_eq!(late, Fenced::Stale, "another attempt has the turn");
    fixture.finish(answered(&again, "A")).await;
    assert_eq!(fixture.store.agent_ref(again.claim, "late".into()).await.unwrap(), Fenced::Stale);
    assert_eq!(exchange(&fixture, "b", "B").await.agent_ref.as_deref(), Some("s2"));
    fixture.accept_one(30, says_new("anna", "n", "new")).await;
    let fresh = fixture.claim("anna").await.unwrap();
    assert_eq!((fresh.epoch, fresh.agent_ref.as_deref()), (2, None));
    fixture.finish(answered(&fresh, "C")).await;
    let resume = fixture.accept_one(40, commands("anna", "r", EpochChange::Resume(Some(1)))).await;
    replied(&fixture, resume).await;
    assert_eq!(exchange(&fixture, "d", "D").await.agent_ref.as_deref(), Some("s2"));
}

#[tokio::test]
async fn what_is_chosen_for_a_session_survives_a_reset() {
    let fixture = Fixture::open().await;
    exchange(&fixture, "a", "A").await;
    let choose =
        |option, value: Option<&str>| CommandEffect::Choose { option, value: value.map(str::to_owned) };
    let (id, facts) = run(&fixture, "1", choose(SessionOption::Model, Some("large"))).await;
    assert_eq!((facts, fixture.state(id).await.0.as_str()), (CommandFacts::None, "answered"));
    run(&fixture, "2", choose(SessionOption::Thinking, Some("high"))).await;
    fixture.accept_one(30, says_new("anna", "n", "new")).await;
    let turn = fixture.claim("anna").await.unwrap();
    assert_eq!((turn.epoch, turn.options.model.as_deref()), (2, Some("large")));
    assert_eq!(turn.options.thinking.as_deref(), Some("high"));
    assert_eq!(fixture.store.session(&key("anna")).await.unwrap().unwrap().options, turn.options);
    fixture.finish(answered(&turn, "B")).await;
    run(&fixture, "3", choose(SessionOption::Model, None)).await;
    let after = exchange(&fixture, "b", "B").await.options;
    assert_eq!((after.model.as_deref(), after.thinking.as_deref()), (None, Some("high")));
}

#[tokio::test]
async fn a_command_becomes_a_message_or_a_compaction() {
    let fixture = Fixture::open().await;
    exchange(&fixture, "a", "A").await;
    let (message, facts) =
        run(&fixture, "1", CommandEffect::Message { text: "faster".into(), mode: None }).await;
    assert_eq!(facts, CommandFacts::Waits);
    let compact = CommandEffect::Compact { instructions: "the names".into() };
    let (compaction, facts) = run(&fixture, "2", compact).await;
    assert_eq!(facts, CommandFacts::Waits);
    let last = fixture.accept_one(30, says("anna", "3", "after")).await;
    // Also where messages are collected, the agent compacts its context between two answers.
    let claim = async || fixture.store.claim_turn(&key("anna"), Take::All, t(100)).await.unwrap().unwrap();
    let turn = claim().await;
    assert_eq!((ids(&turn), turn.messages[0].text.as_str()), (vec![message], "faster"));
    fixture.finish(answered(&turn, "B")).await;
    let turn = claim().await;
    assert_eq!((ids(&turn), turn.messages[0].text.as_str()), (vec![compaction], "the names"));
    assert_eq!(turn.messages[0].reason, Some(Reason::Compacts));
    fixture.finish(answered(&turn, "compacted")).await;
    let (_, facts) = run(&fixture, "4", CommandEffect::Stop).await;
    assert!(matches!(facts, CommandFacts::Stopped(stopped) if stopped.waiting == [last]));
    // A retry is about the last message that the agent got.
    let (_, facts) = run(&fixture, "5", CommandEffect::Retry).await;
    assert_eq!((facts, claim().await.messages[0].replays.clone()), (CommandFacts::Waits, vec![message]));
}

#[tokio::test]
async fn an_agent_that_begins_again_takes_back_what_was_stored() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    done(fixture.store.side_effect(turn.claim, "wrong".into(), t(110)).await.unwrap());
    done(fixture.store.restarted(turn.claim).await.unwrap());
    let fixture = fixture.restarted(2).await;
    assert_eq!(fixture.store.restarted(Claim { fence: 9, ..turn.claim }).await.unwrap(), Fenced::Stale);
    fixture.store.recover(recovery()).await.unwrap();
    assert!(!fixture.texts(OutboxState::Queued).await.concat().contains("wrong"), "it was taken back");
    let turn = fixture.turn("anna", "b").await;
    done(fixture.store.restarted(turn.claim).await.unwrap());
    done(fixture.store.requeue(turn.claim, None, t(1)).await.unwrap());
    assert_eq!(fixture.claim("anna").await.unwrap().restarts, 1);
}

#[tokio::test]
async fn a_history_has_what_the_agent_knows_of_its_epoch() {
    let fixture = Fixture::open().await;
    exchange(&fixture, "of another epoch", "A").await;
    fixture.accept_one(11, says_new("anna", "n", "hello")).await;
    let turn = fixture.claim("anna").await.unwrap();
    fixture.finish(answered(&turn, "Hi.")).await;
    // Of a stopped answer stays what it had said; a message that waited has never reached the agent.
    let stopped = fixture.turn("anna", "count").await;
    fixture.accept_one(12, says("anna", "w", "waits")).await;
    fixture.store.cancel(&key("anna"), &admin(), t(103)).await.unwrap();
    fixture.store.keep_partial(stopped.claim, Some("one, two".into()), false, None, t(30)).await.unwrap();
    let refused = fixture.turn("anna", "spam").await;
    fixture.finish(bare(&refused, Ending::Refused)).await;
    run(&fixture, "c", CommandEffect::None).await;
    let retry = run(&fixture, "r", CommandEffect::Retry).await.0;
    let retried = fixture.claim("anna").await.unwrap();
    assert_eq!(ids(&retried), [retry]);
    fixture.finish(answered(&retried, "again")).await;
    let now = fixture.turn("anna", "now").await;
    fixture.accept_one(13, says("anna", "l", "later")).await;
    let history = page(&fixture, 2, now.claim.id, ALL).await;
    assert_eq!(texts(&history), ["> again", "> one, two...", "count", "> Hi.", "hello"]);
    assert_eq!(history.next, None);
}

#[tokio::test]
async fn a_history_is_read_in_pages_by_messages_and_by_bytes() {
    let fixture = Fixture::open().await;
    for n in 0..5 {
        exchange(&fixture, &format!("message {n}"), &"x".repeat(100)).await;
    }
    let all = page(&fixture, 1, TurnId(0), ALL).await;
    assert_eq!((all.entries.len(), all.next), (10, None));
    for request in [HistoryRequest { messages: 2, ..ALL }, HistoryRequest { bytes: 250, ..ALL }] {
        let (mut entries, mut before, mut pages) = (Vec::new(), None, 0);
        loop {
            let page = page(&fixture, 1, TurnId(0), HistoryRequest { before, ..request }).await;
            assert!(page.entries.len() <= 4, "{page:?}");
            entries.extend(page.entries);
            pages += 1;
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!((entries, pages), (all.entries.clone(), 3));
    }
    let first = page(&fixture, 1, TurnId(0), HistoryRequest { bytes: 1, ..ALL }).await;
    assert_eq!(first.entries.len(), 2, "at least one message");
}

#[tokio::test]
async fn a_summary_stands_after_what_it_covers() {
    let fixture = Fixture::open().await;
    // There is nothing yet that the summary could cover.
    let turn = fixture.turn("anna", "a").await;
    done(fixture.store.compacted(turn.claim, summary("nothing"), false, t(50)).await.unwrap());
    fixture.finish(answered(&turn, "A")).await;
    exchange(&fixture, "b", "B").await;
    let turn = fixture.turn("anna", "c").await;
    done(fixture.store.compacted(turn.claim, summary("a and b"), true, t(60)).await.unwrap());
    fixture.finish(answered(&turn, "C")).await;
    assert_eq!(
        fixture.store.compacted(turn.claim, summary("late"), true, t(70)).await.unwrap(),
        Fenced::Stale
    );
    let all = page(&fixture, 1, TurnId(0), ALL).await;
    assert_eq!(texts(&all), ["> C", "c", "(a and b)", "> B", "b", "> A", "a", "(nothing)"]);
    let mut paged = Vec::new();
    let mut before = None;
    for _ in 0..3 {
        let page = page(&fixture, 1, TurnId(0), HistoryRequest { before, messages: 1, ..ALL }).await;
        paged.extend(texts(&page));
        before = page.next;
    }
    let rest = page(&fixture, 1, TurnId(0), HistoryRequest { before, ..ALL }).await;
    paged.extend(texts(&rest));
    assert_eq!(paged, texts(&all), "no page repeats or misses one");
    fixture.store.erase(&key("anna"), &admin(), t(80)).await.unwrap();
    let erased = texts(&page(&fixture, 1, TurnId(0), ALL).await).concat();
    assert_eq!(erased, "", "neither a text nor a summary is left");
}

#[tokio::test]
async fn what_the_answers_of_an_epoch_cost_is_added_up() {
    let fixture = Fixture::open().await;
    let used = async || fixture.store.usage(&key("anna"), 1).await.unwrap();
    let spend = async |says: &str, usage: Option<Usage>| {
        let turn = fixture.turn("anna", says).await;
        fixture.finish(Finish { usage, ..answered(&turn, "ok") }).await;
        turn
    };
    assert_eq!(used().await, EpochUsage::default());
    spend("a", Some(usage())).await;
    assert_eq!(used().await.total.input, Some(1));
    spend("b", Some(Usage { output: None, ..usage() })).await;
    // An agent that reports nonsense does not make the sum unreadable.
    spend("c", Some(Usage { cost_micro: Some(i64::MAX.unsigned_abs()), ..usage() })).await;
    spend("d", Some(Usage { cost_micro: Some(i64::MAX.unsigned_abs()), ..usage() })).await;
    spend("e", Some(usage())).await;
    let EpochUsage { last, total } = used().await;
    assert_eq!(last, Some(usage()));
    assert_eq!((total.answers, total.input, total.output), (5, Some(5), Some(8)));
    assert_eq!((total.cache_read, total.cache_write), (Some(15), Some(20)));
    assert_eq!(total.cost_micro, Some(15 + 2_000_000_000_000));
    // A compaction has its cost, and what the answer before it said about the context does not hold any more.
    let turn = fixture.turn("anna", "f").await;
    done(fixture.store.compacted(turn.claim, summary("all"), false, t(50)).await.unwrap());
    assert_eq!(used().await.last.unwrap().context_used, None);
    fixture.finish(Finish { usage: Some(usage()), ..answered(&turn, "ok") }).await;
    let EpochUsage { last, total } = used().await;
    assert_eq!((last, total.answers, total.input), (Some(usage()), 6, Some(6)));
    // Also one that a person has asked for. It is no answer.
    run(&fixture, "g", CommandEffect::Compact { instructions: String::new() }).await;
    let turn = fixture.claim("anna").await.unwrap();
    fixture.finish(Finish { usage: Some(usage()), ..answered(&turn, "compacted") }).await;
    let total = used().await.total;
    assert_eq!((total.answers, total.input, total.output), (6, Some(7), Some(12)));
    // Nor are a turn that was stopped and one that failed. What they have cost counts.
    for ending in [Ending::Cancelled, Ending::Dead] {
        let turn = fixture.turn("anna", ending.name()).await;
        fixture.finish(Finish { usage: Some(usage()), ..bare(&turn, ending) }).await;
    }
    let total = used().await.total;
    assert_eq!((total.answers, total.input, total.output), (6, Some(9), Some(16)));
    assert_eq!(fixture.store.usage(&key("anna"), 2).await.unwrap().total.answers, 0, "another conversation");
}

#[tokio::test]
async fn people_are_told_once_in_a_turn_that_its_agent_has_compacted_by_itself() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    for text in ["they like 7", "once more"] {
        done(fixture.store.compacted(turn.claim, summary(text), true, t(50)).await.unwrap());
    }
    fixture.finish(answered(&turn, "A")).await;
    let sent = fixture.texts(OutboxState::Queued).await;
    assert_eq!(sent.len(), 2, "{sent:?}");
    assert!(
        sent[0].contains("goes on with this summary of it") && sent[0].ends_with("they like 7"),
        "{sent:?}"
    );
}

#[tokio::test]
async fn compactions_that_wait_are_one_turn_and_keep_their_own_words_unless_a_message_is_between() {
    let fixture = Fixture::open().await;
    let compact = |wishes: &str| CommandEffect::Compact { instructions: wishes.into() };
    let (first, facts) = run(&fixture, "1", compact("")).await;
    assert_eq!(facts, CommandFacts::Waits);
    let mut together = vec![first];
    for (event, wishes) in [("2", "the names"), ("3", "the prices")] {
        let (id, facts) = run(&fixture, event, compact(wishes)).await;
        assert_eq!((facts, fixture.state(id).await.0.as_str()), (CommandFacts::CompactsAlready, "waiting"));
        together.push(id);
    }
    let told = fixture.store.parts(Some(OutboxState::Queued), None, 10).await.unwrap();
    assert!(
        told.iter().all(|row| row.post.kind == PostKind::Notice),
        "the answer is still to come: {told:?}"
    );
    fixture.accept_one(30, says("anna", "6", "between")).await;
    let (last, facts) = run(&fixture, "7", compact("")).await;
    assert_eq!(facts, CommandFacts::Waits);
    // Another conversation has a compaction of its own.
    let new = fixture.accept_one(31, commands("anna", "8", EpochChange::New)).await;
    replied(&fixture, new).await;
    let (other, facts) = run(&fixture, "9", compact("")).await;
    assert_eq!(facts, CommandFacts::Waits);
    let mut taken = Vec::new();
    for _ in 0..4 {
        let turn = fixture.claim("anna").await.unwrap();
        let texts: Vec<String> = turn.messages.iter().map(|message| message.text.clone()).collect();
        taken.push((ids(&turn), texts.join("|")));
        fixture.finish(answered(&turn, "ok")).await;
    }
    assert_eq!(taken.remove(0), (together, "|the names|the prices".to_owned()));
    assert_eq!(taken.iter().map(|(ids, _)| ids.clone()).skip(1).collect::<Vec<_>>(), [[last], [other]]);
    assert!(fixture.claim("anna").await.is_none());
}
