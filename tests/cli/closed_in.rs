//! An agent in a sandbox, in the running gateway.

use std::process::Command;

use rustix::process::Signal;

use crate::program::{Daemon, NewHome, command, until};

/// Leaves its process group, ignores SIGTERM, and reports what it can see.
const AGENT: &str = r#"
setsid sh -c "trap '' TERM HUP; while :; do sleep 100000.77; done" > /dev/null 2>&1 &
while read -r line; do
  case "$line" in
    *'"type":"prompt"'*)
      text="$(cat "$HOME_FOLDER/token" "$HOME_FOLDER/frontdesk.db" 2>/dev/null) $(ls /proc/self/fd | tr '\n' ' ')"
      printf '{"type":"done","text":"sees:%s"}\n' "$text" ;;
  esac
done
sleep 100000.77
"#;

/// Whether the kernel lets this user make namespaces; says loudly that it does not.
fn no_namespaces() -> bool {
    let probe = Command::new("bwrap").args(["--ro-bind", "/", "/", "--unshare-pid", "true"]).output();
    let probe = probe.expect("these tests need the package bubblewrap");
    if !probe.status.success() {
        let why = String::from_utf8_lossy(&probe.stderr);
        eprintln!("WARNING: NOT TESTED, BECAUSE THIS KERNEL FORBIDS NAMESPACES: {why}");
    }
    !probe.status.success()
}

/// The number of processes of the agent that run.
fn running() -> usize {
    let processes = std::fs::read_dir("/proc").unwrap();
    let lines = processes.filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok());
    lines.filter(|line| line.ends_with(b"sleep\x00100000.77\x00")).count()
}

#[test]
fn a_sandboxed_agent_sees_no_secret_and_no_descriptor_and_dies_with_a_killed_gateway() {
    if no_namespaces() {
        return;
    }
    let home = NewHome::new();
    let path = home.path().display().to_string();
    home.write("agent.sh", AGENT);
    home.write(
        "frontdesk.toml",
        &format!(
            "[agents.main]\nkind = \"command\"\nmode = \"lasting\"\nrun_with = \"bubblewrap\"\n\
             command = [\"sh\", \"{path}/agent.sh\"]\nreadable = [\"agent.sh\"]\nenv = {{ HOME_FOLDER = \"{path}\" }}\n"
        ),
    );
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", "exec 9</etc/passwd; exec \"$0\" run --port 0"])
        .arg(command(&home.path()).get_program());
    shell.env_clear().env("PATH", "/usr/bin:/bin").env("FRONTDESK_HOME", home.path());
    let daemon = Daemon::start_with(&mut shell);
    let seen = home.run(&["chat", "what do you see?"]).good().out.clone();
    // `ls` has the folder open that it lists.
    assert_eq!(seen, "sees: 0 1 2 3 \n");
    until("its children run", || running() == 1);
    daemon.signal(Signal::KILL);
    until("all ends with the gateway", || running() == 0);
}

#[test]
fn an_agent_with_the_gateways_rights_is_named_at_the_check_and_at_the_start() {
    let home = NewHome::new();
    let agent = "[agents.main]\nkind = \"command\"\ncommand = [\"cat\"]\n";
    home.write("frontdesk.toml", agent);
    let rights = "agent main runs with the gateway's rights";
    for arguments in [["config", "check"].as_slice(), &["config", "check", "--json"]] {
        let ran = home.run(arguments);
        assert!(ran.good().err.contains(rights), "{ran:?}");
    }
    let ran = Daemon::start(&home.path()).stop();
    assert_eq!(ran.good().err.matches(rights).count(), 1, "{ran:?}");
    home.write("frontdesk.toml", &format!("{agent}run_with = [\"env\"]\n"));
    let ran = home.run(&["config", "check"]);
    assert_eq!(ran.good().err, "");
}

#[test]
fn a_missing_sandbox_is_named_at_the_check_at_the_start_and_at_a_reload() {
    let home = NewHome::new();
    let agent = "[agents.main]\nkind = \"command\"\ncommand = [\"cat\"]\nrun_with = \"bubblewrap\"\n";
    home.write("frontdesk.toml", agent);
    let without = |arguments: &[&str]| {
        let mut command = command(&home.path());
        command.args(arguments).env("PATH", "/nowhere");
        command
    };
    let missing = "`run_with` in [agents.main] needs the program bwrap: install the package bubblewrap";
    let ran = crate::program::finish(&mut without(&["config", "check"]), "");
    assert!(ran.good().err.contains(missing), "{ran:?}");
    let mut daemon = Daemon::start_with(&mut without(&["run", "--port", "0"]));
    daemon.logs(missing);
    home.write("frontdesk.toml", &format!("{agent}cwd_per_session = true\n"));
    home.run(&["config", "reload"]).good();
    daemon.logs(missing);
    let refused = home.run(&["chat", "hello"]);
    assert_ne!(refused.code, Some(0), "{refused:?}");
    daemon.stop().good();
}

#[test]
fn an_agent_reaches_no_private_address_through_the_proxy_but_the_gateway_itself() {
    let home = NewHome::new();
    let private = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", private.local_addr().unwrap());
    let script =
        "read -r url; curl -s --max-time 20 --noproxy '' -o body -w '%{http_code} ' \"$url\"; cat body";
    home.write(
        "frontdesk.toml",
        &format!(
            "[security.ssrf]\nenabled = true\n[agents.main]\nkind = \"command\"\nrun_with = [\"env\"]\n\
             command = [\"sh\", \"-c\", {script:?}]\n"
        ),
    );
    let daemon = Daemon::start(&home.path());
    let refused = home.run(&["chat", &format!("{url}\n")]).good().out.clone();
    assert!(
        refused.starts_with("403 refused: ") && refused.contains("security.ssrf.allowed_hosts"),
        "{refused}"
    );
    let (gateway, _) = home.reached();
    let own = home.run(&["chat", &format!("{gateway}/health\n")]).good().out.clone();
    assert!(own.starts_with("200 "), "{own}");
    let ran = daemon.stop();
    assert!(
        ran.good().err.contains("a request of an agent to an address that is not public was refused"),
        "{ran:?}"
    );
}
