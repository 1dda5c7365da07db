//! An agent that speaks JSON-RPC: what the module `process` offers carries a second protocol, also when its program
//! misbehaves.

mod agent;

use std::time::Duration;

use frontdesk_agents::process::{IdleSettings, ProgramConfig};
use frontdesk_core::delta::{AgentError, Delta};
use frontdesk_core::id::TurnId;
use frontdesk_core::port::{Agent, Turn};

use self::agent::{ENDING, RpcAgent};
use crate::sandbox::{
    Sandbox, answer, error, eventually, exists, memory, next, piece, read, read_to_end, runs, session, turn,
};

fn agent(sandbox: &Sandbox, min: usize) -> RpcAgent {
    let command = ["sh", "-c", include_str!("json_rpc/program.sh"), "sh"].map(str::to_owned).into();
    let idle = IdleSettings { min, max: 4, timeout: Duration::from_secs(300) };
    RpcAgent::new(ProgramConfig { command, ..ProgramConfig::default() }, idle, &sandbox.host())
}

fn conversation(epoch: u64, text: &str) -> Turn {
    let mut turn = turn(1, text);
    turn.epoch = epoch;
    turn
}

/// The program's pid, and what else it says about itself.
async fn who(agent: &RpcAgent, epoch: u64) -> (u32, String) {
    let answer = answer(agent.turn(conversation(epoch, "who"))).await;
    let (pid, rest) = answer.split_once(' ').expect("an answer with a pid");
    (pid.parse().expect("a pid"), rest.to_owned())
}

fn died(error: AgentError) -> String {
    match error {
        AgentError::Died(why) => why.to_string(),
        other => panic!("it did not die: {other}"),
    }
}

#[tokio::test]
async fn a_conversation_keeps_its_program_through_requests_and_errors() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox, 0);
    let (pid, rest) = who(&agent, 1).await;
    assert_eq!(rest, "1 agent:test:web:dm:main");
    // Notifications come in between, and the program's own request gets its answer.
    assert_eq!(answer(agent.turn(turn(2, "talk"))).await, "one two");
    let reply: serde_json::Value = serde_json::from_str(&read(&sandbox.file("reply"))).unwrap();
    assert_eq!((&reply["id"], &reply["error"]["code"]), (&"q1".into(), &(-32601).into()));
    assert_eq!(error(agent.turn(turn(3, "refuse"))).await, AgentError::Failed("no model".to_owned().into()));
    assert_eq!(who(&agent, 1).await, (pid, "4 agent:test:web:dm:main".into()));
    assert_ne!(who(&agent, 2).await.0, pid);
    agent.stop().await;
    assert!(!exists(pid));
}

#[tokio::test]
async fn another_program_takes_up_the_conversation_by_its_name() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox, 0);
    // The first turn of a program reports the name if it is a new one.
    let named = async |known: Option<&str>| {
        let mut turn = turn(1, "who");
        turn.agent_ref = known.map(str::to_owned);
        let mut stream = agent.turn(turn);
        let name = match next(&mut stream).await.unwrap().unwrap() {
            Delta::Session(name) => Some(name),
            _ => None,
        };
        read_to_end(stream).await;
        agent.forget(&session(), 1).await;
        name
    };
    assert_eq!(named(None).await.as_deref(), Some("s1"));
    assert_eq!(named(Some("s1")).await, None);
    assert_eq!(read(&sandbox.file("loads")), "loaded\n");
    assert_eq!(named(Some("lost")).await.as_deref(), Some("s1"), "a new one takes its place");
}

#[tokio::test]
async fn a_program_that_is_ready_already_serves_a_new_conversation() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox, 1);
    let (first, _) = who(&agent, 1).await;
    let ready = || read(&sandbox.file("pids")).lines().count();
    eventually("one is started ahead", || ready() == 2).await;
    // It counts as ready once it has answered `initialize`; until then a new conversation gets one of its own.
    let mut epoch = 2;
    let (second, rest) = loop {
        let (pid, rest) = who(&agent, epoch).await;
        if rest == "1 nobody" {
            break (pid, rest);
        }
        epoch += 1;
    };
    assert!(second != first && rest == "1 nobody");
    assert_eq!(who(&agent, epoch).await, (second, "2 nobody".into()));
    agent.stop().await;
}

