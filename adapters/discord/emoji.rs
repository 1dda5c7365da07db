//! Emoji: characters, and those of servers, which have ids.

/// How an emoji is written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Emoji<'e> {
    /// As a character.
    Character,
    /// As one of a server, with its id: `name:id`.
    Known(String),
    /// As one of a server, by its name only.
    Named(&'e str),
}

/// Reads an emoji as people and agents write it.
pub(crate) fn read(emoji: &str) -> Emoji<'_> {
    let inner = emoji.strip_prefix('<').and_then(|emoji| emoji.strip_suffix('>')).unwrap_or(emoji);
    let inner = inner.strip_prefix("a:").unwrap_or(inner);
    let is_name =
        |name: &str| name.len() > 1 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if let Some(name) = emoji.strip_prefix(':').and_then(|emoji| emoji.strip_suffix(':'))
        && is_name(name)
    {
        return Emoji::Named(name);
    }
    match inner.strip_prefix(':').unwrap_or(inner).split_once(':') {
        Some((name, id)) if is_name(name) && id.parse::<u64>().is_ok() => {
            Emoji::Known(format!("{name}:{id}"))
        }
        _ => Emoji::Character,
    }
}

/// Whether the configuration may name this emoji.
pub(crate) fn is_emoji(emoji: &str) -> bool {
    matches!(read(emoji), Emoji::Known(_)) || !emoji.is_ascii() && emoji.chars().count() <= 12
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emoji_of_a_server_is_known_by_its_id_or_its_name() {
        let known = || Emoji::Known("party:12".to_owned());
        for written in ["<:party:12>", "<a:party:12>", "party:12"] {
            assert_eq!(read(written), known(), "{written}");
        }
        assert_eq!(read(":party:"), Emoji::Named("party"));
        for written in ["👍", "", ":", "::", ":a b:", "party", "party:x", "<:party:x>"] {
            assert_eq!(read(written), Emoji::Character, "{written}");
        }
        assert!(is_emoji("👀") && is_emoji("party:12") && !is_emoji(":eyes:") && !is_emoji("x"));
    }
}
