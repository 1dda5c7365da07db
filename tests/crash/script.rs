//! What a message asks the test's agent to do, and the right answer: agent and oracle read the same text.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hasher};

use crate::agent::Kind;
use crate::random::Random;

/// The beginnings of texts by which the gateway explains to an agent what follows.
const PREFACES: [&str; 2] = ["[Event `", "This is a scheduled heartbeat."];

/// What the agent is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Answer at once.
    Echo,
    /// Answer in pieces within `ms` milliseconds.
    Slow { pieces: u64, ms: u64 },
    /// Ask for permission, and answer once the question has ended.
    Ask,
    /// Answer in part, use a tool for `ms` milliseconds, answer the rest.
    Tool { ms: u64 },
    /// Answer in part, send a message with a tool of the gateway, edit it and react to the question, answer the rest.
    Call,
    /// Answer in part, send a message with choices with a tool of the gateway, answer the rest.
    Offer,
    /// Answer at length.
    Long { lines: u64 },
    /// Die in the first attempt.
    Flaky,
    /// Die in every attempt.
    Poison,
    /// Report an error.
    Fail,
    /// Answer with a file, or with several that go together.
    Send { files: u64, bytes: u64 },
    /// Answer files that came without text.
    Count { files: usize },
}

/// A message's content: a tag that no other message has, and a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    pub tag: String,
    pub task: Task,
}

impl Script {
    /// A random task for the background: it mostly takes long enough for a kill.
    pub fn in_background(tag: String, random: &mut Random) -> Self {
        let task = match random.range(0, 99) {
            0..=9 => Task::Echo,
            10..=54 => Task::Slow { pieces: random.range(3, 9), ms: random.range(100, 900) },
            55..=79 => Task::Tool { ms: random.range(30, 400) },
            80..=84 => Task::Long { lines: random.range(150, 400) },
            85..=88 => Task::Flaky,
            89..=90 => Task::Poison,
            91..=94 => Task::Fail,
            95..=97 => Task::Send { files: 1, bytes: random.range(1, 100_000) },
            _ => Task::Send { files: random.range(2, 3), bytes: random.range(1, 30_000) },
        };
        Self { tag, task }
    }

    /// A random task. A plain program cannot use tools, send files or report errors.
    pub fn random(tag: String, plain: bool, files: bool, kind: Kind, random: &mut Random) -> Self {
        let task = match random.range(0, 99) {
            0..=28 => Task::Echo,
            29..=64 => Task::Slow { pieces: random.range(3, 9), ms: random.range(100, 400) },
            65..=83 if !plain => Task::Tool { ms: random.range(10, 150) },
            65..=83 => Task::Slow { pieces: random.range(2, 4), ms: random.range(20, 90) },
            84..=91 => Task::Long { lines: random.range(150, 260) },
            92..=93 => Task::Flaky,
            94 => Task::Poison,
            95..=96 if files => Task::Send { files: 1, bytes: random.range(1, 200_000) },
            97..=98 if files => Task::Send { files: random.range(2, 4), bytes: random.range(1, 50_000) },
            _ if plain => Task::Echo,
            _ => Task::Fail,
        };
        Self { tag, task: if plain { task } else { kind.task(task) } }
    }

    /// The text of the message.
    pub fn text(&self) -> String {
        let tag = &self.tag;
        match &self.task {
            Task::Echo => format!("{tag} echo"),
            Task::Slow { pieces, ms } => format!("{tag} slow {pieces} {ms}"),
            Task::Ask => format!("{tag} ask"),
            Task::Tool { ms } => format!("{tag} tool {ms}"),
            Task::Call => format!("{tag} call"),
            Task::Offer => format!("{tag} offer"),
            Task::Long { lines } => format!("{tag} long {lines}"),
            Task::Flaky => format!("{tag} flaky"),
            Task::Poison => format!("{tag} poison"),
            Task::Fail => format!("{tag} fail"),
            Task::Send { files, bytes } => format!("{tag} send {files} {bytes}"),
            Task::Count { .. } => String::new(),
        }
    }

