//! Whether a text is meant for the bot, and the text without the bot's name.

use std::ops::Range;

use frontdesk_core::message::FirstLine;

use super::Bot;
use super::model::{Entity, EntityKind};

/// A text, checked for the bot's name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AddressedText {
    /// The text without the bot's name at its beginning, at its end, or in a command.
    pub text: String,
    /// Whether the text mentions the bot.
    pub mentions_bot: bool,
    /// Whether it is a command for another bot.
    pub for_other_bot: bool,
    /// Whether it can be a command at all.
    pub first_line: FirstLine,
}

/// Checks a text for the bot's name, using its entities.
pub(super) fn parse_addressing(
    bot: &Bot,
    text: &str,
    entities: &[Entity],
    is_caption: bool,
) -> AddressedText {
    let first_line = if is_caption { FirstLine::Formatted } else { first_line(text, entities) };
    if first_line != FirstLine::Formatted
        && let Some((name, named, rest)) = addressed_command(text, entities)
    {
        let ours = named.eq_ignore_ascii_case(&bot.username);
        let text = if ours { format!("/{name}{rest}") } else { text.to_owned() };
        return AddressedText { text, mentions_bot: ours, for_other_bot: !ours, first_line };
    }
    let mentions: Vec<Range<usize>> =
        entities.iter().filter_map(|entity| mention(bot, text, entity)).collect();
    let rest = without(text, &mentions);
    // The bot's name before a command does not count: the formatting of the command itself decides.
    let first_line = match rest.start {
        0 => first_line,
        _ if is_caption => FirstLine::Formatted,
        start => first_line_from(text, start, entities),
    };
    let whole = rest == (0..text.len());
    AddressedText {
        text: if whole { text.to_owned() } else { text[rest].trim().to_owned() },
        mentions_bot: !mentions.is_empty() || entities.iter().any(|entity| commands_us(bot, text, entity)),
        for_other_bot: false,
        first_line,
    }
}

/// Whether an entity is a command that names the bot. It then mentions the bot, even if it is not parsed as a command.
fn commands_us(bot: &Bot, text: &str, entity: &Entity) -> bool {
    entity.kind == EntityKind::BotCommand
        && bytes(text, entity.offset, entity.length).is_some_and(|range| {
            text[range].split_once('@').is_some_and(|(_, name)| name.eq_ignore_ascii_case(&bot.username))
        })
}

fn first_line(text: &str, entities: &[Entity]) -> FirstLine {
    first_line_from(text, 0, entities)
}

/// How the first line after `start` is formatted.
fn first_line_from(text: &str, start: usize, entities: &[Entity]) -> FirstLine {
    let start = text.len() - text[start..].trim_start().len();
    let line = start + text[start..].find(['\n', '\r']).unwrap_or(text.len() - start);
    let word = start + text[start..line].find(char::is_whitespace).unwrap_or(line - start);
    let mut written = FirstLine::Plain;
    for entity in entities.iter().filter(|entity| entity.kind.is_formatting()) {
        // If an entity does not fit the text, it is unknown what it covers.
        let Some(marked) = bytes(text, entity.offset, entity.length) else { return FirstLine::Formatted };
        let marks = |end: usize| marked.start < end && start < marked.end;
        if marks(word) {
            return FirstLine::Formatted;
        }
        if marks(line) {
            written = FirstLine::PlainFirstWord;
        }
    }
    written
}

/// The range of an entity that mentions the bot.
fn mention(bot: &Bot, text: &str, entity: &Entity) -> Option<Range<usize>> {
    let range = bytes(text, entity.offset, entity.length)?;
    let ours = match &entity.kind {
        EntityKind::Mention => {
            text[range.clone()].strip_prefix('@').is_some_and(|name| name.eq_ignore_ascii_case(&bot.username))
        }
        EntityKind::TextMention(user) => *user == bot.id,
        EntityKind::BotCommand | EntityKind::TextLink(_) | EntityKind::Formatting => false,
    };
    ours.then_some(range)
}

