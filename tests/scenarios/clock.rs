//! The machine's clock is set wrong, by a day or by decades. No pause gets longer, and nothing is deleted or given up
//! because of a date that is wrong for an hour.

use std::time::Duration;

use frontdesk_core::access::DmPolicy;
use frontdesk_core::delivery::{Bucket, SendError};
use frontdesk_core::message::Outcome;
use frontdesk_core::pairing::Code;
use frontdesk_runtime::GatewayError;
use frontdesk_store::row::{AccessChange, AccessDone, Author};
use frontdesk_world::platform::Fault;
use frontdesk_world::wait::until;
use frontdesk_world::{Step, World, permission, plan};

const DAY: i64 = 24 * 3600;
const YEARS: i64 = 74 * 365 * DAY;

fn minutes(n: u64) -> Duration {
    Duration::from_secs(n * 60)
}

fn busy(after: Option<Duration>) -> Fault {
    Fault::Answer(SendError::Later { after, scope: Bucket::Chat, detail: "429".into() })
}

/// Waits until the platform has refused one request and the part waits for its pause.
async fn put_off(world: &World) {
    until("the part waits for its pause", || async {
        let waits =
            |part: &frontdesk_store::row::OutboxRow| part.state.name() == "queued" && part.error.is_some();
        world.outbox().await.iter().any(waits).then_some(())
    })
    .await;
}

async fn restarted(world: &mut World) {
    world.crash().await;
    world.start().await.unwrap();
}

#[tokio::test]
async fn an_answer_that_was_put_off_waits_its_pause_whatever_the_clock_says() {
    for step in [-DAY, DAY, YEARS] {
        let world = World::new().await;
        let anna = world.user("anna");
        world.platform().fails([busy(Some(minutes(10)))]);
        anna.says("hello").await;
        put_off(&world).await;
        world.clock().jump(step);
        world.clock().pass(minutes(9));
        world.round_trip().await;
        assert!(anna.sees().is_empty(), "{step}: the platform wants its pause");
        world.clock().pass(minutes(1));
        assert_eq!(anna.hears().await, "hello", "{step}");
        // The next message is not delayed either.
        world.platform().fails([busy(None)]);
        anna.says("again").await;
        put_off(&world).await;
        world.clock().jump(-step);
        // Its pause is over, and the next look at what has waited too long is not due yet.
        world.clock().pass(Duration::from_secs(2));
        assert_eq!(anna.hears().await, "again", "{step}");
    }
}

#[tokio::test]
async fn an_answer_that_was_put_off_is_due_after_a_restart_by_a_clock_that_was_set_back() {
    let mut world = World::new().await;
    let anna = world.user("anna");
    world.platform().fails([busy(Some(minutes(10)))]);
    anna.says("hello").await;
    put_off(&world).await;
    world.clock().jump(-DAY);
    restarted(&mut world).await;
    assert_eq!(anna.hears().await, "hello");
}

/// Mutes the chat with root for half an hour, and waits until the mute is in effect.
async fn mute(world: &World) {
    let root = world.user("root");
    root.says("/gateway mute 30").await;
    root.hears().await;
    until("the mute holds", || async { world.handle().access().chats.first().map(drop) }).await;
}

/// Waits until a message after the mute is answered.
async fn is_answered(world: &World) {
    let root = world.user("root");
    root.says("hello!").await;
    until("it is answered", || async { root.sees().contains(&"hello!".to_owned()).then_some(()) }).await;
}

#[tokio::test]
async fn a_mute_lasts_as_long_as_it_was_meant_to() {
    for step in [-DAY, DAY] {
        let world = World::new().await;
        let root = world.user("root");
        mute(&world).await;
        world.clock().jump(step);
        assert_eq!(root.tries("hello?").await, Outcome::Ignored, "{step}");
        world.clock().pass(minutes(29));
        assert_eq!(root.tries("hello?").await, Outcome::Ignored, "{step}");
        world.clock().pass(minutes(2));
        is_answered(&world).await;
    }
}

