//! Answers that are not sent, because the agent has nothing to say.

use frontdesk_core::key::{Scope, SessionKey};

const NO_REPLY: &str = "NO_REPLY";
/// Of a heartbeat: nothing needs attention.
const HEARTBEAT_OK: &str = "HEARTBEAT_OK";

/// By what an agent says in a session that it has nothing to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Silence {
    /// By nothing: a person waits for an answer, so every text is sent.
    Never,
    /// By an answer that is `NO_REPLY` and nothing else.
    Alone,
    /// By one of these words alone on the first or the last line. Nobody waits for such an answer, and agents like to explain
    /// why they are silent.
    Line(&'static [&'static str]),
}

impl Silence {
    pub(crate) fn of(session: &SessionKey) -> Self {
        match session.scope() {
            Scope::Dm => Silence::Never,
            Scope::Heartbeat => Silence::Line(&[HEARTBEAT_OK, NO_REPLY]),
            Scope::Job | Scope::Event => Silence::Line(&[NO_REPLY]),
            _ => Silence::Alone,
        }
    }

    /// Whether this answer is one that is not sent.
    pub(crate) fn is(self, answer: &str) -> bool {
        match self {
            Silence::Never => false,
            Silence::Alone => answer.trim() == NO_REPLY,
            Silence::Line(words) => {
                let mut lines = answer.lines().map(bare).filter(|line| !line.is_empty());
                let first = lines.next();
                let is_silent = |line: Option<String>| line.is_some_and(|line| words.contains(&&*line));
                is_silent(first) || is_silent(lines.next_back()) || is_tool_markup(answer)
            }
        }
    }

    /// Whether an unfinished answer may still become one.
    pub(crate) fn may_become(self, text: &str) -> bool {
        match self {
            Silence::Never => false,
            Silence::Alone => NO_REPLY.starts_with(text.trim()),
            Silence::Line(_) => true,
        }
    }

    /// Whether nothing of an answer that ends unfinished is worth keeping.
    pub(crate) fn leaves_nothing(self, text: &str) -> bool {
        match self {
            Silence::Line(_) => self.is(text),
            Silence::Never | Silence::Alone => self.may_become(text),
        }
    }
}

/// A line without what may be around a word: tags, emphasis, quotes, list signs, punctuation, emoji.
fn bare(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut in_tag = false;
    for sign in line.chars() {
        match sign {
            '<' => in_tag = true,
            '>' if in_tag => in_tag = false,
            '\\' => {}
            sign if !in_tag => text.push(sign),
            _ => {}
        }
    }
    text.trim_matches(|sign: char| !sign.is_alphanumeric()).to_owned()
}

/// Whether an answer is nothing but calls of tools that the model has written as text, which nobody carries out.
fn is_tool_markup(answer: &str) -> bool {
    /// How such a call begins and ends.
    const CALLS: [(&str, &str); 6] = [
        ("<tool_call", "</tool_call>"),
        ("<function_call", "</function_call"),
        ("<invoke", "</invoke>"),
        ("<|tool_call", "<|tool_call_end|>"),
        ("[TOOL_CALL]", "[/TOOL_CALL]"),
        ("[TOOL_CALLS]", "\n"),
    ];
    let mut rest = answer.trim();
    let mut calls = 0;
    while !rest.is_empty() {
        let Some((_, end)) = CALLS.iter().find(|(begin, _)| rest.starts_with(begin)) else { return false };
        // One that is not closed goes to the end.
        let after = rest.find(end).map_or("", |at| &rest[at + end.len()..]);
        rest = after.trim_start_matches(['s', '>']).trim_start();
        calls += 1;
    }
    calls > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_session(key: &str) -> Silence {
        Silence::of(&key.parse().unwrap())
    }

    #[test]
    fn only_no_reply_alone_in_a_group_is_not_sent() {
        let (group, dm) = (in_session("agent:main:fake:group:-1"), in_session("agent:main:fake:dm:anna"));
        for silent in ["NO_REPLY", " NO_REPLY\n"] {
            assert!(group.is(silent) && !dm.is(silent));
        }
        for text in
            ["", "NO", "NO_REPLY.", "no_reply", "ok", ".", "silent", "Done.\nNO_REPLY", "HEARTBEAT_OK"]
        {
            assert!(!group.is(text), "{text}");
        }
        for early in ["", "N", "\nNO_RE", "NO_REPLY "] {
            assert!(group.may_become(early) && !dm.may_become(early));
        }
        assert!(!group.may_become("NO_REPLY needed") && !group.may_become("No"));
    }

    #[test]
    fn a_job_is_silent_by_a_line_of_its_own() {
        let job = in_session("agent:main:fake:job:mail");
        for silent in [
            "NO_REPLY",
            "NO_REPLY\n\nThere is no new mail.",
            "There is no new mail.\n\n**NO_REPLY**",
            "```\nNO_REPLY\n```",
            "<p>NO\\_REPLY</p>",
            "> _NO_REPLY_ ✅.",
        ] {
            assert!(job.is(silent), "{silent}");
        }
        for text in [
            "",
            "Three mails.",
            "Answer NO_REPLY if there is none.",
            "First\nNO_REPLY\nlast",
            "NO_REPLY_NEEDED",
            "HEARTBEAT_OK",
        ] {
            assert!(!job.is(text), "{text}");
        }
        assert!(job.may_become("Three mails."), "the last line decides");
        assert!(job.leaves_nothing("NO_REPLY\nbecause") && !job.leaves_nothing("Three mails."));
    }

    #[test]
    fn a_heartbeat_has_a_word_of_its_own() {
        let heartbeat = in_session("agent:main:fake:heartbeat:main");
        for silent in ["HEARTBEAT_OK", "NO_REPLY", "All is well.\n`HEARTBEAT_OK`", "- HEARTBEAT_OK!"] {
            assert!(heartbeat.is(silent), "{silent}");
        }
        for text in ["The disk is full.", "HEARTBEAT_OK but the disk is full"] {
            assert!(!heartbeat.is(text), "{text}");
        }
    }

    #[test]
    fn calls_that_are_written_as_text_are_no_answer() {
        let job = in_session("agent:main:fake:job:mail");
        for silent in [
            "<tool_call>{\"name\": \"read\"}</tool_call>",
            "<function_calls><invoke name=\"x\"></invoke></function_calls>\n<tool_call>{}",
            "[TOOL_CALL]{}[/TOOL_CALL]",
        ] {
            assert!(job.is(silent), "{silent}");
        }
        for text in ["<tool_call>{}</tool_call>\nThe disk is full.", "See <tool_call>."] {
            assert!(!job.is(text), "{text}");
        }
    }
}
