//! What a message asks of the stub agent, and the answer that is right: agent and oracle read the same words.

use std::hash::{DefaultHasher, Hasher};

use crate::dice::Dice;

/// What the agent is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Answer at once.
    Echo,
    /// Answer in pieces, over so many milliseconds.
    Slow { pieces: u64, ms: u64 },
    /// Say something, use a tool for so long, say the rest.
    Tool { ms: u64 },
    /// Answer at length.
    Long { lines: u64 },
    /// Die in the first attempt.
    Flaky,
    /// Die in every attempt.
    Poison,
    /// Say that there is no answer.
    Fail,
    /// Answer with a file of so many bytes.
    Send { bytes: u64 },
    /// Answer files that came without a word.
    Count { files: usize },
}

/// A message: its tag, which no other message has, and the deed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    pub tag: String,
    pub deed: Deed,
}

impl Script {
    /// A deed by chance. A plain program has no words for a tool or a refusal.
    pub fn draw(tag: String, plain: bool, dice: &mut Dice) -> Self {
        let deed = match dice.range(0, 99) {
            0..=29 => Deed::Echo,
            30..=66 => Deed::Slow { pieces: dice.range(3, 9), ms: dice.range(100, 400) },
            67..=86 if !plain => Deed::Tool { ms: dice.range(10, 150) },
            67..=86 => Deed::Slow { pieces: dice.range(2, 4), ms: dice.range(20, 90) },
            87..=94 => Deed::Long { lines: dice.range(150, 260) },
            95..=96 => Deed::Flaky,
            97 => Deed::Poison,
            _ if plain => Deed::Echo,
            _ => Deed::Fail,
        };
        Self { tag, deed }
    }

    /// The message as it is sent.
    pub fn text(&self) -> String {
        let tag = &self.tag;
        match &self.deed {
            Deed::Echo => format!("{tag} echo"),
            Deed::Slow { pieces, ms } => format!("{tag} slow {pieces} {ms}"),
            Deed::Tool { ms } => format!("{tag} tool {ms}"),
            Deed::Long { lines } => format!("{tag} long {lines}"),
            Deed::Flaky => format!("{tag} flaky"),
            Deed::Poison => format!("{tag} poison"),
            Deed::Fail => format!("{tag} fail"),
            Deed::Send { bytes } => format!("{tag} send {bytes}"),
            Deed::Count { .. } => String::new(),
        }
    }

    /// Reads a message.
    pub fn read(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let tag = words.next()?.to_owned();
        let name = words.next()?;
        let numbers: Vec<u64> = words.map_while(|word| word.parse().ok()).collect();
        let deed = match (name, numbers.as_slice()) {
            ("echo", []) => Deed::Echo,
            ("slow", [pieces, ms]) => Deed::Slow { pieces: *pieces, ms: *ms },
            ("tool", [ms]) => Deed::Tool { ms: *ms },
            ("long", [lines]) => Deed::Long { lines: *lines },
            ("flaky", []) => Deed::Flaky,
            ("poison", []) => Deed::Poison,
            ("fail", []) => Deed::Fail,
            ("send", [bytes]) => Deed::Send { bytes: *bytes },
            _ => return None,
        };
        Some(Self { tag, deed })
    }

    /// What the messages of one turn ask for: what the first one says that has words, or what the files do.
    pub fn of<'t>(mut texts: impl Iterator<Item = &'t str>, files: usize) -> Option<Self> {
        let count = || Self { tag: "files".to_owned(), deed: Deed::Count { files } };
        texts.find_map(Self::read).or_else(|| (files > 0).then(count))
    }

    /// The right answer, in the pieces in which it is said.
    pub fn pieces(&self) -> Vec<String> {
        let tag = &self.tag;
        match &self.deed {
            Deed::Echo => vec![format!("heard {tag}")],
            Deed::Slow { pieces, .. } => {
                let first = format!("on {tag}:");
                std::iter::once(first).chain((1..*pieces).map(|n| format!(" word {n} of {tag}"))).collect()
            }
            Deed::Tool { .. } => vec![format!("looking {tag} up"), format!(" and found {tag}")],
            Deed::Long { lines } => {
                (1..=*lines).map(|n| format!("line {n} of {lines} about {tag}\n")).collect()
            }
            Deed::Flaky | Deed::Poison | Deed::Fail => vec![format!("at last {tag}")],
            Deed::Send { .. } => vec![format!("here is {tag}")],
            Deed::Count { files } => vec![format!("there came {files} files")],
        }
    }

    /// The right answer.
    pub fn answer(&self) -> String {
        self.pieces().concat()
    }
}

/// The bytes of a file that belongs to a tag.
pub fn bytes(tag: &str, bytes: u64) -> Vec<u8> {
    let seed = tag.bytes().fold(0, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
    let mut dice = Dice::new(seed);
    (0..bytes.div_ceil(8))
        .flat_map(|_| dice.next().to_le_bytes())
        .take(usize::try_from(bytes).unwrap_or(0))
        .collect()
}

/// What tells one file from another.
pub fn fingerprint(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    format!("{}:{:016x}", bytes.len(), hasher.finish())
}

/// Every tag in a text: `q`, eight digits, and what stands behind it.
pub fn tags(text: &str) -> Vec<&str> {
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    let begins = text.match_indices('q').map(|(at, _)| at).filter(|at| {
        let before = at.checked_sub(1).and_then(|before| text.as_bytes().get(before));
        !before.is_some_and(inside) && text.get(at + 1..at + 10).is_some_and(is_mark)
    });
    let word = |at: usize| text.as_bytes()[at..].iter().take_while(|byte| inside(byte)).count();
    begins.map(|at| &text[at..at + word(at)]).collect()
}

fn is_mark(mark: &str) -> bool {
    mark.ends_with('-') && mark.bytes().take(8).all(|byte| byte.is_ascii_hexdigit())
}
