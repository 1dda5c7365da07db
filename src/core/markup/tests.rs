//! Tests of parsing and writing.

use super::*;

mod properties;
mod tree;

/// A dialect like Discord's or Slack's: marks end with their line, and quotes are line prefixes.
static LINES: Dialect = Dialect {
    name: "lines",
    rendering: Rendering::Formatted(Marks {
        escape: |text, out| {
            out.push_str(&text.replace('<', "&lt;").replace("@everyone", "@\u{200b}everyone"))
        },
        escape_code: |text, out| out.push_str(&text.replace('<', "&lt;")),
        open: |style, out| {
            match style {
                Style::Bold => out.push('*'),
                Style::Italic => out.push('_'),
                Style::Strike => out.push('~'),
                Style::Code => out.push('`'),
                Style::Pre { language } => {
                    out.push_str("```");
                    out.push_str(language.unwrap_or(""));
                    out.push('\n');
                }
                Style::Link { url } => {
                    out.push('<');
                    out.push_str(url);
                    out.push('|');
                }
                Style::Quote => return false,
            }
            true
        },
        close: |style, out| {
            out.push_str(match style {
                Style::Bold => "*",
                Style::Italic => "_",
                Style::Strike => "~",
                Style::Code => "`",
                Style::Pre { .. } => "\n```",
                Style::Link { .. } => ">",
                Style::Quote => "",
            });
        },
        line_quote: Some("> "),
        code_alone: false,
        per_line: true,
        max: usize::MAX,
        ..Marks::PLAIN
    }),
};

static BARE: Dialect = Dialect { name: "bare", rendering: Rendering::Formatted(Marks::PLAIN) };
static SOURCE: Dialect = Dialect { name: "source", rendering: Rendering::Verbatim };

fn limit(max: usize) -> Limit {
    Limit { max, unit: Unit::Characters }
}

fn bodies(text: &str, dialect: &Dialect, max: usize) -> Vec<String> {
    render(text, dialect, limit(max)).into_iter().map(|part| part.body).collect()
}

fn body(text: &str) -> String {
    bodies(text, &LINES, 10_000).concat()
}

#[test]
fn blank_text_makes_no_parts() {
    for text in ["", " \n\t\r\n ", "\0"] {
        assert_eq!(bodies(text, &LINES, 100), [""; 0], "{text:?}");
    }
    assert_eq!(bodies("hello", &LINES, 0), [""; 0]);
}

#[test]
fn invisible_text_makes_no_parts() {
    for text in ["\u{200b}", "\u{2060}\n\u{feff}", "**\u{2800}**", "> \u{3000}\u{fffc}", "```\n\u{a0}\n```"] {
        let parts = bodies(text, &LINES, 100);
        assert!(parts.iter().all(|part| is_visible(part)), "{text:?} makes {parts:?}");
    }
    for dialect in [&LINES, &BARE, &SOURCE] {
        assert_eq!(bodies("\u{200e}\u{a0}\u{2060}", dialect, 100), [""; 0]);
        let padded = format!("{} a", "\u{2060}".repeat(250));
        assert!(bodies(&padded, dialect, 100).iter().all(|part| is_visible(part)));
    }
}

#[test]
fn an_answer_of_which_markdown_shows_nothing_is_shown_as_written() {
    for text in [">", "-", "```\n```", "&nbsp;", "[INFO]: started"] {
        assert_eq!(bodies(text, &LINES, 100), [text], "{text:?}");
    }
}

#[test]
fn lines_that_only_look_like_link_definitions_are_kept() {
    assert_eq!(plain("[INFO]: started\n[INFO]: ended\n\nok"), "[INFO]: started\n[INFO]: ended\n\nok");
    assert_eq!(
        plain("see [1] [b]\n\n[1]: http://a\n[2]: http://c\n[b]: d"),
        "see 1 (http://a) b (d)\n\n[2]: http://c"
    );
}

#[test]
fn lines_that_only_look_like_link_definitions_are_kept_in_lists_and_quotes_too() {
    assert_eq!(plain("- [INFO]: started\n- b"), "• [INFO]: started\n• b");
    assert_eq!(plain("- a\n  - [i]: j\n- [ ] x"), "• a\n  • [i]: j\n☐ x");
    assert_eq!(plain("> [a]: b\n> hi"), "> [a]: b\n\n> hi");
    assert_eq!(plain("1. a\n\n   [b]: c 'd'\n2. e"), "1. a\n   [b]: c 'd'\n\n2. e");
    assert_eq!(plain("- [xy]\n\n  [xy]: http://y"), "• xy (http://y)");
}

#[test]
fn a_link_keeps_its_title() {
    assert_eq!(plain("[a](http://b \"c d\") ![e](f.png 'e')"), "a (c d) (http://b) e (f.png)");
}

