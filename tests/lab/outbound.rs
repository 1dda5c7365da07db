//! Acts as requests, and what the answers mean.

use std::time::Duration;

use frontdesk_core::act::{Act, Bucket, Receipt, SendError};
use frontdesk_core::address::Address;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::pipe::{Cut, Pipes};

#[derive(Debug, Deserialize)]
struct Answer {
    ok: bool,
    message: Option<String>,
    error: Option<String>,
    after_ms: Option<u64>,
}

/// Carries out one act.
pub(crate) async fn send(pipes: &Pipes, to: &Address, act: Act) -> Result<Receipt, SendError> {
    let request = request(to, act)?;
    let answer = pipes.ask(&request).await.map_err(|cut| match cut {
        Cut::Unasked(_) => SendError::Offline,
        Cut::Unanswered(error) => SendError::Unknown(error.to_string()),
    })?;
    let answer = serde_json::from_value(answer).map_err(|error| SendError::Unknown(error.to_string()))?;
    understood(answer)
}

fn request(to: &Address, act: Act) -> Result<Value, SendError> {
    let chat = to.chat();
    match act {
        Act::Post(post) => Ok(json!({"op": "post", "chat": chat, "text": post.part.body, "key": post.key})),
        Act::Edit { target, post } => Ok(
            json!({"op": "edit", "chat": chat, "message": target, "text": post.part.body, "key": post.key}),
        ),
        Act::Typing => Ok(json!({"op": "typing", "chat": chat})),
        Act::Delete { .. } | Act::React { .. } | Act::Pin { .. } | Act::Media { .. } => {
            Err(SendError::Refused("the test platform knows posts, edits and typing".to_owned()))
        }
        Act::Draft { .. } | Act::Delta { .. } | Act::End { .. } => {
            Err(SendError::Refused("the test platform is not shown pieces".to_owned()))
        }
    }
}

fn understood(answer: Answer) -> Result<Receipt, SendError> {
    let Answer { ok, message, error, after_ms } = answer;
    if ok {
        return Ok(Receipt { message });
    }
    let error = error.unwrap_or_else(|| "no reason given".to_owned());
    Err(match error.as_str() {
        "later" => {
            let after = after_ms.map(Duration::from_millis);
            SendError::Later { after, scope: Bucket::Chat, detail: "too many requests".to_owned() }
        }
        "gone" => SendError::Gone(error),
        "markup" => SendError::Markup(error),
        _ => SendError::Refused(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_says_what_to_do_next() {
        let said = |json: Value| understood(serde_json::from_value(json).unwrap());
        assert_eq!(said(json!({"ok": true, "message": "17"})), Ok(Receipt { message: Some("17".into()) }));
        let later = said(json!({"ok": false, "error": "later", "after_ms": 50}));
        assert!(matches!(later, Err(SendError::Later { after: Some(after), .. }) if after.as_millis() == 50));
        assert!(matches!(said(json!({"ok": false, "error": "gone"})), Err(SendError::Gone(_))));
        assert!(matches!(said(json!({"ok": false, "error": "markup"})), Err(SendError::Markup(_))));
        assert!(matches!(said(json!({"ok": false, "error": "refused"})), Err(SendError::Refused(_))));
    }
}
