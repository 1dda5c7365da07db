//! Private chats that share one conversation: `/link`, and `sessions.shared` in the configuration.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::access::{DmPolicy, GroupAccess, Members};
use frontdesk_core::address::Principal;
use frontdesk_core::agent::Capabilities;
use frontdesk_core::config::Assignment;
use frontdesk_core::delivery::{Bucket, SendError};
use frontdesk_core::message::Outcome;
use frontdesk_core::pairing::Code;
use frontdesk_runtime::config::QueueMode;
use frontdesk_store::row::{AccessChange, Scope};
use frontdesk_world::event::message_from;
use frontdesk_world::wait::until;
use frontdesk_world::{Posted, ScriptedAgent, Step, User, World, operator, plan};

use crate::tasks::sees;

const JOINED: &str = "share one conversation now";
const QUESTION: &str = "Shall this private chat";

/// Two private chats, of anna and of ben, who are the same person.
async fn two(world: &World) -> (User, User) {
    (world.user("anna"), world.user("ben"))
}

/// The codes that a chat has shown.
fn codes(user: &User) -> Vec<String> {
    let after = |text: &str| text.split_once("/link ").map(|(_, rest)| rest.chars().take(8).collect());
    let is_code = |word: &String| Code::read(word).is_some();
    user.sees().iter().filter_map(|text| after(text)).filter(is_code).collect()
}

/// A chat shows one more code.
async fn code(user: &User) -> String {
    let before = codes(user).len();
    user.says("/link").await;
    until("a code is shown", || async { codes(user).get(before).cloned() }).await
}

/// Both chats are asked; returns how each agrees and refuses in writing.
async fn asked(world: &World) -> (String, String) {
    let (anna, ben) = two(world).await;
    let code = code(&anna).await;
    ben.says(&format!("/link {code}")).await;
    sees(&anna, "/link refuse").await;
    let text = sees(&ben, "/link refuse").await;
    let word = |from: &str| {
        let at = text.find(from).unwrap_or_else(|| panic!("no {from}: {text}"));
        let id: String = text[at + from.len()..].chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
        format!("{from}{id}")
    };
    (word("/link confirm "), word("/link refuse "))
}

/// Joins the chat of ben to that of anna.
async fn join(world: &World) {
    let (confirm, _) = asked(world).await;
    let (anna, ben) = two(world).await;
    ben.says(&confirm).await;
    sees(&ben, "The other chat has to agree as well").await;
    anna.says(&confirm).await;
    for user in [&anna, &ben] {
        sees(user, JOINED).await;
    }
}

fn session_of(world: &World, turn: usize) -> String {
    world.agent().turns()[turn].session.to_string()
}

fn principal(who: &str) -> Principal {
    Principal::new("fake", None, who).unwrap()
}

async fn allow(world: &World, people: &[&str]) {
    for who in people {
        let change = AccessChange::Grant { principal: principal(who), scope: Scope::Dm };
        world.handle().change_access(change, operator()).await.unwrap();
    }
}

async fn revoke(world: &World, who: &str) {
    let principal = principal(who);
    let change = AccessChange::Revoke { principal, scope: None, also: Vec::new(), private: None };
    world.handle().change_access(change, operator()).await.unwrap();
}

const ANNAS: &str = "agent:main:fake:dm:anna";
const BENS: &str = "agent:main:fake:dm:ben";

#[tokio::test]
async fn two_private_chats_share_a_conversation_until_they_are_parted() {
    let mut world = World::new().await;
    let (anna, ben) = two(&world).await;
    ben.says("before").await;
    sees(&ben, "before").await;
    join(&world).await;
    world.crash().await;
    world.start().await.unwrap();
    ben.says("from ben").await;
    sees(&ben, "from ben").await;
    anna.says("from anna").await;
    sees(&anna, "from anna").await;
    world.at_rest().await;
    let sessions = [0, 1, 2].map(|turn| session_of(&world, turn));
    assert_eq!(sessions, [BENS, ANNAS, ANNAS]);
    assert!(
        !anna.sees().iter().any(|text| text == "from ben"),
        "an answer goes where the question came from"
    );
    ben.says("/status").await;
    sees(&ben, "It is shared with the private chat of fake:anna").await;
    ben.says("/link off").await;
    sees(&ben, "The two chats are separate again.").await;
    ben.says("alone").await;
    sees(&ben, "alone").await;
    assert_eq!(session_of(&world, 3), BENS);
    let audit = world.store().audits(None, 20).await.unwrap();
    let rows = audit
        .iter()
        .filter(|row| row.action.ends_with("link"))
        .map(|row| format!("{} {} {} {}", row.by, row.action, row.subject, row.outcome));
    assert_eq!(
        rows.collect::<Vec<_>>(),
        [
            &format!("fake:ben unlink {BENS} done"),
            "fake:anna link fake:ben done",
            "fake:ben link fake:anna asked",
        ]
    );
}

