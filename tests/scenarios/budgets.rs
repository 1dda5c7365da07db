//! Budgets: what a person, a chat and an agent may use in one day.

use std::time::Duration;

use frontdesk_core::budget::{BudgetScope, Spent};
use frontdesk_core::config::Role;
use frontdesk_core::message::{Outcome, Refusal};
use frontdesk_core::task::TaskState;
use frontdesk_runtime::config::{Budgets, DayBudget, Price};
use frontdesk_world::event::message_from;
use frontdesk_world::{Plan, Step, User, World, plan};

use crate::tasks::{is, sees};

/// 2026-03-28, the day on which most of these play.
const TODAY: i64 = 20_540;
/// What a scripted answer uses.
const TOKENS: u64 = 3;

fn turns(turns: u64) -> DayBudget {
    DayBudget { turns, ..DayBudget::default() }
}

/// A day in Berlin, whose budgets are changed.
fn limited(change: impl FnOnce(&mut Budgets)) -> Plan {
    plan().with(|config| {
        config.sessions.reset.timezone = Some("Europe/Berlin".to_owned());
        change(&mut config.limits.budget);
    })
}

async fn is_over(user: &User, text: &str) {
    let outcome = user.tries(text).await;
    assert!(matches!(outcome, Outcome::Refused { reason: Refusal::Budget, .. }), "{text}: {outcome:?}");
}

async fn spent(world: &World, scope: BudgetScope, subject: &str) -> Spent {
    world.store().spent(scope, subject, TODAY).await.unwrap()
}

/// How often the chat has seen these words.
fn times(user: &User, words: &str) -> usize {
    user.sees().iter().filter(|text| text.contains(words)).count()
}

#[tokio::test]
async fn a_budget_warns_refuses_and_opens_again_at_midnight_in_the_chats_zone() {
    let mut world = World::with(limited(|budget| budget.person = turns(5))).await;
    let anna = world.user("anna");
    for n in 1..=3 {
        anna.says(&format!("m{n}")).await;
        world.at_rest().await;
    }
    assert_eq!(times(&anna, "today's budget"), 0, "{:?}", anna.sees());
    anna.says("m4").await;
    world.at_rest().await;
    let warning = "You have used 80 % of today's budget (4 of 5 answers). The next one begins at 00:00 \
                   (Europe/Berlin), in 11 hours.";
    assert_eq!(anna.sees().last().unwrap(), warning);
    anna.says("m5").await;
    world.at_rest().await;
    assert_eq!(times(&anna, "You have used 80 %"), 1, "once a day");
    is_over(&anna, "m6").await;
    let refusal =
        "You have used up today's budget (5 answers). It opens again at 00:00 (Europe/Berlin), in 11 hours.";
    assert_eq!(sees(&anna, "used up").await, refusal);
    // A restart forgets nothing.
    world.crash().await;
    world.start().await.unwrap();
    is_over(&anna, "m7").await;
    world.clock().to("2026-03-28T22:59:59Z");
    is_over(&anna, "m8").await;
    world.clock().to("2026-03-28T23:00:00Z");
    anna.says("m9").await;
    world.at_rest().await;
    assert_eq!(anna.answers().last().unwrap(), "m9");
    assert_eq!(spent(&world, BudgetScope::Person, "fake:anna").await.turns, 5);
}

#[tokio::test]
async fn the_time_zone_of_the_chat_decides_when_its_day_ends() {
    let world = World::with(limited(|budget| budget.person = turns(1))).await;
    let anna = world.user("anna");
    anna.says("/timezone Asia/Tokyo").await;
    anna.says("m1").await;
    world.at_rest().await;
    is_over(&anna, "m2").await;
    sees(&anna, "opens again at 00:00 (Asia/Tokyo), in 3 hours").await;
    world.clock().to("2026-03-28T15:00:00Z");
    anna.says("m3").await;
    world.at_rest().await;
    assert_eq!(anna.answers().last().unwrap(), "m3");
}

