//! A model provider that does what the message says, for agents that ask a model: `kind = "openai"`, and the real pi.
//!
//! It writes every prompt to the journal that the programs write to. It cannot know the attempt of a turn, and from
//! `openai` not the turn either; the oracle judges such records by their tags.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use frontdesk_fakemodel::{FakeModel, Script as Reply};
use serde_json::{Value, json};

use super::{AgentRecord, Kind, Step, UNSEEN, append_to, journal_path, turn_number};
use crate::clock;
use crate::config::MAIN;
use crate::script::{Script, Task, fingerprint, tags};

/// The folder with pi, Node and the packages of the interop tests.
const PACKAGES: &str = "FRONTDESK_INTEROP";
/// The beginning of what Frontdesk tells pi about a message.
const FACTS: &str = "Facts from the gateway";

/// A running provider, and the agent that asks it.
pub struct Model {
    fake: FakeModel,
    kind: Kind,
    folder: PathBuf,
}

impl Model {
    /// Starts the provider for an agent of this kind; `folder` is the home of the gateway.
    pub async fn start(kind: Kind, folder: &Path) -> Result<Self> {
        let fake = FakeModel::start().await?;
        let provider = Provider { kind, journal: journal_path(folder), refused: Mutex::default() };
        fake.answers(move |request| provider.reply(request));
        Ok(Self { fake, kind, folder: folder.to_owned() })
    }

    /// The section of the main agent.
    pub fn section(&self) -> Result<String> {
        match self.kind {
            Kind::Pi => self.pi(),
            Kind::OpenAi | Kind::Program => Ok(format!(
                "[agents.{MAIN}]\nkind = \"openai\"\nmodel = \"fake\"\nbase_url = \"{}\"\ncontext_window = 12000\n\
                 compact = false\n",
                self.fake.url()
            )),
        }
    }

    fn pi(&self) -> Result<String> {
        let packages =
            std::env::var(PACKAGES).with_context(|| format!("{PACKAGES} does not name the folder of pi"))?;
        let folder = self.folder.join("pi-config");
        std::fs::create_dir_all(&folder)?;
        let model = json!({
            "id": "fake", "name": "fake", "reasoning": false, "input": ["text", "image"], "contextWindow": 1_000_000,
            "maxTokens": 4096, "cost": {"input": 1, "output": 1, "cacheRead": 0, "cacheWrite": 0},
        });
        let compat = json!({"supportsDeveloperRole": false, "supportsReasoningEffort": false});
        let provider = json!({
            "baseUrl": format!("{}/v1", self.fake.url()), "api": "openai-completions", "apiKey": "dummy",
            "compat": compat, "models": [model],
        });
        std::fs::write(folder.join("models.json"), json!({"providers": {"fake": provider}}).to_string())?;
        let program = |name: &str| format!("{packages}/node_modules/.bin/{name}");
        Ok(format!(
            "[agents.{MAIN}]\nkind = \"pi\"\ncommand = [{:?}, {:?}]\nprovider = \"fake\"\nmodel = \"fake\"\n\
             agent_dir = \"pi-config\"\napprovals = {{ bash = \"allow\" }}\nenv = {{ PI_OFFLINE = \"1\" }}\n\
             pool = {{ min = 0, max = 6 }}\n",
            program("node"),
            program("pi")
        ))
    }
}

struct Provider {
    kind: Kind,
    journal: PathBuf,
    /// The tags that were refused once, because the script says so.
    refused: Mutex<HashSet<String>>,
}

/// What a request is about.
struct Asked {
    script: Script,
    turn: i64,
    session: String,
    files: Vec<String>,
}

impl Provider {
    fn reply(&self, request: &Value) -> Reply {
        let messages = request["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        let asked = match self.kind {
            Kind::Pi => by_pi(messages),
            Kind::OpenAi | Kind::Program => by_openai(messages),
        };
        // What is no script is a request for a summary.
        let Some(asked) = asked else { return Reply::answer(&["a summary"]) };
        let pieces = asked.script.pieces();
        if messages.last().is_some_and(|last| last["role"] == "tool") {
            return Reply::saying(&[pieces.last().map_or("", String::as_str)])
                .finish("stop")
                .usage(10, 2)
                .done();
        }
        let record = AgentRecord {
            at: clock::now(),
            step: Step::Prompt,
            tag: asked.script.tag.clone(),
            turn: asked.turn,
            attempt: 0,
            session: asked.session.clone(),
            tags: tags(&Value::from(messages.to_vec()).to_string()),
            choice: None,
            files: asked.files.clone(),
        };
        if let Err(error) = append_to(&self.journal, &record) {
            return Reply::refusal(500, &json!({"message": format!("no journal: {error}")}));
        }
        match asked.script.task {
            Task::Fail => Reply::refusal(400, &json!({"message": "the script says so"})),
            Task::Flaky if self.is_first(&asked.script.tag) => {
                Reply::refusal(503, &json!({"message": "overloaded"}))
            }
            Task::Tool { ms } => self.calls(&asked, &record, &pieces[0], ms),
            Task::Slow { ms, .. } => spoken(&pieces, ms / pieces.len() as u64),
            Task::Long { .. } => spoken(&pieces.chunks(20).map(<[String]>::concat).collect::<Vec<_>>(), 5),
            _ => spoken(&pieces, 0),
        }
    }

