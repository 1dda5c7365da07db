//! Pairing: a stranger gets a code, and an admin approves it.

use std::time::Duration;

use frontdesk_core::access::DmPolicy;
use frontdesk_core::address::Principal;
use frontdesk_core::message::{Outcome, Refusal};
use frontdesk_core::pairing::ALPHABET;
use frontdesk_runtime::GatewayError;
use frontdesk_store::row::{AccessChange, AccessDone, Author, Scope};
use frontdesk_world::event::message_from;
use frontdesk_world::wait::until;
use frontdesk_world::{Plan, World, plan};
use futures_util::FutureExt;

fn guarded() -> Plan {
    plan().access(|access| access.dm_policy = DmPolicy::Pairing)
}

/// The code in a notice.
fn code_in(notice: &str) -> String {
    let words = notice.split(|c: char| !c.is_ascii_alphanumeric());
    let is_code = |word: &&str| word.len() == 8 && word.bytes().all(|sign| ALPHABET.contains(&sign));
    words.into_iter().find(is_code).unwrap_or_else(|| panic!("no code in {notice:?}")).to_owned()
}

fn cli() -> Author {
    Author { name: "cli".to_owned(), via: "cli" }
}

async fn approve(world: &World, code: &str) -> Result<AccessDone, GatewayError> {
    let code = frontdesk_core::pairing::Code::read(code).unwrap();
    world.handle().change_access(AccessChange::Approve { code, account: None }, cli()).await
}

#[tokio::test]
async fn a_stranger_gets_a_code_an_admin_approves_and_the_agent_answers() {
    let world = World::with(guarded()).await;
    let eve = world.user("eve");
    let outcome = eve.tries("my secret question").await;
    assert!(matches!(outcome, Outcome::Refused { reason: Refusal::Pairing, .. }), "{outcome:?}");
    let notice = eve.hears().await;
    assert!(notice.contains("eve"), "the notice shows the stranger's own id: {notice}");
    let code = code_in(&notice);
    let root = world.user("root");
    assert!(root.hears().await.contains("eve"), "the admin is told who asks");
    root.says(&format!("/gateway pair {}", code.to_lowercase())).await;
    assert!(root.hears().await.contains("may write to me now"));
    assert!(eve.hears().await.contains("You may write to me now"));
    eve.says("hello").await;
    assert_eq!(eve.hears().await, "hello");
    assert_eq!(world.agent().prompts(), ["hello"], "nothing of what came before was kept");
}

#[tokio::test]
async fn the_admin_never_sees_the_code_and_the_database_never_holds_it() {
    let world = World::with(guarded()).await;
    let eve = world.user("eve");
    eve.tries("hi").await;
    let code = code_in(&eve.hears().await);
    let notice = world.user("root").hears().await;
    assert!(!notice.contains(&code), "{notice}");
    world.at_rest().await;
    for part in world.outbox().await {
        assert!(!part.post.part.body.contains(&code) && !part.post.part.plain.contains(&code));
    }
    for file in std::fs::read_dir(world.home()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(code.len()).any(|window| window == code.as_bytes());
            assert!(!found, "{} holds the code", path.display());
        }
    }
}

#[tokio::test]
async fn an_unknown_sender_gets_one_notice_an_hour() {
    let world = World::with(guarded()).await;
    let eve = world.user("eve");
    for n in 0..5 {
        eve.tries(&format!("please {n}")).await;
    }
    world.at_rest().await;
    assert_eq!(eve.sees().len(), 1);
    world.clock().pass(Duration::from_secs(3601));
    eve.tries("again").await;
    world.at_rest().await;
    assert_eq!(eve.sees().len(), 2);
    assert_ne!(code_in(&eve.sees()[0]), code_in(&eve.sees()[1]));
}

#[tokio::test]
async fn an_unknown_sender_is_reminded_once_of_a_valid_code() {
    let world = World::with(guarded()).await;
    let eve = world.user("eve");
    eve.tries("hi").await;
    let code = code_in(&eve.hears().await);
    for _ in 0..3 {
        world.clock().pass(Duration::from_secs(600));
        eve.tries("hello?").await;
        world.at_rest().await;
    }
    let [_, again] = &eve.sees()[..] else { panic!("{:?}", eve.sees()) };
    assert!(again.contains("valid for another 50 minutes"), "{again}");
    assert!(matches!(approve(&world, &code).await.unwrap(), AccessDone::Approved(_)), "and it is");
}

