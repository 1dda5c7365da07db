//! Voice messages with real programs and a fake provider: what they get, and what becomes of every kind of result.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use frontdesk_agents::check_name;
use frontdesk_agents::voice::{Config, build};
use frontdesk_core::config::Secret;
use frontdesk_core::message::FileKind;
use frontdesk_core::voice::{MAX_TRANSCRIPT, Recording, Transcriber};
use frontdesk_fakemodel::{FakeModel, Script};
use serde_json::json;

use crate::closed_in::no_namespaces;
use crate::sandbox::{Sandbox, eventually, exists, gone, runs};

const SOUND: &str = "sound\0of a voice";

fn recording(sandbox: &Sandbox) -> Recording {
    let path = sandbox.home.path().join("media/in/0a.ogg");
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(&path, SOUND).expect("a file");
    Recording {
        path,
        kind: FileKind::Voice,
        mime: Some("audio/ogg; codecs=opus".into()),
        size: 16,
        seconds: None,
    }
}

/// A program that is a shell script, with further arguments.
fn shell(script: &str, args: &[&str]) -> Config {
    let command = ["sh", "-c", script, "sh"].into_iter().chain(args.iter().copied());
    Config { command: command.map(str::to_owned).collect(), ..Config::default() }
}

fn built(config: &Config, sandbox: &Sandbox) -> Arc<dyn Transcriber> {
    config.check().expect("a config that works");
    build(config, &sandbox.host()).expect("a config that works").expect("a transcriber")
}

async fn heard(config: &Config) -> Result<String, String> {
    let sandbox = Sandbox::new();
    built(config, &sandbox).transcribe(&recording(&sandbox)).await
}

/// A pid that the program has written into its working folder.
async fn pid(sandbox: &Sandbox, name: &str) -> u32 {
    let file: PathBuf = sandbox.home.path().join("agents/_voice").join(name);
    let read = || std::fs::read_to_string(&file).unwrap_or_default();
    eventually("a pid is written", || read().ends_with('\n')).await;
    read().trim().parse().expect("a pid")
}

#[test]
fn nothing_is_built_if_nothing_is_configured() {
    assert!(build(&Config::default(), &Sandbox::new().host()).expect("a config that works").is_none());
}

#[tokio::test]
async fn a_program_gets_the_recording_by_its_path_or_on_stdin() {
    let by_path = Config {
        language: Some("de".into()),
        ..shell("cat \"$1\"; echo \" $2\"", &["{file}", "-l={language}"])
    };
    assert_eq!(heard(&by_path).await.unwrap(), format!("{SOUND} -l=de\n"));
    assert_eq!(heard(&shell("cat; echo \"$#\"", &[])).await.unwrap(), format!("{SOUND}0\n"));
    assert_eq!(heard(&shell("echo deaf", &[])).await.unwrap(), "deaf\n", "it need not read");
    let empty =
        shell("if read -r line; then echo something; else echo \"at the end: $line\"; fi", &["{file}"]);
    assert_eq!(heard(&empty).await.unwrap(), "at the end: \n", "with a path stdin is empty");
}

#[tokio::test]
async fn a_program_gets_a_clean_environment_and_what_is_set() {
    let mut config = shell("echo \"${TELEGRAM_BOT_TOKEN-none} $KEY $FRONTDESK_AGENT\"; pwd", &[]);
    config.env.insert("KEY".into(), Secret::new("v"));
    let sandbox = Sandbox::new();
    let said = built(&config, &sandbox).transcribe(&recording(&sandbox)).await.unwrap();
    let folder = sandbox.home.path().join("agents/_voice");
    assert_eq!(said, format!("none v _voice\n{}\n", folder.display()));
    assert!(check_name("voice").is_ok() && check_name("_voice").is_err(), "it shares nothing with an agent");
}

