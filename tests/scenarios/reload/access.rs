//! Permissions that the configuration gives and takes.

use frontdesk_core::access::{ChannelAccess, DmPolicy, GroupAccess};
use frontdesk_core::message::Outcome;
use frontdesk_store::row::{AccessChange, Scope};
use frontdesk_world::event::message_from;
use frontdesk_world::{Plan, Step, World, operator, permission, plan};

fn only(people: &'static [&'static str]) -> impl FnOnce(Plan) -> Plan {
    move |plan| {
        plan.access(|access: &mut ChannelAccess| {
            access.dm_policy = DmPolicy::Allowlist;
            access.allow = people.iter().map(|id| (*id).to_owned()).collect();
        })
    }
}

#[tokio::test]
async fn a_person_who_left_the_file_loses_what_runs_and_what_waits() {
    let mut world = World::with(only(&["anna", "ben"])(plan())).await;
    let (anna, ben, cleo) = (world.user("anna"), world.user("ben"), world.user("cleo"));
    world.agent().will([Step::Say("never seen"), Step::Pause]);
    let running = anna.says("runs").await;
    world.agent().begun(1).await;
    let waiting = anna.says("waits").await;
    assert_eq!(cleo.tries("let me in").await, Outcome::Denied);

    world.reload().plan(only(&["ben", "cleo"])).apply(&mut world).await.unwrap();

    let reason = |row: frontdesk_store::row::HistoryRow| row.message.reason.map(|reason| reason.to_string());
    assert_eq!(reason(world.ended(waiting).await).as_deref(), Some("revoked"));
    assert_eq!(reason(world.ended(running).await).as_deref(), Some("revoked"));
    assert_eq!(world.agent().aborted().len(), 1);
    assert_eq!(anna.tries("and now?").await, Outcome::Denied);
    cleo.says("thank you").await;
    assert_eq!(cleo.hears().await, "thank you");
    ben.says("still here").await;
    assert_eq!(ben.hears().await, "still here");
    world.at_rest().await;
    assert_eq!(anna.sees(), Vec::<String>::new());
    let audit = world.handle().audits(None, 10).await.unwrap();
    let row = audit.iter().find(|row| row.action == "revoke").unwrap();
    assert_eq!((row.subject.as_str(), row.by.as_str()), ("fake:anna dm", "configuration"));
}

#[tokio::test]
async fn a_person_whom_an_admin_has_allowed_too_keeps_everything() {
    let mut world = World::with(only(&["anna"])(plan())).await;
    let anna = world.user("anna");
    let principal = "fake:anna".parse().unwrap();
    let grant = AccessChange::Grant { principal, scope: Scope::Dm };
    world.handle().change_access(grant, operator()).await.unwrap();
    world.agent().will([Step::Say("done"), Step::Pause]);
    anna.says("runs").await;
    world.agent().begun(1).await;
    world.reload().plan(only(&[])).apply(&mut world).await.unwrap();
    world.agent().resume();
    assert_eq!(anna.hears().await, "done");
    anna.says("and again").await;
    world.at_rest().await;
}

#[tokio::test]
async fn a_group_that_left_the_file_is_not_served_any_more() {
    let mut world = World::with(plan().access(|access| {
        access.groups.insert("-2".to_owned(), GroupAccess::default());
    }))
    .await;
    world.agent().will([Step::Say("never seen"), Step::Pause]);
    let group = |text: &str| message_from("anna", text).in_group("-2");
    let Outcome::Accepted { message, .. } = world.platform().outcome_of(group("runs")).await else {
        panic!("it is served")
    };
    world.agent().begun(1).await;
    world
        .reload()
        .plan(|plan| plan.access(|access| drop(access.groups.remove("-2"))))
        .apply(&mut world)
        .await
        .unwrap();
    assert_eq!(world.ended(message).await.message.state.name(), "cancelled");
    assert_eq!(world.platform().outcome_of(group("later")).await, Outcome::Denied);
    world.at_rest().await;
    assert_eq!(world.platform().chat("-2"), []);
}