#[tokio::test]
async fn a_code_is_good_once_and_for_an_hour() {
    let world = World::with(guarded()).await;
    let (eve, mallory) = (world.user("eve"), world.user("mallory"));
    eve.tries("hi").await;
    let code = code_in(&eve.hears().await);
    let both = tokio::join!(approve(&world, &code), approve(&world, &code));
    let both = [both.0.unwrap(), both.1.unwrap()];
    let approved = both.iter().filter(|done| matches!(done, AccessDone::Approved(_))).count();
    assert_eq!(approved, 1, "{both:?}");
    mallory.tries("hi").await;
    let late = code_in(&mallory.hears().await);
    world.clock().pass(Duration::from_secs(3601));
    let done = approve(&world, &late).await.unwrap();
    assert!(matches!(done, AccessDone::NoSuchCode { .. }), "{done:?}");
}

#[tokio::test]
async fn five_wrong_codes_lock_the_approver_out_of_a_right_one_too() {
    let mut world = World::with(guarded()).await;
    let (eve, root) = (world.user("eve"), world.user("root"));
    eve.tries("hi").await;
    let code = code_in(&eve.hears().await);
    let asked = root.hears().await;
    assert!(asked.contains("asks"), "{asked}");
    for wrong in ["AAAAAAAA", "BBBBBBBB", "CCCCCCCC", "DDDDDDDD", "EEEEEEEE"] {
        root.says(&format!("/gateway pair {wrong}")).await;
        assert!(root.hears().await.contains("No open request"));
    }
    root.says(&format!("/gateway pair {code}")).await;
    assert!(root.hears().await.contains("too many wrong codes"));
    world.crash().await;
    world.start().await.unwrap();
    root.says(&format!("/gateway pair {code}")).await;
    assert!(root.hears().await.contains("too many wrong codes"), "a restart forgets nothing");
    assert!(
        matches!(approve(&world, &code).await.unwrap(), AccessDone::Approved(_)),
        "others are not locked out"
    );
}

#[tokio::test]
async fn a_revocation_ends_waiting_and_running_messages_at_once() {
    let world = World::with(guarded()).await;
    let eve = world.user("eve");
    let principal = "fake:eve".parse().unwrap();
    let grant = AccessChange::Grant { principal, scope: Scope::Dm };
    world.handle().change_access(grant, cli()).await.unwrap();
    world.agent().will([frontdesk_world::Step::Hang]);
    let running = eve.says("runs").await;
    world.agent().begun(1).await;
    let mut waiting = Vec::new();
    for n in 0..5 {
        waiting.push(eve.says(&format!("waits {n}")).await);
    }
    let root = world.user("root");
    root.says("/gateway revoke fake eve").await;
    assert!(root.hears().await.contains("6 of their messages were cancelled"));
    for id in waiting {
        let row = world.ended(id).await;
        assert_eq!(
            (row.message.state.name(), row.message.reason.map(|reason| reason.to_string()).as_deref()),
            ("refused", Some("revoked"))
        );
    }
    assert_eq!(world.ended(running).await.message.state.name(), "cancelled");
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["runs"], "nothing that waited has reached the agent");
    assert!(!matches!(eve.tries("hello?").await, Outcome::Accepted { .. }));
    let audits = world.handle().audits(None, 10).await.unwrap();
    assert_eq!((audits[0].action.as_str(), audits[0].by.as_str()), ("revoke", "fake:root"));
}

#[tokio::test]
async fn a_revocation_comes_to_its_end_also_when_its_author_hangs_up() {
    let world = World::with(guarded()).await;
    let eve = world.user("eve");
    let principal: Principal = "fake:eve".parse().unwrap();
    let grant = AccessChange::Grant { principal: principal.clone(), scope: Scope::Dm };
    world.handle().change_access(grant, cli()).await.unwrap();
    world.agent().will([frontdesk_world::Step::Hang]);
    let running = eve.says("runs").await;
    world.agent().begun(1).await;
    let revoke = world.handle().change_access(
        AccessChange::Revoke { principal, scope: None, also: Vec::new(), private: None },
        cli(),
    );
    assert!(revoke.now_or_never().is_none(), "begun, and dropped");
    assert_eq!(world.ended(running).await.message.state.name(), "cancelled");
    until("the agent is told", || async { (world.agent().aborted().len() == 1).then_some(()) }).await;
}

