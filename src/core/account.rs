//! One account of a channel, as people write and read it: `telegram`, `telegram@work`.

use crate::key::DEFAULT_ACCOUNT;

/// The channel, and its account where one is named.
pub fn split(text: &str) -> (&str, Option<&str>) {
    match text.split_once('@') {
        Some((channel, account)) => (channel, Some(account)),
        None => (text, None),
    }
}

/// The channel, with its account where that is not the default one.
pub fn shown(channel: &str, account: &str) -> String {
    if account == DEFAULT_ACCOUNT { channel.to_owned() } else { format!("{channel}@{account}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_typed() {
        for (channel, account) in [("telegram", DEFAULT_ACCOUNT), ("telegram", "work"), ("my-own", "a.b")] {
            let shown = shown(channel, account);
            let (read, named) = split(&shown);
            assert_eq!((read, named.unwrap_or(DEFAULT_ACCOUNT)), (channel, account), "{shown}");
        }
        assert_eq!(split("telegram@"), ("telegram", Some("")), "an empty name is no name left out");
    }
}
