//! Property: nobody without permission reaches the agent, whatever happens in whatever order.

use frontdesk_core::access::{DmPolicy, GroupAccess, Members};
use frontdesk_core::message::{FileKind, SenderKind};
use frontdesk_store::row::{AccessChange, Author, Scope};
use frontdesk_world::event::{TestEvent, message_from};
use frontdesk_world::{World, plan};
use proptest::prelude::*;

/// One step of a generated scenario.
#[derive(Debug, Clone)]
enum Step {
    Grant { who: usize, group: bool },
    Revoke { who: usize },
    Block { who: usize, blocked: bool },
    Serve { allowed: bool },
    Event { who: usize, place: usize, way: usize, sender_kind: SenderKind },
}

const PEOPLE: [&str; 4] = ["anna", "ben", "eve", "listed"];
/// A private chat, a group for everybody, a group for `listed` only, and a group that only an admin can allow.
const PLACES: [&str; 4] = ["", "-1", "-2", "-3"];

fn step() -> impl Strategy<Value = Step> {
    let who = 0..PEOPLE.len();
    let sender_kind =
        prop_oneof![4 => Just(SenderKind::Person), 1 => Just(SenderKind::Bot), 1 => Just(SenderKind::Chat)];
    prop_oneof![
        1 => (who.clone(), any::<bool>()).prop_map(|(who, group)| Step::Grant { who, group }),
        1 => who.clone().prop_map(|who| Step::Revoke { who }),
        1 => (who.clone(), any::<bool>()).prop_map(|(who, blocked)| Step::Block { who, blocked }),
        1 => any::<bool>().prop_map(|allowed| Step::Serve { allowed }),
        6 => (who, 0..PLACES.len(), 0..8_usize, sender_kind)
            .prop_map(|(who, place, way, sender_kind)| Step::Event { who, place, way, sender_kind }),
    ]
}

/// A simple model of the access rules.
#[derive(Default)]
struct Granted {
    dm: [bool; 4],
    group: [bool; 4],
    blocked: [bool; 4],
    served: bool,
}

impl Granted {
    fn may_write(&self, who: usize, place: usize, sender_kind: SenderKind) -> bool {
        sender_kind != SenderKind::Bot
            && !self.blocked[who]
            && match place {
                0 => self.dm[who],
                1 => true,
                2 => PEOPLE[who] == "listed",
                _ => self.served || self.group[who],
            }
    }
}

fn event(n: usize, who: usize, place: usize, way: usize, sender_kind: SenderKind) -> TestEvent {
    let text = format!("event {n}.");
    let event = message_from(PEOPLE[who], &text).by(sender_kind).shown_as("listed");
    let event = match place {
        0 => event,
        _ => event.in_group(PLACES[place]),
    };
    match way {
        0 => event,
        1 => event.editing("m1"),
        2 => event.pressed_under("out-1"),
        3 => event.reacting_to("out-1"),
        4 => event.with_file("f", FileKind::Voice),
        5 => event.forwarded(),
        6 => event.replying_to("what the owner said"),
        _ => {
            message_from(PEOPLE[who], &format!("/new {text}")).by(sender_kind).in_group(PLACES[place.max(1)])
        }
    }
}

async fn run(steps: Vec<Step>) {
    let world = World::with(
        plan()
            .access(|access| {
                access.dm_policy = DmPolicy::Pairing;
                let people = ["listed".to_owned()].into();
                access.groups.insert(
                    "-2".to_owned(),
                    GroupAccess {
                        closed: true,
                        members: Members { people, ..Members::default() },
                        ..GroupAccess::default()
                    },
                );
            })
            .chat("-1", |chat| chat.ambient = Some(5)),
    )
    .await;
    let by = || Author { name: "cli".to_owned(), via: "cli" };
    let (mut granted, mut shut_out) = (Granted::default(), Vec::new());
    for (n, step) in steps.into_iter().enumerate() {
        let principal = |who: usize| format!("fake:{}", PEOPLE[who]).parse().unwrap();
        let change = match step {
            Step::Grant { who, .. } if granted.blocked[who] => continue,
            Step::Grant { who, group } => {
                if group {
                    granted.group[who] = true
                } else {
                    granted.dm[who] = true
                }
                let scope = if group { Scope::Group("-3".to_owned()) } else { Scope::Dm };
                AccessChange::Grant { principal: principal(who), scope }
            }
            Step::Revoke { who } => {
                (granted.dm[who], granted.group[who]) = (false, false);
                AccessChange::Revoke {
                    principal: principal(who),
                    scope: None,
                    also: Vec::new(),
                    private: None,
                }
            }
            Step::Block { who, blocked } => {
                granted.blocked[who] = blocked;
                let principal = principal(who);
                match blocked {
                    true => AccessChange::Block { principal, private: None },
                    false => AccessChange::Unblock { principal },
                }
            }
            Step::Serve { allowed } => {
                granted.served = allowed;
                AccessChange::Serve { chat: "fake:-3".parse().unwrap(), allowed }
            }
            Step::Event { who, place, way, sender_kind } => {
                let there = if way == 7 { place.max(1) } else { place };
                if !granted.may_write(who, there, sender_kind) {
                    shut_out.push(format!("event {n}."));
                }
                world.platform().outcome_of(event(n, who, place, way, sender_kind)).await;
                continue;
            }
        };
        // A permission that only the configuration gives cannot be revoked, and the command says so.
        let refused = world.handle().change_access(change, by()).await.err();
        assert!(refused.is_none_or(|error| error.to_string().contains("configuration file")));
    }
    world.at_rest().await;
    let turns = format!("{:?}", world.agent().turns());
    for event in shut_out {
        assert!(!turns.contains(&event), "{event} reached the agent");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_message_without_access_reaches_the_agent(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run(steps));
    }
}