#[tokio::test]
async fn a_crash_is_an_error_with_the_last_line_of_stderr_and_the_next_turn_works() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox, 0);
    let (pid, _) = who(&agent, 1).await;
    let (text, end) = read_to_end(agent.turn(turn(1, "crash"))).await;
    assert_eq!(text, "up");
    assert_eq!(died(end.unwrap().unwrap_err()), "exit code 3: ValueError: out of luck");
    assert!(!exists(pid));
    assert_ne!(who(&agent, 1).await.0, pid);
}

#[tokio::test]
async fn garbage_ends_the_program_and_the_next_turn_works() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox, 0);
    let (pid, _) = who(&agent, 1).await;
    let (text, end) = read_to_end(agent.turn(turn(1, "garbage"))).await;
    assert_eq!(text, "up");
    assert_eq!(died(end.unwrap().unwrap_err()), "line 7 of its output is invalid JSON at byte 1");
    eventually("it is killed and reaped", || !exists(pid)).await;
    assert_ne!(who(&agent, 1).await.0, pid);
}

#[tokio::test]
async fn a_line_of_a_hundred_megabytes_is_passed_over_in_little_memory() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox, 0);
    let (pid, _) = who(&agent, 1).await;
    let before = memory();
    assert_eq!(answer(agent.turn(turn(1, "flood"))).await, "before after");
    let grown = memory().saturating_sub(before);
    assert!(grown < 64 << 20, "it took {grown} bytes more");
    assert_eq!(who(&agent, 1).await.0, pid);
}

#[tokio::test]
async fn characters_that_are_cut_between_two_reads_arrive_whole() {
    let sandbox = Sandbox::new();
    assert_eq!(answer(agent(&sandbox, 0).turn(turn(1, "cut"))).await, "ä€👋");
}

#[tokio::test]
async fn a_cancelled_turn_ends_without_a_result_and_keeps_its_program() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox, 0);
    let (pid, _) = who(&agent, 1).await;
    let mut stream = agent.turn(turn(2, "wait"));
    assert_eq!(piece(&mut stream).await, "up");
    agent.abort(TurnId(2)).await;
    assert!(next(&mut stream).await.is_none());
    assert!(read(&sandbox.file("cancel")).contains(r#""method":"session/cancel""#));
    assert_eq!(who(&agent, 1).await.0, pid);
}

#[tokio::test]
async fn a_program_that_hangs_is_asked_to_end_and_then_killed() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox, 0);
    let (pid, _) = who(&agent, 1).await;
    let mut stream = agent.turn(turn(2, "hang"));
    assert_eq!(piece(&mut stream).await, "up");
    agent.abort(TurnId(2)).await;
    let cancelled = async {
        sandbox.clock.wait_for_sleeper().await;
        sandbox.clock.pass(Duration::from_secs(5));
    };
    let (end, ()) = tokio::join!(next(&mut stream), cancelled);
    assert!(end.is_none());
    eventually("its stdin is closed", || sandbox.file("eof").exists()).await;
    sandbox.clock.wait_for_sleeper().await;
    assert!(runs(pid) && !sandbox.file("term").exists());
    sandbox.clock.pass(ENDING.after_eof);
    eventually("it gets SIGTERM", || sandbox.file("term").exists()).await;
    sandbox.clock.wait_for_sleeper().await;
    assert!(runs(pid));
    sandbox.clock.pass(ENDING.after_sigterm);
    eventually("it is killed and reaped", || !exists(pid)).await;
}

#[tokio::test]
async fn a_program_that_ends_when_its_stdin_is_closed_gets_no_signal() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox, 0);
    let (pid, _) = who(&agent, 1).await;
    agent.forget(&session(), 1).await;
    eventually("it has ended and is reaped", || !exists(pid)).await;
    assert!(sandbox.file("eof").exists() && !sandbox.file("term").exists());
}

#[tokio::test]
async fn dropping_the_stream_leaves_no_process() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox, 0);
    let (pid, _) = who(&agent, 1).await;
    let mut stream = agent.turn(turn(2, "hang"));
    assert_eq!(piece(&mut stream).await, "up");
    drop(stream);
    eventually("it is killed and reaped", || !exists(pid)).await;
    assert!(!sandbox.file("eof").exists());
}