    /// Reads a script. What the gateway says about an event or a heartbeat stands in the lines before it.
    pub fn read(text: &str) -> Option<Self> {
        let said = match PREFACES.iter().any(|preface| text.starts_with(preface)) {
            true => text.trim_end().lines().next_back()?.trim_matches('`'),
            false => text,
        };
        let mut words = said.split_whitespace();
        let tag = words.next()?.to_owned();
        let name = words.next()?;
        let numbers: Vec<u64> = words.map_while(|word| word.parse().ok()).collect();
        let task = match (name, numbers.as_slice()) {
            ("echo", []) => Task::Echo,
            ("slow", [pieces, ms]) => Task::Slow { pieces: *pieces, ms: *ms },
            ("ask", []) => Task::Ask,
            ("tool", [ms]) => Task::Tool { ms: *ms },
            ("call", []) => Task::Call,
            ("offer", []) => Task::Offer,
            ("long", [lines]) => Task::Long { lines: *lines },
            ("flaky", []) => Task::Flaky,
            ("poison", []) => Task::Poison,
            ("fail", []) => Task::Fail,
            ("send", [files, bytes]) => Task::Send { files: *files, bytes: *bytes },
            _ => return None,
        };
        Some(Self { tag, task })
    }

    /// What the messages of one turn ask for: the first script among their texts, or an answer to their files.
    pub fn of<'t>(mut texts: impl Iterator<Item = &'t str>, files: usize) -> Option<Self> {
        let count = || Self { tag: "files".to_owned(), task: Task::Count { files } };
        texts.find_map(Self::read).or_else(|| (files > 0).then(count))
    }

    /// The right answer in the pieces in which it is streamed.
    pub fn pieces(&self) -> Vec<String> {
        let tag = &self.tag;
        match &self.task {
            Task::Echo => vec![format!("heard {tag}")],
            Task::Slow { pieces, .. } => {
                let first = format!("on {tag}:");
                std::iter::once(first).chain((1..*pieces).map(|n| format!(" word {n} of {tag}"))).collect()
            }
            Task::Ask => vec![format!("settled {tag}")],
            Task::Tool { .. } | Task::Call | Task::Offer => {
                vec![format!("looking {tag} up"), format!(" and found {tag}")]
            }
            Task::Long { lines } => {
                (1..=*lines).map(|n| format!("line {n} of {lines} about {tag}\n")).collect()
            }
            Task::Flaky | Task::Poison | Task::Fail => vec![format!("at last {tag}")],
            Task::Send { .. } => vec![format!("here is {tag}")],
            Task::Count { files } => vec![format!("there came {files} files")],
        }
    }

    pub fn answer(&self) -> String {
        self.pieces().concat()
    }

    /// The message that a tool of the gateway sends.
    pub fn sent(&self) -> String {
        match self.task {
            Task::Offer => format!("choose for {}", self.tag),
            _ => format!("sent for {}", self.tag),
        }
    }

    /// What becomes of that message.
    pub fn edited(&self) -> String {
        format!("edited for {}", self.tag)
    }

    /// Its choices: scripts, because the one that is chosen is a message to the agent.
    pub fn choices(&self) -> [String; 2] {
        ["yes", "no"].map(|choice| {
            let tag = format!("{}-{choice}", self.tag);
            Self { tag, task: Task::Echo }.text()
        })
    }

    /// The files of the right answer, in order.
    pub fn files(&self) -> Vec<Vec<u8>> {
        match self.task {
            Task::Send { files, bytes: len } => {
                (1..=files).map(|n| bytes(&format!("{} {n} ", self.tag), len)).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// The content of the file that belongs to a tag.
pub fn bytes(tag: &str, len: u64) -> Vec<u8> {
    let len = usize::try_from(len).unwrap_or(0);
    let mut bytes = tag.repeat(len / tag.len() + 1).into_bytes();
    bytes.truncate(len);
    bytes
}

/// Tells the contents of files apart.
pub fn fingerprint(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    format!("{}:{:016x}", bytes.len(), hasher.finish())
}

/// Every tag in a text: `q`, eight hexadecimal digits, and the letters, digits and dashes behind them.
pub fn tags(text: &str) -> BTreeSet<String> {
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    let begins = text.match_indices('q').map(|(at, _)| at).filter(|at| {
        let before = at.checked_sub(1).and_then(|before| text.as_bytes().get(before));
        !before.is_some_and(inside) && text.get(at + 1..at + 10).is_some_and(is_mark)
    });
    let word = |at: usize| text.as_bytes()[at..].iter().take_while(|byte| inside(byte)).count();
    begins.map(|at| text[at..at + word(at)].to_owned()).collect()
}

fn is_mark(mark: &str) -> bool {
    mark.ends_with('-') && mark.bytes().take(8).all(|byte| byte.is_ascii_hexdigit())
}
