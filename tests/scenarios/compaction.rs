//! The agent compacts its context when a person asks for it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::agent::Capabilities;
use frontdesk_core::history::{HistoryEntry, HistoryRequest};
use frontdesk_core::hook::{Hook, HookError, HookEvent, HookPoint, HookVerdict};
use frontdesk_world::wait::until;
use frontdesk_world::{Plan, Step, World, plan};

async fn compacting(plan: Plan) -> World {
    let world = World::with(plan).await;
    world.agent().can(Capabilities { compact: true, ..Capabilities::default() });
    world
}

/// What the scripted agent says about its compaction.
const DONE: &str = "The agent has compacted this conversation and goes on with this summary. \
                    Before, it used 900 tokens.\n\nthey spoke of 7";

#[tokio::test]
async fn compact_waits_for_the_answer_under_way_and_is_in_the_history() {
    let world = compacting(plan()).await;
    let anna = world.user("anna");
    world.agent().will([Step::Session("s1"), Step::Say("one"), Step::Pause]);
    anna.says("remember 7").await;
    world.agent().begun(1).await;
    let command = anna.says("/compact keep the number").await;
    anna.says("after").await;
    world.round_trip().await;
    assert!(world.agent().compactions().is_empty(), "the answer comes first");
    world.agent().resume();
    for heard in ["one", DONE, "after"] {
        assert_eq!(anna.hears().await, heard);
    }
    world.at_rest().await;
    let (turn, instructions) = world.agent().compactions().remove(0);
    assert_eq!((turn.session, turn.epoch, turn.prompt.len()), (world.key("anna"), 1, 0));
    assert_eq!((turn.agent_ref.as_deref(), instructions.as_deref()), (Some("s1"), Some("keep the number")));
    assert_eq!(world.message(command).await.message.state.name(), "answered");
    let turns = world.agent().turns();
    assert_eq!(turns.len(), 2, "the agent is not told of the command");
    let all = HistoryRequest { before: None, messages: 100, bytes: 100_000 };
    let entries = turns[1].history.page(all).await.unwrap().entries;
    assert!(
        matches!(
            &entries[..],
            [HistoryEntry::Compaction { summary: Some(summary), .. }, HistoryEntry::Answer { .. }, HistoryEntry::Message { .. }]
                if summary == "they spoke of 7"
        ),
        "{entries:?}"
    );
}

#[tokio::test]
async fn an_agent_that_cannot_compact_says_so() {
    let world = World::new().await;
    let anna = world.user("anna");
    anna.says("/compact").await;
    assert_eq!(anna.hears().await, "This agent cannot compact a conversation. Send /new to start a new one.");
    world.at_rest().await;
    assert!(world.agent().compactions().is_empty());
}

#[tokio::test]
async fn a_compaction_is_not_what_a_retry_repeats() {
    let world = compacting(plan()).await;
    let anna = world.user("anna");
    for text in ["hello", "/compact", "/retry"] {
        anna.says(text).await;
        world.at_rest().await;
    }
    assert_eq!(world.agent().prompts(), ["hello", "hello"]);
}

#[tokio::test]
async fn a_compaction_that_is_stopped_or_takes_too_long_is_ended_by_the_agent_itself() {
    for stopped in [true, false] {
        let world = compacting(plan()).await;
        let anna = world.user("anna");
        world.agent().compacts_later(true);
        anna.says("/compact").await;
        until("the agent was asked", || async { (world.agent().compactions().len() == 1).then_some(()) })
            .await;
        let turn = world.agent().compactions()[0].0.id;
        match stopped {
            true => drop(anna.says("/stop").await),
            false => world.clock().pass(Duration::from_secs(30 * 60)),
        }
        until("it has ended it", || async { (world.agent().settled() == [turn]).then_some(()) }).await;
        world.at_rest().await;
        let told = anna.sees().concat();
        assert_eq!(told.contains("Send /compact to try again."), !stopped, "{told}");
        assert!(!told.contains("/retry"), "it would answer something else again: {told}");
        world.agent().compacts_later(false);
        anna.says("and on").await;
        world.at_rest().await;
        assert!(anna.sees().contains(&"and on".to_owned()), "{:?}", anna.sees());
    }
}

#[tokio::test]
async fn a_compaction_that_a_kill_cuts_off_is_made_again() {
    let mut world = compacting(plan()).await;
    let anna = world.user("anna");
    world.agent().compacts_later(true);
    anna.says("/compact").await;
    until("the agent was asked", || async { (world.agent().compactions().len() == 1).then_some(()) }).await;
    world.crash().await;
    world.agent().compacts_later(false);
    world.start().await.unwrap();
    assert_eq!(anna.hears().await, DONE);
    world.at_rest().await;
    assert_eq!(world.agent().compactions().len(), 2);
}