#[tokio::test]
async fn what_a_program_has_started_in_a_session_of_its_own_ends_when_the_program_is_killed_or_fails() {
    let begins =
        "setsid sh -c 'echo $$ > stray; exec sleep 1000' & while ! [ -s stray ]; do sleep 0.01; done;";
    let sandbox = Sandbox::new();
    let transcriber = built(&shell(&format!("{begins} exec sleep 1000"), &[]), &sandbox);
    let recording = recording(&sandbox);
    let stray = tokio::select! {
        _ = transcriber.transcribe(&recording) => panic!("it does not end"),
        stray = pid(&sandbox, "stray") => stray,
    };
    gone(stray).await;
    std::fs::remove_file(sandbox.home.path().join("agents/_voice/stray")).unwrap();
    let failing = built(&shell(&format!("{begins} exit 3"), &[]), &sandbox);
    assert_eq!(failing.transcribe(&recording).await.unwrap_err(), "exit code 3");
    gone(pid(&sandbox, "stray").await).await;
}

#[tokio::test]
async fn a_program_that_fails_says_how_it_ended() {
    let failed = heard(&shell("echo words; echo 'first' >&2; echo 'no model' >&2; exit 3", &[])).await;
    assert_eq!(failed.unwrap_err(), "exit code 3", "stderr may contain the words");
    assert_eq!(heard(&shell("kill -9 $$", &[])).await.unwrap_err(), "signal 9");
    let sandbox = Sandbox::new();
    let missing = built(&Config { command: vec!["no-such-program".into()], ..Config::default() }, &sandbox);
    assert!(missing.problem().unwrap().ends_with("install it, or correct `command` in [voice]"));
    assert!(missing.transcribe(&recording(&sandbox)).await.unwrap_err().contains("no-such-program"));
}

#[tokio::test]
async fn output_without_end_is_cut_off_and_its_program_killed() {
    let sandbox = Sandbox::new();
    let program = built(&shell("echo $$ > child; exec yes", &[]), &sandbox);
    let why = program.transcribe(&recording(&sandbox)).await.unwrap_err();
    assert_eq!(why, format!("its output is longer than {} bytes", 2 * MAX_TRANSCRIPT));
    gone(pid(&sandbox, "child").await).await;
}

#[tokio::test]
async fn a_program_that_hangs_is_killed_with_its_children_when_nobody_waits() {
    const HANGS: &str = "sleep 1000 & echo $! > other; echo $$ > child; wait";
    let sandbox = Sandbox::new();
    let (program, recording) = (built(&shell(HANGS, &[]), &sandbox), recording(&sandbox));
    let waiting = tokio::time::timeout(Duration::from_secs(3600), program.transcribe(&recording));
    let pids = async { [pid(&sandbox, "child").await, pid(&sandbox, "other").await] };
    let pids = tokio::select! {
        pids = pids => pids,
        ended = waiting => panic!("it ended: {ended:?}"),
    };
    for pid in pids {
        gone(pid).await;
    }
    eventually("it is reaped", || !exists(pids[0])).await;
    // A stop ends what still runs.
    for name in ["child", "other"] {
        std::fs::remove_file(sandbox.home.path().join("agents/_voice").join(name)).expect("a file");
    }
    let stopped = async {
        let child = pid(&sandbox, "child").await;
        assert!(runs(child));
        program.stop().await;
        gone(child).await;
    };
    let (ended, ()) = tokio::join!(program.transcribe(&recording), stopped);
    assert!(ended.is_err(), "{ended:?}");
    assert!(program.transcribe(&recording).await.is_err(), "nothing begins after a stop");
}

#[tokio::test]
async fn a_program_in_a_sandbox_sees_the_recording_and_no_other_file() {
    if no_namespaces() {
        return;
    }
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.home.path().join("token"), "secret").expect("a file");
    let script = "cat \"$1\"; ls \"$(dirname \"$1\")\" | wc -l; cat ../../token 2>&1 || true";
    let run_with = serde_json::from_value(json!("bubblewrap-offline")).expect("a sandbox");
    let hear = sandbox.home.path().join("hear");
    std::fs::write(&hear, format!("#!/bin/sh\n{script}\n")).expect("a file");
    std::fs::set_permissions(&hear, std::fs::Permissions::from_mode(0o700)).expect("a program");
    let command = vec!["./hear".to_owned(), "{file}".to_owned()];
    let config = Config { command, run_with: Some(run_with), ..Config::default() };
    let other = sandbox.home.path().join("media/in/other.ogg");
    let recording = recording(&sandbox);
    std::fs::write(other, "other").expect("a file");
    let said = built(&config, &sandbox).transcribe(&recording).await.unwrap();
    assert!(said.starts_with(&format!("{SOUND}1\n")) && !said.contains("secret"), "{said}");
}

