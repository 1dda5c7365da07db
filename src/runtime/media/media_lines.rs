//! Lines of an answer that name a file: `MEDIA: path`, alone on a line and outside of code.

use std::path::PathBuf;

use crate::code_fence::CodeFence;

/// Prefix of such a line.
const MARK: &str = "MEDIA:";

/// The answer without those lines, and the files that they name.
pub(crate) fn split(text: &str) -> (String, Vec<PathBuf>) {
    let mut files = Vec::new();
    if !text.contains(MARK) {
        return (text.to_owned(), files);
    }
    let mut fence = CodeFence::default();
    let mut kept = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        // Every line must be read, because a fence may begin in any of them.
        let text = fence.is_text(line);
        match named(line).filter(|_| text) {
            Some(path) => files.push(path),
            None => kept.push_str(line),
        }
    }
    if !files.is_empty() {
        kept.truncate(kept.trim_end().len());
    }
    (kept, files)
}

fn named(line: &str) -> Option<PathBuf> {
    let path = line.strip_prefix(MARK)?.trim();
    // Some agents write the path as code or in quotes.
    let bare = ['`', '"', '\''].into_iter().find_map(|sign| path.strip_prefix(sign)?.strip_suffix(sign));
    let path = bare.unwrap_or(path);
    (!path.is_empty()).then(|| path.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_names_a_file_is_removed() {
        for (text, kept, files) in [
            ("plain", "plain", vec![]),
            ("see:\nMEDIA: a.png\n", "see:", vec!["a.png"]),
            ("MEDIA:a b.png\nand\nMEDIA: `c.pdf`", "and", vec!["a b.png", "c.pdf"]),
            ("MEDIA: /etc/passwd\r\nhi\n", "hi", vec!["/etc/passwd"]),
        ] {
            let files: Vec<PathBuf> = files.into_iter().map(Into::into).collect();
            assert_eq!(split(text), (kept.to_owned(), files), "{text:?}");
        }
    }

    #[test]
    fn code_and_lines_that_only_mention_it_stay() {
        for text in [
            "```\nMEDIA: a.png\n```\n",
            "~~~~\n```\nMEDIA: a.png\n",
            "write MEDIA: a.png",
            " MEDIA: a.png",
            "MEDIA:\n",
            "media: a.png",
        ] {
            assert_eq!(split(text), (text.to_owned(), vec![]), "{text:?}");
        }
    }
}