    fn is_first(&self, tag: &str) -> bool {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).insert(tag.to_owned())
    }

    /// A beginning of the answer, and the call of a tool.
    fn calls(&self, asked: &Asked, record: &AgentRecord, text: &str, ms: u64) -> Reply {
        let (name, arguments) = match self.kind {
            // It writes the record itself, so that a second run would be seen.
            Kind::Pi => {
                let ran = AgentRecord { step: Step::Tool, tags: Default::default(), ..record.clone() };
                let ran = serde_json::to_string(&ran).unwrap_or_default();
                let journal = self.journal.display();
                let seconds = ms as f64 / 1000.0;
                let command = format!("printf '%s\\n' '{ran}' >> '{journal}'; sleep {seconds}; echo found");
                ("bash", json!({"command": command}))
            }
            Kind::OpenAi | Kind::Program => {
                ("send_message", json!({"text": sent_by_tool(&asked.script.tag)}))
            }
        };
        let function = json!({"name": name, "arguments": arguments.to_string()});
        let call = json!({"index": 0, "id": format!("call_{}", asked.script.tag), "type": "function", "function": function});
        let calls = json!({"choices": [{"delta": {"tool_calls": [call]}}]});
        Reply::saying(&[text]).event(&calls).finish("tool_calls").usage(10, 2).done()
    }
}

/// What the tool of an `openai` agent sends.
pub fn sent_by_tool(tag: &str) -> String {
    format!("sent for {tag}")
}

fn spoken(pieces: &[String], pace: u64) -> Reply {
    let begun = Reply::saying(&[]);
    let all = pieces.iter().fold(begun, |reply, piece| reply.word(piece).pause(Duration::from_millis(pace)));
    all.finish("stop").usage(10, 2).done()
}

fn text(message: &Value) -> String {
    match &message["content"] {
        Value::String(text) => text.clone(),
        parts => parts.as_array().into_iter().flatten().filter_map(|part| part["text"].as_str()).collect(),
    }
}

/// pi gets the facts and then the text of people, a message each.
fn by_pi(messages: &[Value]) -> Option<Asked> {
    let texts: Vec<String> = messages.iter().filter(|message| message["role"] == "user").map(text).collect();
    let prompt = texts.iter().rfind(|text| !text.starts_with(FACTS))?;
    let facts = texts.iter().rfind(|text| text.starts_with(FACTS))?;
    let facts: Value = serde_json::from_str(facts.split_once('\n')?.1).ok()?;
    let listed = facts["messages"].as_array().into_iter().flatten();
    let files: Vec<String> =
        listed.filter_map(|message| message["files"].as_array()).flatten().map(file).collect();
    let script = Script::of(prompt.split("\n\n"), files.len())?;
    let turn = turn_number(facts["turn"].as_str()?).ok()?;
    Some(Asked { script, turn, session: facts["session"].as_str()?.to_owned(), files })
}

fn file(file: &Value) -> String {
    let read = file["path"].as_str().map(std::fs::read);
    match read {
        Some(Ok(bytes)) => fingerprint(&bytes),
        _ => format!("missing: {}", file["missing"].as_str().unwrap_or_default()),
    }
}

/// A model gets a text, or objects of the gateway in lines. What was not answered before stands before it.
fn by_openai(messages: &[Value]) -> Option<Asked> {
    let prompt = text(messages.iter().rfind(|message| message["role"] == "user")?);
    let lines: Vec<Value> = prompt.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let has_files = |line: &&Value| line["files"].is_array();
    let last: Vec<&Value> = match lines.iter().rev().take_while(has_files).count() {
        0 => lines.last().into_iter().collect(),
        several => lines[lines.len() - several..].iter().collect(),
    };
    let files: usize = last.iter().filter_map(|line| line["files"].as_array()).map(Vec::len).sum();
    let script = match last.is_empty() {
        true => Script::read(&prompt),
        false => Script::of(last.iter().filter_map(|line| line["text"].as_str()), files),
    };
    Some(Asked { script: script?, turn: 0, session: String::new(), files: vec![UNSEEN.to_owned(); files] })
}