#[tokio::test]
async fn a_mute_is_not_longer_after_a_restart_by_a_clock_that_was_set_back() {
    let mut world = World::new().await;
    mute(&world).await;
    world.clock().jump(-DAY);
    restarted(&mut world).await;
    is_answered(&world).await;
}

#[tokio::test]
async fn a_mute_goes_on_while_the_machine_sleeps() {
    let world = World::new().await;
    mute(&world).await;
    world.clock().sleep(minutes(31));
    is_answered(&world).await;
}

#[tokio::test]
async fn a_mute_is_shown_by_the_calendar_that_people_see() {
    let world = World::new().await;
    mute(&world).await;
    world.clock().jump(-DAY);
    let shown = world.handle().access().chats.remove(0).muted_until.unwrap();
    assert_eq!((shown - world.handle().clock().wall()).num_minutes(), 30);
}

#[tokio::test]
async fn a_stranger_gets_another_code_after_an_hour_whatever_the_clock_says() {
    for step in [-DAY, DAY] {
        let world = World::with(plan().access(|access| access.dm_policy = DmPolicy::Pairing)).await;
        let eve = world.user("eve");
        eve.tries("hi").await;
        eve.hears().await;
        world.clock().jump(step);
        assert_eq!(eve.tries("hi again").await, Outcome::Denied, "{step}: the code is still good");
        let request = world.handle().pairing_requests().await.unwrap().remove(0);
        let left = request.expires - world.handle().clock().wall();
        assert_eq!(left.num_minutes(), 60, "{step}: it is shown by the calendar that people see");
        world.clock().pass(minutes(61));
        assert!(!matches!(eve.tries("and again").await, Outcome::Denied), "{step}");
        eve.hears().await;
    }
}

#[tokio::test]
async fn a_stranger_may_ask_again_after_a_restart_by_a_clock_that_was_set_back() {
    for step in [-DAY, -3000] {
        let mut world = World::with(plan().access(|access| access.dm_policy = DmPolicy::Pairing)).await;
        let eve = world.user("eve");
        eve.tries("hi").await;
        eve.hears().await;
        world.clock().jump(step);
        restarted(&mut world).await;
        assert!(!matches!(eve.tries("hi again").await, Outcome::Denied), "{step}");
        eve.hears().await;
    }
}

async fn guess(world: &World) -> Result<AccessDone, GatewayError> {
    let change = AccessChange::Approve { code: Code::read("ABCDEFGH").unwrap(), account: None };
    world.handle().change_access(change, Author { name: "api:main".to_owned(), via: "api" }).await
}

#[tokio::test]
async fn an_approver_who_guessed_codes_is_locked_out_for_an_hour_by_any_clock() {
    for step in [-DAY, DAY, YEARS] {
        let world = World::new().await;
        for _ in 0..5 {
            assert!(matches!(guess(&world).await, Ok(AccessDone::NoSuchCode { .. })));
        }
        world.clock().jump(step);
        world.clock().pass(minutes(59));
        assert!(matches!(guess(&world).await, Ok(AccessDone::Locked { .. })), "{step}");
        world.clock().pass(minutes(2));
        assert!(matches!(guess(&world).await, Ok(AccessDone::NoSuchCode { .. })), "{step}");
    }
}

#[tokio::test]
async fn nobody_is_locked_out_for_longer_after_a_restart_by_a_clock_that_was_set_back() {
    let mut world = World::new().await;
    for _ in 0..5 {
        guess(&world).await.unwrap();
    }
    assert!(matches!(guess(&world).await, Ok(AccessDone::Locked { .. })));
    world.clock().jump(-DAY);
    restarted(&mut world).await;
    assert!(matches!(guess(&world).await, Ok(AccessDone::NoSuchCode { .. })));
}

#[tokio::test]
async fn a_daily_quota_follows_the_calendar_and_no_day_is_given_twice() {
    let world = World::with(plan().with(|config| config.limits.daily = 1)).await;
    let anna = world.user("anna");
    anna.says("today").await;
    world.clock().jump(-DAY);
    anna.says("yesterday").await;
    world.at_rest().await;
    world.clock().jump(DAY);
    anna.tries("today again").await;
    world.clock().jump(-DAY);
    anna.tries("yesterday again").await;
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["today", "yesterday"]);
}

