//! Notices about a message that waits, with a button that drops it. The button goes when the message does not wait any more.

use std::time::Duration;

use frontdesk_core::address::Principal;
use frontdesk_core::ask::{AskChoice, AskKind, Audience, ChoiceStyle, Question};
use frontdesk_core::delivery::PostKind;
use frontdesk_core::id::{AskId, MessageId};
use frontdesk_core::notice::Notice;
use frontdesk_core::time::Now;

use super::open::{Opening, open};
use crate::fault::Outcome;
use crate::ids::Table;
use crate::part::{Outgoing, is_known};
use crate::part_key::TextKey;
use crate::tx::Tx;

/// The choice that drops the message.
const DROP: &str = "drop";
/// How long the button is there if the message waits for longer.
const SHOWN: Duration = Duration::from_secs(24 * 60 * 60);

/// Stores a notice about a message that waits. Where the platform has buttons, its sender and admins can drop it with one.
/// Under one key the notice is sent once.
pub(crate) fn notice_with_drop(
    tx: &Tx<'_>,
    outgoing: &Outgoing<'_>,
    key: &TextKey,
    notice: &Notice,
    (message, sender): (MessageId, &Principal),
    now: Now,
) -> Outcome<()> {
    if is_known(tx, key.part(0).as_str())? {
        return Ok(());
    }
    let question = question(notice).filter(|_| tx.shared.renderer.buttons(outgoing.address));
    let Some(question) = question else { return outgoing.notice_as(tx, key, notice).map(drop) };
    let outgoing = Outgoing { kind: PostKind::Notice, ..outgoing.clone() };
    let opening = Opening {
        id: AskId(tx.new_id(Table::Ask)?),
        turn: None,
        message: Some(message),
        commands: Some(&[(DROP.to_owned(), format!("/queue drop {message}"))]),
        question: &question,
        audience: &Audience::People(vec![sender.clone()]),
        how: None,
        digest: question.digest(),
    };
    open(tx, &outgoing, key, &opening, now).map(drop)
}

/// The notice as a question; `None` if it is too long for one.
fn question(notice: &Notice) -> Option<Question> {
    let drop = AskChoice { id: DROP.to_owned(), label: "Drop it".to_owned(), style: ChoiceStyle::Plain };
    let question = Question {
        kind: AskKind::Choice,
        text: notice.text(),
        choices: vec![drop],
        audience: None,
        deadline: Some(SHOWN),
        default: None,
    };
    question.completed().ok()
}
