//! `frontdesk chat`: sends a message to the agent and prints the answer as it arrives.

mod questions;

use std::io::{IsTerminal, Read};
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
use questions::Questions;

/// How long to wait for a gateway that has stopped.
const RETRY_FOR: Duration = Duration::from_secs(60);
/// Number of bytes that are read of standard input: more than a gateway takes, so that it can say what is too long.
const LONGEST: u64 = 4 * 1024 * 1024;
/// The pause between two attempts to reach it.
const PAUSE: Duration = Duration::from_millis(250);

#[derive(Args)]
pub struct ChatArgs {
    #[command(flatten)]
    remote: Remote,
    /// The message; `/help` lists the commands [default: standard input, if it is no terminal]
    #[arg(allow_hyphen_values = true, value_parser = client::text)]
    text: Option<String>,
    /// The name of the web chat; each name is a chat of its own
    #[arg(long, default_value = "main")]
    chat: String,
}

pub async fn chat(args: ChatArgs) -> Done {
    let text = match args.text.filter(|text| text != "-") {
        Some(text) => text,
        None => typed()?,
    };
    let body = json!({"text": text, "chat": args.chat});
    let key = fresh_key()?;
    let mut answer = Answer { json: args.remote.json, questions: Questions::new(), ..Answer::default() };
    let mut client = Client::find(&args.remote)?;
    let mut response = client.stream("/api/chat", &body, &key).await?;
    loop {
        if read(&client, response, &mut answer).await? == End::Complete {
            return answer.finish();
        }
        // The same idempotency key names the same message: the repeated request gets the answer of the first one.
        (client, response) = match again(&args.remote, &body, &key).await? {
            Some(found) => found,
            None => return Err(answer.missing()),
        };
    }
}

/// The message on standard input.
fn typed() -> Result<String, Failure> {
    if std::io::stdin().is_terminal() {
        return Err(Failure::usage("there is no message: write it after `chat`, or pipe it in"));
    }
    let mut text = String::new();
    let read = std::io::stdin().take(LONGEST).read_to_string(&mut text);
    read.map_err(|error| Failure::new(format!("cannot read the message from standard input: {error}")))?;
    client::text(text.trim_end()).map_err(|_| Failure::usage("standard input is empty"))
}

/// How a stream ended.
#[derive(PartialEq)]
enum End {
    /// After the whole answer.
    Complete,
    /// Before the answer was complete, because the connection to the gateway was lost.
    CutOff,
}

async fn read(client: &Client, response: Response, answer: &mut Answer) -> Result<End, Failure> {
    let mut pieces = response.bytes_stream();
    let mut lines = Lines::default();
    loop {
        let piece = tokio::select! {
            piece = pieces.next() => piece,
            line = answer.questions.typed() => {
                answer.questions.answer(client, &line).await?;
                continue;
            }
        };
        let Some(Ok(piece)) = piece else { break };
        for line in lines.feed(&piece) {
            if let Some(frame) = line.strip_prefix("data:").and_then(|data| serde_json::from_str(data).ok()) {
                answer.take(&frame)?;
            }
        }
    }
    Ok(if answer.complete { End::Complete } else { End::CutOff })
}