/// A provider, and what asks it.
struct Fixture {
    sandbox: Sandbox,
    model: FakeModel,
    transcriber: Arc<dyn Transcriber>,
}

impl Fixture {
    async fn new() -> Self {
        Self::with(|config| config).await
    }

    async fn with(change: impl FnOnce(Config) -> Config) -> Self {
        let (sandbox, model) = (Sandbox::new(), FakeModel::start().await.expect("a port"));
        let config = Config {
            model: Some("whisper-1".into()),
            base_url: Some(model.url()),
            api_key: Some(Secret::new("hunter2")),
            ..Config::default()
        };
        let transcriber = built(&change(config), &sandbox);
        Self { sandbox, model, transcriber }
    }

    async fn heard(&self) -> Result<String, String> {
        self.transcriber.transcribe(&recording(&self.sandbox)).await
    }

    /// The result, while the clock passes this time as soon as somebody sleeps.
    async fn heard_after(&self, pause: Duration) -> Result<String, String> {
        let passes = async {
            let almost = pause - Duration::from_millis(1);
            self.sandbox.clock.wait_for_sleeper().await;
            self.sandbox.clock.pass(almost);
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            self.sandbox.clock.wait_for_sleeper().await;
            self.sandbox.clock.pass(pause - almost);
        };
        tokio::join!(self.heard(), passes).0
    }
}

#[tokio::test]
async fn a_provider_gets_the_recording_as_the_official_clients_send_it() {
    let fixture = Fixture::with(|config| Config { language: Some("de".into()), ..config }).await;
    fixture.model.will(Script::heard(" Hello\n"));
    assert_eq!(fixture.heard().await.unwrap(), " Hello\n");
    let request = fixture.model.requests().remove(0);
    let file = json!({"name": "recording.ogg", "mime": "audio/ogg", "text": SOUND});
    for (field, value) in [
        ("model", json!("whisper-1")),
        ("language", json!("de")),
        ("response_format", json!("json")),
        ("file", file),
    ] {
        assert_eq!(request[field], value, "{field}");
    }
    assert_eq!(request["headers"]["authorization"], "Bearer hunter2");
    assert!(request["headers"]["content-length"].is_string(), "its length is known: {request}");
    let without = Fixture::with(|config| Config { api_key: None, ..config }).await;
    without.model.will(Script::heard("x"));
    without.heard().await.unwrap();
    let request = without.model.requests().remove(0);
    assert!(request["language"].is_null() && request["headers"]["authorization"].is_null(), "{request}");
}

#[tokio::test]
async fn a_busy_provider_is_asked_once_more_after_the_pause_that_it_names() {
    let busy = |after: &str| Script::refusal(429, &json!({"message": "slow"})).header("retry-after", after);
    let fixture = Fixture::new().await;
    fixture.model.will(busy("7"));
    fixture.model.will(Script::heard("at last"));
    assert_eq!(fixture.heard_after(Duration::from_secs(7)).await.unwrap(), "at last");
    // Once and no more.
    let fixture = Fixture::new().await;
    fixture.model.usually(busy("7"));
    let why = fixture.heard_after(Duration::from_secs(7)).await.unwrap_err();
    assert_eq!((why.as_str(), fixture.model.requests().len()), ("the provider answered with status 429", 2));
    // A pause beyond the time limit is not waited for.
    let fixture = Fixture::new().await;
    fixture.model.usually(busy("120"));
    assert!(fixture.heard().await.is_err());
    assert_eq!(fixture.model.requests().len(), 1);
    // Without a named pause it is a second; a broken connection counts as busy.
    for fault in [Script::status(503), Script::heard("").cut()] {
        let fixture = Fixture::new().await;
        fixture.model.will(fault.clone());
        fixture.model.will(Script::heard("at last"));
        assert_eq!(fixture.heard_after(Duration::from_secs(1)).await.unwrap(), "at last", "{fault:?}");
    }
}

