//! A question as a program writes it.

use std::time::Duration;

use frontdesk_core::ask::{AskChoice, AskKind, ChoiceStyle, Question};

use super::fields::{Fields, WrongField};

/// The question of an `ask` line.
pub(super) fn read(fields: &mut Fields) -> Result<Question, WrongField> {
    let kind = AskKind::named(&fields.text("kind")?).ok_or_else(|| {
        let known: Vec<&str> = AskKind::ALL.iter().map(|kind| kind.name()).collect();
        fields.wrong("kind", format!("one of {}", known.join(", ")))
    })?;
    Ok(Question {
        kind,
        text: fields.text("text")?,
        choices: fields.objects("choices")?.into_iter().map(choice).collect::<Result<_, _>>()?,
        audience: None,
        deadline: fields.whole_number("deadline_s")?.map(Duration::from_secs),
        default: fields.text_if_any("default")?,
    })
}

fn choice(mut fields: Fields) -> Result<AskChoice, WrongField> {
    Ok(AskChoice {
        id: fields.text("id")?,
        label: fields.text("label")?,
        // An unknown style is plain.
        style: fields.text_if_any("style")?.as_deref().and_then(ChoiceStyle::named).unwrap_or_default(),
    })
}
