//! `frontdesk chat`: ask, and see the answer as it comes.

use std::time::Duration;

use clap::Args;
use frontdesk::clock::SystemClock;
use frontdesk_core::notice::Notice;
use frontdesk_core::port::Clock;
use futures_util::StreamExt;
use reqwest::Response;
use serde_json::{Value, json};

use super::client::{self, Client, fresh_key};
use super::{Done, Failure, Remote, field, screen};

/// How long a gateway may be away before nobody waits for it any longer.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked for meanwhile.
const PAUSE: Duration = Duration::from_millis(250);

#[derive(Args)]
pub struct ChatArgs {
    #[command(flatten)]
    remote: Remote,
    /// What to say; `/help` shows the commands
    #[arg(allow_hyphen_values = true, value_parser = client::text)]
    text: String,
    /// The chat; each is a conversation of its own
    #[arg(long, default_value = "main")]
    chat: String,
}

pub async fn chat(args: ChatArgs) -> Done {
    let body = json!({"text": args.text, "chat": args.chat});
    let key = fresh_key()?;
    let mut answer = Answer { json: args.remote.json, ..Answer::default() };
    let mut response = Client::find(&args.remote)?.stream("/api/chat", &body, &key).await?;
    loop {
        if hear(response, &mut answer).await? == Heard::All {
            return answer.rest();
        }
        // The same key is the same message: asked again, it gets the answer that it would have got.
        response = match again(&args.remote, &body, &key).await? {
            Some(response) => response,
            None => return Err(answer.missing()),
        };
    }
}

/// How a stream ended.
#[derive(PartialEq)]
enum Heard {
    /// With all that there is to say.
    All,
    /// Before the answer was whole: the gateway went away.
    CutOff,
}

async fn hear(response: Response, answer: &mut Answer) -> Result<Heard, Failure> {
    let mut pieces = response.bytes_stream();
    let mut lines = Lines::default();
    while let Some(Ok(piece)) = pieces.next().await {
        for line in lines.feed(&piece) {
            if let Some(frame) = line.strip_prefix("data:").and_then(|data| serde_json::from_str(data).ok()) {
                answer.take(&frame)?;
            }
        }
    }
    Ok(if answer.said { Heard::All } else { Heard::CutOff })
}

/// Asks again until a gateway answers. `None` if none came back for a while.
async fn again(remote: &Remote, body: &Value, key: &str) -> Result<Option<Response>, Failure> {
    screen::context_message("(the gateway went away; waiting until it is back)");
    let clock = SystemClock::new();
    let end = clock.mono() + PATIENCE;
    while clock.mono() < end {
        clock.sleep_until(clock.mono() + PAUSE).await;
        let asked = match Client::find(remote) {
            Ok(client) => client.stream("/api/chat", body, key).await,
            Err(failure) => Err(failure),
        };
        match asked {
            Ok(response) => return Ok(Some(response)),
            Err(failure) if failure.is_unavailable() => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(None)
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
    /// The answer has come.
    said: bool,
    /// The gateway's own words, held back: an error that follows may say the same.
    notice: Option<String>,
}

impl Answer {
    fn take(&mut self, frame: &Value) -> Done {
        if self.is_of_others(frame) {
            return Ok(());
        }
        let kind = frame["type"].as_str().unwrap_or_default();
        if kind == "error" && frame["code"] == "stopping" {
            // What was taken is answered by the gateway's next life.
            return Ok(());
        }
        if kind == "accepted" {
            self.message = Some(field::text(frame, "message"));
        }
        if self.json {
            screen::json_line(frame)?;
            self.said |= kind == "done";
            return if kind == "error" { Err(self.failed(&field::text(frame, "message"))) } else { Ok(()) };
        }
        let text = || screen::harmless(&field::text(frame, "text"));
        if kind == "error" {
            return Err(self.error(frame)?);
        }
        if let Some(notice) = self.notice.take() {
            self.whole(&notice)?;
        }
        match kind {
            "delta" => self.piece(field::number(frame, "attempt"), &text())?,
            "done" => {
                self.said = true;
                self.whole(&screen::harmless(&field::text(frame, "fullText")))?;
            }
            "message" if frame["kind"] == "notice" => self.notice = Some(text()),
            "message" => self.whole(&text())?,
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
        let printed = std::mem::take(&mut self.printed);
        match text.strip_prefix(&printed) {
            Some(rest) => screen::line(rest),
            None => screen::line(format!("\n{text}")),
        }
    }

    /// What was held back and is no error.
    fn rest(mut self) -> Done {
        self.notice.take().map_or(Ok(()), |notice| self.whole(&notice))
    }

    /// What went wrong, once: the notice for the chat and the error say the same.
    fn error(&mut self, frame: &Value) -> Result<Failure, Failure> {
        let sentence = field::text(frame, "message");
        let notice = self.notice.take().filter(|notice| *notice != sentence);
        if let Some(notice) = notice {
            self.whole(notice.strip_suffix(Notice::INTERRUPTED).unwrap_or(&notice))?;
        }
        let detail = field::text(frame, "detail");
        let why = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
        Ok(self.failed(&format!("{sentence}{why}")))
    }

    fn failed(&self, sentence: &str) -> Failure {
        let begun = if self.printed.is_empty() { "" } else { "\n" };
        Failure::new(format!("{begun}{}", screen::harmless(sentence)))
    }

    fn missing(self) -> Failure {
        let id = self.message.map_or_else(String::new, |id| format!(" (message {id})"));
        Failure::new(format!(
            "the gateway went away before it had answered{id}; what it took is kept, and the answer will be in \
             `frontdesk sessions messages`"
        ))
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
