//! Checks that every profile must pass.

use std::time::Duration;

use frontdesk_core::address::Address;
use frontdesk_core::profile::{Flow, Profile, ReceiptRule};

use crate::markdown;

/// Texts that have broken renderers.
const HOSTILE: [&str; 8] = [
    "plain",
    "**bold** _it_ ~~gone~~ `code` [link](https://example.org/?a=1&b=2)",
    "# head\n\n- one\n  - two\n\n1. three\n\n> quote\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n---",
    "```rust\nlet x = \"<b>&amp;\";\n```",
    "<script>alert(1)</script> & <b>unclosed",
    "**never *closed ~~at `all",
    "@everyone <!channel> \u{202e}right to left\u{202c} 👨‍👩‍👧‍👦 e\u{301}",
    "a\u{0}b\u{7}c\r\nd",
];

/// Panics with the reason if a profile cannot be right.
pub fn check(profile: &Profile) {
    let channel = profile.channel.as_str();
    let plain = channel.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    assert!(plain && !channel.is_empty(), "{channel:?} must be a short plain name: it stands in keys");
    assert!(Address::new(channel, None, "1", None).is_ok());
    assert!(profile.limit.max >= 100, "{channel}: {} units are too few for an answer", profile.limit.max);
    if let Flow::Edits { every } = profile.flow {
        assert!(every >= Duration::from_millis(20), "{channel}: no platform takes edits every {every:?}");
    }
    if let Some(typing) = profile.typing {
        assert!(typing >= Duration::from_secs(1), "{channel}: typing every {typing:?} is a flood");
    }
    if profile.receipt == ReceiptRule::Commit {
        assert!(
            profile.idempotent == Some(Duration::MAX),
            "{channel}: what is fetched by number cannot arrive twice"
        );
    }
    markdown::check(profile);
    for text in HOSTILE.iter().map(|text| (*text).to_owned()).chain(long_texts()) {
        let parts = profile.render(&text);
        assert!(!parts.is_empty(), "{channel}: {text:?} shows nothing");
        for (n, part) in parts.iter().enumerate() {
            assert_eq!(usize::try_from(part.key), Ok(n), "{channel}: parts are numbered from 0");
            for shown in [&part.body, &part.plain] {
                let length = profile.limit.unit.len(shown);
                assert!(length <= profile.limit.max, "{channel}: a part of {length} units is over the limit");
            }
        }
    }
}

/// Each of the [`HOSTILE`] texts repeated, so that it is long enough to be split on most platforms.
fn long_texts() -> impl Iterator<Item = String> {
    HOSTILE.iter().map(|text| format!("{text}\n\n").repeat(400))
}
