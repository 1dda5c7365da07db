//! Slack's names of emoji. Slack uses names where people and agents use characters.

use frontdesk_core::reaction::normalized;

/// The emoji that people react with most, by the name that Slack sends.
const NAMES: [(&str, &str); 40] = [
    ("+1", "👍"),
    ("-1", "👎"),
    ("100", "💯"),
    ("bell", "🔔"),
    ("boom", "💥"),
    ("bug", "🐛"),
    ("bulb", "💡"),
    ("clap", "👏"),
    ("confused", "😕"),
    ("cry", "😢"),
    ("exclamation", "❗"),
    ("eyes", "👀"),
    ("fire", "🔥"),
    ("grin", "😁"),
    ("hammer_and_wrench", "🛠"),
    ("hand", "✋"),
    ("heart", "❤"),
    ("heart_eyes", "😍"),
    ("heavy_check_mark", "✔"),
    ("hourglass", "⌛"),
    ("hourglass_flowing_sand", "⏳"),
    ("joy", "😂"),
    ("laughing", "😆"),
    ("memo", "📝"),
    ("muscle", "💪"),
    ("no_entry", "⛔"),
    ("ok_hand", "👌"),
    ("open_mouth", "😮"),
    ("point_up", "☝"),
    ("pray", "🙏"),
    ("question", "❓"),
    ("raised_hands", "🙌"),
    ("rocket", "🚀"),
    ("slightly_smiling_face", "🙂"),
    ("smile", "😄"),
    ("tada", "🎉"),
    ("thinking_face", "🤔"),
    ("warning", "⚠"),
    ("wave", "👋"),
    ("white_check_mark", "✅"),
];

/// Another name of the same emoji, as Slack has some.
const ALIASES: [(&str, &str); 3] = [("thumbsup", "+1"), ("thumbsdown", "-1"), ("raised_hand", "hand")];

/// The emoji with this name, without its skin tone. One of a workspace, or one that is not in the list, is its name between
/// colons.
pub(crate) fn shown(name: &str) -> String {
    let plain = name.split("::").next().unwrap_or(name);
    let plain = ALIASES.iter().find(|(alias, _)| *alias == plain).map_or(plain, |(_, known)| known);
    match NAMES.iter().find(|(known, _)| *known == plain) {
        Some((_, emoji)) => (*emoji).to_owned(),
        None => format!(":{plain}:"),
    }
}

/// Slack's name of an emoji. One of a workspace is written with its name between colons. `None` if it is not in the list.
pub(crate) fn name(emoji: &str) -> Option<String> {
    let own = emoji.strip_prefix(':').and_then(|rest| rest.strip_suffix(':'));
    let is_name = |name: &&str| {
        !name.is_empty()
            && name
                .chars()
                .all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || "_-+'".contains(char))
    };
    if let Some(own) = own.filter(is_name) {
        return Some(own.to_owned());
    }
    let emoji = normalized(emoji);
    // A tone of skin is another character behind the emoji.
    let plain = emoji.trim_end_matches(|char| ('\u{1f3fb}'..='\u{1f3ff}').contains(&char));
    NAMES.iter().find(|(_, known)| *known == plain).map(|(name, _)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emoji_is_sent_by_its_name() {
        for (emoji, expected) in [
            ("👀", Some("eyes")),
            ("❤\u{fe0f}", Some("heart")),
            ("👍🏽", Some("+1")),
            (":party_parrot:", Some("party_parrot")),
            (":", None),
            (":A b:", None),
            ("🦀", None),
            ("eyes", None),
        ] {
            assert_eq!(name(emoji).as_deref(), expected, "{emoji}");
        }
    }

    #[test]
    fn names_are_shown_as_emoji_if_we_know_them() {
        for (name, emoji) in
            [("eyes", "👀"), ("thumbsup::skin-tone-3", "👍"), ("party_parrot", ":party_parrot:")]
        {
            assert_eq!(shown(name), emoji);
        }
    }

    #[test]
    fn each_emoji_stands_once_and_in_its_normal_form() {
        for (at, (name, emoji)) in NAMES.iter().enumerate() {
            assert_eq!(normalized(emoji), *emoji, "{name}");
            assert!(NAMES[at + 1..].iter().all(|(other, same)| other != name && same != emoji), "{name}");
        }
    }
}
