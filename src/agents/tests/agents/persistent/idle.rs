//! Programs between two turns.

use super::*;

#[tokio::test]
async fn an_idle_program_is_ended_after_its_time() {
    let sandbox = Sandbox::new();
    let agent = sandbox.persistent(COUNTER);
    let first = pid(&answer(agent.turn(turn(1, "x"))).await);
    sandbox.clock.pass(Duration::from_secs(299));
    let second = pid(&answer(agent.turn(turn(2, "x"))).await);
    assert_eq!(first, second);
    sandbox.clock.pass(Duration::from_secs(299));
    assert!(runs(second));
    sandbox.clock.pass(Duration::from_secs(1));
    eventually("it is ended and reaped", || !exists(second)).await;
    assert_ne!(pid(&answer(agent.turn(turn(3, "x"))).await), second);
}

#[tokio::test]
async fn a_forgotten_conversations_program_is_ended() {
    let sandbox = Sandbox::new();
    let agent = sandbox.persistent(COUNTER);
    let first = pid(&answer(agent.turn(turn(1, "x"))).await);
    agent.forget(&session(), 2).await;
    assert_eq!(pid(&answer(agent.turn(turn(2, "x"))).await), first);
    agent.forget(&session(), 1).await;
    eventually("it is ended and reaped", || !exists(first)).await;
    // Forgotten during a turn: the turn ends normally, and then the program is ended.
    let mut stream = agent.turn(turn(3, "x"));
    let second = pid(&piece(&mut stream).await);
    agent.forget(&session(), 1).await;
    answer(stream).await;
    eventually("it is ended and reaped", || !exists(second)).await;
}

#[tokio::test]
async fn no_more_programs_are_kept_than_may_be() {
    let sandbox = Sandbox::new();
    let agent = sandbox.agent(Config::Command(command::Config { max_idle: 2, ..persistent(COUNTER) }));
    let mut pids = Vec::new();
    for epoch in 1..=3 {
        let mut turn = turn(epoch, "x");
        turn.epoch = u64::try_from(epoch).unwrap();
        pids.push(pid(&answer(agent.turn(turn)).await));
    }
    eventually("the oldest is ended", || !exists(pids[0])).await;
    assert!(runs(pids[1]) && runs(pids[2]));
    agent.stop().await;
    assert!(!pids.into_iter().any(exists));
}

#[tokio::test]
async fn a_program_that_exits_or_writes_too_much_between_turns_is_replaced() {
    let sandbox = Sandbox::new();
    for after in ["exit 1", r#"yes '{"type":"progress"}'"#] {
        let agent = sandbox.persistent(&format!(
            r#"read -r p; echo "{{\"type\":\"done\",\"text\":\"$$\"}}"; [ -e calm ] && read -r end; {after}"#
        ));
        let first = pid(&answer(agent.turn(turn(1, "x"))).await);
        eventually("it is gone", || !exists(first)).await;
        std::fs::write(sandbox.file("calm"), "").unwrap();
        assert_ne!(pid(&answer(agent.turn(turn(2, "x"))).await), first);
        agent.stop().await;
        std::fs::remove_file(sandbox.file("calm")).unwrap();
    }
}
