//! Programs in the ready-made sandbox: what they reach there, and that they end as others do.

mod prefix;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use frontdesk_agents::command::{self, Mode};
use frontdesk_agents::process::{Ready, RunWith};
use frontdesk_agents::{Config, Host, build};
use frontdesk_core::delta::AgentError;
use frontdesk_core::message::FileKind;
use frontdesk_core::port::{Agent, File};

use crate::sandbox::{Sandbox, answer, error, eventually, piece, read, shell, turn};

/// Whether the kernel lets this user make namespaces; says loudly that it does not. A missing bubblewrap fails the test.
pub fn no_namespaces() -> bool {
    let probe = Command::new("bwrap").args(["--ro-bind", "/", "/", "--unshare-pid", "true"]).output();
    let probe = probe.expect("these tests need the package bubblewrap");
    if !probe.status.success() {
        let why = String::from_utf8_lossy(&probe.stderr);
        eprintln!("WARNING: NOT TESTED, BECAUSE THIS KERNEL FORBIDS NAMESPACES: {why}");
    }
    !probe.status.success()
}

fn bubblewrap(script: &str) -> command::Config {
    command::Config {
        run_with: Some(RunWith::Ready(Ready::Bubblewrap)),
        cwd_per_session: true,
        ..shell(script)
    }
}

fn agent(sandbox: &Sandbox, config: command::Config) -> Arc<dyn Agent> {
    sandbox.agent(Config::Command(config))
}

/// How many processes have this word in their command line.
fn count(word: &str) -> usize {
    let processes = std::fs::read_dir("/proc").expect("processes");
    let lines = processes.filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok());
    lines.filter(|line| line.split(|byte| *byte == 0).any(|one| one == word.as_bytes())).count()
}

/// A number of seconds to sleep that no other test uses.
fn seconds(test: u32) -> String {
    format!("{}.{test}", 100_000 + std::process::id())
}

fn photo(path: &Path) -> File {
    File {
        kind: FileKind::Photo,
        name: None,
        mime: None,
        size: Some(1),
        got: Ok(path.to_owned()),
        transcript: None,
    }
}

#[tokio::test]
async fn a_sandboxed_program_sees_neither_the_gateways_secrets_nor_other_sessions() {
    if no_namespaces() {
        return;
    }
    let sandbox = Sandbox::new();
    let home = sandbox.home.path().display().to_string();
    for (secret, text) in [("token", "hunter2"), ("frontdesk.db", "hunter2"), ("frontdesk.toml", "hunter2")] {
        std::fs::write(sandbox.home.path().join(secret), text).unwrap();
    }
    let script = format!(
        "cat {home}/token {home}/frontdesk.db {home}/frontdesk.toml 2>&1; ls -A {home} | tr '\\n' ' '; \
         ls .. | wc -l; cat notes; cat > notes; touch {home}/x {home}/agents/x 2>&1; cat /proc/1/cmdline | tr '\\0' ' ' | cut -c-6"
    );
    // The folder that contains the home folder is visible; the home folder is not.
    let parent = sandbox.home.path().parent().unwrap().to_owned();
    let config = command::Config { readable: vec![parent], ..bubblewrap(&script) };
    let agent = agent(&sandbox, config);
    let first = answer(agent.turn(turn(1, "mine"))).await;
    assert!(!first.contains("hunter2") && first.matches("No such file").count() >= 3, "{first}");
    assert!(first.contains("agents facts media 1\n"), "{first}");
    assert!(first.contains("Read-only file system") && first.ends_with("bwrap \n"), "{first}");
    let mut other = turn(2, "");
    other.session = "agent:test:web:dm:other".parse().unwrap();
    let other = answer(agent.turn(other)).await;
    assert!(other.contains("agents facts media 1\n") && !other.contains("mine"), "{other}");
    let again = answer(agent.turn(turn(3, ""))).await;
    assert!(again.contains("mine"), "its own folder stays: {again}");
}