/// A world in which only admins and these people may write, and whose platform has buttons.
fn admins(admins: &'static [&'static str], allow: &'static [&'static str]) -> Plan {
    only(allow)(plan().buttons()).access(|access| {
        access.admins = admins.iter().map(|id| (*id).to_owned()).collect();
    })
}

#[tokio::test]
async fn an_admin_who_left_the_file_loses_what_runs_and_what_was_asked() {
    let mut world = World::with(admins(&["root"], &["anna"])).await;
    world.agent().will([Step::Ask(permission("Delete it?")), Step::Say("never seen")]);
    let running = world.user("root").says("clean up").await;
    let asked = world.platform().shows("root", 1, |post| !post.buttons.is_empty()).await.swap_remove(0);

    world.reload().plan(|_| admins(&[], &["anna"])).apply(&mut world).await.unwrap();

    let reason = world.ended(running).await.message.reason.map(|reason| reason.to_string());
    assert_eq!(reason.as_deref(), Some("revoked"));
    assert_eq!(world.handle().asks(None).await.unwrap(), []);
    let closed =
        world.platform().shows("root", 1, |post| post.id == asked.id && post.buttons.is_empty()).await;
    assert!(closed[0].text.contains("withdrawn"), "{closed:?}");
    let press = message_from("root", &asked.buttons[0]).pressed_under(&asked.id);
    let late = world.platform().outcome_of(press).await;
    assert!(matches!(late, Outcome::NotAnswered { .. }), "{late:?}");
    world.at_rest().await;
    assert_eq!(world.platform().chat("root").len(), 1, "the turn says nothing more");
}

#[tokio::test]
async fn an_admin_who_may_still_write_loses_only_the_confirmations() {
    let mut world = World::with(admins(&["root", "boss"], &["root"])).await;
    let root = world.user("root");
    root.says("/gateway stop").await;
    let asked = world.platform().shows("root", 1, |post| !post.buttons.is_empty()).await.swap_remove(0);
    world.agent().will([Step::Say("done"), Step::Pause]);
    root.says("runs").await;
    world.agent().begun(1).await;

    world.reload().plan(|_| admins(&["boss"], &["root"])).apply(&mut world).await.unwrap();

    world.platform().shows("root", 1, |post| post.id == asked.id && post.buttons.is_empty()).await;
    let press = message_from("root", &asked.buttons[0]).pressed_under(&asked.id);
    let late = world.platform().outcome_of(press).await;
    assert!(matches!(late, Outcome::NotAnswered { .. }), "{late:?}");
    world.agent().resume();
    world.platform().shows("root", 1, |post| post.text == "done").await;
    world.at_rest().await;
}

#[tokio::test]
async fn a_platform_whose_section_is_gone_takes_nothing_from_its_people() {
    let mut world = World::with(only(&["anna", "ben"])(plan())).await;
    let (platform, anna, ben) = (world.shared_platform(), world.user("anna"), world.user("ben"));
    world.agent().will([Step::Say("the answer"), Step::Pause]);
    let running = anna.says("runs").await;
    let waits = anna.says("waits").await;
    world.agent().begun(1).await;
    world.agent().will([Step::Say("never seen"), Step::Pause]);
    let lost = ben.says("runs too").await;
    world.agent().begun(2).await;
    let bens = ben.says("waits too").await;

    world.reload().off(platform.account()).apply(&mut world).await.unwrap();
    world.agent().resume();
    world.ended(running).await;
    for (message, state) in [(waits, "waiting"), (lost, "in_turn"), (bens, "waiting")] {
        assert_eq!(world.message(message).await.message.state.name(), state, "{message:?}");
    }

    // Who is not named when the account is back loses what they have.
    world.reload().plan(only(&["anna"])).account(&platform).apply(&mut world).await.unwrap();
    for message in [lost, bens] {
        let reason = world.ended(message).await.message.reason.map(|reason| reason.to_string());
        assert_eq!(reason.as_deref(), Some("revoked"));
    }
    world.at_rest().await;
    assert_eq!((anna.sees(), ben.sees()), (vec!["the answer".to_owned(), "waits".to_owned()], Vec::new()));
}