/// Repeats the request until a gateway answers. `None` if none does within [`RETRY_FOR`].
async fn again(remote: &Remote, body: &Value, key: &str) -> Result<Option<(Client, Response)>, Failure> {
    screen::note("(the connection to the gateway was lost; waiting for it to return)");
    let clock = SystemClock::new();
    let end = clock.mono() + RETRY_FOR;
    while clock.mono() < end {
        clock.sleep_until(clock.mono() + PAUSE).await;
        let asked = match Client::find(remote) {
            Ok(client) => client.stream("/api/chat", body, key).await.map(|response| (client, response)),
            Err(failure) => Err(failure),
        };
        match asked {
            Ok(found) => return Ok(Some(found)),
            Err(failure) if failure.is_unavailable() => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(None)
}

/// Splits bytes into lines. A character may arrive in two pieces.
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

/// What has arrived of an answer so far.
#[derive(Default)]
struct Answer {
    json: bool,
    /// The id of the message that was sent; frames about other messages are skipped.
    message: Option<String>,
    attempt: u64,
    printed: String,
    /// Whether the whole answer has arrived.
    complete: bool,
    /// A notice of the gateway that is not printed yet, because an error that follows may say the same.
    notice: Option<String>,
    questions: Questions,
}

impl Answer {
    fn take(&mut self, frame: &Value) -> Done {
        if self.is_of_others(frame) {
            return Ok(());
        }
        let kind = frame["type"].as_str().unwrap_or_default();
        if kind == "error" && frame["code"] == "stopping" {
            // The accepted message is answered after the gateway has started again.
            return Ok(());
        }
        if kind == "accepted" {
            self.message = Some(field::text(frame, "message"));
        }
        if self.json {
            screen::json_line(frame)?;
            self.complete |= kind == "done" || frame["reply"] == true;
            return if kind == "error" { Err(self.failed(&field::text(frame, "message"))) } else { Ok(()) };
        }
        let text = || screen::harmless(&field::text(frame, "text"));
        if kind == "error" {
            return Err(self.error(frame)?);
        }
        // One that comes just before the whole answer is printed below it: its beginning is on the screen already.
        if matches!(kind, "delta" | "ask" | "ask_closed" | "message")
            && let Some(notice) = self.notice.take()
        {
            self.whole(&notice)?;
        }
        match kind {
            "delta" => self.piece(field::number(frame, "attempt"), &text())?,
            "done" => {
                self.complete = true;
                self.whole(&screen::harmless(&field::text(frame, "fullText")))?;
            }
            "ask" => {
                self.end_line()?;
                self.complete = frame["reply"] == true;
                self.questions.show(frame)?;
            }
            "ask_closed" => {
                self.end_line()?;
                self.questions.close(frame)?;
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
        // In an error `message` is its text, and `about` is the id of the message.
        let named = if frame["type"] == "error" { frame.get("about").and_then(Value::as_str) } else { named };
        let all = field::list(frame, "messages");
        named.is_some_and(|id| id != ours) && !all.iter().any(|id| id == ours)
    }

    /// Prints a piece of the answer. A later attempt starts it over.
    fn piece(&mut self, attempt: u64, text: &str) -> Done {
        if attempt > self.attempt && !self.printed.is_empty() {
            screen::line("\n(the agent starts over)")?;
            self.printed.clear();
        }
        self.attempt = self.attempt.max(attempt);
        self.printed.push_str(text);
        screen::raw(text)
    }

    /// Ends a line of the answer that is not complete. The rest of the answer follows on a new line.
    fn end_line(&self) -> Done {
        if self.printed.is_empty() || self.printed.ends_with('\n') { Ok(()) } else { screen::line("") }
    }

    /// Prints the rest of a text whose beginning may be on the screen already.
    fn whole(&mut self, text: &str) -> Done {
        let printed = std::mem::take(&mut self.printed);
        match text.strip_prefix(&printed) {
            Some(rest) => screen::line(rest),
            None => screen::line(format!("\n{text}")),
        }
    }

    /// Prints a notice that was held back.
    fn finish(mut self) -> Done {
        self.notice.take().map_or(Ok(()), |notice| self.whole(&notice))
    }

    /// Reports an error once: the notice in the chat and the error say the same.
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
            "the gateway stopped before it answered{id}. The message is kept and answered after the next start; \
             `frontdesk sessions messages` then shows the answer"
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
    fn an_answer_to_another_message_is_skipped() {
        let answer = Answer { message: Some("m2".into()), ..Answer::default() };
        assert!(answer.is_of_others(&json!({"type": "done", "message": "m1"})));
        assert!(!answer.is_of_others(&json!({"type": "done", "message": "m3", "messages": ["m2", "m3"]})));
        assert!(!answer.is_of_others(&json!({"type": "error", "message": "It failed."})));
        assert!(answer.is_of_others(&json!({"type": "error", "message": "It failed.", "about": "m1"})));
    }
}
