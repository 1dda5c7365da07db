//! Two models behind one agent: the first one fails, and the second one answers.

use std::process::{Command, Stdio};

use frontdesk_fakemodel::{FakeModel, Script};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::program::{Daemon, NewHome, command, finish, until};

const CHAT: &str = "agent:main:web:dm:main";

/// Two providers and a gateway whose agent asks the second when the first fails.
struct Providers {
    runtime: tokio::runtime::Runtime,
    first: FakeModel,
    second: FakeModel,
    home: NewHome,
}

impl Providers {
    fn new() -> Providers {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let start = || runtime.block_on(FakeModel::start()).unwrap();
        let (first, second, home) = (start(), start(), NewHome::new());
        first.usually(Script::answer(&["from the first"]));
        second.usually(Script::answer(&["from the second"]));
        let providers = Providers { runtime, first, second, home };
        providers.configure(600);
        providers
    }

    fn configure(&self, cooldown: u64) {
        let (first, second) = (self.first.url(), self.second.url());
        let config = format!(
            "[agents.main]\nkind = \"openai\"\nmodel = \"large\"\nbase_url = \"{first}\"\napi_key = \"sk-first\"\n\
             retries = 0\nfailover.cooldown = {cooldown}\nfailover.dwell = 0\n\
             failover.fallbacks = [{{ model = \"small\", base_url = \"{second}\", api_key = \"sk-second\" }}]\n"
        );
        self.home.write("frontdesk.toml", &config);
    }

    fn chat(&self, text: &str) -> String {
        self.home.run(&["chat", text]).good().out.clone()
    }

    /// An answer of the API.
    fn get(&self, path: &str) -> String {
        let (url, token) = self.home.reached();
        let mut curl = Command::new("curl");
        curl.args(["-sf", &format!("{url}{path}"), "-H", &format!("Authorization: Bearer {token}")]);
        finish(&mut curl, "").good().out.clone()
    }

    fn session(&self) -> Value {
        serde_json::from_str(&self.get(&format!("/api/session/{CHAT}"))).unwrap()
    }

