//! Tests of the Telegram dialect.

use frontdesk_core::markup::{Part, plain, render};
use frontdesk_core::profile::{Limit, Unit};
use frontdesk_core::visible::{is_visible, shows};
use proptest::prelude::*;

use super::*;

fn parts(text: &str, max: usize) -> Vec<Part> {
    render(text, &DIALECT, Limit { max, unit: Unit::Utf16 })
}

fn html(text: &str) -> String {
    parts(text, 4000).into_iter().map(|part| part.body).collect()
}

/// Parses HTML as strictly as the Bot API documents it. Returns its text and the number of its tags.
fn check(html: &str) -> Result<(String, usize), String> {
    let (mut open, mut text, mut tags) = (Vec::<&str>::new(), String::new(), 0);
    let mut rest = html;
    while let Some(at) = rest.find(['<', '>', '&']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find(if rest.starts_with('<') { '>' } else { ';' }).ok_or("does not end")?;
        let token = &rest[1..end];
        match rest.as_bytes()[0] {
            b'&' => text.push_str(entity(token)?),
            b'<' if token.starts_with('/') => {
                if open.pop() != Some(&token[1..]) {
                    return Err(format!("</{}> closes nothing", &token[1..]));
                }
            }
            b'<' => {
                let name = tag(token)?;
                let inside = |outer: &str| open.contains(&outer);
                let language = name == "code" && open.last() == Some(&"pre") && token.contains("class=");
                if (name == "code" || name == "pre")
                    && open.iter().any(|outer| *outer != "blockquote")
                    && !language
                {
                    return Err(format!("<{name}> in {open:?}"));
                }
                if inside("code") || (inside("pre") && !language) || inside(name) {
                    return Err(format!("<{name}> in {open:?}"));
                }
                if name == "blockquote" && !open.is_empty() {
                    return Err("a quote in another mark".into());
                }
                // `<pre><code class>` is one entity.
                tags += usize::from(!language);
                open.push(name);
            }
            _ => return Err("a bare >".into()),
        }
        rest = &rest[end + 1..];
    }
    text.push_str(rest);
    if open.is_empty() { Ok((text, tags)) } else { Err(format!("{open:?} stay open")) }
}

fn entity(name: &str) -> Result<&'static str, String> {
    match name {
        "amp" => Ok("&"),
        "lt" => Ok("<"),
        "gt" => Ok(">"),
        _ => Err(format!("&{name};")),
    }
}

fn tag(token: &str) -> Result<&'static str, String> {
    for name in ["b", "i", "u", "s", "code", "pre", "blockquote", "tg-spoiler"] {
        if token == name {
            return Ok(name);
        }
    }
    let attribute = |head: &str| {
        let value = token.strip_prefix(head).and_then(|value| value.strip_suffix('"'))?;
        (!value.contains(['"', '<', '>']) && !value.is_empty()).then_some(value)
    };
    if let Some(url) = attribute("a href=\"") {
        return if link::is_kept(url) { Ok("a") } else { Err(format!("a link to {url}")) };
    }
    attribute("code class=\"language-").map(|_| "code").ok_or_else(|| format!("<{token}>"))
}

fn visible_chars(text: &str) -> String {
    text.chars().filter(|char| shows(*char)).collect()
}

#[test]
fn marks_become_tags() {
    assert_eq!(
        html("**a** *b* ~~c~~ `d` ***e***"),
        "<b>a</b> <i>b</i> <s>c</s> <code>d</code> <b><i>e</i></b>"
    );
    assert_eq!(html("# Head\n> quote"), "<b>Head</b>\n\n<blockquote>quote</blockquote>");
}

#[test]
fn only_text_is_escaped() {
    assert_eq!(html("**a & b < c** &amp; <u>x</u>"), "<b>a &amp; b &lt; c</b> &amp; &lt;u&gt;x&lt;/u&gt;");
}

#[test]
fn a_combining_ring_is_merged_with_its_letter() {
    assert_eq!(html("pa\u{30a} **A\u{30a}rhus** `u\u{30a}`"), "på <b>Århus</b> <code>ů</code>");
}

#[test]
fn a_fence_names_its_language() {
    assert_eq!(
        html("```rust\nVec<u8>\n```"),
        "<pre><code class=\"language-rust\">Vec&lt;u8&gt;</code></pre>"
    );
    assert_eq!(html("```\nx\n```"), "<pre>x</pre>");
    assert_eq!(html("```a\"b\nx\n```"), "<pre><code class=\"language-a&quot;b\">x</code></pre>");
}

#[test]
fn code_stands_outside_of_other_marks() {
    assert_eq!(html("**a `b` c**"), "<b>a </b><code>b</code><b> c</b>");
    assert_eq!(html("[`b`](http://x.y)"), "<a href=\"http://x.y\">b</a>");
    assert_eq!(html("> `b`"), "<blockquote><code>b</code></blockquote>");
}

#[test]
fn a_quote_in_a_quote_is_a_prefix() {
    assert_eq!(html("> a\n>> b"), "<blockquote>a\n\n&gt; b</blockquote>");
}

#[test]
fn links_lead_only_where_telegram_lets_them() {
    assert_eq!(
        html("[a](https://x.y/?b=1&c=\"2\")"),
        "<a href=\"https://x.y/?b=1&amp;c=&quot;2&quot;\">a</a>"
    );
    assert_eq!(html("[a](javascript:x) [b](c.txt)"), "a (javascript:x) b (c.txt)");
    assert_eq!(html("<a@b.org> [c](tel:+49123)"), "a@b.org c (tel:+49123)");
    assert_eq!(html("[app](http://localhost:3000/)"), "app (http://localhost:3000/)");
    assert_eq!(html("[write](mailto:a@b.org)"), "write (a@b.org)");
}

