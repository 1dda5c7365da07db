//! Tests of the tree.

use serde_json::{Value, json};

use super::super::tree::{DEEPEST, is_plain, parsed};
use super::super::{Element, Node, tree};

fn of(text: &str) -> Value {
    serde_json::to_value(tree(text)).unwrap()
}

#[test]
fn a_text_without_markup_has_no_tree() {
    for text in ["", "hi", "first\nsecond", ">", "a < b", "\u{5e9}\u{5dc}\u{5d5}\u{5dd}"] {
        assert_eq!(tree(text), None, "{text:?}");
    }
}

#[test]
fn words_have_their_styles() {
    assert_eq!(
        of("a **b *c*** `d` ~~e~~ [f](https://x.org \"t\")"),
        json!([{"type": "paragraph", "children": [
            "a ", {"type": "bold", "children": ["b ", {"type": "italic", "children": ["c"]}]}, " ",
            {"type": "code", "text": "d"}, " ", {"type": "strike", "children": ["e"]}, " ",
            {"type": "link", "url": "https://x.org", "children": ["f"]}]}])
    );
    assert_eq!(
        of("[![alt](https://i.org/a.png)](https://x.org) <me@x.org>"),
        json!([{"type": "paragraph", "children": [
            {"type": "link", "url": "https://x.org", "children": ["alt"]}, " ",
            {"type": "link", "url": "mailto:me@x.org", "children": ["me@x.org"]}]}])
    );
}

#[test]
fn blocks_are_nested() {
    assert_eq!(
        of("## T\n\n> q\n> r\n\n3. a\n   - [x] b\n\n---\n```rust x.rs\nlet x;\n\n```"),
        json!([
            {"type": "heading", "level": 2, "children": ["T"]},
            {"type": "quote", "children": [{"type": "paragraph", "children": ["q\nr"]}]},
            {"type": "list", "start": 3, "children": [{"type": "item", "children": [
                "a", {"type": "list", "children": [{"type": "item", "done": true, "children": ["b"]}]}]}]},
            {"type": "rule"},
            {"type": "pre", "language": "rust", "text": "x.rs\nlet x;\n"},
        ])
    );
}

#[test]
fn a_table_keeps_cells_that_its_head_lacks() {
    let cell = |text: &str| json!({"type": "cell", "children": [text]});
    assert_eq!(
        of("| a | b |\n|:-:|--:|\n| 1 | 2 | 3 |"),
        json!([{"type": "table", "align": ["center", "right"], "children": [
            {"type": "row", "children": [cell("a"), cell("b")]},
            {"type": "row", "children": [cell("1"), cell("2"), cell("3")]}]}])
    );
}

#[test]
fn html_and_unused_definitions_are_text() {
    assert_eq!(
        of("<b>x</b> & [INFO]\n\n[INFO]: started\n\n<script>\nalert(1)\n</script>"),
        json!([
            {"type": "paragraph", "children": ["<b>x</b> & ", {"type": "link", "url": "started", "children": ["INFO"]}]},
            {"type": "paragraph", "children": ["<script>\nalert(1)\n</script>"]},
        ])
    );
    assert_eq!(
        of("a\n\n[INFO]: started"),
        json!([{"type": "paragraph", "children": ["a"]}, {"type": "paragraph", "children": ["[INFO]: started"]}])
    );
}

#[test]
fn a_text_that_is_not_parsed_would_have_no_tree() {
    for text in [
        "a = b",
        "well-known",
        "a # b",
        "Hm!",
        "x > y",
        "a) b",
        "1. a",
        "- a",
        "> a",
        "a\n===",
        "a\n\nb",
        " a",
        "a  ",
    ] {
        let parsed = parsed(text);
        assert!(!is_plain(text) || parsed.is_none(), "{text:?}");
    }
    assert!(is_plain("Some words,\nand more: 3 - 2 = 1 (yes)"));
}

#[test]
fn deep_nesting_is_flattened_and_loses_no_text() {
    fn depth(nodes: &[Node]) -> usize {
        let inner = |node: &Node| match node {
            Node::Element(Element::Quote { children } | Element::Paragraph { children }) => depth(children),
            _ => 0,
        };
        1 + nodes.iter().map(inner).max().unwrap_or(0)
    }
    let nodes = tree(&format!("{}end", "> ".repeat(2000))).unwrap();
    assert!(depth(&nodes) <= DEEPEST + 1, "{}", depth(&nodes));
    assert!(serde_json::to_string(&nodes).unwrap().contains("end"));
}