/// The range of the text without the bot's name as its first or last word. If the text is nothing else, the name stays.
fn without(text: &str, mentions: &[Range<usize>]) -> Range<usize> {
    let mut rest = 0..text.len();
    for mention in mentions {
        if text[rest.start..mention.start.max(rest.start)].trim().is_empty() {
            let behind = &text[mention.end..];
            // "@front_bot, hello" and "@front_bot: hello" begin with the name as well.
            let sign = behind.strip_prefix([',', ':']).filter(|rest| rest.starts_with(char::is_whitespace));
            rest.start = text.len() - sign.unwrap_or(behind).len();
        }
    }
    for mention in mentions.iter().rev() {
        if mention.start >= rest.start && text[mention.end.min(rest.end)..rest.end].trim().is_empty() {
            rest.end = mention.start;
        }
    }
    if text[rest.clone()].trim().is_empty() { 0..text.len() } else { rest }
}

/// Splits a command that names a bot: the command, the bot's name and the rest.
fn addressed_command<'t>(text: &'t str, entities: &[Entity]) -> Option<(&'t str, &'t str, &'t str)> {
    let line = text.trim_start().strip_prefix('/')?;
    let end = line.find(char::is_whitespace).unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    let (name, named) = word.split_once('@')?;
    let plain = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    // "/etc@host" may be a path. A bot's name ends in "bot", or Telegram has marked the command.
    let is_bot =
        named.len() >= 3 && named.get(named.len() - 3..).is_some_and(|end| end.eq_ignore_ascii_case("bot"));
    let marked = entities.iter().any(|entity| {
        entity.kind == EntityKind::BotCommand
            && bytes(text, entity.offset, entity.length)
                .is_some_and(|range| text[..range.start].trim().is_empty() && range.len() == word.len() + 1)
    });
    (plain(name) && plain(named) && (is_bot || marked)).then_some((name, named, rest))
}

