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

/// From public reports of other gateways.
#[test]
fn what_went_wrong_elsewhere_is_right() {
    let mut wrong = Vec::new();
    for (text, expected) in [
        ("**<https://e.com/p/1>**", "<https://e.com/p/1|*https://e.com/p/1*>"),
        ("**https://e.com/p/1**", "*https://e.com/p/1*"),
        // As CommonMark reads it: the asterisks are part of the address.
        ("**<https://e.com/p/1**>", "**<https://e.com/p/1**|https://e.com/p/1**>"),
        ("***x***", "*_x_*"),
        ("***x*** and **y *z***", "*_x_* and *y _z_*"),
        ("> **quoted** & <b>", "> *quoted* &amp; &lt;b&gt;"),
        // Slack has one level of quotes.
        ("> > twice", "> &gt; twice"),
        ("[x](https://e.com/a_(b))", "<https://e.com/a_(b)|x>"),
        ("[x](https://e.com/a_\\(b\\)?c=1&d=2)", "<https://e.com/a_(b)?c=1&amp;d=2|x>"),
        ("&amp;lt; &lt;!here&gt; \\<!here>", "&amp;lt; &lt;!here&gt; &lt;!here&gt;"),
        ("[<@U1>](https://e.com/) `<!channel>`", "<https://e.com/|&lt;@U1&gt;> `&lt;!channel&gt;`"),
    ] {
        let shown = body(text);
        if shown != expected {
            wrong.push(format!("{text}\n  wanted {expected}\n  got    {shown}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn markup_in_the_cells_of_a_table_is_formatted_and_mentions_nobody() {
    let table = "| name | state |\n|---|---|\n| **pump** | [on](https://e.com/a) |\n| `<!here>` | 1 < 2 |";
    let shown = body(table);
    for piece in ["*pump*", "<https://e.com/a|on>", "`&lt;!here&gt;`", "1 &lt; 2"] {
        assert!(shown.contains(piece), "{piece}: {shown}");
    }
    assert!(!shown.contains("**") && !shown.contains("|---"), "{shown}");
}