#[tokio::test]
async fn what_a_provider_says_wrong_is_told_without_secrets_and_not_repeated() {
    let json = |body: &str| Script::status(200).header("content-type", "application/json").raw(body);
    let unread = "the provider's answer is not JSON with a `text`: is base_url right?";
    for (script, why) in [
        (
            Script::refusal(401, &json!({"message": "bad key hunter2 of Anna", "code": "invalid_api_key"})),
            "the provider answered with status 401 invalid_api_key",
        ),
        (Script::status(404).raw("<html>hunter2</html>"), "the provider answered with status 404"),
        (json("garbage"), unread),
        (json("{\"words\":\"x\"}"), unread),
        (json("{\"text\":7}"), unread),
        (json("{\"text\":\"half"), unread),
        (
            Script::status(302).header("location", "http://127.0.0.1:1/"),
            "the provider answered with status 302",
        ),
    ] {
        let fixture = Fixture::new().await;
        fixture.model.will(script);
        assert_eq!((fixture.heard().await.unwrap_err().as_str(), fixture.model.requests().len()), (why, 1));
    }
    let fixture = Fixture::new().await;
    fixture.model.will(Script::heard(&"x".repeat(8 * MAX_TRANSCRIPT)));
    assert!(fixture.heard().await.unwrap_err().starts_with("the provider's answer is longer than"));
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_is_tried_again_and_named_without_its_key() {
    let fixture = Fixture::new().await;
    fixture.model.cut().await;
    let why = fixture.heard_after(Duration::from_secs(1)).await.unwrap_err();
    assert!(why.starts_with("the provider cannot be reached") && !why.contains("hunter2"), "{why}");
}

#[tokio::test]
async fn a_request_that_nobody_waits_for_is_closed() {
    let fixture = Fixture::new().await;
    fixture.model.will(Script::heard("").hang());
    tokio::select! {
        ended = fixture.heard() => panic!("it ended: {ended:?}"),
        asked = fixture.model.asked(1) => asked.expect("a request"),
    }
    eventually("the connection is closed", || fixture.model.open() == 0).await;
}

#[test]
fn openai_itself_needs_a_key() {
    let config = Config { model: Some("whisper-1".into()), ..Config::default() };
    let problem = built(&config, &Sandbox::new()).problem().unwrap();
    assert_eq!(problem, "api.openai.com needs a key: set api_key in [voice]");
    let local = Config { base_url: Some("http://127.0.0.1:8000".into()), ..config };
    assert_eq!(built(&local, &Sandbox::new()).problem(), None);
}

/// Run by `scripts/transcription-judge`, which installs the official client.
#[tokio::test]
#[ignore = "needs the official client: scripts/transcription-judge"]
async fn the_form_is_that_of_the_official_client() {
    const OFFICIAL: &str = "import sys, openai\n\
        client = openai.OpenAI(base_url=sys.argv[1] + '/v1', api_key='hunter2')\n\
        with open(sys.argv[2], 'rb') as file:\n    \
            heard = client.audio.transcriptions.create(\n        \
                file=('recording.ogg', file, 'audio/ogg'), model='whisper-1', language='de', response_format='json')\n\
        print(heard.text)";
    let python =
        std::env::var_os("OPENAI_PYTHON").expect("OPENAI_PYTHON names a Python with the package openai");
    let fixture = Fixture::with(|config| Config { language: Some("de".into()), ..config }).await;
    fixture.model.usually(Script::heard("heard"));
    let path = recording(&fixture.sandbox).path;
    let url = fixture.model.url();
    let official = tokio::process::Command::new(python).args(["-c", OFFICIAL, &url]).arg(path).output();
    let official = official.await.expect("a Python");
    assert_eq!(String::from_utf8_lossy(&official.stdout), "heard\n", "{official:?}");
    assert_eq!(fixture.heard().await.unwrap(), "heard");
    let mut requests = fixture.model.requests();
    for request in &mut requests {
        let headers = request["headers"].take();
        assert_eq!(headers["authorization"], "Bearer hunter2");
        let kind = headers["content-type"].as_str().unwrap_or_default();
        assert!(kind.starts_with("multipart/form-data; boundary="), "{kind}");
    }
    assert_eq!(requests[0], requests[1], "the official client's, and ours");
}
