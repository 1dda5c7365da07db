//! `frontdesk chat`: ask, and see the answer as it comes.

use clap::Args;
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::client::{Client, fresh_key};
use super::{Done, Failure, Remote, field, screen};

#[derive(Args)]
pub struct ChatArgs {
    #[command(flatten)]
    remote: Remote,
    /// What to say; `/help` shows the commands
    text: String,
    /// The chat; each is a conversation of its own
    #[arg(long, default_value = "main")]
    chat: String,
}

pub async fn chat(args: ChatArgs) -> Done {
    let client = Client::find(&args.remote)?;
    let body = json!({"text": args.text, "chat": args.chat});
    let mut pieces = client.stream("/api/chat", &body, &fresh_key()?).await?.bytes_stream();
    let mut lines = Lines::default();
    let mut answer = Answer { json: args.remote.json, ..Answer::default() };
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| {
            Failure::new(format!(
                "the answer was cut off: {error}; it is kept: `frontdesk sessions messages`"
            ))
        })?;
        for line in lines.feed(&piece) {
            if let Some(frame) = line.strip_prefix("data:").and_then(|data| serde_json::from_str(data).ok()) {
                answer.take(&frame)?;
            }
        }
    }
    answer.end()
}

/// Bytes, cut into lines. A character may come in two pieces.
#[derive(Default)]
struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    fn feed(&mut self, bytes: &[u8]) -> Vec<String> {
        self.rest.extend_from_slice(bytes);
        let mut lines = Vec::new();
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            lines.push(String::from_utf8_lossy(&line).trim_end().to_owned());
        }
        lines
    }
}

/// What was seen of an answer so far.
#[derive(Default)]
struct Answer {
    json: bool,
    /// Our message's id: frames about others are not ours.
    message: Option<String>,
    attempt: u64,
    printed: String,
    said: bool,
}

impl Answer {
    fn take(&mut self, frame: &Value) -> Done {
        if self.is_of_others(frame) {
            return Ok(());
        }
        if self.json {
            self.said = true;
            return screen::line(frame.to_string());
        }
        let text = || screen::harmless(&field::text(frame, "text"));
        match frame["type"].as_str().unwrap_or_default() {
            "accepted" => self.message = Some(field::text(frame, "message")),
            "delta" => self.piece(field::number(frame, "attempt"), &text())?,
            "done" => self.whole(&screen::harmless(&field::text(frame, "fullText")))?,
            "message" => self.whole(&text())?,
            "error" => return Err(self.failed(&field::text(frame, "message"))),
            _ => {}
        }
        Ok(())
    }

    fn is_of_others(&self, frame: &Value) -> bool {
        let Some(ours) = self.message.as_deref() else { return false };
        let named = frame.get("message").and_then(Value::as_str);
        // In an error `message` is the sentence; what it is about stands in `about`.
        let named = if frame["type"] == "error" { frame.get("about").and_then(Value::as_str) } else { named };
        let all = field::list(frame, "messages");
        named.is_some_and(|id| id != ours) && !all.iter().any(|id| id == ours)
    }

    /// A piece of the answer. A later attempt begins it anew.
    fn piece(&mut self, attempt: u64, text: &str) -> Done {
        if attempt > self.attempt && !self.printed.is_empty() {
            screen::line("\n(the agent begins anew)")?;
            self.printed.clear();
        }
        self.attempt = self.attempt.max(attempt);
        self.printed.push_str(text);
        screen::raw(text)
    }

    /// The whole text, of which the beginning may be on the screen already.
    fn whole(&mut self, text: &str) -> Done {
        self.said = true;
        let printed = std::mem::take(&mut self.printed);
        match text.strip_prefix(&printed) {
            Some(rest) => screen::line(rest),
            None => screen::line(format!("\n{text}")),
        }
    }

    fn failed(&mut self, sentence: &str) -> Failure {
        self.said = true;
        let begun = if self.printed.is_empty() { "" } else { "\n" };
        Failure::new(format!("{begun}{}", screen::harmless(sentence)))
    }

    fn end(self) -> Done {
        if self.said {
            return Ok(());
        }
        let id = self.message.map_or_else(String::new, |id| format!(" (message {id})"));
        Err(Failure::new(format!(
            "the gateway went away before it had answered{id}; the answer will be in `frontdesk sessions messages`"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_however_the_bytes_are_cut() {
        let mut lines = Lines::default();
        let text = "data: \"ä\"\n\nrest".as_bytes();
        let cut: Vec<String> = text.iter().flat_map(|byte| lines.feed(&[*byte])).collect();
        assert_eq!(cut, ["data: \"ä\"", ""]);
    }

    #[test]
    fn an_answer_to_somebody_else_is_not_ours() {
        let answer = Answer { message: Some("m2".into()), ..Answer::default() };
        assert!(answer.is_of_others(&json!({"type": "done", "message": "m1"})));
        assert!(!answer.is_of_others(&json!({"type": "done", "message": "m3", "messages": ["m2", "m3"]})));
        assert!(!answer.is_of_others(&json!({"type": "error", "message": "It failed."})));
        assert!(answer.is_of_others(&json!({"type": "error", "message": "It failed.", "about": "m1"})));
    }
}
