//! Channels, as an operator looks them up.

use frontdesk_core::group::{Group, LookupError};
use frontdesk_core::port::Adapter;
use frontdesk_fakeslack::{Fault, SlackApi, TOKEN};
use serde_json::json;

use crate::setup::{account, adapter};

#[tokio::test(flavor = "multi_thread")]
async fn channels_are_listed_in_pages_with_what_slack_says_about_them() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    slack.channel("C0GARDEN", "garden", &[&anna]);
    slack.act("channel", json!({"id": "C1OPEN", "name": "open", "members": [anna.id], "bot": false}));
    slack.act(
        "channel",
        json!({"id": "G0SECRET", "name": "secret", "members": [anna.id], "kind": "group", "bot": false}),
    );
    slack.act("channel", json!({"id": "G1BOARD", "name": "board", "members": [anna.id], "kind": "group"}));
    slack.channel("C2OLD", "old", &[]);
    slack.act("archive", json!({"channel": "C2OLD", "on": true}));
    anna.tells("a private chat is no group");
    for n in 0..200 {
        slack.channel(&format!("C9{n:03}"), &format!("more-{n}"), &[]);
    }
    let adapter = adapter(account(&slack));
    let (mut all, mut next, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = adapter.groups(next.as_deref()).await.unwrap();
        all.extend(page.groups);
        (next, pages) = (page.next, pages + 1);
        if next.is_none() {
            break;
        }
    }
    assert_eq!((all.len(), pages), (203, 2));
    let garden = Group {
        id: "C0GARDEN".into(),
        name: "garden".into(),
        kind: "channel",
        members: Some(2),
        joined: Some(true),
        ..Group::default()
    };
    assert_eq!(all[0], garden);
    let of = |id: &str| all.iter().find(|group| group.id == id);
    assert_eq!(of("C1OPEN").unwrap().joined, Some(false));
    assert_eq!(of("G1BOARD").unwrap().kind, "private channel");
    assert_eq!((of("G0SECRET"), of("C2OLD")), (None, None), "not to be seen, and archived");
    assert_eq!(adapter.group("C0GARDEN").await, Ok(garden));
    assert!(adapter.group("C2OLD").await.unwrap().archived);
}

#[tokio::test(flavor = "multi_thread")]
async fn why_a_channel_is_not_described_is_said() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let private = anna.tells("hello").channel;
    slack.act(
        "channel",
        json!({"id": "G0SECRET", "name": "secret", "members": [anna.id], "kind": "group", "bot": false}),
    );
    let adapter = adapter(account(&slack));
    for id in [private.as_str(), "G0SECRET", "C0NOWHERE", "", "../auth.test"] {
        assert_eq!(adapter.group(id).await, Err(LookupError::NoSuchGroup), "{id}");
    }
    slack.fault(Fault::too_many(1).on("conversations.list").times(1));
    assert!(matches!(adapter.groups(None).await, Err(LookupError::Later(_))));
    slack.act("scopes", json!({"token": TOKEN, "remove": ["channels:read"]}));
    let refused = adapter.group("C0GARDEN").await;
    assert!(
        matches!(&refused, Err(LookupError::Refused(why)) if why.contains("channels:read")),
        "{refused:?}"
    );
}