#[tokio::test]
async fn a_former_admin_loses_access_where_no_other_grant_gives_it() {
    let world = World::with(guarded()).await;
    let eve = world.user("eve");
    let principal: frontdesk_core::address::Principal = "fake:eve".parse().unwrap();
    let change = |change| async { world.handle().change_access(change, cli()).await.unwrap() };
    change(AccessChange::Grant { principal: principal.clone(), scope: Scope::Admin }).await;
    world.agent().will([frontdesk_world::Step::Hang]);
    let running = eve.says("runs").await;
    world.agent().begun(1).await;
    let waiting = eve.says("waits").await;
    let done = change(AccessChange::Revoke {
        principal: principal.clone(),
        scope: Some(Scope::Admin),
        also: Vec::new(),
        private: None,
    })
    .await;
    let AccessDone::Revoked(ended) = done else { panic!("{done:?}") };
    assert_eq!((ended.grants, ended.running.len(), ended.waiting.len()), (1, 1, 1));
    assert_eq!(world.ended(running).await.message.state.name(), "cancelled");
    assert_eq!(world.ended(waiting).await.message.state.name(), "refused");
    // With a personal grant they may still write.
    change(AccessChange::Grant { principal: principal.clone(), scope: Scope::Dm }).await;
    change(AccessChange::Grant { principal: principal.clone(), scope: Scope::Admin }).await;
    let kept = eve.says("kept").await;
    change(AccessChange::Revoke { principal, scope: Some(Scope::Admin), also: Vec::new(), private: None })
        .await;
    assert_eq!(world.ended(kept).await.message.state.name(), "answered");
}

#[tokio::test]
async fn a_right_code_that_is_typed_twice_is_no_guess() {
    let world = World::with(guarded()).await;
    let eve = world.user("eve");
    eve.tries("hi").await;
    let code = code_in(&eve.hears().await);
    assert!(matches!(approve(&world, &code).await.unwrap(), AccessDone::Approved(_)));
    for _ in 0..10 {
        let again = approve(&world, &code).await.unwrap();
        assert!(matches!(again, AccessDone::NoSuchCode { left: 5 }), "{again:?}");
    }
}

#[tokio::test]
async fn grants_survive_a_restart_and_apply_to_nobody_else() {
    let mut world = World::with(guarded()).await;
    let principal = "fake:eve".parse().unwrap();
    world.handle().change_access(AccessChange::Grant { principal, scope: Scope::Dm }, cli()).await.unwrap();
    world.crash().await;
    world.start().await.unwrap();
    world.user("eve").says("hello").await;
    assert!(!matches!(world.user("eve2").tries("hello").await, Outcome::Accepted { .. }));
    let group = world.platform().outcome_of(message_from("eve", "hello").in_group("-7")).await;
    assert_eq!(group, Outcome::Denied, "a private grant is no group's");
}

#[tokio::test]
async fn reactions_buttons_and_edits_of_unknown_senders_get_no_code_and_are_dropped() {
    let world = World::with(guarded()).await;
    let platform = world.platform();
    for event in [
        message_from("eve", "new words").editing("in-1"),
        message_from("eve", "yes").pressed_under("out-1"),
        message_from("eve", "👍").reacting_to("out-1"),
        message_from("eve", "").unreadable(),
    ] {
        assert_eq!(platform.outcome_of(event).await, Outcome::Denied);
    }
    world.user("root").says("/whoami").await;
    world.at_rest().await;
    assert!(world.user("eve").sees().is_empty());
    assert!(world.agent().prompts().is_empty());
}

#[tokio::test]
async fn many_unknown_senders_lock_nobody_out() {
    let world = World::with(guarded()).await;
    for n in 0..300 {
        world.platform().deliver(message_from(&format!("crowd{n}"), "let me in"));
    }
    let eve = world.user("eve");
    eve.tries("me too").await;
    world.at_rest().await;
    let asking = world.handle().pairing_requests().await.unwrap().len();
    assert!(asking <= 100, "{asking} requests are open");
    let notices = world.user("root").sees().len();
    assert_eq!(notices, 1, "an admin's phone does not ring three hundred times");
    let principal = "fake:eve".parse().unwrap();
    world.handle().change_access(AccessChange::Grant { principal, scope: Scope::Dm }, cli()).await.unwrap();
    eve.says("in by id").await;
}
