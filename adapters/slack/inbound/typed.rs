//! Commands as people type them. Slack does not send messages that begin with a slash, because it takes them for slash commands,
//! and it runs no slash command in threads.

use frontdesk_core::command;

/// The command in a text: `!new`, or a single word behind the bot's name (`@bot stop`). `None` if it is not a command.
pub(super) fn command(text: &str, called: bool) -> Option<String> {
    let trimmed = text.trim();
    if let Some(rest) = trimmed.strip_prefix('!') {
        return is_known(first_word(rest)?).then(|| format!("/{rest}"));
    }
    // Several words are a sentence: "@bot help me with this".
    let only = first_word(trimmed).filter(|word| called && *word == trimmed)?;
    is_known(only).then(|| format!("/{only}"))
}

/// The text behind the app's slash command: a command of the gateway, or a message to the agent.
pub(super) fn after_slash(typed: &str) -> String {
    match first_word(typed) {
        None => "/help".to_owned(),
        Some(word) if is_known(word) => format!("/{typed}"),
        Some(_) => typed.to_owned(),
    }
}

/// The command that a single word names.
pub(super) fn named(word: &str) -> Option<String> {
    is_known(word).then(|| format!("/{word}"))
}

fn first_word(text: &str) -> Option<&str> {
    text.split_whitespace().next().filter(|word| text.starts_with(word))
}

fn is_known(word: &str) -> bool {
    let mut names = command::list().iter().flat_map(|spec| std::iter::once(&spec.name).chain(spec.aliases));
    names.any(|name| name.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_typed_with_an_exclamation_mark_or_alone_behind_our_name() {
        for (text, called, expected) in [
            ("!new", false, Some("/new")),
            ("!New\nhow are you?", false, Some("/New\nhow are you?")),
            ("!bg tidy up", false, Some("/bg tidy up")),
            ("!gateway status", true, Some("/gateway status")),
            ("stop", true, Some("/stop")),
            ("stop", false, None),
            ("help me with this", true, None),
            ("! new", false, None),
            ("!important", false, None),
            ("!slow 5 x", true, None),
            ("new!", true, None),
            ("", true, None),
        ] {
            assert_eq!(command(text, called).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_stands_behind_a_slash_command_is_a_command_or_a_message() {
        for (typed, expected) in [
            ("", "/help"),
            ("status", "/status"),
            ("bg tidy up", "/bg tidy up"),
            ("is it wet?", "is it wet?"),
        ] {
            assert_eq!(after_slash(typed), expected);
        }
    }
}
