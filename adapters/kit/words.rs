//! Nothing that an agent writes vanishes: every word of a Markdown text is in its parts.

use frontdesk_core::markup::{self, Part};
use frontdesk_core::profile::Profile;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// Pieces of Markdown, whole and broken; for each `%` stands a word of its own.
const PIECES: [&str; 52] = [
    "%",
    "% ",
    " %. ",
    "**%** ",
    "*%",
    "_% %_",
    "~~%~~",
    "`%` ",
    "`%",
    "\\%",
    "&amp;%",
    "\n",
    "\n\n",
    "  \n",
    "\t%",
    "    ",
    "\n    %\n",
    "\n> %",
    "\n> - %\n",
    "\n- %",
    "\n  - %",
    "\n      %",
    "\n1. %",
    "\n- [ ] %",
    "\n# %\n",
    "\n%\n===\n",
    "\n---\n%: %\n---\n",
    "[%](http://x.example)",
    "[%](http://x.example \"%\") ",
    "[%](notes.md) ",
    "![%](z.png) ",
    "![%](z.png '%') ",
    "[%]",
    "[%][r] ",
    "\n[r]: http://r.example\n",
    "\n[%]: %\n",
    "\n\n[%]: % '%'\n[%]: %\n\n",
    "\n- [%]: %\n",
    "\n1. %\n\n   [%]: %\n",
    "\n> [%]: %\n> %\n",
    "\n[^%]: % %\n",
    "\n```\n%\n```\n",
    "\n```rust % %\n%\n```\n",
    "\n~~~\n\t%",
    "<b>%</b>",
    "<!-- % -->",
    "\n<div>%\n",
    "\n\n|%|%|\n|-|-|\n|%|%|%| % |\n|%|`% | %`|%\n\n",
    "\n> |%|\n> |-|\n> |%| %\\|% |\n\n",
    "|%|",
    "<http://%.example> ",
    "http://%.example/% ",
];

/// Panics with a text of which `profile`'s platform would not be shown every word, or one twice.
pub fn check(profile: &Profile) {
    let pieces = proptest::collection::vec(prop::sample::select(PIECES.to_vec()), 1..24);
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) };
    let shown = TestRunner::new(config).run(&pieces, |pieces| {
        let (text, words) = numbered(&pieces.concat());
        let parts = markup::render(&text, profile);
        let all = |of: fn(&Part) -> &str| parts.iter().map(of).collect::<Vec<_>>().join("\n");
        let (body, plain) = (all(|part| &part.body), all(|part| &part.plain));
        for word in (0..words).map(word) {
            prop_assert!(body.contains(&word), "{word} of {text:?} is not in {body:?}");
            let times = plain.matches(&word).count();
            prop_assert!(times == 1, "{word} of {text:?} is {times} times in {plain:?}");
        }
        Ok(())
    });
    if let Err(lost) = shown {
        panic!("{}: {lost}", profile.channel);
    }
}

fn numbered(text: &str) -> (String, usize) {
    let (mut out, mut words) = (String::new(), 0);
    for char in text.chars() {
        match char {
            '%' => {
                out.push_str(&word(words));
                words += 1;
            }
            char => out.push(char),
        }
    }
    (out, words)
}

/// No word is a part of another, and none is a word of Markdown or of a dialect.
fn word(number: usize) -> String {
    format!("w{number}x")
}
