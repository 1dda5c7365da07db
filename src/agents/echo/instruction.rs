//! Instructions to the echo agent at the beginning of a text.
//!
//! ```text
//! !wait MS REST     waits, at most ten minutes in all, then does REST
//! !fail             fails with "the agent failed"
//! !crash            fails with "the agent died"
//! !long N           answers with N words, at most 100,000
//! !slow MS TEXT     answers with TEXT and pauses before every further chunk
//! !restart TEXT     begins an answer, takes it back and answers with TEXT
//! !usage TEXT       answers with TEXT and reports a usage
//! !tool NAME        asks for approval of a call of that tool and answers with the decision
//! !media PATH TEXT  sends that file from the media folder, with TEXT as its caption
//! ```
//!
//! Any other text, and an instruction that cannot be parsed, is answered as it is.

use std::path::PathBuf;
use std::time::Duration;

const LONGEST_WAIT: Duration = Duration::from_secs(600);
const MOST_WORDS: u32 = 100_000;

/// What to do, and after which delay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// The delay before it.
    pub wait: Duration,
    /// What to do then.
    pub action: Action,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Answer with this text.
    Say(String),
    /// Answer with this text and pause between its chunks.
    Slowly {
        /// The pause between two chunks.
        pause: Duration,
        /// The text.
        text: String,
    },
    /// Answer with this number of words.
    Long(u32),
    /// Fail with an error of the agent.
    Fail,
    /// Fail as if the process had died.
    Crash,
    /// Begin an answer, take it back, and answer with this text.
    Restart(String),
    /// Answer with this text and report a usage.
    Usage(String),
    /// Ask for approval of a call of this tool.
    Tool(String),
    /// Send a file.
    Media {
        /// Its path.
        path: PathBuf,
        /// Its caption.
        caption: Option<String>,
    },
}

impl Instruction {
    /// Parses a text.
    pub fn read(text: &str) -> Self {
        let mut wait = Duration::ZERO;
        let mut rest = text;
        while let Some((pause, after)) = word(rest, "!wait").and_then(millis) {
            wait = (wait + pause).min(LONGEST_WAIT);
            rest = after;
        }
        Self { wait, action: action(rest).unwrap_or_else(|| Action::Say(rest.into())) }
    }
}

fn action(text: &str) -> Option<Action> {
    if word(text, "!fail").is_some() {
        return Some(Action::Fail);
    }
    if word(text, "!crash").is_some() {
        return Some(Action::Crash);
    }
    if let Some(rest) = word(text, "!long") {
        return Some(Action::Long(rest.trim().parse::<u32>().ok()?.min(MOST_WORDS)));
    }
    if let Some((pause, rest)) = word(text, "!slow").and_then(millis) {
        return Some(Action::Slowly { pause, text: rest.into() });
    }
    if let Some(rest) = word(text, "!restart") {
        return Some(Action::Restart(rest.into()));
    }
    if let Some(rest) = word(text, "!usage") {
        return Some(Action::Usage(rest.into()));
    }
    if let Some(rest) = word(text, "!media") {
        let (path, caption) = rest.trim().split_once([' ', '\n', '\t']).unwrap_or((rest.trim(), ""));
        let caption = Some(caption.trim().to_owned()).filter(|caption| !caption.is_empty());
        return (!path.is_empty()).then(|| Action::Media { path: path.into(), caption });
    }
    let name = word(text, "!tool")?.trim();
    (!name.is_empty()).then(|| Action::Tool(name.into()))
}

/// What follows `first`, if the text begins with that word.
fn word<'a>(text: &'a str, first: &str) -> Option<&'a str> {
    let rest = text.strip_prefix(first)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix([' ', '\n', '\t']) }
}

fn millis(text: &str) -> Option<(Duration, &str)> {
    let (number, rest) = text.split_once([' ', '\n', '\t']).unwrap_or((text, ""));
    Some((Duration::from_millis(number.parse().ok()?).min(LONGEST_WAIT), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (u128, Action) {
        let instruction = Instruction::read(text);
        (instruction.wait.as_millis(), instruction.action)
    }

    #[test]
    fn an_instruction_is_parsed_and_any_other_text_is_answered() {
        let say = |text: &str| Action::Say(text.into());
        assert_eq!(read("hello !fail"), (0, say("hello !fail")));
        assert_eq!(read("!fail"), (0, Action::Fail));
        assert_eq!(read("!crash now"), (0, Action::Crash));
        assert_eq!(read("!failure"), (0, say("!failure")));
        assert_eq!(read("!wait 50 hi there"), (50, say("hi there")));
        assert_eq!(read("!wait 50 !wait 20 !fail"), (70, Action::Fail));
        assert_eq!(read("!wait soon"), (0, say("!wait soon")));
        assert_eq!(read("!long 12"), (0, Action::Long(12)));
        assert_eq!(read("!tool shell"), (0, Action::Tool("shell".into())));
        assert_eq!(read("!tool"), (0, say("!tool")));
        assert_eq!(read("!restart a b"), (0, Action::Restart("a b".into())));
        assert_eq!(read("!usage a b"), (0, Action::Usage("a b".into())));
        let media =
            |caption: Option<&str>| Action::Media { path: "a.png".into(), caption: caption.map(Into::into) };
        assert_eq!(read("!media a.png"), (0, media(None)));
        assert_eq!(read("!media a.png what a day"), (0, media(Some("what a day"))));
        assert_eq!(read("!media"), (0, say("!media")));
        let slowly = Action::Slowly { pause: Duration::from_millis(5), text: "a b".into() };
        assert_eq!(read("!slow 5 a b"), (0, slowly));
    }

    #[test]
    fn no_wait_is_longer_than_ten_minutes() {
        assert_eq!(read("!wait 599999 !wait 18446744073709551615 x").0, 600_000);
        assert_eq!(read("!long 4000000000").1, Action::Long(100_000));
    }
}
