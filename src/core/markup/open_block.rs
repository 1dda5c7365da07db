//! The last block of a text, if it was left open: what is appended would become a part of it.

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag};

use super::parse::options;

/// How blocks of HTML begin that do not end with a blank line, and what ends them.
const HTML: [(&str, &str); 8] = [
    ("<!--", "-->"),
    ("<![CDATA[", "]]>"),
    ("<!", ">"),
    ("<?", "?>"),
    ("<script", "</script>"),
    ("<pre", "</pre>"),
    ("<style", "</style>"),
    ("<textarea", "</textarea>"),
];

/// Somebody's Markdown with a paragraph of the gateway behind it. The paragraph is one of its own, whatever block the text
/// leaves open.
pub fn followed_by(text: &str, paragraph: &str) -> String {
    format!("{text}{}\n\n{paragraph}", closing(text))
}

/// What closes the code block or the HTML block that `text` leaves open; empty if it leaves none.
pub fn closing(text: &str) -> String {
    // A paragraph of its own, unless a block is open.
    let probe = format!("{text}\n\nx");
    let (mut depth, mut last) = (0_usize, None);
    for (event, range) in Parser::new_ext(&probe, options()).into_offset_iter() {
        match event {
            Event::Start(tag) => {
                if depth == 0 {
                    last = Some((tag, range));
                }
                depth += 1;
            }
            Event::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    let Some((tag, range)) = last.filter(|(_, range)| range.start < text.len()) else { return String::new() };
    let block = text[range.start..].trim_start();
    let end = match tag {
        Tag::CodeBlock(CodeBlockKind::Fenced(_)) => fence(block),
        Tag::HtmlBlock => html(block),
        _ => return String::new(),
    };
    if text.ends_with('\n') { end.to_owned() } else { format!("\n{end}") }
}

/// The fence at the beginning of a block.
fn fence(block: &str) -> &str {
    let sign = block.chars().next();
    let end = block.find(|char| Some(char) != sign).unwrap_or(block.len());
    &block[..end]
}

/// The end of a block of HTML.
fn html(block: &str) -> &'static str {
    let begins = |with: &&(&str, &str)| {
        block.get(..with.0.len()).is_some_and(|start| start.eq_ignore_ascii_case(with.0))
    };
    HTML.iter().find(begins).map_or("", |(_, end)| end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_text_leaves_open_is_closed() {
        for (text, end) in [
            ("Run this?\n```sh\nrm -rf /", "\n```"),
            ("````\n```\nx\n", "````"),
            ("~~~\nx", "\n~~~"),
            ("  ```\nx", "\n```"),
            ("<!-- c", "\n-->"),
            ("<PRE>\nx", "\n</pre>"),
        ] {
            assert_eq!(closing(text), end, "{text:?}");
            let whole = followed_by(text, "Reply `yes`.");
            assert!(crate::markup::plain(&whole).ends_with("Reply yes."), "{whole:?}");
        }
    }

    #[test]
    fn nothing_is_added_to_a_text_that_leaves_nothing_open() {
        for text in [
            "",
            "Hi",
            "```\nx\n```",
            "> ```\n> x",
            "- ```\n  x",
            "**bold never closed",
            "a ` b",
            "Yes?\n\n    code",
            "| a | b |\n|---|---|",
            "<b>",
            "x\\",
            "# T",
            "[link](http://x",
        ] {
            assert_eq!(closing(text), "", "{text:?}");
            assert!(
                crate::markup::plain(&followed_by(text, "Reply `yes`.")).ends_with("Reply yes."),
                "{text:?}"
            );
        }
    }
}
