//! Programs that are started before there is a conversation for them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use frontdesk_agents::Config;
use frontdesk_agents::command;
use frontdesk_core::port::{Agent, Turn};

use crate::noting_tools::Noting;
use crate::sandbox::{Sandbox, answer, eventually, exists, gone, persistent, read, runs, turn};

/// Writes its pid, then answers every prompt with its pid, the number of prompts and what it was started for.
const COUNTER: &str = r#"
    echo $$ >> pids
    while read -r line; do
        n=$((n + 1))
        echo "{\"type\":\"done\",\"text\":\"$$ $n $FRONTDESK_TURN ${FRONTDESK_SESSION-unset}\"}"
    done"#;

fn agent(sandbox: &Sandbox, min_idle: usize, max_idle: usize, script: &str) -> Arc<dyn Agent> {
    sandbox.agent(Config::Command(command::Config { min_idle, max_idle, ..persistent(script) }))
}

fn conversation(epoch: u64) -> Turn {
    let mut turn = turn(1, "x");
    turn.epoch = epoch;
    turn
}

/// The pids of all programs, in the order of their start, once there are as many.
async fn pids(sandbox: &Sandbox, count: usize) -> Vec<u32> {
    let file = sandbox.file("pids");
    eventually("they are started", || read(&file).lines().count() >= count).await;
    let pids: Vec<u32> = read(&file).lines().map(|line| line.parse().expect("a pid")).collect();
    assert_eq!(pids.len(), count, "more programs than needed");
    pids
}

async fn answer_of(agent: &Arc<dyn Agent>, epoch: u64) -> (u32, String) {
    let answer = answer(agent.turn(conversation(epoch))).await;
    let (pid, rest) = answer.split_once(' ').expect("an answer with a pid");
    (pid.parse().expect("a pid"), rest.to_owned())
}

#[tokio::test]
async fn a_new_conversation_gets_a_program_that_runs_already_and_keeps_it() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox, 2, 16, COUNTER);
    let (first, facts) = answer_of(&agent, 1).await;
    assert_eq!(facts, "1 t1 agent:test:web:dm:main");
    let started = pids(&sandbox, 3).await;
    assert_eq!(started.iter().filter(|pid| **pid == first).count(), 1);

    let (second, facts) = answer_of(&agent, 2).await;
    assert!(started.contains(&second) && second != first);
    assert_eq!(facts, "1 none unset", "it was started for no turn and no session");
    assert_eq!(answer_of(&agent, 2).await, (second, "2 none unset".into()));
    assert_eq!(answer_of(&agent, 1).await, (first, "2 t1 agent:test:web:dm:main".into()));
    // One more was started for the one that was taken.
    pids(&sandbox, 4).await;
    agent.stop().await;
    assert!(!pids(&sandbox, 4).await.into_iter().any(exists));
}

#[tokio::test]
async fn programs_that_wait_ahead_do_not_time_out_and_are_not_displaced() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox, 1, 2, COUNTER);
    let (first, _) = answer_of(&agent, 1).await;
    let ahead = pids(&sandbox, 2).await.into_iter().find(|pid| *pid != first).unwrap();
    sandbox.clock.pass(Duration::from_secs(300));
    gone(first).await;
    assert!(runs(ahead));

    // With the one ahead there is space for one conversation.
    let (second, _) = answer_of(&agent, 2).await;
    assert_eq!(second, ahead);
    pids(&sandbox, 3).await;
    let (third, _) = answer_of(&agent, 3).await;
    gone(second).await;
    assert!(runs(third));
}

#[tokio::test]
async fn a_program_that_ends_while_it_waits_is_replaced_at_the_next_turn_and_not_before() {
    let sandbox = Sandbox::new();
    let script = format!(r#"[ "$FRONTDESK_TURN" = none ] && {{ echo $$ >> early; exit 1; }}; {COUNTER}"#);
    let agent = agent(&sandbox, 1, 16, &script);
    let count = |file: &Path| read(file).lines().count();
    for epoch in 1..=3 {
        let (_, facts) = answer_of(&agent, epoch).await;
        assert!(facts.starts_with("1 t1 "), "{facts}");
        let turns = usize::try_from(epoch).unwrap();
        eventually("one is tried", || count(&sandbox.file("early")) == turns).await;
        let last = read(&sandbox.file("early")).lines().last().unwrap().parse().unwrap();
        eventually("it is reaped", || !exists(last)).await;
        eventually("its record is gone", || {
            let records = std::fs::read_dir(sandbox.home.path().join("run")).unwrap();
            records
                .flatten()
                .all(|entry| !entry.file_name().to_string_lossy().starts_with(&format!("{last}.")))
        })
        .await;
    }
    assert_eq!(count(&sandbox.file("early")), 3);
}

#[tokio::test]
async fn a_program_that_was_started_ahead_learns_its_token_with_its_first_prompt() {
    let sandbox = Sandbox::new();
    // It answers with what the prompt says about the tools, and with its environment.
    let script = r#"
        echo $$ >> pids
        while read -r line; do
            tools=$(echo "$line" | grep -o '"tools":{[^}]*}' | tr -d '"')
            echo "{\"type\":\"done\",\"text\":\"$tools ${FRONTDESK_MCP_TOKEN-unset}\"}"
        done"#;
    let agent = agent(&sandbox, 1, 16, script);
    let turn = |epoch| Turn { tools: Arc::new(Noting::default()), ..conversation(epoch) };
    let first = answer(agent.turn(turn(1))).await;
    let (token, url) = ("token:of-this-session", "url:http://127.0.0.1:1/mcp");
    assert_eq!(first, format!("tools:{{{token},{url}}} of-this-session"));
    pids(&sandbox, 2).await;
    assert_eq!(answer(agent.turn(turn(2))).await, format!("tools:{{{token},{url}}} unset"));
    agent.stop().await;
}