#[test]
fn a_mail_address_is_shown_without_its_scheme() {
    assert_eq!(
        plain("[write](mailto:a@b.org) [a@b.org](mailto:a@b.org) [](mailto:c@d.org)"),
        "write (a@b.org) a@b.org c@d.org"
    );
    assert_eq!(plain("[write](mailto:a@b.org?subject=x)"), "write (mailto:a@b.org?subject=x)");
}

#[test]
fn text_after_the_language_of_a_fence_is_the_first_line_of_the_code() {
    assert_eq!(body("```sh npm install\n```"), "```sh\nnpm install\n```");
    assert_eq!(body("```js title=\"a\"\nb\n```"), "```js\ntitle=\"a\"\nb\n```");
    let long = "x".repeat(40);
    assert_eq!(body(&format!("```{long}\nb\n```")), format!("```\n{long}\nb\n```"));
}

#[test]
fn cells_beyond_a_tables_head_are_shown() {
    let rows = "| A | B |\n|---|---|\n| run | `ls | wc` |\n| 1 | 2 | three | a \\| b |\n";
    assert_eq!(plain(rows), "A | B\nrun | `ls | wc`\n1 | 2 | three | a | b");
    assert_eq!(plain("> | A |\n> |---|\n> | 1 | two"), "> A\n> 1 | two");
}

static SPACES: Dialect = Dialect {
    name: "spaces",
    rendering: Rendering::Formatted(Marks {
        open: |style, out| {
            match style {
                Style::Code => out.push('`'),
                Style::Bold => out.push('*'),
                _ => return false,
            }
            true
        },
        close: |style, out| out.push(if style == Style::Code { '`' } else { '*' }),
        tab_stops: Some(4),
        code_words: |text| text.match_indices("a.md").map(|(at, word)| at..at + word.len()).collect(),
        code_alone: true,
        ..Marks::PLAIN
    }),
};

#[test]
fn tabs_become_the_spaces_up_to_the_next_stop_where_the_platform_has_none() {
    let code = "```\nif x {\n\ty()\n\t\tz\t// 1\nab\tc\n}\n```";
    assert_eq!(bodies(code, &SPACES, 100), ["if x {\n    y()\n        z   // 1\nab  c\n}"]);
    assert_eq!(bodies("a\tb `c\td`", &SPACES, 100), ["a   b `c d`"]);
    assert_eq!(body("```\n\tx\n```"), "```\n\tx\n```", "others keep their tabs");
}

#[test]
fn words_that_the_platform_would_link_are_code_except_in_links_and_code() {
    assert_eq!(bodies("see a.md, **the a.md file**", &SPACES, 100), ["see `a.md`, *the *`a.md`* file*"]);
    assert_eq!(bodies("`a.md` [a.md](http://a.md)", &LINES, 100), ["`a.md` <http://a.md|a.md>"]);
    assert_eq!(bodies("`a.md b` c", &SPACES, 100), ["`a.md b` c"]);
    assert_eq!(bodies("```\na.md\n```", &SPACES, 100), ["`a.md`"], "this dialect has no blocks");
}

#[test]
fn breaks_of_unicode_are_breaks() {
    assert_eq!(plain("a\u{2028}b\u{2029}c\u{b}d\u{c}e\u{85}f"), "a\nb\nc\nd\ne\nf");
}

#[test]
fn a_text_nested_without_reason_is_shown_as_written() {
    let text = format!("{} a\n{}", ">".repeat(5_000), "a\n".repeat(5_000));
    assert!(plain(&text).starts_with(">>>>"));
}

#[test]
fn marks_close_before_the_line_does_where_the_dialect_asks() {
    assert_eq!(body("**a\nb** c"), "*a*\n*b* c");
}

#[test]
fn quotes_become_prefixes_on_every_line() {
    assert_eq!(body("> a **b**\n> c\n\nd"), "> a *b*\n> c\n\nd");
    assert_eq!(body("> a\n>> b"), "> a\n\n> > b");
    assert_eq!(body("- > a\n  > b"), "•\n> a\n> b");
}

#[test]
fn a_quote_that_is_cut_goes_on_as_a_quote_in_the_next_part() {
    assert_eq!(bodies("> one two", &LINES, 6), ["> one", "> two"]);
}

#[test]
fn code_in_bold_stays_in_bold_where_that_is_allowed() {
    assert_eq!(body("**a `b` c**"), "*a `b` c*");
}

#[test]
fn code_is_not_read_as_markdown() {
    assert_eq!(body("```rust\nlet a = *b;\n\n    **c**\n```"), "```rust\nlet a = *b;\n\n    **c**\n```");
}