#[tokio::test]
async fn an_answer_on_its_way_does_not_grow_stale_by_a_jump_of_the_clock() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.platform().fails([busy(Some(minutes(60)))]);
    anna.says("hello").await;
    put_off(&world).await;
    world.clock().jump(3 * DAY);
    rounds(&world, 2).await;
    world.clock().pass(minutes(60));
    assert_eq!(anna.hears().await, "hello");
}

#[tokio::test]
async fn a_message_that_waits_does_not_grow_too_old_by_a_jump_of_the_clock() {
    let world = World::with(plan().with(|config| config.queue.max_age_minutes = Some(60))).await;
    let anna = world.user("anna");
    world.agent().will([Step::Pause]);
    anna.says("first").await;
    world.agent().begun(1).await;
    let second = anna.says("second").await;
    world.clock().jump(DAY);
    world.agent().resume();
    assert_eq!(world.ended(second).await.message.state.name(), "answered");
}

/// Runs so many rounds of the periodic cleanup.
async fn rounds(world: &World, count: u32) {
    for _ in 0..count {
        world.asleep(Duration::from_secs(15)).await;
        world.clock().pass(Duration::from_secs(15));
    }
    world.asleep(Duration::from_secs(15)).await;
}

/// Whether anna's conversation is still stored.
async fn remembers(world: &World) -> bool {
    !world.history("anna").await.is_empty()
}

async fn said_once() -> World {
    let world = World::new().await;
    let anna = world.user("anna");
    anna.says("remember me").await;
    anna.hears().await;
    world.at_rest().await;
    rounds(&world, 1).await;
    world
}

#[tokio::test]
async fn a_date_that_is_wrong_for_an_hour_purges_nothing() {
    let world = said_once().await;
    world.clock().jump(YEARS);
    // An hour of rounds, in which the purge runs once.
    rounds(&world, 241).await;
    assert!(remembers(&world).await);
    world.clock().jump(-YEARS);
    rounds(&world, 241).await;
    assert!(remembers(&world).await);
    // A date that has stayed for a day is trusted.
    world.clock().jump(YEARS);
    rounds(&world, 1).await;
    world.clock().pass(Duration::from_secs(24 * 3600));
    // Some more than an hour has: another task that sleeps as long hides the end of a round now and then.
    rounds(&world, 270).await;
    assert!(!remembers(&world).await);
}

#[tokio::test]
async fn a_start_by_a_date_that_is_wrong_purges_nothing_for_a_day() {
    let mut world = said_once().await;
    world.clock().jump(YEARS);
    // It does not matter how often it starts, and a message that arrives at the wrong date is no proof of the date.
    for n in 0..3 {
        restarted(&mut world).await;
        rounds(&world, 1).await;
        assert!(remembers(&world).await);
        world.user("bob").says(&format!("what day is it? {n}")).await;
        world.at_rest().await;
    }
    world.clock().pass(Duration::from_secs(24 * 3600));
    // Some more than an hour has: another task that sleeps as long hides the end of a round now and then.
    rounds(&world, 270).await;
    assert!(!remembers(&world).await, "it was right after all");
}

#[tokio::test]
async fn the_deadline_of_a_question_is_shown_by_the_calendar_that_people_see() {
    for step in [-DAY, DAY] {
        let world = World::new().await;
        world.agent().will([Step::Ask(permission("Delete it?")), Step::Say("done")]);
        let anna = world.user("anna");
        anna.says("clean up").await;
        anna.hears().await;
        world.clock().jump(step);
        let open = world.handle().asks(None).await.unwrap().remove(0);
        let one = world.handle().ask(open.id).await.unwrap();
        for ask in [open, one] {
            assert_eq!((ask.deadline - world.handle().clock().wall()).num_minutes(), 10, "{step}");
        }
        anna.says("/answer").await;
        let listed = anna.hears().await;
        assert!(listed.contains("for another 10 minutes"), "{step}: {listed}");
    }
}