#[tokio::test]
async fn what_waits_is_refused_when_the_budget_is_used_up_meanwhile() {
    let world = World::with(limited(|budget| budget.person = turns(2))).await;
    let anna = world.user("anna");
    world.agent().will([Step::Pause, Step::Say("first")]);
    anna.says("m1").await;
    world.agent().begun(1).await;
    let (second, third) = (anna.says("m2").await, anna.says("m3").await);
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(anna.answers(), ["first", "m2"]);
    assert_eq!(world.message(second).await.message.state.name(), "answered");
    let third = world.message(third).await;
    assert_eq!(third.message.state.name(), "refused");
    assert_eq!(third.message.reason.unwrap().to_string(), "budget");
    assert_eq!(times(&anna, "You have used up today's budget (2 answers)."), 1);
    assert_eq!(
        spent(&world, BudgetScope::Person, "fake:anna").await.turns,
        2,
        "a refused one does not count"
    );
}

#[tokio::test]
async fn turns_that_run_at_the_same_time_do_not_pass_the_limit_together() {
    let world = World::with(limited(|budget| budget.agent = turns(3))).await;
    let people: Vec<User> = (0..8).map(|n| world.user(&format!("p{n}"))).collect();
    for _ in 0..8 {
        world.agent().will([Step::Pause, Step::Say("yes")]);
    }
    for person in &people {
        // Some may be refused at once, when three have begun.
        person.tries("hello").await;
    }
    world.agent().begun(3).await;
    for _ in 0..3 {
        world.round_trip().await;
        world.agent().resume();
    }
    world.at_rest().await;
    assert_eq!(world.agent().turns().len(), 3);
    let answered = people.iter().filter(|person| person.answers() == ["yes"]).count();
    let refused = people.iter().filter(|person| times(person, "The agent here has used up") == 1).count();
    assert_eq!((answered, refused), (3, 5));
    assert_eq!(spent(&world, BudgetScope::Agent, "main").await.turns, 3);
}

#[tokio::test]
async fn a_task_counts_for_its_owner_and_is_not_begun_without_a_budget() {
    let world = World::with(limited(|budget| budget.person = turns(2))).await;
    let (anna, ben) = (world.user("anna"), world.user("ben"));
    world.agent().will([Step::Pause, Step::Say("done")]);
    anna.says("/bg one").await;
    world.agent().begun(1).await;
    // Two more wait for a place: only one of them is within the budget.
    anna.says("/bg two").await;
    anna.says("/bg three").await;
    world.agent().resume();
    is(&world, 2, TaskState::Succeeded).await;
    let third = is(&world, 3, TaskState::Failed).await;
    assert_eq!(third.error.unwrap().to_string(), "budget");
    let told = sees(&anna, "Background task failed: three (b3)").await;
    assert!(told.contains("You have used up today's budget (2 answers). It opens again at 00:00"), "{told}");
    assert!(told.contains("/tasks retry b3"), "{told}");
    is_over(&anna, "/bg four").await;
    is_over(&anna, "hello").await;
    ben.says("hello").await;
    world.at_rest().await;
    assert_eq!(ben.answers(), ["hello"], "it is Anna's budget");
    let used = spent(&world, BudgetScope::Person, "fake:anna").await;
    assert_eq!((used.turns, used.input + used.output), (2, 2 * TOKENS));
}

#[tokio::test]
async fn commands_that_need_no_agent_are_never_refused() {
    let world = World::with(limited(|budget| budget.person = turns(1))).await;
    let anna = world.user("anna");
    world.agent().will([Step::Hang]);
    anna.says("m1").await;
    world.agent().begun(1).await;
    for command in
        ["/retry", "/steer more", "/compact", "/queue collect more", "/new again", "/tasks retry b1"]
    {
        is_over(&anna, command).await;
    }
    for command in ["/status", "/usage", "/help", "/timezone", "/tasks", "/queue", "/stop", "/new"] {
        anna.says(command).await;
    }
    sees(&anna, "Stopped").await;
}