#[tokio::test]
async fn a_sandboxed_program_gets_its_facts_and_its_files_and_can_send_files() {
    if no_namespaces() {
        return;
    }
    let sandbox = Sandbox::new();
    let media = sandbox.home.path().join("media");
    for folder in ["in", "out"] {
        std::fs::create_dir_all(media.join(folder)).unwrap();
        for name in ["mine", "theirs"] {
            std::fs::write(media.join(folder).join(name), name).unwrap();
        }
    }
    let script = "cd $FRONTDESK_MEDIA; ls in out; cat in/*; echo > in/mine; echo chart > chart.png; \
                  grep -o hello $FRONTDESK_FACTS; ls $(dirname $FRONTDESK_FACTS) | wc -l";
    let mut with_file = turn(1, "hello");
    with_file.prompt[0].files = vec![photo(&media.join("in/mine")), photo(&media.join("in/gone"))];
    std::fs::create_dir_all(sandbox.home.path().join("facts")).unwrap();
    std::fs::write(sandbox.home.path().join("facts/of-another-turn"), "x").unwrap();
    let seen = answer(agent(&sandbox, bubblewrap(script)).turn(with_file)).await;
    assert_eq!(seen, "in:\nmine\n\nout:\nminehello\n1\n");
    assert_eq!(
        (read(&media.join("chart.png")), read(&media.join("in/mine"))),
        ("chart\n".into(), "mine".into())
    );

    let lasting =
        r#"read -r p; printf '{"type":"done","text":"%s"}\n' "$(ls $FRONTDESK_MEDIA/in | tr '\n' ' ')""#;
    let config = command::Config { mode: Mode::Persistent, ..bubblewrap(lasting) };
    let seen = answer(agent(&sandbox, config).turn(turn(2, ""))).await;
    assert_eq!(seen, "mine theirs ", "later prompts name files that are not known at the start");
}

#[tokio::test]
async fn everything_in_a_sandbox_ends_with_its_turn_also_what_left_its_group() {
    if no_namespaces() {
        return;
    }
    let sandbox = Sandbox::new();
    for (n, mode) in [(1, Mode::PerTurn), (2, Mode::Persistent)] {
        let sleep = seconds(n);
        let script = format!(
            "setsid sh -c 'trap \"\" TERM HUP; while :; do sleep {sleep}; done' & sleep {sleep} & \
             read -r p; while [ $(ps -e | grep -c sleep) -lt 2 ]; do sleep 0.01; done; \
             echo '{{\"type\":\"delta\",\"text\":\"up\"}}'; wait"
        );
        let agent = agent(&sandbox, command::Config { mode, ..bubblewrap(&script) });
        let mut stream = agent.turn(turn(1, "x\n"));
        assert!(piece(&mut stream).await.contains("up"));
        assert_eq!(count(&sleep), 2);
        drop(stream);
        eventually("all are gone", || count(&sleep) == 0).await;
    }
}

#[tokio::test]
async fn a_sandboxed_program_is_asked_to_end_before_it_is_killed() {
    if no_namespaces() {
        return;
    }
    let sandbox = Sandbox::new();
    let script = "trap 'echo bye > bye; exit' TERM; read -r p; echo '{\"type\":\"done\"}'; \
                  while :; do sleep 0.05; done";
    let config =
        command::Config { mode: Mode::Persistent, cwd_per_session: false, grace: 10, ..bubblewrap(script) };
    let agent = agent(&sandbox, config);
    answer(agent.turn(turn(1, "x"))).await;
    agent.stop().await;
    assert_eq!(read(&sandbox.file("bye")), "bye\n");
    assert_eq!(sandbox.clock_reading(), Duration::ZERO, "it has ended by itself");
}

