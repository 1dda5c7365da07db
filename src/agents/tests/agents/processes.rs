//! No process, zombie or hanging turn remains after a turn.

use std::time::Duration;

use frontdesk_agents::Config;
use frontdesk_agents::command::{self, Mode};
use frontdesk_core::delta::AgentError;
use frontdesk_core::id::TurnId;

use crate::sandbox::{
    Sandbox, answer, error, eventually, exists, gone, next, persistent, piece, read_to_end, runs, shell, turn,
};

/// Starts a child, a grandchild and another process, which hang, and prints a line when all three run.
const FAMILY: &str = "echo $$ > child; sh -c 'echo $$ > grandchild; exec sleep 1000' & sleep 1000 & echo $! > other; \
                      while ! [ -s grandchild ]; do sleep 0.01; done; ";

async fn family(sandbox: &Sandbox) -> [u32; 3] {
    [sandbox.pid("child").await, sandbox.pid("grandchild").await, sandbox.pid("other").await]
}

#[tokio::test]
async fn dropping_the_stream_kills_the_whole_group() {
    let sandbox = Sandbox::new();
    let per_turn = sandbox.per_turn(&format!("{FAMILY} echo up; wait"));
    let mut stream = per_turn.turn(turn(1, ""));
    piece(&mut stream).await;
    let pids = family(&sandbox).await;
    assert!(pids.into_iter().all(runs));
    drop(stream);
    for pid in pids {
        gone(pid).await;
    }
    eventually("the child is reaped", || !exists(pids[0])).await;
}

#[tokio::test]
async fn dropping_the_stream_of_a_lasting_program_kills_it_as_well() {
    let sandbox = Sandbox::new();
    let agent =
        sandbox.persistent(&format!(r#"{FAMILY} read line; echo '{{"type":"delta","text":"up"}}'; wait"#));
    let mut stream = agent.turn(turn(1, ""));
    assert_eq!(piece(&mut stream).await, "up");
    let pids = family(&sandbox).await;
    drop(stream);
    for pid in pids {
        gone(pid).await;
    }
    eventually("the child is reaped", || !exists(pids[0])).await;
}

#[tokio::test]
async fn a_child_that_inherited_the_pipes_does_not_delay_the_turn() {
    let sandbox = Sandbox::new();
    // Within the group: it is killed with its leader.
    let agent = sandbox.per_turn("sleep 1000 & echo $! > child; echo answer");
    assert_eq!(answer(agent.turn(turn(1, ""))).await, "answer\n");
    gone(sandbox.pid("child").await).await;
    // Outside the group: it is not killed, and the turn does not wait for it.
    let agent = sandbox.per_turn("setsid sh -c 'echo $$ > stray; exec sleep 1000' & while ! [ -s stray ]; do sleep 0.01; done; echo answer");
    assert_eq!(answer(agent.turn(turn(2, ""))).await, "answer\n");
    let stray = sandbox.pid("stray").await;
    assert!(runs(stray));
    let pid = i32::try_from(stray).ok().and_then(rustix::process::Pid::from_raw).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

#[tokio::test]
async fn many_turns_leave_no_zombie() {
    let sandbox = Sandbox::new();
    let agent = sandbox.per_turn("echo $$; exit 0");
    let mut pids = Vec::new();
    for id in 0..50 {
        let output = answer(agent.turn(turn(id, ""))).await;
        pids.push(output.trim().parse().unwrap());
        let mut cut = agent.turn(turn(1000 + id, ""));
        pids.push(piece(&mut cut).await.trim().parse().unwrap());
    }
    eventually("all are reaped", || !pids.iter().any(|pid| exists(*pid))).await;
}

#[tokio::test]
async fn an_aborted_program_may_tidy_up_and_says_no_more() {
    let sandbox = Sandbox::new();
    let agent =
        sandbox.per_turn("trap 'echo bye; touch tidied; exit 0' TERM; echo up; while :; do sleep 0.01; done");
    let mut stream = agent.turn(turn(1, ""));
    piece(&mut stream).await;
    agent.abort(TurnId(1)).await;
    assert!(next(&mut stream).await.is_none());
    assert!(sandbox.file("tidied").exists());
}

#[tokio::test]
async fn an_aborted_program_that_does_not_listen_is_killed_after_the_grace() {
    let sandbox = Sandbox::new();
    let agent = sandbox.per_turn("trap '' TERM; echo $$ > pid; echo up; while :; do sleep 1; done");
    let mut stream = agent.turn(turn(1, ""));
    piece(&mut stream).await;
    agent.abort(TurnId(1)).await;
    sandbox.clock.wait_for_sleeper().await;
    assert!(runs(sandbox.pid("pid").await));
    sandbox.clock.pass(Duration::from_secs(2));
    assert!(matches!(read_to_end(stream).await, (_, None)));
    assert!(!exists(sandbox.pid("pid").await));
}

#[tokio::test]
async fn a_turn_aborted_before_it_began_starts_nothing() {
    let sandbox = Sandbox::new();
    for config in [shell("touch ran"), persistent("touch ran")] {
        let agent = sandbox.agent(Config::Command(config));
        let stream = agent.turn(turn(1, ""));
        agent.abort(TurnId(1)).await;
        assert!(matches!(read_to_end(stream).await, (_, None)));
    }
    assert!(!sandbox.file("ran").exists());
}

#[tokio::test]
async fn stopping_ends_every_process_and_waits_for_it() {
    let sandbox = Sandbox::new();
    for mode in [Mode::PerTurn, Mode::Persistent] {
        let script = format!(r#"{FAMILY} read line; echo '{{"type":"delta","text":"up"}}'; wait"#);
        let agent = sandbox.agent(Config::Command(command::Config { mode, ..shell(&script) }));
        let mut stream = agent.turn(turn(1, "line\n"));
        piece(&mut stream).await;
        let pids = family(&sandbox).await;
        agent.stop().await;
        assert!(!exists(pids[0]));
        for pid in pids {
            gone(pid).await;
        }
        assert!(matches!(error(stream).await, AgentError::Died(why) if why.to_string().contains("stopped")));
        assert!(matches!(error(agent.turn(turn(2, ""))).await, AgentError::Unavailable(_)));
        for file in ["child", "grandchild", "other"] {
            std::fs::remove_file(sandbox.file(file)).unwrap();
        }
    }
}

#[tokio::test]
async fn stopping_kills_a_program_that_ignores_sigterm() {
    let sandbox = Sandbox::new();
    let agent = sandbox.per_turn("trap '' TERM; echo $$ > pid; echo up; while :; do sleep 1; done");
    let mut stream = agent.turn(turn(1, ""));
    piece(&mut stream).await;
    let pid = sandbox.pid("pid").await;
    let time = async {
        sandbox.clock.wait_for_sleeper().await;
        assert!(runs(pid));
        sandbox.clock.pass(Duration::from_secs(2));
    };
    tokio::join!(agent.stop(), time);
    assert!(!exists(pid));
}

#[tokio::test]
async fn a_runtime_that_goes_down_takes_the_programs_along() {
    let sandbox = Sandbox::new();
    let pids = std::thread::scope(|scope| {
        let inner = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let agent = sandbox.per_turn(&format!("{FAMILY} echo up; wait"));
                let mut stream = agent.turn(turn(1, ""));
                piece(&mut stream).await;
                // Leaks the stream, as a panic in its owner might.
                std::mem::forget(stream);
                family(&sandbox).await
            })
        });
        inner.join().unwrap()
    });
    for pid in pids {
        gone(pid).await;
    }
}
