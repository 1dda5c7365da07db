//! Other agents as fallbacks.

use std::collections::BTreeMap;

use frontdesk_agents::{build_one_of, check_fallbacks};

use super::*;
use crate::sandbox::{persistent, shell};

/// All agents of a configuration: `main`, and another one.
fn agents(main: Config, other: (&str, Config)) -> BTreeMap<String, Config> {
    BTreeMap::from([("main".to_owned(), main), (other.0.to_owned(), other.1)])
}

fn named(fallbacks: &[&str]) -> Failover {
    failover(fallbacks.iter().map(|name| Fallback::Agent((*name).to_owned())))
}

fn program(script: &str, fallbacks: &[&str]) -> Config {
    Config::Command(frontdesk_agents::command::Config { failover: named(fallbacks), ..shell(script) })
}

fn built(sandbox: &Sandbox, all: &BTreeMap<String, Config>) -> Arc<dyn Agent> {
    build_one_of("main", &all["main"], all, &sandbox.host()).expect("an agent")
}

#[tokio::test]
async fn a_program_stands_in_for_a_model_and_a_model_for_a_program() {
    let (sandbox, provider) = (Sandbox::new(), FakeModel::start().await.unwrap());
    let a_model =
        |fallbacks: &[&str]| openai::Config { failover: named(fallbacks), ..model("gpt", &provider) };
    provider.usually(down(500));
    let all = agents(Config::OpenAi(a_model(&["helper"])), ("helper", program("echo by the program", &[])));
    let reported = read(&sandbox, built(&sandbox, &all).turn(turn(1, "hi")), true).await;
    assert_eq!(reported.answer().trim(), "by the program");
    assert_eq!(reported.changes, [to("gpt", "helper", false)]);
    provider.usually(Script::answer(&["by the model"]));
    let missing = frontdesk_agents::command::Config {
        failover: named(&["helper"]),
        ..frontdesk_agents::command::Config::of(["no-such-program-here"])
    };
    let all = agents(Config::Command(missing), ("helper", Config::OpenAi(a_model(&[]))));
    let sandbox = Sandbox::new();
    let main = built(&sandbox, &all);
    let reported = read(&sandbox, main.turn(turn(1, "hi")), true).await;
    assert_eq!(reported.answer(), "by the model");
    assert_eq!(reported.changes, [to("main", "gpt", false)]);
    main.stop().await;
}

#[tokio::test]
async fn a_fallback_that_calls_no_tools_of_a_client_is_known() {
    let (sandbox, provider) = (Sandbox::new(), FakeModel::start().await.unwrap());
    let all = agents(
        Config::OpenAi(openai::Config { failover: named(&["helper"]), ..model("gpt", &provider) }),
        ("helper", program("echo by the program", &[])),
    );
    let main = built(&sandbox, &all);
    let candidates = main.failover(None).unwrap().candidates;
    let calls: Vec<_> = candidates.iter().map(|one| (one.name.as_str(), one.client_tools)).collect();
    assert_eq!((calls, main.capabilities().client_tools), (vec![("gpt", true), ("helper", false)], false));
}

#[tokio::test]
async fn a_program_that_reports_an_error_goes_on_and_one_that_crashes_again_and_again_is_left_alone() {
    let provider = FakeModel::start().await.unwrap();
    let reports = r#"while read -r line; do echo '{"type":"error","message":"no model"}'; done"#;
    for (script, pauses) in [(reports, 0), ("read -r line; exit 3", 1)] {
        let sandbox = Sandbox::new();
        let command =
            frontdesk_agents::command::Config { failover: named(&["helper"]), ..persistent(script) };
        let all = agents(Config::Command(command), ("helper", Config::OpenAi(model("gpt", &provider))));
        let main = built(&sandbox, &all);
        for id in 1..=3 {
            assert_eq!(read(&sandbox, main.turn(turn(id, "hi")), true).await.answer(), "hello there");
            sandbox.clock.pass(Duration::from_secs(400));
        }
        assert_eq!(main.failover(None).unwrap().candidates[0].pauses, pauses, "{script}");
        main.stop().await;
    }
}

/// A program that reads a prompt, does this, notes that it has, and then hangs.
fn hanging(sandbox: &Sandbox, does: &str) -> (Config, std::path::PathBuf) {
    let reached = sandbox.home.path().join("reached");
    let script = format!("read -r line; {does} touch {}; sleep 100000", reached.display());
    let config = frontdesk_agents::command::Config { failover: named(&["helper"]), ..persistent(&script) };
    (Config::Command(config), reached)
}

