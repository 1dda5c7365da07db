//! What an answer refers to: a message, or the address at which a slash command can be answered.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

const RESPONSE: &str = "response ";

/// The platform's id of a message as the gateway stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reference {
    /// The time of a message.
    Message(String),
    /// The response URL of a slash command. Slack takes five answers there, for half an hour.
    Response(String),
}

impl FromStr for Reference {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.strip_prefix(RESPONSE) {
            Some(url) => Reference::Response(url.to_owned()),
            None => Reference::Message(text.to_owned()),
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reference::Message(ts) => f.write_str(ts),
            Reference::Response(url) => write!(f, "{RESPONSE}{url}"),
        }
    }
}

impl Reference {
    /// What a stored id means.
    pub(crate) fn of(stored: &str) -> Reference {
        let Ok(reference) = stored.parse();
        reference
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_as_it_was_written() {
        for reference in
            [Reference::Message("1.000100".into()), Reference::Response("https://hooks.slack.com/x".into())]
        {
            assert_eq!(Reference::of(&reference.to_string()), reference);
        }
    }
}
