//! Texts that were written for a terminal, as plain text.

use proptest::prelude::*;

use super::*;

/// The text after each piece.
fn grown(pieces: &[&str]) -> String {
    let mut terminal = Terminal::default();
    let mut text = String::new();
    for piece in pieces {
        apply(&mut text, terminal.feed(piece));
    }
    apply(&mut text, terminal.finish());
    text
}

#[test]
fn colours_titles_and_clipboards_are_gone() {
    assert_eq!(plain("\u{1b}[31mRED\u{1b}[0m plain"), "RED plain");
    assert_eq!(plain("\u{9b}1;32mGREEN\u{9b}m"), "GREEN");
    assert_eq!(plain("\u{1b}]0;title\u{7}text \u{1b}]52;c;aGk=\u{1b}\\more"), "text more");
    assert_eq!(plain("\u{1b}Pq#0;2;0\u{1b}\\a\u{1b}_kitty\u{1b}\\b\u{1b}(Bc\u{7}\u{0}\u{7f}"), "abc");
    assert_eq!(plain("\u{1b}[?25l\u{1b}[38;5;208mx\u{1b}[?25h"), "x");
}

#[test]
fn a_link_keeps_its_text_and_a_target_in_the_web() {
    let link = |target: &str| format!("see \u{1b}]8;;{target}\u{1b}\\here\u{1b}]8;;\u{1b}\\.");
    assert_eq!(plain(&link("https://e.com/a;b")), "see here (https://e.com/a;b).");
    for hidden in ["javascript:alert(1)", "tg://user?id=1", "file:///etc/passwd", "https://e.com/ x"] {
        assert_eq!(plain(&link(hidden)), "see here.", "{hidden}");
    }
    assert_eq!(plain("\u{1b}]8;;https://e.com\u{7}https://e.com\u{1b}]8;;\u{7}"), "https://e.com");
    assert_eq!(plain("\u{1b}]8;id=1;https://e.com\u{7}open"), "open (https://e.com)");
}

#[test]
fn a_line_that_is_rewritten_counts_in_its_last_state() {
    let bar: String = (0..=10).map(|n| format!("\rDownloading {}%", n * 10)).collect();
    assert_eq!(plain(&format!("before\n{bar}\nafter")), "before\nDownloading 100%\nafter");
    assert_eq!(plain("one\r\ntwo\r\n"), "one\ntwo\n", "a line end of two signs rewrites nothing");
    assert_eq!(plain("loading...\rdone      \nnext"), "done\nnext", "no blanks are left of what was longer");
    assert_eq!(plain("loading...\r\u{1b}[Kdone"), "done");
    assert_eq!(plain("loading...\u{1b}[2K\rdone"), "done");
    assert_eq!(plain("loading...\u{1b}[1G\u{1b}[0Kdone"), "done");
    assert_eq!(plain("abd\u{8}c"), "abc");
    assert_eq!(plain("N\u{8}Na\u{8}am\u{8}me\u{8}e"), "Name", "bold as manual pages write it");
}

#[test]
fn lines_above_are_rewritten_too() {
    let text = "a: 10%\nb: 10%\n\u{1b}[2Aa: 90%\nb: 50%\n\u{1b}[2Aa: done\u{1b}[K\nb: done\u{1b}[K\nend";
    assert_eq!(plain(text), "a: done\nb: done\nend");
    assert_eq!(plain("kept\nx\ny\u{1b}[1A\r\u{1b}[Jz"), "kept\nz");
    assert_eq!(plain("what was said\u{1b}[2J\u{1b}[H stays"), "what was said stays");
}

#[test]
fn a_sequence_without_an_end_affects_only_its_line() {
    assert_eq!(plain("a \u{1b}]0;never closed\nb"), "a \nb");
    assert_eq!(plain("a \u{1b}_never closed\nb\nc"), "a \nb\nc");
    assert_eq!(plain("a \u{1b}[31"), "a ");
}

#[test]
fn ordinary_text_is_not_touched() {
    let text = "  two blanks stand for a break  \n\tcode\n\n| a | 表 | 👩‍👧 |\n";
    assert!(matches!(plain(text), Cow::Borrowed(same) if same == text));
    assert_eq!(grown(&["two ", "words  ", "\n\tx"]), "two words  \n\tx");
}

#[test]
fn a_line_is_unsettled_while_the_program_may_rewrite_it() {
    let mut terminal = Terminal::default();
    terminal.feed("ordinary");
    assert_eq!(terminal.unsettled(), 0);
    terminal.feed("\nso far\r");
    assert_eq!(terminal.unsettled(), "so far".len());
    assert_eq!(terminal.feed("so good"), TextEdit { retract: 3, append: "good".into() });
    terminal.feed("\n");
    assert_eq!(terminal.unsettled(), 0);
}

#[test]
fn memory_is_bounded_whatever_is_written() {
    let mut terminal = Terminal::default();
    for _ in 0..100 {
        terminal.feed(&"x".repeat(1000));
        terminal.feed("\u{1b}[31my\u{1b}]8;;https://e.com/");
        terminal.feed(&"z".repeat(1000));
        assert!(terminal.screen.text().len() < 40_000);
    }
    terminal.feed("\u{1b}[9999999C\u{1b}[65535Cx\n");
    for n in 0..200 {
        terminal.feed(&format!("{n}\n"));
        assert!(terminal.screen.text().len() < 40_000);
    }
}

proptest! {
    #[test]
    fn the_pieces_do_not_matter(parts in prop::collection::vec(prop::sample::select(vec![
        "a", "word", " ", "\n", "\r", "\u{8}", "ä", "\t", "\u{1b}[31m", "\u{1b}[K", "\u{1b}[2K", "\u{1b}[1A",
        "\u{1b}[2D", "\u{1b}[3C", "\u{1b}]8;;https://e.com\u{7}", "\u{1b}]8;;\u{7}", "\u{9b}m", "\u{1b}", "[", "\u{1b}[J",
    ]), 0..40)) {
        let whole = parts.concat();
        let mut bytes = [0; 4];
        let mut terminal = Terminal::default();
        let mut text = String::new();
        for c in whole.chars() {
            apply(&mut text, terminal.feed(c.encode_utf8(&mut bytes)));
        }
        apply(&mut text, terminal.finish());
        prop_assert_eq!(&text, &grown(&[&whole]));
        prop_assert!(!text.contains(steers), "{:?}", text);
        prop_assert_eq!(plain(&text), text.as_str());
    }
}