#[tokio::test]
async fn a_program_that_hangs_before_it_has_shown_or_done_anything_is_replaced_and_left_alone() {
    let (sandbox, provider) = (Sandbox::new(), FakeModel::start().await.unwrap());
    let (program, reached) = hanging(&sandbox, "");
    let all = agents(program, ("helper", Config::OpenAi(model("gpt", &provider))));
    let main = built(&sandbox, &all);
    let hangs = async {
        eventually("it has the prompt", || reached.exists()).await;
        sandbox.clock.pass(Duration::from_secs(90));
    };
    let replaced = async { tokio::join!(read(&sandbox, main.turn(turn(1, "hi")), true), hangs) };
    let (reported, ()) =
        tokio::time::timeout(Duration::from_secs(60), replaced).await.expect("it is replaced");
    assert_eq!(reported.answer(), "hello there");
    assert_eq!(reported.changes, [to("main", "gpt", false)]);
    let state = main.failover(None).unwrap().candidates.remove(0).state;
    assert!(
        matches!(&state, CandidateState::Paused { why, .. } if why == "no sign of life for 90 s"),
        "{state:?}"
    );
    main.stop().await;
}

#[tokio::test]
async fn a_program_that_hangs_after_it_has_shown_or_done_something_is_not_replaced() {
    // What it has done is known to the gateway alone, which then lets nobody take the turn over.
    for (does, may) in [(r#"echo '{"type":"delta","text":"half"}';"#, true), ("", false)] {
        let (sandbox, provider) = (Sandbox::new(), FakeModel::start().await.unwrap());
        let (program, reached) = hanging(&sandbox, does);
        let main = built(&sandbox, &agents(program, ("helper", Config::OpenAi(model("gpt", &provider)))));
        let mut stream = main.turn(turn(1, "hi"));
        if may {
            while !matches!(next(&mut stream).await, Some(Ok(Delta::Text(_)))) {}
        }
        let hangs = async {
            eventually("it has the prompt", || reached.exists()).await;
            for _ in 0..3 {
                sandbox.clock.pass(Duration::from_secs(90));
                tokio::task::yield_now().await;
            }
            main.abort(TurnId(1)).await;
        };
        let (reported, ()) = tokio::join!(read(&sandbox, stream, may), hangs);
        assert_eq!((reported.changes.len(), provider.requests().len()), (0, 0), "{does}");
        assert_eq!(main.failover(None).unwrap().candidates[0].pauses, 0);
        main.stop().await;
    }
}

#[tokio::test]
async fn a_model_of_a_program_that_does_not_work_leaves_the_others_usable() {
    let (sandbox, provider) = (Sandbox::new(), FakeModel::start().await.unwrap());
    let script = r#"while read -r line; do case "$line" in *'"model":"large"'*) exit 3;; esac
        printf '{"type":"delta","text":"by the program"}\n{"type":"done"}\n'; done"#;
    let config = frontdesk_agents::command::Config {
        failover: named(&["helper"]),
        models: vec!["large".into()],
        ..persistent(script)
    };
    let main = built(
        &sandbox,
        &agents(Config::Command(config), ("helper", Config::OpenAi(model("gpt", &provider)))),
    );
    let large = SessionOptions { model: Some("large".into()), thinking: None };
    for id in 1..=3 {
        let turn = Turn { options: large.clone(), ..turn(id, "hi") };
        assert_eq!(read(&sandbox, main.turn(turn), true).await.answer(), "hello there");
        sandbox.clock.pass(Duration::from_secs(400));
    }
    let session = turn(1, "").session;
    let pauses = |options| main.failover(Some((&session, options))).unwrap().candidates[0].pauses;
    assert_eq!((pauses(&large), pauses(&SessionOptions::default())), (1, 0));
    assert_eq!(read(&sandbox, main.turn(turn(4, "hi")), true).await.answer(), "by the program");
    main.stop().await;
}

#[test]
fn a_fallback_that_makes_no_sense_is_refused_with_the_reason() {
    let all = agents(program("cat", &["main", "helper", "helper", "helpr"]), ("helper", program("cat", &[])));
    let problems: Vec<String> = check_fallbacks(&all).iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "main.failover.fallbacks[0]: an agent cannot be its own fallback",
            "main.failover.fallbacks[2]: the agent `helper` is named twice",
            "main.failover.fallbacks[3]: there is no agent `helpr`; did you mean `helper`? there are: helper, main",
        ]
    );
    let gpt = |fallbacks: &[&str]| {
        Config::OpenAi(openai::Config { failover: named(fallbacks), ..openai::Config::of("gpt") })
    };
    let problems = check_fallbacks(&agents(gpt(&["same"]), ("same", gpt(&[]))));
    assert!(problems[0].to_string().contains("the same model `gpt` at the same provider"), "{problems:?}");
    let model_of_a_program = Config::Command(frontdesk_agents::command::Config {
        failover: failover([other_model("gpt", None)]),
        ..shell("cat")
    });
    let error = model_of_a_program.check().unwrap_err().to_string();
    assert!(error.starts_with("failover.fallbacks[0]: must be the name of another agent"), "{error}");
    let hasty =
        openai::Config { failover: Failover { cooldown: 0, ..named(&[]) }, ..openai::Config::of("gpt") };
    assert!(Config::OpenAi(hasty).check().unwrap_err().to_string().starts_with("failover.cooldown: must be"));
}