#[tokio::test]
async fn a_lasting_program_in_a_sandbox_serves_several_turns() {
    if no_namespaces() {
        return;
    }
    let sandbox = Sandbox::new();
    let script = r#"n=0; while read -r p; do n=$((n+1)); printf '{"type":"done","text":"%s"}\n' $n; done"#;
    let agent = agent(&sandbox, command::Config { mode: Mode::Persistent, ..bubblewrap(script) });
    for n in 1..4 {
        assert_eq!(answer(agent.turn(turn(n, "x"))).await, n.to_string());
    }
    agent.stop().await;
}

#[tokio::test]
async fn a_sandbox_has_no_capabilities_and_a_network_only_if_wanted() {
    if no_namespaces() {
        return;
    }
    let sandbox = Sandbox::new();
    let script = "grep -c 'CapEff:.0000000000000000' /proc/self/status; \
                  tail -n +3 /proc/net/dev | wc -l";
    let online = answer(agent(&sandbox, bubblewrap(script)).turn(turn(1, ""))).await;
    let offline =
        command::Config { run_with: Some(RunWith::Ready(Ready::BubblewrapOffline)), ..bubblewrap(script) };
    let offline = answer(agent(&sandbox, offline).turn(turn(2, ""))).await;
    let interfaces = read(Path::new("/proc/net/dev")).lines().skip(2).count();
    assert_eq!((online, offline), (format!("1\n{interfaces}\n"), "1\n1\n".into()));
}

#[tokio::test]
async fn the_users_home_is_empty_but_for_what_the_config_names() {
    if no_namespaces() {
        return;
    }
    let (sandbox, user) = (Sandbox::new(), tempfile::tempdir().unwrap());
    for name in ["keys", "tools", "state"] {
        std::fs::create_dir(user.path().join(name)).unwrap();
        std::fs::write(user.path().join(name).join("file"), name).unwrap();
    }
    let program = user.path().join("tools/run");
    std::fs::write(
        &program,
        "#!/bin/sh\ncd; ls; cat tools/file; echo new > state/file; echo x > tools/file; exit 0",
    )
    .unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    let mut host: Host = sandbox.host();
    host.env.push(("HOME".into(), user.path().into()));
    let closed = |readable: &[&str]| command::Config {
        command: vec![program.display().to_string()],
        readable: readable.iter().map(|name| user.path().join(name)).collect(),
        writable: vec![user.path().join("state")],
        ..bubblewrap("")
    };
    let agent = build("test", &Config::Command(closed(&["tools"])), &host).unwrap();
    assert_eq!(answer(agent.turn(turn(1, ""))).await, "state\ntools\ntools");
    assert_eq!(read(&user.path().join("state/file")), "new\n");
    assert_eq!(read(&user.path().join("tools/file")), "tools");
    // The program itself is always visible.
    let agent = build("test", &Config::Command(closed(&[])), &host).unwrap();
    assert_eq!(answer(agent.turn(turn(2, ""))).await, "state\ntools\n");
}

