//! Tests of Discord's dialect.

use frontdesk_core::markup::{Part, plain, render};
use frontdesk_core::profile::{Limit, Unit};
use proptest::prelude::*;

use super::*;

fn parts(text: &str, max: usize) -> Vec<Part> {
    render(text, &DIALECT, Limit { max, unit: Unit::Characters })
}

fn written(text: &str) -> String {
    parts(text, 2000).into_iter().map(|part| part.body).collect()
}

#[test]
fn marks_are_discords() {
    assert_eq!(written("**a** *b* ~~c~~ `d`"), "**a** *b* ~~c~~ ``d``");
    assert_eq!(written("> one\n> two"), "> one\n> two");
    assert_eq!(written("[site](https://e.org/a_(b))"), "[site](https://e.org/a_%28b%29)");
    assert_eq!(written("[file](notes.md)"), "file (notes.md)");
}

#[test]
fn only_text_is_escaped() {
    for (text, expected) in [
        ("2 \\* 3 \\* 4", "2 \\* 3 \\* 4"),
        ("snake_case", "snake\\_case"),
        ("a \\<@7> b", "a \\<@7> b"),
        ("\\# no heading", "\\# no heading"),
        ("C# and a > b - c", "C# and a > b - c"),
        ("#1 is first", "#1 is first"),
        ("\\[no\\](https://e.org/a_b)", "\\[no](https://e.org/a_b)"),
        ("see https://e.org/a_b_c here", "see https://e.org/a_b_c here"),
    ] {
        assert_eq!(written(text), expected, "{text}");
    }
}

#[test]
fn everybody_is_written_so_that_it_means_nobody() {
    assert_eq!(written("@everyone and @here"), "@\u{200b}everyone and @\u{200b}here");
    assert_eq!(written("`@everyone`"), "``@everyone``");
}

#[test]
fn backticks_in_code_end_nothing() {
    assert_eq!(written("```` a``b ````"), "``a`\u{200b}`b``");
    assert_eq!(written("`` `a` ``"), "``\u{200b}`a`\u{200b}``");
    assert_eq!(written("````\n```\n````"), "```\n`\u{200b}`\u{200b}`\n```");
}

#[test]
fn marks_of_one_sign_stay_apart() {
    assert_eq!(written("**a***b*"), "**a**\u{200b}*b*");
    assert_eq!(written("`a``b`"), written("`a``b`"), "one code span");
}

#[test]
fn a_fence_goes_on_in_the_next_part() {
    let code = format!("before\n\n```rust\n{}```\nafter", "let x = 1;\n".repeat(400));
    let parts = parts(&code, 2000);
    assert!(parts.len() > 2);
    for part in &parts {
        assert!(part.body.chars().count() <= 2000);
        assert_eq!(part.body.matches("```").count() % 2, 0, "{}", part.body);
        let lines = part.body.lines().filter(|line| *line == "let x = 1;").count();
        assert!(lines > 0 && part.body.contains("```rust\n"), "{}", part.body);
    }
    let lines: usize = parts.iter().map(|part| part.body.matches("let x = 1;").count()).sum();
    assert_eq!(lines, 400);
}

#[test]
fn a_language_that_discord_does_not_know_is_left_out() {
    assert_eq!(written("```c++\nx\n```"), "```c++\nx\n```");
    assert_eq!(written("```a$b\nx\n```"), "```\nx\n```");
}

#[test]
fn its_text_is_what_was_meant() {
    frontdesk_conformance::markdown::check(&crate::profile());
}

/// Texts from reports about other gateways, and what the chat must show.
#[test]
fn what_others_got_wrong_is_right() {
    for (text, expected) in [
        ("**<https://e.com/p/1>**", "**https://e.com/p/1**"),
        ("**https://e.com/p/1**", "**https://e.com/p/1**"),
        // No mark opens there, so the stars are the address's.
        ("**<https://e.com/p/1**>", "\\*\\*https://e.com/p/1**"),
        ("<https://e.com/a_b>", "https://e.com/a_b"),
        ("***x***", "**\u{200b}*x***"),
        ("> a *b*\n>\n> c", "> a *b*\n\n> c"),
        ("[a](https://e.org/x_(y)?q=1)", "[a](https://e.org/x_%28y%29?q=1)"),
        ("a \\\\* b", "a \\\\\\* b"),
        ("| a | b |\n|---|---|\n| **x** | `y` |", "**a \\| b**\n**x** \\| ``y``"),
    ] {
        assert_eq!(written(text), expected, "{text}");
    }
}

#[test]
fn an_answer_of_3887_characters_is_two_messages_with_every_word() {
    let line = "The quick brown fox jumps over the lazy dog.\n";
    let text: String = line.repeat(100).chars().take(3887).collect();
    let parts = parts(&text, 2000);
    assert_eq!(parts.len(), 2);
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let shown: Vec<String> = parts.iter().flat_map(|part| words(&part.body)).collect();
    assert_eq!(shown, words(&text));
    assert!(parts.iter().all(|part| part.body.chars().count() <= 2000));
}

/// What a reader sees, for texts without formatting: Discord removes a backslash before a sign.
fn read(body: &str) -> String {
    let mut shown = String::new();
    let mut chars = body.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some(next)) if next.is_ascii_punctuation() => shown.extend(chars.next()),
            (APART, _) => {}
            (c, _) => shown.push(c),
        }
    }
    shown
}

proptest! {
    #[test]
    fn a_text_without_formatting_is_shown_as_it_is(text in r"[a-z *_~|<>#@\-\[\]()`\\]{1,40}") {
        let literal = frontdesk_core::foreign::literal(&text);
        prop_assume!(!plain(&literal).trim().is_empty());
        let shown: String = parts(&literal, 2000).into_iter().map(|part| read(&part.body)).collect();
        prop_assert_eq!(shown, plain(&literal));
    }
}
