//! Tests of the dialect.

use frontdesk_core::markup::render;
use frontdesk_core::profile::{Limit, Unit};
use proptest::prelude::*;

use super::*;

fn bodies(text: &str, max: usize) -> Vec<String> {
    let limit = Limit { max, unit: Unit::Characters };
    render(text, &DIALECT, limit).into_iter().map(|part| part.body).collect()
}

fn body(text: &str) -> String {
    bodies(text, 4_000).concat()
}

#[test]
fn markdown_becomes_slacks_markup() {
    for (text, expected) in [
        ("**bold** *it* ~~gone~~ `code`", "*bold* _it_ ~gone~ `code`"),
        ("# Head\n\n- one\n- two", "*Head*\n\n• one\n• two"),
        ("[label](https://example.org/?a=1&b=2)", "<https://example.org/?a=1&amp;b=2|label>"),
        ("[notes](notes.md)", "notes (notes.md)"),
        ("> one\n> two", "> one\n> two"),
        ("```rust\nlet a = 1;\n```", "```\nlet a = 1;\n```"),
        ("a\u{7}b", "ab"),
    ] {
        assert_eq!(body(text), expected, "{text}");
    }
}

#[test]
fn nobody_is_mentioned_and_nothing_is_linked_by_a_text() {
    for (text, expected) in [
        ("<!channel> <!here|x> <!everyone>", "&lt;!channel&gt; &lt;!here|x&gt; &lt;!everyone&gt;"),
        ("<@U123> <#C123|x> <!subteam^S1>", "&lt;@U123&gt; &lt;#C123|x&gt; &lt;!subteam^S1&gt;"),
        (
            "`<!channel>` and\n\n```\n<@U1> & <b>\n```",
            "`&lt;!channel&gt;` and\n\n```\n&lt;@U1&gt; &amp; &lt;b&gt;\n```",
        ),
        ("&lt;!channel&gt;", "&lt;!channel&gt;"),
        ("&amp;lt;", "&amp;lt;"),
        ("[x](<!channel>)", "x (!channel)"),
        ("[<!here>](https://example.org/)", "<https://example.org/|&lt;!here&gt;>"),
    ] {
        assert_eq!(body(text), expected, "{text}");
    }
}

#[test]
fn marks_inside_of_words_count() {
    assert_eq!(body("in**si**de"), "in\u{200b}*si*\u{200b}de");
    assert_eq!(body("**a**~~b~~"), "*a*~b~");
    assert_eq!(body("***a***b"), "*_a_*\u{200b}b");
    assert_eq!(body("2 * 3 * 4"), "2 * 3 * 4");
}

#[test]
fn a_mark_ends_with_its_line() {
    assert_eq!(body("**one\ntwo**"), "*one*\n*two*");
}

#[test]
fn a_backtick_ends_no_code() {
    assert_eq!(body("``a`b``"), "`a\u{2cb}b`");
    let block = body("````\n```\nx\n```\n````");
    assert_eq!(block, "```\n``\u{200b}`\nx\n``\u{200b}`\n```");
    assert_eq!(block.matches("```").count(), 2);
}

#[test]
fn a_line_that_begins_with_a_sign_is_no_quote() {
    assert_eq!(body("\\> not a quote"), "\u{200b}&gt; not a quote");
}

#[test]
fn a_code_block_goes_on_in_the_next_part() {
    let text = format!("```\n{}```", "a line of code\n".repeat(600));
    let parts = bodies(&text, 4_000);
    assert!(parts.len() >= 3, "{}", parts.len());
    for part in &parts {
        assert!(part.starts_with("```\n") && part.ends_with("\n```"), "{part:?}");
        assert_eq!(part.matches("```").count(), 2);
        assert!(part.chars().count() <= 4_000);
    }
    let lines: usize = parts.iter().map(|part| part.matches("a line of code").count()).sum();
    assert_eq!(lines, 600);
}

#[test]
fn escapes_count_in_the_limit_and_are_never_cut() {
    let parts = bodies(&"&".repeat(3_000), 4_000);
    assert_eq!(parts.len(), 4);
    for part in parts {
        assert_eq!(part.len() % 5, 0);
        assert!(part.len() <= 4_000 && part.replace("&amp;", "").is_empty());
    }
}

#[test]
fn a_literal_text_has_the_same_three_escapes() {
    assert_eq!(literal("<!channel> & *x*"), "&lt;!channel&gt; &amp; *x*");
}

proptest! {
    #[test]
    fn no_text_becomes_a_mention(text in "[-a-z<>!@#|&;`*_~\\[\\]() \n]{0,80}") {
        for part in bodies(&text, 100) {
            for after in part.split('<').skip(1) {
                prop_assert!(after.starts_with("http") || after.starts_with("mailto:") || after.starts_with("tel:"), "{part:?}");
            }
        }
    }
}