#[test]
fn links_that_act_inside_of_telegram_are_written_as_text() {
    assert_eq!(html("[Anna](tg://user?id=42)"), "Anna (<code>tg://user?id=42</code>)");
    assert_eq!(html("tg://resolve?domain=x"), "<code>tg://resolve?domain=x</code>");
    assert_eq!(html("<tg://settings>"), "<code>tg://settings</code>");
}

#[test]
fn names_of_files_are_code_and_links_stay_links() {
    assert_eq!(
        html("see README.md, R&D.md, **main.rs** and [README.md](https://README.md), example.com"),
        "see <code>README.md</code>, <code>R&amp;D.md</code>, <code>main.rs</code> and \
         <a href=\"https://README.md\">README.md</a>, example.com"
    );
}

#[test]
fn code_keeps_the_shape_that_its_tabs_gave_it() {
    assert_eq!(
        html("```go\nif x {\n\ty()\n}\n```"),
        "<pre><code class=\"language-go\">if x {\n    y()\n}</code></pre>"
    );
    assert_eq!(html("    \tx"), "<pre>    x</pre>");
}

#[test]
fn an_invisible_answer_makes_no_message() {
    for text in ["\u{200b}", "\u{2060}", "\u{a0}\u{feff}\u{3000}", "\u{2800}\n\u{fffc}", "\u{30a}"] {
        assert_eq!(parts(text, 4000), [], "{text:?}");
    }
}

#[test]
fn plain_text_contains_what_the_tags_expressed() {
    assert_eq!(parts("> **a** [b](http://c)", 4000)[0].plain, "> a b (http://c)");
}

#[test]
fn a_cut_fence_is_closed_and_opened_with_its_language() {
    let code: String = (0..500).map(|line| format!("    let line_{line} = {line};\n")).collect();
    let parts = parts(&format!("Look:\n\n```rust\n{code}```\n\nDone."), 4000);
    assert!(parts.len() >= 3);
    for part in &parts {
        assert!(part.body.contains("<pre><code class=\"language-rust\">    let line_"), "{}", part.body);
        check(&part.body).unwrap();
    }
}

#[test]
fn a_part_carries_at_most_a_hundred_entities() {
    let text = "**a** ".repeat(250);
    let counts: Vec<usize> = parts(&text, 4000).iter().map(|part| check(&part.body).unwrap().1).collect();
    assert_eq!(counts, [100, 100, 50]);
}

#[test]
fn a_link_that_is_cut_leads_on_in_every_part() {
    let parts = parts(&format!("[{}](https://example.org/page)", "word ".repeat(1000)), 4000);
    assert!(parts.len() > 1);
    assert!(parts.iter().all(|part| part.body.starts_with("<a href=\"https://example.org/page\">word")));
}

fn markdown() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop::sample::select(vec![
            "*",
            "**",
            "***",
            "_",
            "~~",
            "`",
            "``",
            "```",
            "\n```rust\n",
            "\n```\n",
            "\n",
            "\n\n",
            "> ",
            ">> ",
            "- ",
            "1. ",
            "    ",
            "[",
            "]",
            "](http://x.y?a=1&b)",
            "](javascript:x)",
            "# ",
            "|",
            "\n|a|b|\n|-|-|\n",
            "<b>",
            "</b>",
            "<!--",
            "&amp;",
            "&lt;",
            "&",
            "\\",
            "\n---\n",
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
            "\u{600}",
            " \u{301}",
            "&#7;",
            "[r]: http://r\n",
            "[r]",
        ]),
        0..120,
    )
    .prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1500) })]

    #[test]
    fn every_part_is_valid_html_within_the_limit_and_no_text_is_lost(
        text in prop_oneof![3 => markdown(), 1 => any::<String>(), 1 => "[*_`~>#|\\[\\]()<&! \n-]{0,200}"],
        max in prop_oneof![1usize..200, Just(4000usize)],
    ) {
        let parts = parts(&text, max);
        for part in &parts {
            prop_assert!(Unit::Utf16.len(&part.body) <= max, "{:?}", part);
            prop_assert!(Unit::Utf16.len(&part.plain) <= max, "{:?}", part);
            prop_assert!(is_visible(&part.plain));
            let (seen, tags) = match check(&part.body) {
                Ok(checked) => checked,
                Err(fault) => return Err(TestCaseError::fail(format!("{fault}: {}", part.body))),
            };
            prop_assert!(tags <= 100);
            prop_assert!(is_visible(&seen));
        }
        // Below two units an emoji does not fit, and `?` stands for it; below a hundred, tags that leave no
        // space for a character are dropped, and with them the mark before a quoted line.
        let all: String = parts.iter().map(|part| part.plain.as_str()).collect();
        if max >= 100 {
            prop_assert_eq!(visible_chars(&all), visible_chars(&plain(&text)));
        } else if max >= 2 {
            prop_assert_eq!(visible_chars(&all).replace('>', ""), visible_chars(&plain(&text)).replace('>', ""));
        }
        // Below five, `&amp;` has none.
        if max >= 5 && !text.contains(['[', '<', '>']) {
            let all: String = parts.iter().map(|part| check(&part.body).unwrap().0).collect();
            prop_assert_eq!(visible_chars(&all), visible_chars(&plain(&text)));
        }
    }
}
