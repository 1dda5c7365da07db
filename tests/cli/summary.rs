//! A long conversation with a model, in a whole gateway: it is summarized, that is told once and survives a kill. And a
//! stop that reaches the provider.

use std::process::Stdio;

use frontdesk_fakemodel::{FakeModel, Script};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::program::{Daemon, NewHome, command, until};

const CHAT: &str = "agent:main:web:dm:main";

/// A provider and a gateway whose model has a small context window.
struct Small {
    runtime: tokio::runtime::Runtime,
    model: FakeModel,
    home: NewHome,
}

impl Small {
    fn new() -> Small {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let model = runtime.block_on(FakeModel::start()).unwrap();
        let home = NewHome::new();
        let config = format!(
            "[agents.main]\nkind = \"openai\"\nmodel = \"small\"\nmodels = [\"large\"]\nbase_url = \"{}\"\n\
             context_window = 2048\ntools = false\nretries = 0\nprices.small = {{ input = 1.0, output = 2.0 }}\n",
            model.url()
        );
        home.write("frontdesk.toml", &config);
        Small { runtime, model, home }
    }

    fn chat(&self, text: &str) -> String {
        self.home.run(&["chat", text]).good().out.clone()
    }

    /// What a request contained after the system prompt.
    fn contents(&self, request: &Value) -> Vec<String> {
        let messages = request["messages"].as_array().unwrap();
        messages.iter().skip(1).map(|message| message["content"].as_str().unwrap().to_owned()).collect()
    }

    /// A conversation that fills the window.
    fn fill(&self) {
        for n in 0..3 {
            self.model.will(Script::answer(&[&format!("noted {n} {}", "y".repeat(1200))]));
            self.chat(&format!("remember {n} {}", "x".repeat(600)));
        }
    }

    fn session(&self) -> Value {
        self.home.run(&["sessions", "show", CHAT, "--json"]).json()
    }
}

#[test]
fn a_long_conversation_is_summarized_once_and_everybody_can_see_it() {
    let small = Small::new();
    let daemon = Daemon::start(&small.home.path());
    small.fill();
    small.model.will(Script::answer(&["They like 7."]));
    // Killed as soon as the answer after the summary is asked for, the next start does not summarize again.
    small.model.will(Script::saying(&["half"]).hang());
    let mut chat = command(&small.home.path());
    let mut chat =
        chat.args(["chat", "which number?"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    small.runtime.block_on(small.model.asked(5)).unwrap();
    daemon.signal(Signal::KILL);
    daemon.end();
    chat.kill().unwrap();
    chat.wait().unwrap();
    small.model.will(Script::answer(&["it is 7"]));
    let daemon = Daemon::start(&small.home.path());
    until("the answer is in the history", || {
        small.home.run(&["sessions", "messages", CHAT, "--json"]).good().out.contains("it is 7")
    });
    let requests = small.model.requests();
    assert_eq!(requests.len(), 6, "three answers, a summary, a half and a whole one");
    let asked = small.contents(&requests[5]).join("\n");
    assert!(asked.contains("They like 7.") && asked.contains("which number?"), "{asked}");
    assert!(!asked.contains("noted"), "the summary stands for that: {asked}");
    let notices = small.home.run(&["outbox", "--json"]).json().to_string();
    assert_eq!(notices.matches("goes on with this summary of it").count(), 1, "{notices}");
    // The tokens of the summary were lost with the killed attempt.
    let session = small.session();
    assert_eq!((&session["model"], &session["usage_total"]["answers"]), (&json!("small"), &json!(4)));
    assert_eq!(session["usage_total"]["input"], json!(400));
    let shown = small.home.run(&["sessions", "show", CHAT]).good().out.clone();
    for line in [
        "Model         small",
        "All answers   4 answers: 400 tokens read, 80 tokens written",
        "Context       5 % full",
    ] {
        assert!(shown.contains(line), "{line} is not in {shown}");
    }
    // A summary by hand, and again when nothing was said since.
    small.model.will(Script::answer(&["They like 7 very much."]));
    let told = small.chat("/compact keep the number");
    assert!(told.contains("goes on with this summary") && told.contains("They like 7 very much."), "{told}");
    assert_eq!(small.chat("/compact"), "Nothing was said here since the last summary.\n");
    let status = small.chat("/status");
    for line in [
        "Agent: main, model `small`.",
        "The whole conversation read 500 tokens and wrote 100 tokens for 0.000",
    ] {
        assert!(status.contains(line), "{line} is not in {status}");
    }
    assert!(!status.contains("% full"), "the context is not what it was: {status}");
    assert_eq!(small.session()["usage"]["context_used"], Value::Null);
    daemon.stop();
}

#[test]
fn a_window_that_is_too_small_is_found_once() {
    let small = Small::new();
    let daemon = Daemon::start(&small.home.path());
    small.fill();
    let refusal =
        json!({"message": "maximum context length is 1024 tokens", "code": "context_length_exceeded"});
    small.model.will(Script::refusal(400, &refusal));
    small.model.will(Script::answer(&["They like 7."]));
    small.model.will(Script::answer(&["yes"]));
    let told = small.chat("do you know?");
    assert!(told.contains("They like 7.") && told.contains("yes"), "{told}");
    let known = small.model.requests().len();
    small.model.will(Script::answer(&["sure"]));
    small.chat("and now?");
    assert_eq!(small.model.requests().len(), known + 1, "nothing is refused again");
    assert_eq!(small.session()["usage"]["context_window"], json!(1024));
    daemon.stop();
}

#[test]
fn a_stop_closes_the_connection_to_the_provider_and_keeps_what_was_said() {
    let small = Small::new();
    let daemon = Daemon::start(&small.home.path());
    small.model.will(Script::saying(&["one ", "two"]).hang());
    let mut chat = command(&small.home.path());
    let chat = chat.args(["chat", "count"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    small.runtime.block_on(small.model.asked(1)).unwrap();
    until("it runs", || small.session()["running"].is_string());
    assert_eq!(small.model.open(), 1);
    assert_eq!(small.chat("/stop"), "Stopped the answer.\n");
    until("the connection is closed", || small.model.open() == 0);
    let ended = chat.wait_with_output().unwrap();
    assert!(!ended.status.success(), "{ended:?}");
    let message = || small.home.run(&["sessions", "messages", CHAT, "--json"]).json()["messages"].clone();
    until("what was said is kept", || message().to_string().contains("one two"));
    assert!(message().to_string().contains("cancelled"), "{}", message());
    // The next answer knows of it.
    small.chat("and on");
    let asked = small.contents(&small.model.requests().pop().unwrap());
    assert_eq!(asked[1], "one two\n\n[This answer was cut off here.]");
    daemon.stop();
}
