//! Blocks: those of a program, or the buttons beneath a question.

use frontdesk_core::ask::{ChoiceStyle, PostedAsk, Press};
use frontdesk_core::delivery::Post;
use serde_json::{Value, json};

use crate::markup;

/// Slack: the longest text of a section, in characters.
const SECTION: usize = 3000;

/// The blocks that a program has sent, or of a question with its buttons; `None` if it is closed or has no choices.
pub(crate) fn of(post: &Post) -> Option<Value> {
    if post.native.is_some() {
        return post.native.clone();
    }
    let ask = post.ask.as_ref().filter(|ask| ask.closed.is_none() && !ask.choices.is_empty())?;
    let body = &post.part.body;
    let text = match body.chars().count() <= SECTION {
        true => body.clone(),
        // A question is short, so only its escapes can make it too long. The message's own text is whole.
        false => markup::literal(&post.part.plain.chars().take(SECTION / 5).collect::<String>()),
    };
    Some(json!([
        {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}},
        {"type": "actions", "elements": buttons(ask)},
    ]))
}

fn buttons(ask: &PostedAsk) -> Vec<Value> {
    let button = |(index, choice): (usize, &frontdesk_core::ask::AskChoice)| {
        let press = Press { ask: ask.id, choice: index }.to_string();
        // Buttons of one message need ids of their own.
        let mut button = json!({
            "type": "button", "action_id": press, "value": press,
            "text": {"type": "plain_text", "text": choice.label, "emoji": true},
        });
        match choice.style {
            ChoiceStyle::Plain => {}
            ChoiceStyle::Primary => button["style"] = "primary".into(),
            ChoiceStyle::Danger => button["style"] = "danger".into(),
        }
        button
    };
    ask.choices.iter().enumerate().map(button).collect()
}
