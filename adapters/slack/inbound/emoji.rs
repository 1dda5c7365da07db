//! Slack's names of emoji. Slack sends and takes names, people and agents use the characters.

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

/// The emoji with this name, without its skin tone; the name between colons if it is one of a workspace, or not in our
/// list.
pub(super) fn shown(name: &str) -> String {
    let plain = name.split("::").next().unwrap_or(name);
    let plain = ALIASES.iter().find(|(alias, _)| *alias == plain).map_or(plain, |(_, known)| known);
    match NAMES.iter().find(|(known, _)| *known == plain) {
        Some((_, emoji)) => (*emoji).to_owned(),
        None => format!(":{plain}:"),
    }
}

#[cfg(test)]
mod tests {
    use frontdesk_core::reaction::normalized;

    use super::*;

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
