//! Questions to people, as JSON: the same fields in frames and in lists.

use frontdesk_core::ask::{AskAnswer, AskChoice, AskEnd, AskView, Audience, PostedAsk};
use frontdesk_core::markup;
use serde_json::{Map, Value, json};

use crate::show::{escaped, time};

/// An open question, as a frame.
pub(crate) fn question(ask: &PostedAsk, may_answer: bool) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("kind".to_owned(), ask.kind.name().into());
    fields.insert("text".to_owned(), ask.text.as_str().into());
    if let Some(tree) = markup::tree(&ask.text) {
        fields.insert("markup".to_owned(), json!(tree));
    }
    fields.insert("choices".to_owned(), choices(&ask.choices));
    fields.insert("deadline".to_owned(), time(ask.deadline).into());
    fields.insert("may_answer".to_owned(), may_answer.into());
    fields
}

/// How a question has ended: its state, the answer that takes effect, and who gave it.
pub(crate) fn end(end: &AskEnd) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("state".to_owned(), end.state().name().into());
    match end.answer() {
        Some(AskAnswer::Choice(id)) => fields.insert("choice".to_owned(), id.as_str().into()),
        Some(AskAnswer::Text(text)) => fields.insert("answer".to_owned(), text.as_str().into()),
        None => None,
    };
    if let AskEnd::Answered { by, .. } = end {
        fields.insert("by".to_owned(), by.id.as_str().into());
        fields.extend(by.name.as_deref().map(|name| ("by_name".to_owned(), escaped(name).into())));
    }
    fields
}

/// A question in a list.
pub(crate) fn view(view: &AskView, may_answer: bool) -> Value {
    let mut shown = json!({
        "id": view.id.to_string(),
        "session": view.session.as_str(),
        "to": view.address.as_str(),
        "turn": view.turn.map(|turn| turn.to_string()),
        "kind": view.kind.name(),
        "text": view.text,
        "choices": choices(&view.choices),
        "audience": match &view.audience {
            Audience::Admins => json!("admins"),
            Audience::People(people) => people.iter().map(|person| person.as_str()).collect(),
        },
        "may_answer": may_answer,
        "state": view.state().name(),
        "created": time(view.created),
        "deadline": time(view.deadline),
    });
    if let (Some(shown), Some(end)) = (shown.as_object_mut(), &view.end) {
        shown.extend(self::end(end));
        shown.insert("ended".to_owned(), view.ended.map(time).into());
    }
    shown
}

fn choices(choices: &[AskChoice]) -> Value {
    let choice =
        |choice: &AskChoice| json!({"id": choice.id, "label": choice.label, "style": choice.style.name()});
    choices.iter().map(choice).collect()
}
