//! The lines of the protocol. Pure: text in, text out.

/// A line from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ClientLine {
    /// `LOGIN NAME SECRET`
    Login { name: String, secret: String },
    /// `JOIN #GROUP`: shows what is said in a group.
    Join { group: String },
    /// `SAY CHAT ID TEXT`: `CHAT` is `bot` or a group, `ID` is the client's own. Sent again with the same id until
    /// it is answered with `OK`.
    Say { chat: String, id: String, text: String },
    /// `PRESS CHAT ID DATA`: presses a button.
    Press { chat: String, id: String, data: String },
    /// `ACK ID`: the client has shown a message.
    Ack { id: String },
    /// `PONG`
    Pong,
}

/// The name by which clients call their private chat with the bot.
const PRIVATE: &str = "bot";
/// The longest id of a client, in bytes.
const MAX_ID: usize = 64;

impl ClientLine {
    /// Reads a line. An error says what is wrong with it.
    pub(crate) fn parse(line: &str) -> Result<Self, &'static str> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let mut words = rest.splitn(3, ' ').map(str::to_owned);
        let mut next = || words.next().filter(|word| !word.is_empty()).ok_or("words are missing");
        match word {
            "LOGIN" => Ok(Self::Login { name: next()?, secret: next()? }),
            "JOIN" => Ok(Self::Join { group: group(next()?)? }),
            "SAY" => Ok(Self::Say { chat: chat(next()?)?, id: id(next()?)?, text: unescape(&next()?) }),
            "PRESS" => Ok(Self::Press { chat: chat(next()?)?, id: id(next()?)?, data: next()? }),
            "ACK" => Ok(Self::Ack { id: next()? }),
            "PONG" => Ok(Self::Pong),
            _ => Err("no such word"),
        }
    }
}

fn id(id: String) -> Result<String, &'static str> {
    if id.len() <= MAX_ID { Ok(id) } else { Err("the id is too long") }
}

fn chat(chat: String) -> Result<String, &'static str> {
    if chat == PRIVATE { Ok(chat) } else { group(chat) }
}

fn group(group: String) -> Result<String, &'static str> {
    if is_group(&group) { Ok(group) } else { Err("a group is # and a name") }
}

/// Whether an id is a group's.
pub(crate) fn is_group(id: &str) -> bool {
    id.strip_prefix('#').is_some_and(is_name)
}

/// Whether an id is a person's name.
pub(crate) fn is_name(id: &str) -> bool {
    (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// The name by which clients call the chat of an address.
pub(crate) fn shown_chat(chat: &str) -> &str {
    if is_group(chat) { chat } else { PRIVATE }
}

/// The text of a message as one line.
pub(crate) fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n")
}

fn unescape(line: &str) -> String {
    let (mut text, mut chars) = (String::with_capacity(line.len()), line.chars());
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n') => text.push('\n'),
                Some(other) => text.push(other),
                None => text.push('\\'),
            },
            (c, false) => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_words_and_the_rest_is_text() {
        let say = ClientLine::parse("SAY bot 7 hello  there\\nand \\\\n").unwrap();
        let text = "hello  there\nand \\n".to_owned();
        assert_eq!(say, ClientLine::Say { chat: "bot".into(), id: "7".into(), text });
        assert_eq!(escape("a\nb\\n"), "a\\nb\\\\n");
        for wrong in ["", "SAY", "SAY bot 1", "SAY garden 1 hi", "JOIN bot", "say bot 1 hi"] {
            assert!(ClientLine::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
