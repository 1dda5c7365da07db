//! Targets of links in Slack's markup.

/// The target as it stands between `<` and `|`; `None` if Slack would make no link of it, or something else.
///
/// What begins with `@`, `#` or `!` would be a mention. A `|` would end the target, a `>` the link.
pub(super) fn target(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once(':')?;
    let web = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let good = (web && rest.len() > 2 && rest.starts_with("//"))
        || (["mailto", "tel"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) && !rest.is_empty());
    if !good || url.contains(|char: char| char.is_whitespace() || char.is_control()) {
        return None;
    }
    let mut target = String::with_capacity(url.len());
    for char in url.chars() {
        match char {
            '&' => target.push_str("&amp;"),
            '<' => target.push_str("%3C"),
            '>' => target.push_str("%3E"),
            '|' => target.push_str("%7C"),
            char => target.push(char),
        }
    }
    Some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_ends_neither_itself_nor_its_link() {
        let bad = "https://example.org/a|b>c<!channel>?x=1&y=2";
        assert_eq!(target(bad).unwrap(), "https://example.org/a%7Cb%3Ec%3C!channel%3E?x=1&amp;y=2");
        assert_eq!(target("mailto:a@example.org").unwrap(), "mailto:a@example.org");
    }

    #[test]
    fn what_slack_would_not_link_or_would_take_for_a_mention_is_no_target() {
        let bad = [
            "@U1",
            "!channel",
            "#C1",
            "notes.md",
            "javascript:alert(1)",
            "slack://open",
            "https://",
            "http://a b",
            "",
        ];
        for url in bad {
            assert_eq!(target(url), None, "{url}");
        }
    }
}
