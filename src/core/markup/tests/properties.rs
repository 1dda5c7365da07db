//! Properties of every text: no part is over its limit, and no visible character is lost.

use proptest::prelude::*;

use super::*;
use crate::visible::shows;

/// The visible characters, which no cut may lose.
fn visible_chars(text: &str) -> String {
    text.chars().filter(|char| shows(*char)).collect()
}

fn markdown() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop::sample::select(vec![
            "*",
            "**",
            "_",
            "~~",
            "`",
            "```",
            "```rust\n",
            "\n",
            "\n\n",
            "> ",
            "- ",
            "1. ",
            "    ",
            "[",
            "](http://x.y)",
            "# ",
            "|",
            "|-|\n",
            "<b>",
            "&amp;",
            "&",
            "\\",
            "---\n",
            "word",
            "a b. ",
            "é",
            "e\u{301}",
            "👩‍👩‍👧",
            "🇩🇪",
            "שלום",
            "\r\n",
            "\0",
            "\t",
            "![",
            "<http://z>",
            "- [ ] ",
        ]),
        0..60,
    )
    .prop_map(|pieces| pieces.concat())
}

#[test]
fn a_picture_without_words_at_the_start_of_an_item_shows_its_address_once() {
    assert_eq!(visible_chars(&plain("> - ![\n](http://x.y)")).matches("http://x.y").count(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn no_part_is_over_the_limit_and_no_text_is_lost(text in prop_oneof![markdown(), any::<String>()], max in 1usize..80) {
        for unit in [Unit::Bytes, Unit::Characters, Unit::Utf16] {
            for dialect in [&LINES, &BARE, &SOURCE] {
                let limit = Limit { max, unit };
                let parts = render(&text, dialect, limit);
                for (index, part) in parts.iter().enumerate() {
                    prop_assert_eq!(part.key as usize, index);
                    prop_assert!(limit.holds(&part.body) && limit.holds(&part.plain), "{:?}", part);
                    prop_assert!(is_visible(&part.body) && is_visible(&part.plain));
                }
                if dialect.name != "source" && (max >= 4 || unit == Unit::Characters) {
                    let all: String = parts.iter().map(|part| part.plain.as_str()).collect();
                    // The prefix of a quoted line is a decoration, for which a small limit may leave no space.
                    prop_assert_eq!(visible_chars(&all).replace('>', ""), visible_chars(&plain(&text)).replace('>', ""));
                }
            }
        }
    }

    #[test]
    fn source_within_the_limit_is_untouched(text in any::<String>()) {
        let parts = bodies(&text, &SOURCE, 100_000);
        if is_visible(&text) {
            prop_assert_eq!(parts, [text]);
        }
    }
}
