//! Guests, people of other organisations, and the members of teams and user groups.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use frontdesk_conformance::RecordingInbox;
use frontdesk_core::message::{Event, EventKind};
use frontdesk_core::port::AdapterError;
use frontdesk_fakeslack::{BOT, Fault, OTHER_TEAM, SlackApi, TEAM, TOKEN};
use serde_json::json;

use crate::setup::{account, adapter, ended, running, until};

fn kinds(inbox: &RecordingInbox) -> Vec<(String, String)> {
    let named = |event: Event| match event.kind {
        EventKind::Other(name) => (event.from.id.id().to_owned(), name),
        EventKind::Message => (event.from.id.id().to_owned(), event.text),
        other => panic!("{other:?}"),
    };
    inbox.events().into_iter().map(named).collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(who, what)| ((*who).to_owned(), (*what).to_owned())).collect()
}

/// An inbox whose position is a minute old.
fn a_minute_ago() -> Arc<RecordingInbox> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Arc::new(RecordingInbox::at(&(now.as_secs() - 60).to_string()))
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_are_shut_out_unless_they_are_let_in_and_everybody_is_asked_about_once() {
    for guests in [false, true] {
        let slack = SlackApi::start().await;
        let anna = slack.person("U0000ANNA", "Anna");
        let guest = slack.person_in(TEAM, "U0000GUEST", "Gus", json!({"is_restricted": true}));
        let single = slack.person_in(
            TEAM,
            "U000SINGLE",
            "Sina",
            json!({"is_restricted": true, "is_ultra_restricted": true}),
        );
        let mut account = account(&slack);
        account.settings.guests = guests;
        let (adapter, inbox) = (adapter(account), Arc::new(RecordingInbox::default()));
        running(&adapter, &inbox, &slack, async {
            for (who, text) in
                [(&guest, "one"), (&anna, "two"), (&single, "three"), (&guest, "four"), (&anna, "five")]
            {
                let before = inbox.events().len();
                who.tells(text);
                until(|| inbox.events().len() > before).await;
            }
        })
        .await;
        let shut_out = "from_a_guest";
        let seen = |text| if guests { text } else { shut_out };
        let expected = [
            ("U0000GUEST", seen("one")),
            ("U0000ANNA", "two"),
            ("U000SINGLE", seen("three")),
            ("U0000GUEST", seen("four")),
            ("U0000ANNA", "five"),
        ];
        assert_eq!(kinds(&inbox), pairs(&expected));
        assert_eq!(slack.journal().calls_of("users.info").len(), 3, "one for each person");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reaction_of_a_stranger_is_known_as_one_although_it_does_not_say_so() {
    let slack = SlackApi::start().await;
    let carol = slack.person_in(OTHER_TEAM, "U0STRANGER", "Carol", json!({}));
    let shared =
        json!({"id": "C0SHARED", "name": "shared", "members": ["U0STRANGER"], "shared": [OTHER_TEAM]});
    slack.act("channel", shared);
    let said = slack.act("say", json!({"channel": "C0SHARED", "user": BOT, "text": "hello"}));
    slack.act("forget", json!({}));
    for externals in [false, true] {
        let mut account = account(&slack);
        account.settings.externals = externals;
        let (adapter, inbox) = (adapter(account), Arc::new(RecordingInbox::default()));
        let emoji = if externals { "wave" } else { "eyes" };
        running(&adapter, &inbox, &slack, async {
            carol.reacts("C0SHARED", said["ts"].as_str().unwrap(), emoji);
            until(|| !inbox.events().is_empty()).await;
        })
        .await;
        let event = inbox.events().remove(0);
        assert_eq!(event.from.id.id(), "U0STRANGER");
        let shut_out = EventKind::Other("from_another_organisation".to_owned());
        assert_eq!(event.kind == shut_out, !externals, "{:?}", event.kind);
        slack.act("forget", json!({}));
        until(|| slack.sockets() == 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_waits_until_slack_can_say_who_wrote_it() {
    for failure in
        [Fault::status(502), Fault::hangup(), Fault::too_many(1), Fault::refuse(200, "internal_error")]
    {
        let slack = SlackApi::start().await;
        let anna = slack.person("U0000ANNA", "Anna");
        slack.fault(failure.on("users.info").times(2));
        let (adapter, inbox) = (adapter(account(&slack)), a_minute_ago());
        running(&adapter, &inbox, &slack, async {
            until(|| inbox.batches().iter().any(|(_, cursor)| cursor.is_some())).await;
            let read = inbox.batches().len();
            anna.tells("who am I?");
            until(|| !slack.journal().calls_of("users.info").is_empty()).await;
            // Slack brings it no more: only the history has it.
            slack.act("forget", json!({}));
            until(|| inbox.events().iter().any(|event| event.text == "who am I?")).await;
            let batches = inbox.batches().split_off(read);
            let at = batches.iter().position(|(ids, _)| !ids.is_empty()).unwrap();
            assert!(
                batches[..at].iter().all(|(_, cursor)| cursor.is_none()),
                "the position passed it: {batches:?}"
            );
        })
        .await;
        assert_eq!(kinds(&inbox), pairs(&[("U0000ANNA", "who am I?")]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_of_whom_slack_says_nothing_is_shut_out_and_a_missing_scope_is_the_operators() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    slack.fault(Fault::refuse(200, "user_not_visible").on("users.info").times(1));
    let (adapter, inbox) = (adapter(account(&slack)), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, &slack, async {
        anna.tells("hello");
        until(|| !inbox.events().is_empty()).await;
    })
    .await;
    assert_eq!(kinds(&inbox), pairs(&[("U0000ANNA", "from_another_organisation")]));
    slack.act("forget", json!({}));
    until(|| slack.sockets() == 0).await;
    slack.act("scopes", json!({"token": TOKEN, "remove": ["users:read"]}));
    let (fresh, inbox) = (crate::setup::adapter(account(&slack)), Arc::new(RecordingInbox::default()));
    let story = async {
        until(|| slack.sockets() > 0).await;
        anna.tells("hello?");
    };
    let (error, ()) = tokio::join!(ended(&fresh, &inbox), story);
    assert!(matches!(&error, AdapterError::Setup(why) if why.contains("users:read")), "{error}");
    assert!(inbox.events().is_empty(), "it waits until the operator has added the scope");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_scope_for_user_groups_is_the_operators() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    slack.act("group", json!({"id": "S0GARDEN", "users": ["U0000ANNA"]}));
    slack.act("scopes", json!({"token": TOKEN, "remove": ["usergroups:read"]}));
    let mut account = account(&slack);
    account.memberships = BTreeSet::from(["usergroup:S0GARDEN".to_owned()]);
    let (adapter, inbox) = (adapter(account), Arc::new(RecordingInbox::default()));
    let story = async {
        until(|| slack.sockets() > 0).await;
        anna.tells("hello?");
    };
    let (error, ()) = tokio::join!(ended(&adapter, &inbox), story);
    assert!(matches!(&error, AdapterError::Setup(why) if why.contains("usergroups:read")), "{error}");
    assert!(inbox.events().is_empty(), "it waits until the operator has added the scope");
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_a_team_and_of_a_user_group_have_them_as_roles() {
    let slack = SlackApi::start().await;
    let (anna, bert) = (slack.person("U0000ANNA", "Anna"), slack.person("U0000BERT", "Bert"));
    slack.act("group", json!({"id": "S0GARDEN", "users": ["U0000ANNA"]}));
    let mut account = account(&slack);
    let entries = [&format!("team:{TEAM}"), "team:T0000THIRD", "usergroup:S0GARDEN", "usergroup:S0GONE"];
    account.memberships = entries.map(str::to_owned).into_iter().collect::<BTreeSet<_>>();
    let (adapter, inbox) = (adapter(account), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, &slack, async {
        for person in [&anna, &bert, &anna] {
            let before = inbox.events().len();
            person.tells("hello");
            until(|| inbox.events().len() > before).await;
        }
    })
    .await;
    let team = format!("team:{TEAM}");
    let roles: Vec<Vec<String>> = inbox.events().into_iter().map(|event| event.from.roles).collect();
    let annas = vec![team.clone(), "usergroup:S0GARDEN".to_owned()];
    assert_eq!(roles, [annas.clone(), vec![team], annas]);
    assert_eq!(slack.journal().calls_of("usergroups.users.list").len(), 2, "one for each group");
}
