//! The page that tells how to add a platform: its code is this crate's.

use std::path::Path;

fn text(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Lines without indentation and empty lines, so that a part of a function can be shown.
fn lines(code: &str) -> String {
    let lines = code.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn every_piece_of_code_on_the_page_is_in_the_crate() {
    let page = text("../../docs/adapters.md");
    let mut pieces = 0;
    for block in page.split("```rust\n").skip(1) {
        let code = block.split("```").next().unwrap();
        let (first, code) = code.split_once('\n').unwrap();
        let file = first.strip_prefix("// ").unwrap_or_else(|| panic!("{first:?} does not name its file"));
        // `...` stands for code that is left out.
        for piece in code.split("// ...\n") {
            assert!(lines(&text(file)).contains(&lines(piece)), "{file} does not contain:\n{piece}");
        }
        pieces += 1;
    }
    assert!(pieces >= 6, "only {pieces} pieces of code are on the page");
}
