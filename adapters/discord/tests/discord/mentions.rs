//! Mentions of the role that Discord has made for the bot, which it offers beside the bot itself.

use std::sync::Arc;

use frontdesk_conformance::RecordingInbox;
use frontdesk_core::message::Event;
use frontdesk_fakediscord::{BOT, Fault};
use serde_json::json;

use crate::setup::{Garden, running, texts};

/// A guild in which the bot has a role of its own, and another bot as well.
async fn garden() -> Garden {
    let garden = Garden::new().await;
    garden.discord.act("role", json!({"id": 41, "guild": 9000, "name": "Frontdesk", "bot": BOT}));
    garden.discord.act("role", json!({"id": 42, "guild": 9000, "name": "Other", "bot": 8}));
    garden
}

/// The texts that were stored, and whether they are for the bot.
fn said(inbox: &RecordingInbox) -> Vec<(String, bool)> {
    let said = |event: Event| (event.text, event.addressed);
    inbox.events().into_iter().map(said).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bots_own_role_is_a_mention_of_the_bot() {
    let garden = garden().await;
    let (adapter, inbox) = (garden.adapter(), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, async {
        garden.connected().await;
        for text in ["<@&41> hello", "<@&42> hello", "ask <@&41> this"] {
            garden.ann.says(garden.channel, text);
        }
        inbox.until(|inbox| texts(inbox).len() == 3).await;
        // Somebody adds it while the bot is connected.
        let guild = garden.discord.guild(9001, "Meadow", &garden.ann);
        let meadow = garden.discord.channel(guild, 5001, 0, "meadow");
        garden.discord.act("outage", json!({"guild": guild, "on": false}));
        garden.discord.act("role", json!({"id": 43, "guild": guild, "name": "Frontdesk", "bot": BOT}));
        garden.ann.says(meadow, "<@&43> hello");
        inbox.until(|inbox| texts(inbox).len() == 4).await;
    })
    .await;
    let expected = [("hello", true), ("<@&42> hello", false), ("ask @Frontdesk this", true), ("hello", true)];
    assert_eq!(said(&inbox), expected.map(|(text, addressed)| (text.to_owned(), addressed)));
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_asked_for_after_a_resumed_session_and_in_a_history() {
    let garden = garden().await;
    let inbox = Arc::new(RecordingInbox::default());
    let first = garden.adapter();
    running(&first, &inbox, async {
        garden.connected().await;
        garden.ann.says(garden.channel, "before");
        inbox.until(|inbox| texts(inbox).len() == 1).await;
    })
    .await;
    garden.left().await;
    // A resumed session names no roles.
    garden.discord.fault(Fault::status(502).on("list_guild_roles").times(1));
    let resumed = garden.adapter();
    running(&resumed, &inbox, async {
        garden.ann.says(garden.channel, "<@&41> one");
        garden.ann.says(garden.channel, "two");
        inbox.until(|inbox| texts(inbox).len() == 3).await;
    })
    .await;
    assert_eq!(garden.identified(), 1);
    let owned = |said: &[(&str, bool)]| {
        said.iter().map(|(text, addressed)| ((*text).to_owned(), *addressed)).collect::<Vec<_>>()
    };
    assert_eq!(said(&inbox), owned(&[("before", false), ("one", true), ("two", false)]));
    garden.left().await;
    garden.discord.act("forget_sessions", json!({}));
    garden.ann.says(garden.channel, "<@&41> missed");
    let again = garden.adapter();
    running(&again, &inbox, async { inbox.until(|inbox| texts(inbox).len() == 4).await }).await;
    assert_eq!(said(&inbox).last(), owned(&[("missed", true)]).last());
}