/// Converts a range in UTF-16 units to bytes. `None` if it does not fit the text.
pub(super) fn bytes(text: &str, offset: usize, length: usize) -> Option<Range<usize>> {
    let end = offset.checked_add(length)?;
    let (mut from, mut units) = (None, 0);
    for (at, c) in text.char_indices().chain([(text.len(), '\0')]) {
        if units == offset {
            from = from.or(Some(at));
        }
        if units >= end {
            return from.filter(|_| units == end).map(|from| from..at);
        }
        units += c.len_utf16();
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn bot() -> Bot {
        Bot {
            id: 42,
            username: "front_bot".into(),
            account: frontdesk_core::account::AccountId::default_of("telegram"),
            require_username: false,
        }
    }

    fn entity(kind: EntityKind, offset: usize, length: usize) -> Entity {
        Entity { kind, offset, length }
    }

    /// Marks every `@word` as Telegram does.
    fn marked(text: &str) -> Vec<Entity> {
        let units = |text: &str| text.encode_utf16().count();
        text.match_indices('@')
            .map(|(at, _)| {
                let word = &text[at..];
                let end = word[1..]
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .map_or(word.len(), |end| end + 1);
                entity(EntityKind::Mention, units(&text[..at]), units(&word[..end]))
            })
            .collect()
    }

    #[rstest]
    #[case("@front_bot hello", "hello", true)]
    #[case("@Front_Bot, hello", "hello", true)]
    #[case("@front_bot: hello", "hello", true)]
    #[case("hello @front_bot", "hello", true)]
    #[case("hello @front_bot!", "hello @front_bot!", true)]
    #[case("ask @front_bot about it", "ask @front_bot about it", true)]
    #[case("👋🏽 hello, @front_bot", "👋🏽 hello,", true)]
    #[case("@front_bot  @front_bot hello @front_bot", "hello", true)]
    #[case("@front_bot", "@front_bot", true)]
    #[case("@front_bots hello", "@front_bots hello", false)]
    #[case("@anna hello", "@anna hello", false)]
    #[case("  hello ", "  hello ", false)]
    fn the_name_of_the_bot_is_a_mention_and_is_removed_from_both_ends(
        #[case] text: &str,
        #[case] stripped: &str,
        #[case] ours: bool,
    ) {
        let result = parse_addressing(&bot(), text, &marked(text), false);
        assert_eq!(
            (result.text.as_str(), result.mentions_bot, result.for_other_bot),
            (stripped, ours, false)
        );
    }

    #[test]
    fn a_name_that_telegram_did_not_mark_is_text() {
        let result = parse_addressing(&bot(), "@front_bot hello", &[], false);
        assert_eq!((result.text.as_str(), result.mentions_bot), ("@front_bot hello", false));
    }

    #[rstest]
    #[case("/new@front_bot", "/new", true, false)]
    #[case("/new@FRONT_bot a plan:\n- one", "/new a plan:\n- one", true, false)]
    #[case("/new@other_bot x", "/new@other_bot x", false, true)]
    #[case("/new x", "/new x", false, false)]
    #[case("/srv@host is down", "/srv@host is down", false, false)]
    #[case("write /new@front_bot", "write /new@front_bot", false, false)]
    fn a_command_with_a_name_is_for_that_program(
        #[case] text: &str,
        #[case] stripped: &str,
        #[case] ours: bool,
        #[case] another: bool,
    ) {
        let first_line = FirstLine::Plain;
        let expected =
            AddressedText { text: stripped.into(), mentions_bot: ours, for_other_bot: another, first_line };
        assert_eq!(parse_addressing(&bot(), text, &[], false), expected);
    }

    #[test]
    fn a_command_that_telegram_marked_is_a_command_for_any_bot_name() {
        let entity = entity(EntityKind::BotCommand, 0, 9);
        assert!(parse_addressing(&bot(), "/vote@gif hello", &[entity], false).for_other_bot);
    }

    fn written(text: &str, kind: EntityKind, marked: &str) -> AddressedText {
        let offset = text[..text.find(marked).unwrap()].encode_utf16().count();
        let mut entities = self::marked(text);
        entities.push(entity(kind, offset, marked.encode_utf16().count()));
        parse_addressing(&bot(), text, &entities, false)
    }

    #[test]
    fn formatted_text_is_never_a_command() {
        for kind in [
            EntityKind::Formatting,
            EntityKind::TextLink("https://e.com/".into()),
            EntityKind::TextMention(7),
        ] {
            for (text, marked) in [
                ("/gateway stop", "/gateway stop"),
                ("👋🏽\n/stop", "👋🏽"),
                (" /stop", "/stop"),
                ("/stop", "to"),
                ("@front_bot /stop", "/stop"),
                ("/gateway@front_bot stop", "/gateway@front_bot"),
            ] {
                assert_eq!(
                    written(text, kind.clone(), marked).first_line,
                    FirstLine::Formatted,
                    "{kind:?} {text}"
                );
            }
            assert_eq!(
                written("/new a b", kind.clone(), "b").first_line,
                FirstLine::PlainFirstWord,
                "{kind:?}"
            );
            assert_eq!(written("/stop\nthis", kind.clone(), "this").first_line, FirstLine::Plain, "{kind:?}");
        }
        let beyond = [entity(EntityKind::Formatting, 3, 9)];
        assert_eq!(parse_addressing(&bot(), "/stop", &beyond, false).first_line, FirstLine::Formatted);
    }

    #[test]
    fn a_caption_is_never_a_command() {
        let command = entity(EntityKind::BotCommand, 0, 15);
        let result = parse_addressing(&bot(), "/stop@front_bot now", &[command], true);
        assert_eq!(result.first_line, FirstLine::Formatted);
        assert_eq!((result.text.as_str(), result.mentions_bot), ("/stop@front_bot now", true));
        assert!(
            !parse_addressing(&bot(), "/stop@other_bot", &[], true).for_other_bot,
            "the picture is not lost"
        );
    }

    proptest! {
        #[test]
        fn no_entity_panics(text in r"\PC{0,20}", offset in 0_usize..30, length in 0_usize..30, huge: bool) {
            let length = if huge { usize::MAX } else { length };
            for kind in [EntityKind::Mention, EntityKind::BotCommand, EntityKind::Formatting] {
                let result = parse_addressing(&bot(), &text, &[entity(kind, offset, length)], false);
                prop_assert!(result.text.len() <= text.len());
            }
        }

        #[test]
        fn a_stretch_in_utf16_is_the_same_stretch_in_bytes(before in r"\PC{0,9}", inside in r"\PC{1,9}", after in r"\PC{0,9}") {
            let text = format!("{before}{inside}{after}");
            let units = |text: &str| text.encode_utf16().count();
            let range = bytes(&text, units(&before), units(&inside)).unwrap();
            prop_assert_eq!(&text[range], inside.as_str());
        }
    }
}