    /// What the last request to the second provider contained.
    fn contents(&self) -> Vec<String> {
        let request = self.second.requests().pop().unwrap();
        let messages = request["messages"].as_array().unwrap();
        messages.iter().skip(1).map(|message| message["content"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn a_model_that_dies_in_its_answer_is_replaced_and_everybody_can_see_it() {
    let providers = Providers::new();
    let mut daemon = Daemon::start(&providers.home.path());
    assert_eq!(providers.chat("remember 7"), "from the first\n");
    // It dies three times, and then it is left alone.
    providers.first.usually(Script::saying(&["half an", " answer"]).cut());
    let shown = providers.chat("which number?");
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(
        lines,
        [
            "half an answer",
            "(the agent starts over)",
            "from the second",
            "`large` is not available at the moment, so `small` has answered."
        ]
    );
    assert_eq!(providers.contents(), ["remember 7", "from the first", "which number?"]);
    assert_eq!(providers.second.headers("authorization"), [Some("Bearer sk-second".to_owned())]);
    for _ in 0..2 {
        let shown = providers.chat("and now?");
        assert!(shown.ends_with("from the second\n"), "the change is told once: {shown}");
    }
    daemon.logs("it has failed and is left alone for a while");
    assert_eq!(providers.chat("and now?"), "from the second\n");
    assert_eq!(providers.first.requests().len(), 4);
    // The history has the answers alone.
    let history = providers.home.run(&["sessions", "messages", CHAT, "--json"]).json();
    assert!(!history.to_string().contains("half an answer"), "{history}");
    assert!(!history.to_string().contains("is not available"), "{history}");
    let status = providers.chat("/status");
    for line in [
        "`large` has failed (connection lost) and is tried again in",
        "`small` answers here, in place of `large`.",
    ] {
        assert!(status.contains(line), "{status}");
    }
    let failover = &providers.session()["failover"];
    assert_eq!(failover["answering"], "small");
    let large = &failover["candidates"][0];
    assert_eq!((&large["name"], &large["state"]), (&json!("large"), &json!("paused")));
    assert_eq!((&large["reason"], &large["pauses"]), (&json!("connection lost"), &json!(1)));
    assert!(large["retry_in_seconds"].as_u64().unwrap() > 400);
    let status = providers.home.run(&["status"]).good().out.clone();
    let row = status.lines().find(|line| line.contains("large at 127.0.0.1")).unwrap();
    assert!(row.contains("paused") && row.contains("connection lost"), "{status}");
    let metrics = providers.get("/metrics");
    for line in [
        "frontdesk_model_paused{model=\"large at 127.0.0.1\"} 1",
        "frontdesk_model_paused{model=\"small at 127.0.0.1\"} 0",
        "frontdesk_model_pauses_total{model=\"large at 127.0.0.1\"} 1",
        "frontdesk_failovers_total{agent=\"main\"} 3",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
    // A reload with another cooldown makes another agent, and the provider is known to it.
    providers.configure(500);
    providers.home.run(&["config", "reload"]).good();
    assert_eq!(providers.chat("and now?"), "from the second\n");
    assert_eq!(providers.first.requests().len(), 4);
    daemon.stop();
}

#[test]
fn a_model_that_works_again_answers_again_and_that_is_told() {
    let providers = Providers::new();
    providers.configure(1);
    let daemon = Daemon::start(&providers.home.path());
    providers.first.usually(Script::refusal(503, &json!({"message": "down"})));
    let shown = providers.chat("hi");
    assert!(shown.ends_with("so `small` has answered.\n"), "{shown}");
    providers.first.usually(Script::answer(&["from the first"]));
    let mut shown = String::new();
    until("the first model answers again", || {
        shown = providers.chat("hi");
        shown.starts_with("from the first")
    });
    assert!(shown.ends_with("`large` is available again and has answered.\n"), "{shown}");
    assert_eq!(providers.chat("hi"), "from the first\n");
    daemon.stop();
}

#[test]
fn a_gateway_that_is_killed_between_two_models_gives_one_whole_answer() {
    let providers = Providers::new();
    let daemon = Daemon::start(&providers.home.path());
    providers.first.usually(Script::saying(&["half"]).cut());
    providers.second.will(Script::saying(&["another half"]).hang());
    let mut chat = command(&providers.home.path());
    let mut chat = chat.args(["chat", "hi"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    providers.runtime.block_on(providers.second.asked(1)).unwrap();
    daemon.signal(Signal::KILL);
    daemon.end();
    chat.kill().unwrap();
    chat.wait().unwrap();
    let daemon = Daemon::start(&providers.home.path());
    until("the answer is in the history", || {
        let shown = providers.home.run(&["sessions", "messages", CHAT, "--json"]).good().out.clone();
        shown.contains("from the second") && !shown.contains("half")
    });
    assert_eq!(providers.second.requests().len(), 2);
    daemon.stop();
}

/// Calls a tool and then dies.
const ACTING: &str = r#"
read -r prompt
echo '{"type":"tool_start","id":1,"name":"shell","params":{}}'
read -r allowed
touch acted
exit 3
"#;

#[test]
fn a_turn_that_has_acted_is_not_answered_by_another_agent() {
    let providers = Providers::new();
    let config = format!(
        "default_agent = \"main\"\n[agents.main]\nkind = \"command\"\nmode = \"lasting\"\n\
         command = [\"sh\", \"../../agent.sh\"]\nfailover.fallbacks = [\"helper\"]\n\
         [agents.helper]\nkind = \"openai\"\nmodel = \"small\"\nbase_url = \"{}\"\n",
        providers.second.url()
    );
    providers.home.write("frontdesk.toml", &config);
    providers.home.write("agent.sh", ACTING);
    let daemon = Daemon::start(&providers.home.path());
    let refused = providers.home.run(&["chat", "hi"]);
    refused.failed(1, &["started to act"]);
    assert!(providers.home.path().join("agents/main/acted").exists());
    assert_eq!(providers.second.requests().len(), 0);
    // Without that it is.
    providers.home.write("agent.sh", "read -r prompt; exit 3\n");
    let answered = providers.home.run(&["chat", "hi"]).good().out.clone();
    assert!(answered.starts_with("from the second\n"), "{answered}");
    daemon.stop();
}
