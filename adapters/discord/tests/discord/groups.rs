//! Channels, as an operator looks them up.

use frontdesk_core::group::{Group, GroupPage, LookupError};
use frontdesk_core::port::Adapter;
use frontdesk_fakediscord::{Fault, Id};
use serde_json::json;

use crate::setup::Garden;

/// The right to see a channel.
const VIEW: &str = "1024";

#[tokio::test(flavor = "multi_thread")]
async fn channels_are_listed_server_by_server() {
    let garden = Garden::new().await;
    let discord = &garden.discord;
    discord.channel(Id(9000), 5001, 4, "a category");
    discord.channel(Id(9000), 5002, 15, "ideas");
    discord.channel(Id(9000), 5003, 0, "board");
    discord.act("permit", json!({"channel": "5003", "target": "9000", "deny": VIEW}));
    let office = discord.guild(9100, "Office", &garden.ann);
    discord.channel(office, 5100, 2, "kitchen");
    let adapter = garden.adapter();
    let first = adapter.groups(None).await.unwrap();
    let group = |id: &str, name: &str, kind: &'static str, within: &str, joined: bool| Group {
        id: id.into(),
        name: name.into(),
        kind,
        within: Some(within.into()),
        joined: Some(joined),
        ..Group::default()
    };
    let expected = [
        group("5000", "general", "text channel", "Garden", true),
        group("5002", "ideas", "forum", "Garden", true),
        group("5003", "board", "text channel", "Garden", false),
    ];
    assert_eq!(first.groups, expected);
    let second = adapter.groups(first.next.as_deref()).await.unwrap();
    assert_eq!(second.groups, [group("5100", "kitchen", "voice channel", "Office", true)]);
    assert_eq!(adapter.groups(second.next.as_deref()).await, Ok(GroupPage::default()));
    assert_eq!(adapter.group("5000").await, Ok(expected[0].clone()));
}

#[tokio::test(flavor = "multi_thread")]
async fn why_a_channel_is_not_described_is_said() {
    let garden = Garden::new().await;
    let private =
        garden.discord.act("dm", json!({"user": garden.ann.id}))["channel_id"].as_str().unwrap().to_owned();
    garden.discord.channel(Id(9000), 5003, 0, "board");
    garden.discord.act("permit", json!({"channel": "5003", "target": "9000", "deny": VIEW}));
    let adapter = garden.adapter();
    for id in [private.as_str(), "5003", "404", "", "@me", "5000/messages", "../users/@me"] {
        assert_eq!(adapter.group(id).await, Err(LookupError::NoSuchGroup), "{id}");
    }
    garden.discord.fault(Fault::status(503).on("get_channel").times(1));
    assert!(matches!(adapter.group("5000").await, Err(LookupError::Later(_))));
}
