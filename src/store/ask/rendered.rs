//! The texts of questions as their chats show them.

use frontdesk_core::address::Address;
use frontdesk_core::ask::{AskEnd, PostedAsk, instructions};
use frontdesk_core::id::OutId;
use frontdesk_core::markup::{Part, followed_by};
use frontdesk_core::visible::is_visible;
use rusqlite::params;

use crate::ask_row::{AskRow, load as load_ask, stored_choices};
use crate::fault::Outcome;
use crate::part::load;
use crate::row::Renderer;
use crate::tx::Tx;

/// Follows a notice that a message waits, if the message has ended without a turn and not by the button.
const NOT_ANSWERED: &str = "It is not answered: it was stopped or dropped.";

/// The question with a line that says how it has ended. A notice whose message gets its answer only loses its button.
pub(super) fn closing_text(tx: &Tx<'_>, ask: &AskRow, end: &AskEnd) -> Outcome<String> {
    let waits = ask.runs.as_ref().filter(|_| ask.offers_drop() && !matches!(end, AskEnd::Answered { .. }));
    let Some((message, _)) = waits else {
        return Ok(followed_by(&ask.view.text, &end.line(&ask.view.choices)));
    };
    let ended = "SELECT 1 FROM inbound WHERE id = ?1 AND turn_id IS NULL AND state <> 'waiting'";
    Ok(match tx.one(ended, [message.0], |_| Ok(()))? {
        Some(()) => followed_by(&ask.view.text, NOT_ANSWERED),
        None => ask.view.text.clone(),
    })
}

/// The message that replaces the last of a question's messages once it has ended. Its last paragraph says how. If the whole
/// text needs more messages than the question has, the question is shortened.
pub(super) fn closing_part(
    renderer: &dyn Renderer,
    to: &Address,
    text: &str,
    messages: usize,
) -> Option<Part> {
    let mut parts = renderer.parts(to, text);
    if parts.len() <= messages {
        return parts.pop();
    }
    let (question, line) = text.rsplit_once("\n\n").unwrap_or(("", text));
    let shortened =
        |end: usize| renderer.parts(to, &followed_by(&format!("{}…", question[..end].trim_end()), line));
    let ends: Vec<usize> = question.char_indices().map(|(at, _)| at).collect();
    let fitting = ends.partition_point(|end| shortened(*end).len() <= messages);
    let mut parts = match fitting.checked_sub(1).and_then(|last| ends.get(last)) {
        Some(end) => shortened(*end),
        None => renderer.parts(to, line),
    };
    parts.truncate(messages);
    parts.pop()
}

/// Hooks have seen a question, or its end. Returns what is sent of that, and changes the question to what hooks made of it: its
/// text and the labels of its choices.
pub(crate) fn seen(
    tx: &Tx<'_>,
    out: OutId,
    to: &Address,
    posted: &mut PostedAsk,
    (text, labels): (&str, &[String]),
) -> Outcome<Vec<Part>> {
    let renderer = &*tx.shared.renderer;
    let Some(ask) = load_ask(tx, posted.id)? else { return Ok(renderer.parts(to, text)) };
    if posted.closed.is_some() {
        let messages = if ask.out == out { 1 } else { messages(tx, &ask)? };
        return Ok(closing_part(renderer, to, text, messages).into_iter().collect());
    }
    if !is_visible(text) {
        return Ok(Vec::new());
    }
    text.clone_into(&mut posted.text);
    for (choice, label) in posted.choices.iter_mut().zip(labels) {
        label.clone_into(&mut choice.label);
    }
    tx.run(
        "UPDATE ask SET text = ?2, choices = ?3 WHERE id = ?1",
        params![posted.id.0, posted.text, stored_choices(&posted.choices)],
    )?;
    // The reply to a command says how to choose in writing.
    let how = match ask.runs {
        Some(_) => None,
        None => instructions(posted.id, posted.kind, &posted.choices, renderer.buttons(to)),
    };
    Ok(renderer.parts(to, &with_instructions(text, how.as_deref())))
}

/// A question and how to answer it in writing.
pub(super) fn with_instructions(text: &str, how: Option<&str>) -> String {
    match how {
        Some(how) => followed_by(text, how),
        None => text.to_owned(),
    }
}

/// How many messages a question has.
pub(super) fn messages(tx: &Tx<'_>, ask: &AskRow) -> Outcome<usize> {
    Ok(load(tx, ask.out)?.map_or(1, |question| question.post.part.key as usize + 1))
}