#[tokio::test]
async fn the_chat_whose_conversation_is_shared_can_part_the_others() {
    let world = World::new().await;
    let (anna, ben) = two(&world).await;
    join(&world).await;
    anna.says("/link off").await;
    sees(&anna, "The two chats are separate again.").await;
    sees(&ben, "This chat has its own conversation again").await;
    ben.says("alone").await;
    sees(&ben, "alone").await;
    assert_eq!(session_of(&world, 0), BENS);
    anna.says("/link off").await;
    sees(&anna, "This chat does not share its conversation.").await;
}

#[tokio::test]
async fn both_agree_by_a_button_and_nobody_else_can() {
    let world = World::with(plan().buttons()).await;
    let (confirm, refuse) = asked(&world).await;
    let eve = world.user("eve");
    for words in [&confirm, &refuse] {
        eve.says(words).await;
    }
    sees(&eve, "There is no such request any more.").await;
    let question = async |chat: &str| {
        world.platform().shows(chat, 1, |post| !post.buttons.is_empty()).await.swap_remove(0)
    };
    let press = async |who: &str, under: &Posted, choice: usize| {
        let event = message_from(who, &under.buttons[choice]).pressed_under(&under.id);
        world.platform().outcome_of(event).await
    };
    let (annas, bens) = (question("anna").await, question("ben").await);
    assert!(matches!(press("eve", &annas, 0).await, Outcome::NotAnswered { .. }));
    assert!(
        matches!(press("ben", &annas, 0).await, Outcome::NotAnswered { .. }),
        "each answers in their own chat"
    );
    assert!(matches!(press("anna", &annas, 0).await, Outcome::Answered { .. }));
    sees(&world.user("anna"), "The other chat has to agree as well").await;
    assert!(matches!(press("ben", &bens, 0).await, Outcome::Answered { .. }));
    for user in ["anna", "ben"] {
        sees(&world.user(user), JOINED).await;
    }
}

#[tokio::test]
async fn a_refusal_leaves_the_chats_apart_and_is_told_to_the_other() {
    let world = World::with(plan().buttons()).await;
    let (confirm, refuse) = asked(&world).await;
    let (anna, ben) = two(&world).await;
    anna.says(&refuse).await;
    sees(&anna, "The two chats stay apart.").await;
    sees(&ben, "The other chat did not agree").await;
    for chat in ["anna", "ben"] {
        until("the buttons are gone", || async {
            world.platform().chat(chat).iter().all(|post| post.buttons.is_empty()).then_some(())
        })
        .await;
    }
    for user in [&ben, &anna] {
        user.says(&confirm).await;
        sees(user, "There is no such request any more.").await;
    }
    ben.says("alone").await;
    sees(&ben, "alone").await;
    assert_eq!(session_of(&world, 0), BENS);
}

#[tokio::test]
async fn a_code_is_good_once_for_ten_minutes_and_is_stored_nowhere() {
    let world = World::new().await;
    let (anna, ben) = two(&world).await;
    let first = code(&anna).await;
    anna.says(&format!("/link {first}")).await;
    sees(&anna, "This is the chat that shows the code.").await;
    let late = code(&anna).await;
    world.clock().pass(Duration::from_secs(601));
    ben.says(&format!("/link {late}")).await;
    sees(&ben, "No chat shows this code").await;
    let good = code(&anna).await;
    let entered = ben.says(&format!("/link {good}")).await;
    sees(&ben, QUESTION).await;
    world.at_rest().await;
    let row = world.store().message(entered).await.unwrap().unwrap();
    assert_eq!(row.message.text, "/link ********");
    let eve = world.user("eve");
    eve.says(&format!("/link {good}")).await;
    sees(&eve, "No chat shows this code").await;
    for n in 0..4 {
        eve.says(&format!("/link AAAAAAA{}", ["A", "B", "C", "D"][n])).await;
    }
    sees(&eve, "you have to wait for an hour").await;
    let another = code(&anna).await;
    eve.says(&format!("/link {another}")).await;
    sees(&eve, "You have tried too many wrong codes. Try again in").await;
}

#[tokio::test]
async fn chats_that_cannot_be_joined_say_why() {
    let other = Arc::<ScriptedAgent>::default();
    let plan = plan().agent("other", &other).routing(|routing| {
        let other = Assignment { agent: Some("other".to_owned()), role: None };
        routing.people.insert("cleo".to_owned(), other);
    });
    let world = World::with(plan).await;
    let (anna, ben) = two(&world).await;
    let cleo = world.user("cleo");
    let entered = code(&anna).await;
    cleo.says(&format!("/link {entered}")).await;
    sees(&cleo, "The two chats talk to different agents").await;
    world.platform().outcome_of(message_from("anna", "/link").in_group("-1")).await;
    world.platform().shows("-1", 1, |post| post.text.starts_with("Only private chats")).await;
    join(&world).await;
    let dora = world.user("dora");
    let doras = code(&dora).await;
    for user in [&anna, &ben] {
        user.says(&format!("/link {doras}")).await;
    }
    sees(&anna, "Another chat already shares the conversation of this one.").await;
    sees(&ben, "This chat already shares the conversation of another one.").await;
}

