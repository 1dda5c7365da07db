//! A model as the agent, from a home folder with nothing in it.

use std::process::{Command, Stdio};

use frontdesk_fakemodel::{FakeModel, Script};
use rustix::process::Signal;
use serde_json::json;

use crate::program::{Daemon, NewHome, command};

/// A provider, and a gateway that finds it in its environment.
struct Provider {
    runtime: tokio::runtime::Runtime,
    model: FakeModel,
}

impl Provider {
    fn new() -> Provider {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let model = runtime.block_on(FakeModel::start()).unwrap();
        Provider { runtime, model }
    }

    fn command(&self, home: &NewHome) -> Command {
        let mut command = command(&home.path());
        command.args(["run", "--port", "0"]);
        command
            .env("OPENAI_API_KEY", "sk-very-secret")
            .env("OPENAI_BASE_URL", self.model.url())
            .env("OPENAI_MODEL", "fake");
        command
    }

    fn contents(&self) -> Vec<String> {
        let request = self.model.requests().pop().unwrap();
        let messages = request["messages"].as_array().unwrap();
        messages.iter().skip(1).map(|message| message["content"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn a_key_is_all_that_a_model_needs_and_it_remembers_over_a_kill() {
    let (home, provider) = (NewHome::new(), Provider::new());
    let daemon = Daemon::start_with(&mut provider.command(&home));
    provider.model.will(Script::answer(&["noted"]));
    assert_eq!(home.run(&["chat", "remember 7"]).good().out, "noted\n");
    // Killed in the middle of an answer, it gives the whole answer after the next start.
    provider.model.will(Script::saying(&["half"]).hang());
    let mut chat = command(&home.path());
    let mut chat =
        chat.args(["chat", "which number?"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    provider.runtime.block_on(provider.model.asked(2)).unwrap();
    daemon.signal(Signal::KILL);
    daemon.end();
    chat.kill().unwrap();
    chat.wait().unwrap();
    provider.model.will(Script::answer(&["it is 7"]));
    let daemon = Daemon::start_with(&mut provider.command(&home));
    provider.runtime.block_on(provider.model.asked(3)).unwrap();
    assert_eq!(provider.contents(), ["remember 7", "noted", "which number?"]);
    crate::program::until("the answer is in the history", || {
        home.run(&["sessions", "messages", "agent:main:web:dm:main", "--json"]).good().out.contains("it is 7")
    });
    assert_eq!(provider.model.requests().len(), 3);
    let ran = daemon.stop();
    assert!(
        ran.out.contains("Answers come from the model fake at 127.0.0.1, because OPENAI_API_KEY is set."),
        "{ran:?}"
    );
}

#[test]
fn neither_the_key_nor_a_text_is_logged() {
    let (home, provider) = (NewHome::new(), Provider::new());
    let daemon = Daemon::start_with(provider.command(&home).env("RUST_LOG", "trace"));
    home.run(&["chat", "open sesame"]).good();
    provider
        .model
        .usually(Script::refusal(401, &json!({"message": "Incorrect API key provided: sk-very-secret."})));
    let failed = home.run(&["chat", "open sesame"]);
    failed.failed(1, &["status 401", "Incorrect API key provided: ***"]);
    let log = daemon.stop();
    for secret in ["sk-very-secret", "open sesame", "hello there"] {
        assert!(!log.err.contains(secret), "{secret} in {}", log.err);
    }
    assert!(log.err.contains("status 401"), "{}", log.err);
}

/// Fails with the prompt on stderr.
const ECHOING: &str = "[agents.main]\nkind = \"command\"\ncommand = [\"sh\", \"-c\", \"cat >&2; exit 3\"]\n";

#[test]
fn an_error_that_quotes_a_message_is_for_the_one_who_asks_and_not_for_the_log() {
    let (home, provider) = (NewHome::new(), Provider::new());
    let daemon = Daemon::start_with(&mut provider.command(&home));
    for status in [401, 503] {
        let quoting = json!({"message": "`open sesame` is refused", "code": "open sesame"});
        provider.model.usually(Script::refusal(status, &quoting));
        home.run(&["chat", "open sesame"])
            .failed(1, &[&format!("status {status}"), "`open sesame` is refused"]);
    }
    let log = daemon.stop().err;
    assert!(!log.contains("open sesame"), "{log}");
    for status in ["status 401\"", "status 503\""] {
        assert!(log.contains(&format!("detail=\"the model provider answered with {status}")), "{log}");
    }

    home.write("frontdesk.toml", ECHOING);
    let daemon = Daemon::start(&home.path());
    home.run(&["chat", "open sesame"]).failed(1, &["exit code 3", "open sesame"]);
    let log = daemon.stop().err;
    assert!(!log.contains("open sesame") && log.contains("exit code 3"), "{log}");
}

#[test]
fn without_a_key_the_start_says_how_to_get_a_model() {
    let home = NewHome::new();
    let ran = Daemon::start(&home.path()).stop();
    assert!(ran.out.contains("the built-in test agent") && ran.out.contains("OPENAI_API_KEY"), "{ran:?}");
}

#[test]
fn a_model_sends_a_message_by_a_tool_before_its_answer() {
    let (home, provider) = (NewHome::new(), Provider::new());
    let daemon = Daemon::start_with(&mut provider.command(&home));
    let sending = |arguments: &str| {
        let call = json!({"index": 0, "id": "call_1", "type": "function",
                          "function": {"name": "send_message", "arguments": arguments}});
        let called = Script::saying(&[]).event(&json!({"choices": [{"delta": {"tool_calls": [call]}}]}));
        called.finish("tool_calls").usage(100, 10).done()
    };
    provider.model.will(sending(r#"{"text":"by the tool"}"#));
    provider.model.will(Script::answer(&["It is sent."]));
    assert_eq!(home.run(&["chat", "go"]).good().out, "It is sent.\n");
    let sent = home.run(&["outbox", "--json"]).good().out.clone();
    assert!(sent.contains("by the tool"), "{sent}");
    let results = provider.model.requests()[1]["messages"].as_array().unwrap().clone();
    assert_eq!(results.last().unwrap()["content"], "It is on its way. Its id is o1.");
    // With nothing more to say than what the tool has sent.
    provider.model.will(sending(r#"{"text":"all of it"}"#));
    provider.model.will(Script::answer(&[]));
    home.run(&["chat", "go"]).good();
    daemon.stop();
}
