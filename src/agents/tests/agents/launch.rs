//! What a program is started with: its working folder and its limits.

use frontdesk_agents::Config;
use frontdesk_agents::command::{self, Mode};
use frontdesk_core::delta::AgentError;

use crate::sandbox::{Sandbox, answer, error, shell, turn};

/// An agent with a working folder for every session, whose program is this shell script.
fn folders(script: &str) -> command::Config {
    command::Config { cwd_per_session: true, ..shell(script) }
}

#[tokio::test]
async fn a_session_keeps_its_working_folder_over_epochs_and_has_it_alone() {
    let sandbox = Sandbox::new();
    let agent = sandbox.agent(Config::Command(folders("pwd; cat notes; cat > notes; stat -c %a .")));
    let first = answer(agent.turn(turn(1, "a secret\n"))).await;
    let folder = first.lines().next().unwrap();
    let beneath = std::fs::canonicalize(sandbox.file("sessions")).unwrap();
    assert!(folder.starts_with(&format!("{}/web-dm-main-", beneath.display())), "{first}");
    assert_eq!(first, format!("{folder}\n700\n"));

    let mut later = turn(2, "");
    later.epoch = 2;
    assert_eq!(answer(agent.turn(later)).await, format!("{folder}\na secret\n700\n"));

    let mut other = turn(3, "");
    other.session = "agent:test:web:dm:other".parse().unwrap();
    let other = answer(agent.turn(other)).await;
    assert!(!other.contains("secret") && !other.starts_with(folder), "{other}");
}

#[tokio::test]
async fn a_configured_folder_that_does_not_exist_is_not_created_for_a_session() {
    let sandbox = Sandbox::new();
    let config = command::Config { cwd: Some("elsewhere".into()), ..folders("pwd") };
    let agent = sandbox.agent(Config::Command(config));
    let why = error(agent.turn(turn(1, ""))).await;
    assert!(
        matches!(&why, AgentError::Unavailable(why) if why.to_string().contains("elsewhere/sessions/web-dm-main-")),
        "{why:?}"
    );
    assert!(!sandbox.home.path().join("elsewhere").exists());
    std::fs::create_dir(sandbox.home.path().join("elsewhere")).unwrap();
    let answer = answer(agent.turn(turn(2, ""))).await;
    assert!(answer.contains("/elsewhere/sessions/web-dm-main-"), "{answer}");
}

#[tokio::test]
async fn no_program_dumps_its_memory_and_limits_hold_only_where_they_are_set() {
    let sandbox = Sandbox::new();
    // The limits are set when the program gets its prompt.
    let script = "cat > /dev/null; ulimit -c; ulimit -Hc; ulimit -f; ulimit -t";
    let plain = answer(sandbox.per_turn(script).turn(turn(1, "x"))).await;
    assert_eq!(plain, "0\n0\nunlimited\nunlimited\n");
    let config = command::Config { max_file: Some(1 << 20), max_cpu: Some(7), ..shell(script) };
    let limited = answer(sandbox.agent(Config::Command(config)).turn(turn(2, "x"))).await;
    // The shell counts blocks of 512 bytes.
    assert_eq!(limited, "0\n0\n2048\n7\n");
}

#[tokio::test]
async fn a_program_that_uses_too_much_is_ended_and_the_error_names_the_limit() {
    let sandbox = Sandbox::new();
    for mode in [Mode::PerTurn, Mode::Persistent] {
        for (script, limit) in [
            ("read -r p; while :; do :; done", "the limit of its processor time"),
            ("read -r p; while :; do echo 0123456789; done > big", "the limit of a file's size"),
        ] {
            let limits = command::Config { max_file: Some(1 << 20), max_cpu: Some(1), ..shell(script) };
            let agent = sandbox.agent(Config::Command(command::Config { mode, ..limits }));
            let why = error(agent.turn(turn(1, "x\n"))).await;
            assert!(
                matches!(&why, AgentError::Died(why) if why.to_string().contains(limit)),
                "{mode:?}: {why:?}"
            );
        }
        assert_eq!(std::fs::metadata(sandbox.file("big")).unwrap().len(), 1 << 20);
        std::fs::remove_file(sandbox.file("big")).unwrap();
    }
}
