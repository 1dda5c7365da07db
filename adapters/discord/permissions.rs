//! What the bot may do in a server: each permission that it asks for, and why.

use crate::config::Settings;

/// A permission (Discord's documentation, Permissions).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Permission {
    /// Its bit.
    pub(crate) bit: u64,
    /// Its name in Discord's settings.
    pub(crate) name: &'static str,
    /// Why the bot needs it.
    pub(crate) why: &'static str,
    /// Whether it needs it with these settings.
    needed: fn(&Settings) -> bool,
}

const fn always(bit: u64, name: &'static str, why: &'static str) -> Permission {
    Permission { bit, name, why, needed: |_| true }
}

/// All that the bot can need. It asks for no right over other people.
const PERMISSIONS: [Permission; 9] = [
    always(1 << 10, "View Channels", "to see the messages of the channels in which it answers"),
    always(1 << 11, "Send Messages", "to answer, and to make posts in forums"),
    always(1 << 38, "Send Messages in Threads", "to answer in threads and in posts of forums"),
    always(
        1 << 16,
        "Read Message History",
        "to fetch the files of a message, to answer it as a reply, to react or open a thread on it, and to read what was \
         missed after an interruption",
    ),
    always(1 << 15, "Attach Files", "to send the files of an answer"),
    always(1 << 6, "Add Reactions", "to react to messages, if the agent wants to or `acknowledge` is set"),
    always(1 << 51, "Pin Messages", "to pin a message, if the agent is asked to"),
    Permission {
        bit: 1 << 35,
        name: "Create Public Threads",
        why: "to answer a mention in a thread, because `answer_in_threads` is on",
        needed: |settings| settings.answer_in_threads,
    },
    Permission {
        bit: 1 << 14,
        name: "Embed Links",
        why: "to show previews of links, because `link_previews` is on",
        needed: |settings| settings.link_previews,
    },
];

/// The permission that includes all others.
const ADMINISTRATOR: u64 = 1 << 3;

/// The permissions that a bot with these settings needs.
pub(crate) fn needed(settings: &Settings) -> Vec<Permission> {
    PERMISSIONS.into_iter().filter(|permission| (permission.needed)(settings)).collect()
}

/// Those of them that somebody with these bits does not have.
pub(crate) fn missing(settings: &Settings, bits: u64) -> Vec<Permission> {
    let lacks = |permission: &Permission| bits & (permission.bit | ADMINISTRATOR) == 0;
    needed(settings).into_iter().filter(lacks).collect()
}

/// The link with which somebody adds the bot to a server, with these permissions and its commands.
pub(crate) fn invite_url(application: &str, settings: &Settings) -> String {
    let bits = needed(settings).iter().fold(0, |all, permission| all | permission.bit);
    format!(
        "https://discord.com/oauth2/authorize?client_id={application}&scope=bot+applications.commands&permissions={bits}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../docs/discord.md");

    #[test]
    fn the_page_shows_the_link_and_why_each_permission_is_needed() {
        let settings = Settings { answer_in_threads: true, link_previews: true, ..Settings::default() };
        assert!(
            PAGE.contains(&invite_url("APP", &Settings::default())),
            "the link on the page is another one"
        );
        for permission in needed(&settings) {
            let line = format!("| {} | {} |", permission.name, permission.why);
            assert!(PAGE.contains(&line), "the page does not say: {line}");
        }
    }

    #[test]
    fn a_permission_is_asked_for_if_the_settings_need_it() {
        let names = |permissions: Vec<Permission>| permissions.iter().map(|one| one.name).collect::<Vec<_>>();
        let threads = Settings { answer_in_threads: true, ..Settings::default() };
        assert_eq!(needed(&Settings::default()).len(), 7);
        assert!(!names(needed(&Settings::default())).contains(&"Create Public Threads"));
        assert!(names(needed(&threads)).contains(&"Create Public Threads"));
        let most = !ADMINISTRATOR & !(1 << 15) & !(1 << 35);
        assert_eq!(names(missing(&Settings::default(), most)), ["Attach Files"]);
        assert_eq!(names(missing(&threads, most)), ["Attach Files", "Create Public Threads"]);
        assert!(missing(&threads, ADMINISTRATOR).is_empty());
    }
}