#[test]
fn links_are_marked_or_spelled_out() {
    assert_eq!(body("[a](http://b)"), "<http://b|a>");
    assert_eq!(plain("see [a](http://b)"), "see a (http://b)");
    assert_eq!(plain("<http://b> [](http://c) ![d](e.png)"), "http://b http://c d (e.png)");
    assert_eq!(plain("[![logo](l.png)](http://b)"), "logo (http://b)");
    assert_eq!(plain("<a@example.org> [b]()"), "a@example.org b");
    assert_eq!(plain("x[](<  >) [b\n](c) d"), "x b (c)\n d");
}

#[test]
fn a_link_too_long_for_the_limit_is_spelled_out_and_cut() {
    let url = format!("http://{}", "x".repeat(80));
    let parts = bodies(&format!("[a]({url})"), &LINES, 50);
    assert_eq!(parts.concat().replace(' ', ""), format!("a({url})"));
}

#[test]
fn an_escape_works_on_the_text_and_not_on_the_marks() {
    assert_eq!(body("*@everyone* a<b"), "_@\u{200b}everyone_ a&lt;b");
    assert_eq!(body("<b>hi</b>"), "&lt;b>hi&lt;/b>");
}

#[test]
fn headings_are_bold_lines_and_rules_are_lines() {
    assert_eq!(body("# One\ntext\n\n---\nTwo\n==="), "*One*\n\ntext\n\n———\n\n*Two*");
}

#[test]
fn lists_keep_their_bullets_numbers_and_indentation() {
    assert_eq!(plain("- a\n- b\n  - c\n\n    d\n- e"), "• a\n• b\n\n  • c\n\n    d\n• e");
    assert_eq!(plain("3. a\n   - b\n4. c\n   more"), "3. a\n   • b\n4. c\n   more");
    assert_eq!(plain("- [ ] to do\n- [x] done"), "☐ to do\n☑ done");
    assert_eq!(plain("- - a"), "• • a");
    assert_eq!(plain("1. ```\n   x\n   ```"), "1.\nx");
}

#[test]
fn tables_become_lines_with_a_bold_head() {
    assert_eq!(body("| a | b |\n|---|---|\n| 1 | 2 |\n| 3 |\n"), "*a | b*\n1 | 2\n3");
    assert_eq!(
        body("| a | b |\n|---|---|\n| 1 | **2** |\n"),
        "*a | b*\n1 | *2*",
        "the bar is not in the mark"
    );
}

#[test]
fn line_breaks_of_every_system_are_one_and_control_characters_are_gone() {
    assert_eq!(plain("a\r\nb\rc\0\u{7}\u{9b}d&#7;e"), "a\nb\ncde");
}

#[test]
fn nested_marks_of_one_kind_count_once() {
    assert_eq!(body("**a __b__ c**"), "*a b c*");
}

#[test]
fn marks_that_overlap_are_closed_and_opened_in_order() {
    assert_eq!(body("*a **b***"), "_a *b*_");
    assert_eq!(body("***a** b*"), "*_a_*_ b_");
}

#[test]
fn a_cut_fence_is_closed_and_opened_again_with_its_language() {
    let parts = bodies("```rust\nlet a = 1;\n    let b = 2;\n```", &LINES, 30);
    assert_eq!(parts, ["```rust\nlet a = 1;\n```", "```rust\n    let b = 2;\n```"]);
}

#[test]
fn marks_are_dropped_where_they_leave_no_space_for_a_character() {
    assert_eq!(bodies("```rust\nlet\n```", &LINES, 8), ["let"]);
    assert_eq!(bodies("**ab**", &LINES, 2), ["ab"]);
}

#[test]
fn a_code_point_longer_than_the_limit_is_stood_in_for() {
    let parts = render("a€", &BARE, Limit { max: 2, unit: Unit::Bytes });
    assert_eq!(parts.iter().map(|part| part.body.as_str()).collect::<Vec<_>>(), ["a", "?"]);
    assert_eq!(bodies("a<b", &LINES, 3), ["a", "?", "b"]);
}

#[test]
fn source_is_kept_as_written_and_cut_only_when_too_long() {
    let text = "# a\r\n\r\n**b**  \n";
    assert_eq!(bodies(text, &SOURCE, 100), [text]);
    assert_eq!(bodies("# a\n\n**bold**\n", &SOURCE, 10), ["# a", "**bold**"]);
}

#[test]
fn a_fence_that_is_cut_in_the_source_is_closed_and_opened_again() {
    let text = "hi\n\n```rust\nlet a;\nlet b;\n```\n\nbye bye bye";
    assert_eq!(
        bodies(text, &SOURCE, 24),
        ["hi\n\n```rust\nlet a;\n```", "```rust\nlet b;\n```", "bye bye bye"]
    );
    let quoted = "> ~~~\n> let a = 1;\n> let b = 2;\n> ~~~";
    assert_eq!(bodies(quoted, &SOURCE, 28), ["> ~~~\n> let a = 1;\n> ~~~", "> ~~~\n> let b = 2;\n> ~~~"]);
}
