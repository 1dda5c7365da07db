//! Programs behind a prefix (`run_with`), with limits and with a proxy.

use frontdesk_agents::command;
use frontdesk_agents::process::{Ready, RunWith};
use frontdesk_agents::{Config, Host, build};
use frontdesk_core::config::Secret;
use frontdesk_core::delta::AgentError;
use frontdesk_http::proxy::Proxy;
use frontdesk_http::{Guard, Ssrf};

use super::{agent, bubblewrap, count, no_namespaces, seconds};
use crate::sandbox::{Sandbox, answer, error, eventually, gone, piece, shell, turn};

fn behind(words: &[&str], script: &str) -> command::Config {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    command::Config { run_with: Some(RunWith::Words(words)), ..shell(script) }
}

#[tokio::test]
async fn a_prefix_is_put_before_the_command_with_its_placeholders_filled() {
    let sandbox = Sandbox::new();
    let words = ["env", "CWD={cwd}", "MEDIA={media}", "FACTS={facts}"];
    let script =
        "[ $CWD = $PWD ] && [ $MEDIA = $FRONTDESK_MEDIA ] && [ $FACTS = $FRONTDESK_FACTS ] && echo yes";
    assert_eq!(answer(agent(&sandbox, behind(&words, script)).turn(turn(1, ""))).await, "yes\n");
}

#[tokio::test]
async fn a_prefix_that_passes_signals_on_gets_one_before_it_is_killed() {
    let sandbox = Sandbox::new();
    // As sudo and docker do: the program is out of reach, and only the prefix can end it.
    let relay = r#"setsid "$@" & trap "kill -TERM $!" TERM; wait"#;
    let config = behind(&["sh", "-c", relay, "sh"], "echo $$ > pid; echo up; exec sleep 1000");
    let mut stream = agent(&sandbox, config).turn(turn(1, ""));
    piece(&mut stream).await;
    let pid = sandbox.pid("pid").await;
    drop(stream);
    gone(pid).await;
}

#[tokio::test]
async fn limits_and_kills_reach_a_program_that_its_prefix_starts_as_a_child() {
    let sandbox = Sandbox::new();
    let sandboxed = RunWith::Ready(Ready::Bubblewrap);
    let child = RunWith::Words(["timeout", "1000"].map(Into::into).into());
    let modes = [(3, child), (4, sandboxed)];
    for (n, run_with) in modes.into_iter().take(if no_namespaces() { 1 } else { 2 }) {
        let limited = |script| command::Config {
            run_with: Some(run_with.clone()),
            max_file: Some(1 << 20),
            max_cpu: Some(1),
            ..shell(script)
        };
        let limits = "cat > /dev/null; ulimit -c; ulimit -f; ulimit -t";
        assert_eq!(answer(agent(&sandbox, limited(limits)).turn(turn(1, "x"))).await, "0\n2048\n1\n");
        let busy = "read -r p; while :; do :; done";
        let why = error(agent(&sandbox, limited(busy)).turn(turn(2, "x\n"))).await;
        assert!(
            matches!(&why, AgentError::Died(why) if why.to_string().contains("processor time")),
            "{why:?}"
        );
        let sleep = seconds(n);
        let script = format!("sleep {sleep} & echo up; wait");
        let mut stream = agent(&sandbox, limited(&script)).turn(turn(3, ""));
        piece(&mut stream).await;
        drop(stream);
        eventually("all are gone", || count(&sleep) == 0).await;
    }
}

#[tokio::test]
async fn a_missing_sandbox_is_named_with_its_key_and_its_package() {
    let sandbox = Sandbox::new();
    let host = Host { env: vec![("PATH".into(), "/nowhere".into())], ..sandbox.host() };
    let problem = |config| build("test", &Config::Command(config), &host).unwrap().problem().unwrap();
    assert_eq!(
        problem(bubblewrap("true")),
        "`run_with` in [agents.test] needs the program bwrap: install the package bubblewrap"
    );
    assert!(problem(behind(&["sudo"], "true")).contains("sudo is in none of the folders of PATH"));
    assert_eq!(agent(&sandbox, behind(&["env"], "true")).problem(), None);
}

#[tokio::test]
async fn a_program_gets_a_proxy_of_its_own_unless_its_config_names_another() {
    let sandbox = Sandbox::new();
    let guard = Guard::new(&Ssrf::default()).unwrap();
    let own = "127.0.0.1:3847".parse().unwrap();
    let proxy = Proxy::bind(guard, own, sandbox.clock.clone()).await.unwrap();
    let host = Host { proxy: Some(proxy.access()), ..sandbox.host() };
    let script = "echo $HTTP_PROXY; echo $http_proxy $HTTPS_PROXY $https_proxy; echo $NO_PROXY $no_proxy";
    let agent = build("test", &Config::Command(shell(script)), &host).unwrap();
    let seen = answer(agent.turn(turn(1, ""))).await;
    let lines: Vec<&str> = seen.lines().collect();
    let url = lines[0];
    assert!(url.starts_with("http://agent:") && url.contains("@127.0.0.1:"), "{seen}");
    assert_eq!(lines[1], format!("{url} {url} {url}"));
    assert_eq!(lines[2], "127.0.0.1:3847,localhost:3847 127.0.0.1:3847,localhost:3847");
    assert!(!answer(agent.turn(turn(2, ""))).await.contains(url), "each program has its own token");
    let mut config = shell("echo $HTTP_PROXY");
    config.env.insert("HTTP_PROXY".into(), Secret::new("http://proxy.example"));
    let agent = build("test", &Config::Command(config), &host).unwrap();
    assert_eq!(answer(agent.turn(turn(3, ""))).await, "http://proxy.example\n");
}
