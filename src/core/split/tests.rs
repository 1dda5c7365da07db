//! Tests of splitting.

use proptest::prelude::*;

use super::*;
use crate::visible::shows;

/// Splits as for a platform without marks that counts code points.
fn cut(text: &str, max: usize) -> Vec<&str> {
    split(text, max, |range, _| text[range].chars().count() <= max, |_| false)
        .into_iter()
        .map(|piece| &text[piece.range])
        .collect()
}

#[test]
fn a_text_that_fits_is_one_piece() {
    assert_eq!(cut("  one\ntwo \n", 20), ["  one\ntwo"]);
}

#[test]
fn paragraphs_come_before_lines() {
    assert_eq!(cut("one\n\ntwo\nthree four", 14), ["one\n\ntwo", "three four"]);
    assert_eq!(cut("one one\n\ntwo\nthree", 14), ["one one", "two\nthree"]);
}

#[test]
fn lines_come_before_sentences() {
    assert_eq!(cut("one one\nTwo. Three four", 16), ["one one", "Two. Three four"]);
}

#[test]
fn sentences_come_before_words() {
    assert_eq!(cut("One two. Three four five", 18), ["One two.", "Three four five"]);
    assert_eq!(cut("你好吗。我很好谢谢", 6), ["你好吗。", "我很好谢谢"]);
}

#[test]
fn words_come_before_graphemes() {
    assert_eq!(cut("one two three", 9), ["one two", "three"]);
    assert_eq!(cut("abcdefgh", 3), ["abc", "def", "gh"]);
}

#[test]
fn a_heading_does_not_make_a_piece_of_its_own() {
    assert_eq!(cut("Hi\n\none two three four five", 20), ["Hi\n\none two three", "four five"]);
}

#[test]
fn a_word_is_cut_only_if_it_alone_is_too_long() {
    assert_eq!(cut("a\n\nbcdefghijklmnop", 12), ["a", "bcdefghijklm", "nop"]);
}

#[test]
fn a_grapheme_is_not_cut() {
    assert_eq!(cut("ae\u{301}e\u{301}", 2), ["a", "e\u{301}", "e\u{301}"]);
    assert_eq!(cut("x👩‍👩‍👧👩‍👩‍👧", 6), ["x👩‍👩‍👧", "👩‍👩‍👧"]);
    assert_eq!(cut("🇩🇪🇫🇷", 3), ["🇩🇪", "🇫🇷"]);
}

#[test]
fn a_grapheme_longer_than_the_limit_is_cut_between_code_points() {
    assert_eq!(cut("a\u{301}\u{302}\u{303}", 2), ["a\u{301}", "\u{302}\u{303}"]);
    assert_eq!(cut("\u{600} \u{301}", 1), ["\u{600}", "\u{301}"]);
}

#[test]
fn the_indentation_of_the_next_line_is_kept() {
    assert_eq!(cut("if a {\n\n    b();\n}", 10), ["if a {", "    b();\n}"]);
}

#[test]
fn a_piece_of_which_nothing_is_seen_is_left_out() {
    assert_eq!(cut("\u{2060}\u{200b}\u{2060} a", 3), ["a"]);
    assert_eq!(cut(&"\u{2800}".repeat(9), 3), [""; 0]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_is_seen_is_lost(text in "[ab \n.é\u{301}👩\u{200d}]{0,80}", max in 1usize..20) {
        let visible_chars = |text: &str| text.chars().filter(|char| shows(*char)).collect::<String>();
        let pieces = cut(&text, max);
        prop_assert_eq!(visible_chars(&pieces.concat()), visible_chars(&text));
        prop_assert!(pieces.iter().all(|piece| piece.chars().count() <= max && is_visible(piece)));
    }
}
