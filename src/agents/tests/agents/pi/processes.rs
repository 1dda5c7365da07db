//! The processes of pi: how many there are, which conversation has which, and what becomes of one that fails.

use super::*;

#[tokio::test]
async fn a_conversation_keeps_its_process_and_its_session() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    assert_eq!(answer(agent.turn(said("a", "one"))).await, "echo: one");
    assert_eq!(answer(agent.turn(said("a", "which"))).await, "one+which");
    let starts = starts(&sandbox);
    assert_eq!(starts.len(), 1, "{starts:?}");
    assert!(starts[0].starts_with("fd-web-dm-a-") && starts[0].ends_with("-e1 true"), "{starts:?}");
    agent.stop().await;
}

#[tokio::test]
async fn a_new_process_goes_on_with_the_session_that_the_turn_names() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    let named = Turn { agent_ref: Some("fd-ahead-7".into()), ..said("a", "one") };
    let mut stream = agent.turn(named);
    assert!(matches!(next(&mut stream).await, Some(Ok(Delta::Session(id))) if id == "fd-ahead-7"));
    assert_eq!(answer(stream).await, "echo: one");
    // A name that pi would not take, or that is a path, is not passed on.
    let odd = Turn { agent_ref: Some("../x".into()), ..said("b", "two") };
    assert_eq!(answer(agent.turn(odd)).await, "echo: two");
    assert!(starts(&sandbox)[1].starts_with("fd-web-dm-b-"));
    agent.stop().await;
}

#[tokio::test]
async fn no_more_processes_run_than_there_may_be_and_the_idlest_gives_way() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    for chat in ["a", "b", "a", "c", "a", "b"] {
        assert_eq!(answer(agent.turn(said(chat, "x"))).await, "echo: x");
    }
    // b was ended for c, and c for b.
    let chats: Vec<String> =
        starts(&sandbox).iter().map(|start| start["fd-web-dm-".len()..][..1].to_owned()).collect();
    assert_eq!(chats, ["a", "b", "c", "b"]);
    agent.stop().await;
}

#[tokio::test]
async fn a_turn_without_a_free_process_waits_its_turn() {
    let sandbox = Sandbox::new();
    let agent = sandbox.agent(Config::Pi(Box::new(config(1))));
    let mut first = agent.turn(said("a", "tool"));
    let Some(Ok(Delta::Ask(asked))) = event(&mut first).await else { panic!() };
    let mut second = pin!(answer(agent.turn(said("b", "two"))));
    let third = answer(agent.turn(said("c", "three")));
    let waited = tokio::time::timeout(Duration::from_millis(300), &mut second).await;
    assert!(waited.is_err(), "{waited:?}");
    assert_eq!(starts(&sandbox).len(), 1);
    asked.reply.ended(by_anna(AskAnswer::Choice("deny".into())));
    assert_eq!(answer(first).await, "denied: A person denied this.");
    assert_eq!(tokio::join!(second, third), ("echo: two".into(), "echo: three".into()));
    agent.stop().await;
}

#[tokio::test]
async fn a_pi_that_crashes_or_writes_garbage_costs_only_its_own_turn() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    assert_eq!(answer(agent.turn(said("b", "one"))).await, "echo: one");
    let died = error(agent.turn(said("a", "crash"))).await;
    assert!(matches!(&died, AgentError::Died(why) if why.to_string().contains("exit code 3")), "{died}");
    let died = error(agent.turn(said("a", "garbage"))).await;
    assert!(matches!(&died, AgentError::Died(why) if why.to_string().contains("invalid JSON")), "{died}");
    assert_eq!(answer(agent.turn(said("a", "after"))).await, "echo: after");
    assert_eq!(answer(agent.turn(said("b", "which"))).await, "one+which");
    assert_eq!(starts(&sandbox).iter().filter(|start| start.starts_with("fd-web-dm-b")).count(), 1);
    agent.stop().await;
}

#[tokio::test]
async fn a_turn_that_nobody_reads_any_more_ends_its_process() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    let mut stream = agent.turn(said("a", "hang"));
    assert!(matches!(next(&mut stream).await, Some(Ok(Delta::Session(_)))));
    eventually("it has the prompt", || !seen(&sandbox, "prompt").is_empty()).await;
    drop(stream);
    // The next process waits for the end of the one before it, because both would write the same session.
    assert_eq!(answer(agent.turn(said("a", "after"))).await, "echo: after");
    assert_eq!(starts(&sandbox).len(), 2);
    agent.stop().await;
}

#[tokio::test]
async fn pi_gets_its_own_folders_where_they_are_configured() {
    let sandbox = Sandbox::new();
    let folders =
        pi::Config { agent_dir: Some("settings".into()), package_dir: Some("/opt/pi".into()), ..config(1) };
    let agent = sandbox.agent(Config::Pi(Box::new(folders)));
    assert_eq!(answer(agent.turn(said("a", "one"))).await, "echo: one");
    let agent_dir = sandbox.host().home.join("settings");
    assert_eq!(read(&sandbox.file("folders")), format!("{} /opt/pi\n", agent_dir.display()));
    agent.stop().await;
}

#[tokio::test]
async fn a_process_is_started_ahead_and_serves_a_new_conversation_only() {
    let sandbox = Sandbox::new();
    let pool = pi::PoolConfig { min: 1, max: 3, ..pi::PoolConfig::default() };
    let agent = sandbox.agent(Config::Pi(Box::new(pi::Config { pool, ..config(3) })));
    assert_eq!(answer(agent.turn(said("a", "one"))).await, "echo: one");
    eventually("one is ahead", || starts(&sandbox).iter().any(|start| start.starts_with("fd-ahead-"))).await;
    // A turn that was cut off may be in the session that is named by its key.
    let resumed = Turn { resumed: true, ..said("b", "two") };
    assert_eq!(answer(agent.turn(resumed)).await, "echo: two");
    assert!(starts(&sandbox).iter().any(|start| start.starts_with("fd-web-dm-b")));
    eventually("it is ready", || seen(&sandbox, "get_state").len() == 3).await;
    let mut stream = agent.turn(said("c", "three"));
    assert!(matches!(next(&mut stream).await, Some(Ok(Delta::Session(id))) if id.starts_with("fd-ahead-")));
    assert_eq!(answer(stream).await, "echo: three");
    agent.stop().await;
}

#[tokio::test]
async fn a_pi_that_is_killed_while_it_starts_has_died_so_that_the_turn_runs_again() {
    let sandbox = Sandbox::new();
    // A sandbox reports the signal as an exit code.
    for end in ["kill -9 $$", "exit 137"] {
        let script = format!("echo out of memory >&2; {end}");
        let command = Some(vec!["sh".into(), "-c".into(), script]);
        let agent = sandbox.agent(Config::Pi(Box::new(pi::Config { command, ..config(1) })));
        let error = error(agent.turn(said("a", "hi"))).await;
        assert!(
            matches!(&error, AgentError::Died(why) if why.to_string().contains("before it was ready")),
            "{error:?}"
        );
        agent.stop().await;
    }
}

#[tokio::test]
async fn a_program_that_is_not_pi_is_unavailable() {
    let sandbox = Sandbox::new();
    let agent = sandbox.agent(Config::Pi(Box::new(pi::Config {
        command: Some(vec!["sh".into(), "-c".into(), "echo wrong flag >&2; exit 1".into()]),
        ..config(1)
    })));
    let error = error(agent.turn(said("a", "hi"))).await;
    assert!(
        matches!(&error, AgentError::Unavailable(why) if why.to_string().contains("wrong flag")),
        "{error}"
    );
    agent.stop().await;
}
