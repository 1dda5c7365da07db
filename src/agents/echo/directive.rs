//! What an echo can be told at the beginning of a text.
//!
//! ```text
//! !wait MS REST     waits, at most ten minutes in all, then does REST
//! !fail             fails as an agent that cannot do it
//! !crash            fails as an agent that died
//! !long N           says N words, at most 100,000
//! !slow MS TEXT     says TEXT with a pause before every further piece
//! !tool NAME        asks for a permit for that tool and says what came back
//! !media PATH TEXT  sends that file from the media folder, with TEXT beneath it
//! ```
//!
//! Anything else, also a directive that cannot be read, is said as it stands.

use std::path::PathBuf;
use std::time::Duration;

const LONGEST_WAIT: Duration = Duration::from_secs(600);
const MOST_WORDS: u32 = 100_000;

/// What to do, and after how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// The silence before it.
    pub wait: Duration,
    /// What to do then.
    pub act: Act,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Say this.
    Say(String),
    /// Say this with pauses.
    Slowly {
        /// The pause between two pieces.
        pause: Duration,
        /// What to say.
        text: String,
    },
    /// Say so many words.
    Long(u32),
    /// Fail.
    Fail,
    /// Die.
    Crash,
    /// Ask for this tool.
    Tool(String),
    /// Send a file.
    Media {
        /// Where it lies.
        path: PathBuf,
        /// What is to stand beneath it.
        caption: Option<String>,
    },
}

impl Directive {
    /// Reads a text.
    pub fn read(text: &str) -> Self {
        let mut wait = Duration::ZERO;
        let mut rest = text;
        while let Some((pause, after)) = word(rest, "!wait").and_then(millis) {
            wait = (wait + pause).min(LONGEST_WAIT);
            rest = after;
        }
        Self { wait, act: act(rest).unwrap_or_else(|| Act::Say(rest.into())) }
    }
}

fn act(text: &str) -> Option<Act> {
    if word(text, "!fail").is_some() {
        return Some(Act::Fail);
    }
    if word(text, "!crash").is_some() {
        return Some(Act::Crash);
    }
    if let Some(rest) = word(text, "!long") {
        return Some(Act::Long(rest.trim().parse::<u32>().ok()?.min(MOST_WORDS)));
    }
    if let Some((pause, rest)) = word(text, "!slow").and_then(millis) {
        return Some(Act::Slowly { pause, text: rest.into() });
    }
    if let Some(rest) = word(text, "!media") {
        let (path, caption) = rest.trim().split_once([' ', '\n', '\t']).unwrap_or((rest.trim(), ""));
        let caption = Some(caption.trim().to_owned()).filter(|caption| !caption.is_empty());
        return (!path.is_empty()).then(|| Act::Media { path: path.into(), caption });
    }
    let name = word(text, "!tool")?.trim();
    (!name.is_empty()).then(|| Act::Tool(name.into()))
}

/// What stands behind `first`, if the text begins with that word.
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

    fn read(text: &str) -> (u128, Act) {
        let directive = Directive::read(text);
        (directive.wait.as_millis(), directive.act)
    }

    #[test]
    fn a_directive_is_read_and_anything_else_is_said() {
        let say = |text: &str| Act::Say(text.into());
        assert_eq!(read("hello !fail"), (0, say("hello !fail")));
        assert_eq!(read("!fail"), (0, Act::Fail));
        assert_eq!(read("!crash now"), (0, Act::Crash));
        assert_eq!(read("!failure"), (0, say("!failure")));
        assert_eq!(read("!wait 50 hi there"), (50, say("hi there")));
        assert_eq!(read("!wait 50 !wait 20 !fail"), (70, Act::Fail));
        assert_eq!(read("!wait soon"), (0, say("!wait soon")));
        assert_eq!(read("!long 12"), (0, Act::Long(12)));
        assert_eq!(read("!tool shell"), (0, Act::Tool("shell".into())));
        assert_eq!(read("!tool"), (0, say("!tool")));
        let media =
            |caption: Option<&str>| Act::Media { path: "a.png".into(), caption: caption.map(Into::into) };
        assert_eq!(read("!media a.png"), (0, media(None)));
        assert_eq!(read("!media a.png what a day"), (0, media(Some("what a day"))));
        assert_eq!(read("!media"), (0, say("!media")));
        let slowly = Act::Slowly { pause: Duration::from_millis(5), text: "a b".into() };
        assert_eq!(read("!slow 5 a b"), (0, slowly));
    }

    #[test]
    fn no_wait_is_longer_than_ten_minutes() {
        assert_eq!(read("!wait 599999 !wait 18446744073709551615 x").0, 600_000);
        assert_eq!(read("!long 4000000000").1, Act::Long(100_000));
    }
}