#[tokio::test]
async fn a_sandbox_that_would_show_the_gateways_home_is_refused() {
    let sandbox = Sandbox::new();
    let home = sandbox.home.path().to_owned();
    let link = home.join("link");
    std::os::unix::fs::symlink(&home, &link).unwrap();
    let open = bubblewrap("true");
    for (config, why) in [
        (command::Config { cwd: Some(".".into()), cwd_per_session: false, ..open.clone() }, "home folder"),
        (command::Config { readable: vec![home.clone()], ..open.clone() }, "home folder"),
        (command::Config { writable: vec![link], ..open.clone() }, "home folder"),
        (command::Config { readable: vec!["nowhere".into()], ..open.clone() }, "nowhere"),
    ] {
        let refused = error(agent(&sandbox, config).turn(turn(1, ""))).await;
        assert!(
            matches!(&refused, AgentError::Unavailable(problem) if problem.to_string().contains(why)),
            "{refused:?}"
        );
    }
    // What an agent could have put there while it was not in a sandbox.
    std::fs::remove_dir_all(home.join("agents/test/sessions")).unwrap();
    std::os::unix::fs::symlink("../..", home.join("agents/test/sessions")).unwrap();
    let refused = error(agent(&sandbox, open).turn(turn(1, ""))).await;
    assert!(
        matches!(&refused, AgentError::Unavailable(why) if why.to_string().contains("is a link")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_link_that_an_agent_may_have_made_does_not_show_the_gateways_secrets() {
    if no_namespaces() {
        return;
    }
    let (sandbox, elsewhere) = (Sandbox::new(), tempfile::tempdir().unwrap());
    let home = sandbox.home.path().to_owned();
    let elsewhere = elsewhere.path();
    for folder in ["shared", "notes", "agents/other"] {
        std::fs::create_dir_all(home.join(folder)).unwrap();
    }
    for file in ["token", "frontdesk.db-wal", "agents/other/talk"] {
        std::fs::write(home.join(file), "hunter2").unwrap();
    }
    std::fs::write(elsewhere.join("key"), "hunter2").unwrap();
    let parent = home.parent().unwrap();
    let (reference, outside) = (home.join("shared/ref"), elsewhere.join("ref"));
    for (link, target, why) in [
        (&reference, home.join("token"), "a file with secrets"),
        (&reference, "../frontdesk.db-wal".into(), "a file with secrets"),
        (&reference, home.clone(), "home folder"),
        (&reference, parent.to_owned(), "where agents may write"),
        (&reference, "/".into(), "where agents may write"),
        (&reference, elsewhere.join("key"), "where agents may write"),
        (&reference, home.join("agents/other"), "where agents may write"),
        (&outside, home.join("token"), "a file with secrets"),
        (&outside, home.join("agents/other"), "a link into the gateway's home"),
        (&home.join("up"), parent.to_owned(), "contains the gateway's home"),
    ] {
        std::os::unix::fs::symlink(&target, link).unwrap();
        let script = format!("cat {0} {0}/*/token {0}/talk", link.display());
        let config = command::Config { readable: vec![link.clone()], ..bubblewrap(&script) };
        let refused = error(agent(&sandbox, config).turn(turn(1, ""))).await;
        let problem =
            matches!(&refused, AgentError::Unavailable(problem) if problem.to_string().contains(why));
        assert!(problem, "{target:?}: {refused:?}");
        std::fs::remove_file(link).unwrap();
    }
    // A link of the agent's own, which the next start would follow.
    std::os::unix::fs::symlink(elsewhere.join("key"), &outside).unwrap();
    let config = command::Config {
        readable: vec![outside.clone()],
        writable: vec![elsewhere.to_owned()],
        ..bubblewrap("true")
    };
    assert!(matches!(error(agent(&sandbox, config).turn(turn(1, ""))).await, AgentError::Unavailable(_)));
    // Links that only the operator can have made still work.
    std::fs::write(home.join("notes/a"), "noted").unwrap();
    std::os::unix::fs::symlink(home.join("notes"), home.join("link")).unwrap();
    let script = format!("cat {0}/link/a {1}; ls -A {0} | tr '\n' ' '", home.display(), outside.display());
    let config = command::Config { readable: vec!["link".into(), outside], ..bubblewrap(&script) };
    let seen = answer(agent(&sandbox, config).turn(turn(1, ""))).await;
    assert_eq!(seen, "notedhunter2agents facts link media ");
    // A folder that contains the home shows it empty, by every name.
    std::os::unix::fs::symlink(parent, elsewhere.join("above")).unwrap();
    let name = home.file_name().unwrap().to_string_lossy();
    let script = format!("cd {}/above && ls -A {name}; echo seen", elsewhere.display());
    let config = command::Config { readable: vec![elsewhere.join("above")], ..bubblewrap(&script) };
    assert_eq!(answer(agent(&sandbox, config).turn(turn(1, ""))).await, "seen\n");
}