#[tokio::test]
async fn a_compaction_behind_an_answer_runs_once_after_a_kill() {
    let mut world = compacting(plan()).await;
    let anna = world.user("anna");
    world.agent().will([Step::Hang]);
    anna.says("hello").await;
    world.agent().begun(1).await;
    anna.says("/compact keep the names").await;
    anna.says("/compact keep the prices").await;
    let reply = "A summary is already waiting to be made. It covers your request too.";
    assert_eq!(anna.hears().await, reply);
    world.crash().await;
    world.start().await.unwrap();
    world.at_rest().await;
    assert_eq!(anna.sees(), [reply, "hello", DONE]);
    let wishes: Vec<_> = world.agent().compactions().into_iter().map(|(_, wishes)| wishes.unwrap()).collect();
    assert_eq!(wishes, ["keep the names\nkeep the prices"]);
}

#[tokio::test]
async fn a_compaction_behind_another_one_finds_nothing_new_also_after_a_kill() {
    let mut world = compacting(plan()).await;
    let anna = world.user("anna");
    anna.says("hello").await;
    world.at_rest().await;
    world.agent().compacts_later(true);
    anna.says("/compact").await;
    until("the agent was asked", || async { (world.agent().compactions().len() == 1).then_some(()) }).await;
    anna.says("/compact").await;
    world.round_trip().await;
    world.agent().compacts_later(false);
    world.crash().await;
    world.start().await.unwrap();
    world.at_rest().await;
    let nothing = "Nothing was said here since the last summary.";
    assert_eq!(anna.sees(), ["hello", DONE, nothing]);
    assert_eq!(world.agent().compactions().len(), 2, "the first one again, and no other");
    for said in ["/compact", "and on", "/compact"] {
        anna.says(said).await;
        world.at_rest().await;
    }
    assert_eq!(anna.sees()[3..], [nothing, "and on", DONE]);
}

#[tokio::test]
async fn people_are_told_of_a_summary_that_the_agent_makes_by_itself_before_its_answer() {
    let mut world = compacting(plan().edits(800)).await;
    let anna = world.user("anna");
    anna.says("hello").await;
    world.at_rest().await;
    world.agent().will([Step::Compact("they like 7"), Step::Hang]);
    anna.says("which number?").await;
    let notice = "This conversation has become long, so the agent goes on with this summary of it. Before, it used 900 \
                  tokens.\n\nthey like 7";
    world.platform().shows("anna", 1, |post| post.text == notice).await;
    // The turn is run again after a kill, and the summary is in its history.
    world.crash().await;
    world.start().await.unwrap();
    world.at_rest().await;
    assert_eq!(anna.sees(), ["hello", notice, "which number?"]);
    let newest = HistoryRequest { before: None, messages: 1, bytes: 1 };
    let turns = world.agent().turns();
    let page = turns.last().unwrap().history.page(newest).await.unwrap();
    assert!(matches!(page.entries[0], HistoryEntry::Compaction { .. }), "{page:?}");
}

#[tokio::test]
async fn what_a_compaction_cost_is_part_of_the_conversation() {
    let world = compacting(plan()).await;
    let anna = world.user("anna");
    let used = async || world.handle().session_status(&world.key("anna")).await.unwrap().unwrap().usage;
    anna.says("hello").await;
    world.at_rest().await;
    assert_eq!(used().await.last.unwrap().context_used, Some(6));
    anna.says("/compact").await;
    world.at_rest().await;
    let usage = used().await;
    assert_eq!((usage.total.answers, usage.total.cost_micro), (1, Some(10)));
    assert_eq!(usage.last.unwrap().context_used, None, "the context is smaller now");
}

/// Notes the points at which it is called.
struct Notes(Arc<Mutex<Vec<HookPoint>>>);

#[async_trait]
impl Hook for Notes {
    fn name(&self) -> &str {
        "notes"
    }
    fn points(&self) -> &[HookPoint] {
        &[HookPoint::BeforeCompaction, HookPoint::AfterCompaction]
    }
    fn limit(&self) -> Duration {
        Duration::from_secs(1)
    }
    fn fails_closed(&self) -> bool {
        false
    }
    fn takes_pieces(&self) -> bool {
        true
    }
    async fn call(&self, event: &HookEvent) -> Result<HookVerdict, HookError> {
        self.0.lock().unwrap().push(event.point());
        Ok(HookVerdict::Pass)
    }
}

#[tokio::test]
async fn hooks_see_both_ends_of_a_compaction_whoever_begins_it() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut world = compacting(plan().hook(Notes(seen.clone()))).await;
    let anna = world.user("anna");
    anna.says("/compact").await;
    world.at_rest().await;
    world.agent().will([Step::Compact("so far"), Step::Echo]);
    anna.says("hello").await;
    world.at_rest().await;
    world.stop().await;
    let (before, after) = (HookPoint::BeforeCompaction, HookPoint::AfterCompaction);
    assert_eq!(*seen.lock().unwrap(), [before, after, before, after]);
}