#[tokio::test]
async fn an_admin_raises_a_budget_lifts_it_for_a_time_and_takes_that_back() {
    let mut world = World::with(limited(|budget| budget.person = turns(1))).await;
    let (anna, root) = (world.user("anna"), world.user("root"));
    let answered = async |text: &str| {
        anna.says(text).await;
        world.at_rest().await;
        assert_eq!(anna.answers().last().unwrap(), text);
    };
    answered("m1").await;
    is_over(&anna, "m2").await;
    root.says("/gateway budget person fake anna turns 2").await;
    assert_eq!(root.hears().await, "The budget of person fake:anna: 2 answers.");
    answered("m3").await;
    is_over(&anna, "m4").await;
    root.says("/gateway budget person fake anna lift for 2h").await;
    assert_eq!(root.hears().await, "The budget of person fake:anna: no limit for 2 hours.");
    answered("m5").await;
    anna.says("/gateway budget person fake anna lift").await;
    sees(&anna, "Only admins may manage the gateway.").await;
    world.clock().pass(Duration::from_secs(2 * 3600));
    is_over(&anna, "m6").await;
    root.says("/gateway budget agent main turns 1").await;
    root.hears().await;
    world.crash().await;
    world.start().await.unwrap();
    let ben = world.user("ben");
    is_over(&ben, "hello").await;
    root.says("/gateway budget agent main default").await;
    sees(&root, "The budget of agent main is as configured again.").await;
    ben.says("hello").await;
    world.at_rest().await;
    assert_eq!(ben.answers(), ["hello"]);
    let audit = world.store().audits(None, 100).await.unwrap();
    let entries: Vec<_> =
        audit.iter().map(|row| format!("{} {} {}", row.by, row.action, row.subject)).collect();
    for entry in ["fake:root budget set person fake:anna", "fake:root budget default agent main"] {
        assert!(entries.iter().any(|row| row == entry), "{entry}: {entries:?}");
    }
    assert!(audit.iter().any(|row| row.by == "fake:anna" && row.outcome == "refused:not_admin"));
}

#[tokio::test]
async fn the_budgets_and_what_is_left_of_them_are_shown() {
    let world = World::with(limited(|budget| {
        budget.person = DayBudget { turns: 5, tokens: 100, cost: 2.5 };
        budget.chat = turns(9);
    }))
    .await;
    let (anna, root) = (world.user("anna"), world.user("root"));
    anna.says("hello").await;
    world.at_rest().await;
    anna.says("/usage").await;
    let ends = "today. The next budget begins at 00:00 (Europe/Berlin), in 11 hours.";
    let own = format!("You have used 1 of 5 answers, 3 of 100 tokens and a cost of 0.000005 of 2.50 {ends}");
    sees(&anna, &own).await;
    let of_all =
        format!("All people of this chat have used 1 of 9 answers, 3 tokens and a cost of 0.000005 {ends}");
    sees(&anna, &of_all).await;
    root.says("/gateway budget").await;
    sees(&root, "each person: 5 answers, 100 tokens, a cost of 2.50").await;
    assert!(sees(&root, "each chat: 9 answers").await.contains("each agent: no limit"));
    root.says("/gateway budget person fake anna").await;
    sees(&root, "person fake:anna has used 1 answer, 3 tokens, a cost of 0.000005").await;
    root.says("/gateway budget agent nobody lift").await;
    sees(&root, "There is no agent nobody.").await;
    root.says("/gateway status").await;
    sees(&root, "Today: 1 answer, 3 tokens, a cost of 0.000005.").await;
    let today = world.handle().status().await.unwrap().today;
    assert_eq!(today.len(), 1);
    assert_eq!((today[0].subject.as_str(), today[0].spent.turns), ("main", 1));
}