#[tokio::test]
async fn one_answer_never_serves_two_chats() {
    for mode in [QueueMode::Collect, QueueMode::Steer, QueueMode::Followup] {
        let world = World::with(plan().with(|config| config.queue.mode = mode)).await;
        world.agent().can(Capabilities { steer: true, ..Capabilities::default() });
        world.agent().takes(true);
        let (anna, ben) = two(&world).await;
        join(&world).await;
        world.agent().will([Step::Pause, Step::Echo]);
        anna.writes("first");
        world.agent().begun(1).await;
        for (who, text) in [("ben", "second"), ("anna", "third"), ("ben", "fourth")] {
            world.platform().outcome_of(message_from(who, text)).await;
        }
        world.agent().resume();
        sees(&ben, "fourth").await;
        world.at_rest().await;
        for turn in world.agent().turns() {
            let chats: Vec<_> = turn.prompt.iter().map(|prompt| prompt.from.id.to_string()).collect();
            assert!(chats.windows(2).all(|pair| pair[0] == pair[1]), "{mode:?}: {chats:?}");
        }
        assert!(world.agent().steered().iter().all(|(_, prompt)| prompt.from.id.id() == "anna"), "{mode:?}");
        assert!(
            !anna.sees().iter().any(|text| text.contains("second") || text.contains("fourth")),
            "{mode:?}"
        );
    }
}

#[tokio::test]
async fn who_loses_access_shares_no_conversation_any_more() {
    let world = World::with(plan().access(|access| access.dm_policy = DmPolicy::Pairing)).await;
    allow(&world, &["anna", "ben"]).await;
    join(&world).await;
    revoke(&world, "anna").await;
    let ben = world.user("ben");
    ben.says("alone").await;
    sees(&ben, "alone").await;
    assert_eq!(session_of(&world, 0), BENS);
}

#[tokio::test]
async fn a_revocation_drops_what_goes_to_the_chat_of_that_person_alone() {
    for (revoked, arrives) in [("anna", true), ("ben", false)] {
        let world = World::with(plan().access(|access| access.dm_policy = DmPolicy::Pairing)).await;
        allow(&world, &["anna", "ben"]).await;
        join(&world).await;
        world.at_rest().await;
        let busy = SendError::Later { after: None, scope: Bucket::Chat, detail: "busy".into() };
        world.platform().answer_all("ben", Some(busy));
        world.platform().outcome_of(message_from("ben", "from ben")).await;
        until("the answer waits", || async {
            let rows = world.store().parts(None, None, 9).await.unwrap();
            rows.iter().any(|row| row.post.part.body == "from ben").then_some(())
        })
        .await;
        // The first message of the session is anna's.
        revoke(&world, revoked).await;
        world.platform().answer_all("ben", None);
        world.clock().pass(Duration::from_secs(600));
        world.at_rest().await;
        let is_there = world.user("ben").sees().iter().any(|text| text == "from ben");
        assert_eq!(is_there, arrives, "{revoked}");
    }
}

#[tokio::test]
async fn listed_groups_share_a_conversation_and_keep_their_own_rules() {
    let (one, two) = ("agent:main:fake:group:-1", "agent:main:fake:group:-2");
    let world = World::with(
        plan()
            .access(|access| {
                for (chat, member) in [("-1", "anna"), ("-2", "cleo")] {
                    let members = Members { people: [member.to_owned()].into(), ..Members::default() };
                    let group = GroupAccess { closed: true, members, ..GroupAccess::default() };
                    access.groups.insert(chat.to_owned(), group);
                }
            })
            .with(|config| config.sessions.shared = vec![vec![one.to_owned(), two.to_owned()]]),
    )
    .await;
    for (who, chat, text) in
        [("anna", "-1", "in one"), ("cleo", "-2", "in two"), ("eve", "-2", "not allowed")]
    {
        world.platform().outcome_of(message_from(who, text).in_group(chat)).await;
    }
    world.platform().shows("-1", 1, |post| post.text == "in one").await;
    world.platform().shows("-2", 1, |post| post.text == "in two").await;
    world.at_rest().await;
    let turns = world.agent().turns();
    assert!(turns.len() == 2 && turns.iter().all(|turn| turn.session.as_str() == one), "{turns:?}");
    assert_eq!(world.platform().chat("-1").len(), 1, "each answer goes to its own group");
    world.platform().outcome_of(message_from("cleo", "/link").in_group("-2")).await;
    world.platform().shows("-2", 1, |post| post.text.starts_with("Only private chats")).await;
}
