//! Whether a text is meant for the bot, and the text as people read it: with names in place of ids.

use frontdesk_core::message::{FirstLine, Link};

/// Somebody that a message mentions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mentioned {
    pub id: String,
    pub name: String,
}

/// A text without the bot's name at its beginning and its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ReadableText {
    pub text: String,
    /// Who the names in the text are.
    pub links: Vec<Link>,
}

/// Removes the bot's name at the beginning and the end of a text, and writes names where Discord has ids.
pub(super) fn readable(bot: &str, text: &str, mentioned: &[Mentioned]) -> ReadableText {
    let text = without(bot, text);
    let mut written = String::with_capacity(text.len());
    let mut links: Vec<Link> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        written.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some((token, behind)) = rest[1..].split_once('>') else { break };
        match token_of(token, mentioned) {
            Some(Token::Person(person)) => {
                let label = format!("@{}", person.name);
                written.push_str(&label);
                let link = Link { label, url: format!("https://discord.com/users/{}", person.id) };
                if !links.contains(&link) {
                    links.push(link);
                }
            }
            Some(Token::Emoji(name)) => written.extend([":", name, ":"]),
            None => {
                written.push('<');
                rest = &rest[1..];
                continue;
            }
        }
        rest = behind;
    }
    written.push_str(rest);
    ReadableText { text: written, links }
}

/// What stands between `<` and `>`.
enum Token<'t> {
    Person(&'t Mentioned),
    Emoji(&'t str),
}

fn token_of<'t>(token: &'t str, mentioned: &'t [Mentioned]) -> Option<Token<'t>> {
    if let Some(id) = token.strip_prefix('@') {
        let id = id.strip_prefix('!').unwrap_or(id);
        return mentioned.iter().find(|person| person.id == id).map(Token::Person);
    }
    // Emoji of a guild: `<:name:id>`, and `<a:name:id>` if it moves.
    let (name, id) = token.strip_prefix("a:").or_else(|| token.strip_prefix(':'))?.split_once(':')?;
    let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (plain && is_id(id)).then_some(Token::Emoji(name))
}

/// The text without the bot's name as its first or last word. If the text is nothing else, the name stays.
fn without<'t>(bot: &str, text: &'t str) -> &'t str {
    let names = [format!("<@{bot}>"), format!("<@!{bot}>")];
    let mut rest = text.trim();
    while let Some(behind) = names.iter().find_map(|name| rest.strip_prefix(name.as_str())) {
        // "@bot, hello" and "@bot: hello" begin with the name as well.
        let sign = behind.strip_prefix([',', ':']).filter(|rest| rest.starts_with(char::is_whitespace));
        rest = sign.unwrap_or(behind).trim_start();
    }
    while let Some(before) = names.iter().find_map(|name| rest.strip_suffix(name.as_str())) {
        rest = before.trim_end();
    }
    match (rest.is_empty(), rest.len() == text.trim().len()) {
        // The text stays as it is, with its spaces.
        (true, _) | (_, true) => text,
        _ => rest,
    }
}

/// How the first line is formatted. Discord's text is its Markdown, so the signs themselves are looked for.
pub(super) fn first_line(text: &str) -> FirstLine {
    let line = text.trim_start().lines().next().unwrap_or_default();
    let word = line.split_whitespace().next().unwrap_or_default();
    let is_formatted =
        |text: &str| text.contains('`') || text.contains("||") || text.contains("~~") || text.contains("](");
    match (word.starts_with('>') || is_formatted(word), is_formatted(line)) {
        (true, _) => FirstLine::Formatted,
        (_, true) => FirstLine::PlainFirstWord,
        _ => FirstLine::Plain,
    }
}

/// Whether a text is an id as Discord writes it: a number in one spelling.
pub(crate) fn is_id(text: &str) -> bool {
    text.parse::<u64>().is_ok_and(|id| id != 0 && id.to_string() == text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ann() -> Mentioned {
        Mentioned { id: "7".into(), name: "Ann".into() }
    }

    fn shown(text: &str) -> String {
        readable("42", text, &[ann(), Mentioned { id: "42".into(), name: "Front".into() }]).text
    }

    #[test]
    fn the_bots_name_at_an_end_is_removed() {
        for (text, expected) in [
            ("<@42> hello", "hello"),
            ("<@!42>, hello", "hello"),
            ("hello <@42>", "hello"),
            ("<@42>: <@42> hello <@!42>", "hello"),
            ("tell <@42> this", "tell @Front this"),
            ("<@42>", "@Front"),
            ("  spaces stay  ", "  spaces stay  "),
            ("<@421> hello", "<@421> hello"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn ids_become_names_and_nothing_else_changes() {
        for (text, expected) in [
            ("ask <@7> and <@!7>", "ask @Ann and @Ann"),
            ("<@8> is unknown", "<@8> is unknown"),
            ("<:wave:12> <a:dance:13>", ":wave: :dance:"),
            ("<:not an emoji:12> <:x:012>", "<:not an emoji:12> <:x:012>"),
            ("a < b, <#5> <@&33> <t:1:R> </new:1>", "a < b, <#5> <@&33> <t:1:R> </new:1>"),
            ("<<@7>>", "<@Ann>"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
        let links = readable("42", "<@7> <@7>", &[ann()]).links;
        assert_eq!(links, [Link { label: "@Ann".into(), url: "https://discord.com/users/7".into() }]);
    }

    #[test]
    fn signs_of_formatting_say_what_can_be_a_command() {
        for (text, expected) in [
            ("/new", FirstLine::Plain),
            ("/new *x*", FirstLine::Plain),
            ("/bg run `ls`", FirstLine::PlainFirstWord),
            ("`/new`", FirstLine::Formatted),
            ("> /new", FirstLine::Formatted),
            ("||/new||", FirstLine::Formatted),
            ("```\n/new\n```", FirstLine::Formatted),
            ("/new\n`x`", FirstLine::Plain),
        ] {
            assert_eq!(first_line(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in r"[<>@!:a0-9 \PC]{0,24}") {
            shown(&text);
            first_line(&text);
        }
    }
}