#[tokio::test]
async fn a_role_has_a_budget_of_its_own() {
    let guest = turns(1);
    let world = World::with(
        limited(|budget| {
            budget.person = turns(5);
            budget.role.insert("guest".to_owned(), guest);
        })
        .role("guest", Role::default())
        .routing(|routing| {
            let role = Some("guest".to_owned());
            routing.people.insert("ben".to_owned(), frontdesk_core::config::Assignment { agent: None, role });
        }),
    )
    .await;
    let (anna, ben) = (world.user("anna"), world.user("ben"));
    for user in [&anna, &ben] {
        user.says("m1").await;
        world.at_rest().await;
    }
    is_over(&ben, "m2").await;
    anna.says("m2").await;
    world.at_rest().await;
    assert_eq!(anna.answers(), ["m1", "m2"]);
}

#[tokio::test]
async fn all_people_of_a_chat_share_its_budget() {
    let world = World::with(limited(|budget| budget.chat = turns(1))).await;
    let said =
        async |person: &str| world.platform().outcome_of(message_from(person, "hello").in_group("-1")).await;
    assert!(matches!(said("anna").await, Outcome::Accepted { .. }));
    world.at_rest().await;
    let outcome = said("ben").await;
    assert!(matches!(outcome, Outcome::Refused { reason: Refusal::Budget, .. }), "{outcome:?}");
    let ben = world.user("ben");
    ben.says("in private").await;
    world.at_rest().await;
    assert_eq!(ben.answers(), ["in private"]);
    assert_eq!(spent(&world, BudgetScope::Chat, "fake:-1").await.turns, 1);
}

#[tokio::test]
async fn failed_stopped_and_repeated_turns_count_with_what_they_have_used() {
    let world = World::with(limited(|_| {})).await;
    let anna = world.user("anna");
    let used = async || spent(&world, BudgetScope::Person, "fake:anna").await;
    world.agent().will([Step::Spend, Step::Fail]);
    anna.says("fails").await;
    world.at_rest().await;
    assert_eq!((used().await.turns, used().await.input), (1, 1));
    world.agent().will([Step::Spend, Step::Say("so far"), Step::Hang]);
    anna.says("is stopped").await;
    world.agent().begun(2).await;
    world.round_trip().await;
    anna.says("/stop").await;
    sees(&anna, "Stopped").await;
    world.at_rest().await;
    frontdesk_world::wait::until("what the stopped turn has used is counted", || async {
        (used().await.input == 2).then_some(())
    })
    .await;
    assert_eq!(used().await.turns, 2);
    // The first attempt is paid as well, and is no turn of its own.
    world.agent().will([Step::Spend, Step::Die]);
    world.agent().will([Step::Say("at last")]);
    anna.says("runs twice").await;
    frontdesk_world::wait::until("the agent has died", || async { (used().await.input == 3).then_some(()) })
        .await;
    world.asleep(Duration::from_secs(1)).await;
    world.clock().pass(Duration::from_secs(1));
    world.at_rest().await;
    assert_eq!((used().await.turns, used().await.input), (3, 4));
}

#[tokio::test]
async fn a_cost_that_the_agent_does_not_name_comes_from_the_price_table() {
    let priced = Price { input: 1_000_000.0, output: 2_000_000.0, ..Price::default() };
    let world = World::with(
        limited(|budget| budget.person = DayBudget { cost: 4.0, ..DayBudget::default() }).with(|config| {
            config.prices.insert("priced".to_owned(), priced);
        }),
    )
    .await;
    let anna = world.user("anna");
    world.agent().spends(frontdesk_core::delta::Usage {
        model: Some("priced".to_owned()),
        input: Some(1),
        output: Some(2),
        ..frontdesk_core::delta::Usage::default()
    });
    anna.says("hello").await;
    world.at_rest().await;
    assert_eq!(spent(&world, BudgetScope::Person, "fake:anna").await.cost_micro, 5_000_000);
    is_over(&anna, "again").await;
    sees(&anna, "(a cost of 4.00)").await;
}
