//! Checks that no word of an agent's Markdown gets lost: each word of a text is in its parts.

use frontdesk_core::markup::Part;
use frontdesk_core::profile::Profile;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// Parts of Markdown, complete and broken. Each `%` is replaced by a unique word.
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

/// Panics with a text of which a word would be missing or duplicated on this platform.
pub fn check(profile: &Profile) {
    let pieces = proptest::collection::vec(prop::sample::select(PIECES.to_vec()), 1..24);
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) };
    let shown = TestRunner::new(config).run(&pieces, |pieces| {
        let (text, words) = numbered(&pieces.concat());
        let parts = profile.render(&text);
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

/// No word is contained in another one, and none has a meaning in Markdown or in a dialect.
fn word(number: usize) -> String {
    format!("w{number}x")
}
