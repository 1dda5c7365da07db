//! Blocks that a program has written itself and sends beside a text. They are sent as they are, but they notify nobody,
//! unless the configuration lets them.
//!
//! Mentions have two forms in blocks: in texts with Slack's markup or Markdown (`<!channel>`, `<@U1>`), and as elements of
//! rich texts, at any depth, also in cells of tables.

use serde_json::{Map, Value, json};

/// Slack: the most blocks of a message.
const MOST: usize = 50;
/// The deepest nesting that is read.
const DEEPEST: usize = 20;
/// Words that notify many people behind an `@`.
const CROWDS: [&str; 3] = ["here", "channel", "everyone"];
/// Texts in which Slack acts on nothing.
const LITERAL: [&str; 3] = ["plain_text", "text", "emoji"];
/// Fields that are no texts, besides addresses and ids. `value` comes back with a pressed button.
const NO_TEXT: [&str; 4] = ["type", "value", "url", "style"];
/// The markup of a time, which each reader sees in their own time zone. It mentions nobody.
const TIME: &str = "!date^";

/// The blocks as they are sent, or what is wrong with them. Nobody is mentioned in them.
pub(crate) fn quiet(given: &Value) -> Result<Value, String> {
    let quiet: Option<Vec<Value>> = listed(given)?.iter().map(|block| quieted(block, DEEPEST)).collect();
    quiet.map(Value::Array).ok_or_else(|| format!("these blocks are nested deeper than {DEEPEST} levels"))
}

/// The same for blocks that may mention people.
pub(crate) fn as_given(given: &Value) -> Result<Value, String> {
    listed(given).map(|blocks| blocks.to_vec().into())
}

fn listed(given: &Value) -> Result<&[Value], String> {
    let blocks = given.as_array().ok_or("`blocks` is a list of Slack's blocks")?;
    if blocks.is_empty() || blocks.len() > MOST {
        return Err(format!("a message has 1 to {MOST} blocks, and these are {}", blocks.len()));
    }
    for (n, block) in blocks.iter().enumerate() {
        if !block["type"].is_string() {
            return Err(format!("blocks[{n}] is no block: it has no `type`"));
        }
    }
    Ok(blocks)
}

/// A value in which nobody is mentioned; `None` if it is nested too deeply.
fn quieted(value: &Value, depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    match value {
        Value::Object(fields) => match mention(fields) {
            Some(words) => Some(text_element(fields, words)),
            None => object(fields, depth).map(Value::Object),
        },
        Value::Array(list) => {
            list.iter().map(|one| quieted(one, depth)).collect::<Option<_>>().map(Value::Array)
        }
        Value::String(text) => Some(quiet_text(text).into()),
        other => Some(other.clone()),
    }
}

fn object(fields: &Map<String, Value>, depth: usize) -> Option<Map<String, Value>> {
    let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default();
    let is_literal = LITERAL.contains(&kind);
    let mut out = Map::new();
    for (name, value) in fields {
        let is_id = name.ends_with("_id") || name.ends_with("_url");
        let is_text = !is_literal && !is_id && !NO_TEXT.contains(&name.as_str());
        let value = match value {
            Value::String(text) if !is_text => text.as_str().into(),
            other => quieted(other, depth)?,
        };
        out.insert(name.clone(), value);
    }
    if kind == "mrkdwn" {
        // Otherwise Slack would make mentions of names such as `@channel`.
        out.insert("verbatim".to_owned(), true.into());
    }
    Some(out)
}

/// The words of an element of a rich text that mentions somebody.
fn mention(fields: &Map<String, Value>) -> Option<String> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    match text("type")? {
        "user" => text("user_id").map(|id| format!("@{id}")),
        "usergroup" => text("usergroup_id").map(|id| format!("@{id}")),
        "team" => text("team_id").map(|id| format!("@{id}")),
        "broadcast" => Some(format!("@{}", text("range").unwrap_or("channel"))),
        _ => None,
    }
}

fn text_element(fields: &Map<String, Value>, words: String) -> Value {
    let mut element = json!({"type": "text", "text": words});
    // Elements have flags as their style; elsewhere the word is a text.
    if let Some(style) = fields.get("style").filter(|style| style.is_object()) {
        element["style"] = style.clone();
    }
    element
}

