//! Blocks: their limits, and the ids that they get when an app gives them none.

use serde_json::Value;

use crate::answer::Refusal;
use crate::world::World;

/// The most blocks of a message, and the most characters in all of them.
const MOST: usize = 50;
const CHARACTERS: usize = 13_200;

/// How long the texts of each type of block may be, and how many elements it may have.
const LIMITS: [(&str, usize, usize); 6] = [
    ("actions", 0, 25),
    ("context", 2_000, 10),
    ("header", 150, 0),
    ("input", 2_000, 1),
    ("markdown", 12_000, 0),
    ("section", 3_000, 0),
];

impl World {
    /// Checks blocks and completes them; `None` if there are none.
    pub fn read_blocks(&mut self, blocks: Option<Value>) -> Result<Option<Value>, Refusal> {
        let Some(mut blocks) = blocks else { return Ok(None) };
        let Some(list) = blocks.as_array_mut() else { return Err(Refusal::new("invalid_blocks_format")) };
        if list.is_empty() {
            return Ok(None);
        }
        if list.len() > MOST {
            return Err(Refusal::blocks("no more than 50 items allowed [json-pointer:/blocks]"));
        }
        let mut characters = 0;
        for block in list.iter_mut() {
            characters += check(block)?;
            self.complete(block);
        }
        if characters > CHARACTERS {
            return Err(Refusal::new("msg_blocks_too_long"));
        }
        Ok(Some(blocks))
    }

    fn complete(&mut self, block: &mut Value) {
        if block["block_id"].as_str().unwrap_or_default().is_empty() {
            block["block_id"] = self.new_id("b").into();
        }
        for element in elements(block) {
            if element.is_object() && element["action_id"].as_str().unwrap_or_default().is_empty() {
                element["action_id"] = self.new_id("a").into();
            }
        }
    }
}

/// The interactive elements of a block.
fn elements(block: &mut Value) -> Vec<&mut Value> {
    let kind = block["type"].as_str().unwrap_or_default().to_owned();
    let Some(fields) = block.as_object_mut() else { return Vec::new() };
    let name = match kind.as_str() {
        "actions" => "elements",
        "section" => "accessory",
        "input" => "element",
        _ => return Vec::new(),
    };
    match fields.get_mut(name) {
        Some(Value::Array(list)) => list.iter_mut().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    }
}

fn length(text: &Value) -> usize {
    text["text"].as_str().or_else(|| text.as_str()).unwrap_or_default().chars().count()
}

/// Checks one block; returns how many characters its texts have.
fn check(block: &Value) -> Result<usize, Refusal> {
    let kind = block["type"].as_str().ok_or_else(|| Refusal::blocks("missing required field: type"))?;
    let known = LIMITS.iter().find(|(name, _, _)| *name == kind);
    let Some((_, text, most)) = known else {
        let others = [
            "divider",
            "file",
            "image",
            "rich_text",
            "table",
            "video",
            "context_actions",
            "plan",
            "task_card",
        ];
        return if others.contains(&kind) {
            Ok(block.to_string().len() / 2)
        } else {
            Err(Refusal::blocks(&format!("unsupported type: {kind} [json-pointer:/blocks/0/type]")))
        };
    };
    let elements = block["elements"].as_array().map(Vec::as_slice).unwrap_or_default();
    if elements.len() > *most || (kind == "actions" && elements.is_empty()) {
        return Err(Refusal::blocks(&format!(
            "wrong number of items: {} [json-pointer:/blocks/0/elements]",
            elements.len()
        )));
    }
    let fields = block["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
    let too_long = length(&block["text"]) > *text
        || fields.len() > 10
        || fields.iter().any(|field| length(field) > 2_000)
        || elements.iter().any(|element| kind == "context" && length(&element["text"]) > *text);
    if too_long {
        return Err(Refusal::blocks("must be less than 3001 characters [json-pointer:/blocks/0/text/text]"));
    }
    if kind == "section" && block["text"].is_null() && fields.is_empty() {
        return Err(Refusal::blocks("missing required field: text"));
    }
    for element in elements.iter().chain([&block["accessory"], &block["element"]]) {
        button(element)?;
    }
    Ok(length(&block["text"])
        + fields.iter().chain(elements).map(|one| length(&one["text"]) + length(one)).sum::<usize>())
}

fn button(element: &Value) -> Result<(), Refusal> {
    let longer =
        |name: &str, most: usize| element[name].as_str().is_some_and(|text| text.chars().count() > most);
    let wrong = length(&element["text"]) > 75 && element["type"] == "button"
        || longer("value", 2_000)
        || longer("url", 3_000)
        || longer("action_id", 255)
        || element["options"].as_array().is_some_and(|options| options.len() > 100);
    if wrong {
        Err(Refusal::blocks("an element is too long [json-pointer:/blocks/0/elements/0]"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn limits_of_blocks_are_kept() {
        let section = |length: usize| json!({"type": "section", "text": {"type": "mrkdwn", "text": "a".repeat(length)}});
        let button = |label: usize| json!({"type": "button", "text": {"type": "plain_text", "text": "a".repeat(label)}});
        let actions = |many: usize| json!({"type": "actions", "elements": vec![button(75); many]});
        assert_eq!(check(&section(3_000)), Ok(3_000));
        for bad in [
            section(3_001),
            actions(26),
            json!({"type": "actions", "elements": [button(76)]}),
            json!({"type": "header", "text": {"type": "plain_text", "text": "a".repeat(151)}}),
            json!({"type": "nonsense"}),
            json!({}),
        ] {
            assert_eq!(check(&bad).unwrap_err().error, "invalid_blocks", "{bad}");
        }
        assert!(check(&actions(25)).is_ok());
    }
}
