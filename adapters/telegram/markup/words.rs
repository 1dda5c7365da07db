//! Words that Telegram would turn into links although the author meant none.
//!
//! The server looks for bare host names in every text (tdlib, `match_urls` and `fix_url`), and takes a word for
//! one if it ends in any of some 1,450 top-level domains. Many endings of files are among them, so `README.md`
//! would become a link to an unrelated site. Code is left alone by the server, and shows a file's name as what it is.

use std::ops::Range;

/// File extensions that are top-level domains as well. Those that are far more often a domain (`com`, `app`, `in`,
/// `me`) are not listed, so that real domains stay links.
const ENDINGS: &str = "ac ads am cab cc cu dot fish gd inc java la map md mk ml mm mo mov \
                       pid pl pm properties ps pub py rs sh so sv tf zip";

/// Schemes that act inside of Telegram. The server turns them into links anywhere in a text.
const INTERNAL: [&str; 3] = ["tg", "ton", "tonsite"];

/// The words of `text` to be written as code, in the order of the text.
pub(super) fn found(text: &str) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(dot) = text[at..].find('.').map(|dot| at + dot) {
        let start = dot - run_before(&text[..dot], is_of_host);
        let end = dot + run(&text[dot..], is_of_host);
        words.extend(file(text, start, end));
        at = end;
    }
    words.extend(text.match_indices("://").filter_map(|(at, _)| internal(text, at)));
    words.sort_by_key(|word| (word.start, word.end));
    words.dedup_by(|next, word| next.start < word.end);
    words
}

/// The range of a file name with its line number, if the server would turn the text between `start` and `end` into a
/// link and it is more likely a file.
fn file(text: &str, start: usize, end: usize) -> Option<Range<usize>> {
    let host = text[start..end].trim_end_matches('.');
    let (before, after) = (&text[..start], &text[start + host.len()..]);
    // A path, a scheme or a mail address: either a link that was meant, or no link for the server either.
    if before.ends_with(['/', '#', '@']) || after.starts_with(['/', '?', '@']) || host.starts_with("www.") {
        return None;
    }
    let (name, ending) = host.rsplit_once('.')?;
    let last = name.rsplit('.').next().unwrap_or_default();
    if !is_ending(ending)
        || last.contains('_')
        || name.split('.').any(|part| part.is_empty() || part.ends_with('-'))
    {
        return None;
    }
    let start = start - run_before(before, |char| char.is_ascii_alphanumeric() || "_&+=%$~.-".contains(char));
    Some(start..text.len() - after.len() + place(after))
}

/// Whether an ending is a top-level domain for the server and a file extension for people. If only its first letter is
/// a capital, it is probably the beginning of a sentence.
fn is_ending(ending: &str) -> bool {
    let lower = ending.to_ascii_lowercase();
    ENDINGS.split(' ').any(|known| known == lower) && (lower == ending || lower[1..] != ending[1..])
}

/// The length of the line numbers (`:12:3`) or the heading (`#setup`) after a file name.
fn place(after: &str) -> usize {
    let mut length = 0;
    while let Some(number) = after[length..].strip_prefix(':') {
        match run(number, |char| char.is_ascii_digit()) {
            0 => break,
            digits => length += 1 + digits,
        }
    }
    if let Some(heading) = after[length..].strip_prefix('#') {
        length += 1 + run(heading, |char| char.is_alphanumeric() || "_-".contains(char));
    }
    length
}

/// A link into Telegram whose `://` is at `at`.
fn internal(text: &str, at: usize) -> Option<Range<usize>> {
    let start = at - run_before(&text[..at], |char| char.is_ascii_alphanumeric());
    let scheme = text[start..at].to_ascii_lowercase();
    // The server does not check where the word begins.
    if !INTERNAL.iter().any(|known| scheme.ends_with(known)) {
        return None;
    }
    let rest = &text[at + "://".len()..];
    let end = run(rest, |char| !char.is_whitespace() && !"<>\"«»)".contains(char));
    (end > 0).then_some(start..at + "://".len() + end)
}

fn is_of_host(char: char) -> bool {
    match char {
        '\0'..'\u{c0}' => char.is_ascii_alphanumeric() || "._~-".contains(char),
        '\u{2000}'..='\u{206f}' => matches!(char, '\u{200c}' | '\u{200d}' | '\u{2010}'..='\u{2015}'),
        char => !char.is_whitespace(),
    }
}

fn run(text: &str, of: impl Fn(char) -> bool) -> usize {
    text.find(|char| !of(char)).unwrap_or(text.len())
}

fn run_before(text: &str, of: impl Fn(char) -> bool) -> usize {
    text.len() - text.trim_end_matches(of).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        found(text).into_iter().map(|word| &text[word]).collect()
    }

    #[test]
    fn names_of_files_that_telegram_would_link_are_found() {
        for (text, expected) in [
            ("see README.md, main.rs and backup.sh.", vec!["README.md", "main.rs", "backup.sh"]),
            ("R&D.md", vec!["R&D.md"]),
            ("(lib.so.6 and x.PY)", vec!["x.PY"]),
            ("at main.rs:42:7 or README.md#set-up!", vec!["main.rs:42:7", "README.md#set-up"]),
            ("--out=a.zip…", vec!["--out=a.zip"]),
            ("résumé.md", vec!["résumé.md"]),
            ("v1.2.zip", vec!["v1.2.zip"]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn domains_paths_addresses_and_ends_of_sentences_are_not_files() {
        for text in [
            "example.com and docs.rs/serde and www.python.sh",
            "https://README.md src/main.rs a@b.sh a.sh@b.org",
            "That is so.So it is. End.Md",
            "my_file.rs ..rs .rs a-.rs",
            "看README.md文件",
            "1.2.3",
        ] {
            assert_eq!(words(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn links_into_telegram_are_found_wherever_they_stand() {
        assert_eq!(
            words("Anna (tg://user?id=42), xTON://transfer/a and tg:// https://a.b"),
            ["tg://user?id=42", "xTON://transfer/a"]
        );
        assert_eq!(words("tg://resolve?domain=main.rs"), ["tg://resolve?domain=main.rs"]);
    }
}