/// A text with markup in which nobody is mentioned. Links stay.
fn quiet_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '@']) {
        out.push_str(&rest[..at]);
        let (mark, after) = rest[at..].split_at(1);
        rest = after;
        let names_a_crowd = || {
            let word: String = after.chars().take_while(char::is_ascii_alphabetic).collect();
            CROWDS.iter().any(|crowd| word.eq_ignore_ascii_case(crowd))
        };
        match mark {
            "<" if after.starts_with(['!', '@']) && !after.starts_with(TIME) => out.push_str("&lt;"),
            "@" if names_a_crowd() => out.push_str("@\u{200b}"),
            other => out.push_str(other),
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(kind: &str, text: &str) -> Value {
        json!({"type": kind, "text": text})
    }

    #[test]
    fn nobody_is_mentioned_in_any_type_of_block() {
        let loud = "*now* <!channel> <!here|x> <@U1> <!subteam^S1> @channel <https://e.com/|see>";
        let quiet = "*now* &lt;!channel> &lt;!here|x> &lt;@U1> &lt;!subteam^S1> @\u{200b}channel <https://e.com/|see>";
        let mrkdwn = |text: &str| json!({"type": "mrkdwn", "text": text, "verbatim": true});
        let rich = |elements: Value| json!({"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]});
        let loud_rich = rich(json!([
            {"type": "user", "user_id": "U1", "style": {"bold": true}}, {"type": "usergroup", "usergroup_id": "S1"},
            {"type": "broadcast", "range": "here"}, {"type": "team", "team_id": "T1"}, text("text", "<!here>"),
        ]));
        let quiet_rich = rich(json!([
            {"type": "text", "text": "@U1", "style": {"bold": true}}, text("text", "@S1"), text("text", "@here"), text("text", "@T1"),
            text("text", "<!here>"),
        ]));
        let cases = [
            (
                json!({"type": "section", "text": text("mrkdwn", loud)}),
                json!({"type": "section", "text": mrkdwn(quiet)}),
            ),
            (
                json!({"type": "section", "fields": [text("mrkdwn", loud), text("plain_text", "<!here>")]}),
                json!({"type": "section", "fields": [mrkdwn(quiet), text("plain_text", "<!here>")]}),
            ),
            (
                json!({"type": "context", "elements": [text("mrkdwn", loud)]}),
                json!({"type": "context", "elements": [mrkdwn(quiet)]}),
            ),
            (text("markdown", loud), text("markdown", quiet)),
            (
                json!({"type": "header", "text": text("plain_text", loud)}),
                json!({"type": "header", "text": text("plain_text", loud)}),
            ),
            (
                json!({"type": "image", "image_url": "https://e.com/a@here.png", "title": text("plain_text", "a"), "alt_text": "<!here>"}),
                json!({"type": "image", "image_url": "https://e.com/a@here.png", "title": text("plain_text", "a"), "alt_text": "&lt;!here>"}),
            ),
            (loud_rich.clone(), quiet_rich.clone()),
            (
                json!({"type": "table", "rows": [[loud_rich.clone()]]}),
                json!({"type": "table", "rows": [[quiet_rich.clone()]]}),
            ),
            (
                json!({"type": "task_card", "title": loud, "details": loud_rich}),
                json!({"type": "task_card", "title": quiet, "details": quiet_rich}),
            ),
            (
                json!({"type": "a_block_of_tomorrow", "words": loud, "lines": [loud]}),
                json!({"type": "a_block_of_tomorrow", "words": quiet, "lines": [quiet]}),
            ),
        ];
        for (given, sent) in cases {
            assert_eq!(super::quiet(&json!([given])), Ok(json!([sent])));
            assert_eq!(as_given(&json!([given])), Ok(json!([given])));
        }
    }

    #[test]
    fn times_and_addresses_stay_as_they_are() {
        let time = "at <!date^1392734382^{time}^https://e.com/@here|six, not <!here>>";
        let text = json!({"type": "video", "title_url": "https://e.com/@here", "title": time});
        let quiet = json!({"type": "video", "title_url": "https://e.com/@here",
            "title": "at <!date^1392734382^{time}^https://e.com/@\u{200b}here|six, not &lt;!here>>"});
        assert_eq!(super::quiet(&json!([text])), Ok(json!([quiet])));
    }

    #[test]
    fn data_of_buttons_comes_back_as_it_was_given() {
        let button = json!({"type": "button", "text": text("plain_text", "Go"), "action_id": "<@go>", "value": "<!here>"});
        let actions = json!([{"type": "actions", "elements": [button]}]);
        assert_eq!(quiet(&actions), Ok(actions.clone()));
    }

    #[test]
    fn what_is_no_list_of_blocks_is_refused() {
        let mut deep = json!({"type": "x"});
        for _ in 0..DEEPEST {
            deep = json!({"type": "x", "elements": [deep]});
        }
        let many = vec![json!({"type": "divider"}); MOST + 1];
        for bad in [json!({}), json!("x"), json!([]), json!([{}]), json!([1]), json!([deep]), json!(many)] {
            assert!(quiet(&bad).is_err(), "{bad}");
        }
        assert!(quiet(&json!(many[1..])).is_ok());
        assert!(as_given(&json!([{}])).is_err());
    }

    proptest! {
        #[test]
        fn no_text_mentions_anybody(text in "[-a-z<>!@#|&^U1 ]{0,60}") {
            let quiet = quiet_text(&text);
            prop_assert!(!quiet.contains("<!") && !quiet.contains("<@"), "{quiet}");
        }
    }
}
