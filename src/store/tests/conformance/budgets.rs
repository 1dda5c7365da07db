//! What turns use is counted, and budgets end what may begin.

use std::sync::Arc;

use frontdesk_core::budget::{Budget, BudgetOverride, BudgetScope, Day, DayLimits, Most, Spent};
use frontdesk_core::delivery::Ending;
use frontdesk_core::delta::Usage;
use frontdesk_core::message::Refusal;
use frontdesk_core::notice::Failure;
use frontdesk_store::row::*;

use crate::fixture::*;

const NO_LIMIT: DayLimits = DayLimits { turns: None, tokens: None, cost_micro: None };

fn budget(scope: BudgetScope, subject: &str, limits: DayLimits) -> Budget {
    let day = Day::at(chrono_tz::UTC, t(0));
    Budget { scope, subject: subject.to_owned(), day, limits, warn_percent: Some(80) }
}

fn turns(most: u64) -> DayLimits {
    DayLimits { turns: Some(most), ..NO_LIMIT }
}

/// Every turn counts for those whose messages it takes, each with these limits, and for its agent.
fn rule(limits: DayLimits) -> BudgetRule {
    Arc::new(move |turn| {
        let mut people: Vec<&str> = turn.messages.iter().map(|row| row.from.id.as_str()).collect();
        people.dedup();
        let people = people.into_iter().map(|person| budget(BudgetScope::Person, person, limits));
        people.chain([budget(BudgetScope::Agent, turn.session.agent(), NO_LIMIT)]).collect()
    })
}

fn usage(input: u64, output: u64, cost: u64) -> Usage {
    Usage { input: Some(input), output: Some(output), cost_micro: Some(cost), ..Usage::default() }
}

impl Fixture {
    async fn claim_within(&self, who: &str, take: Take, limits: DayLimits) -> ClaimedTurn {
        let claimed = self.store.claim_turn_within(&key(who), take, rule(limits), t(100)).await.unwrap();
        claimed.expect("a turn")
    }

    /// A claimed turn that counts.
    async fn paid(&self, text: &str, limits: DayLimits) -> ClaimedTurn {
        self.accept_one(10, says("anna", text, text)).await;
        self.claim_within("anna", ONE, limits).await
    }

    async fn spent(&self, scope: BudgetScope, subject: &str) -> Spent {
        self.store.spent(scope, subject, Day::at(chrono_tz::UTC, t(0)).number).await.unwrap()
    }

    async fn of_person(&self) -> Spent {
        self.spent(BudgetScope::Person, "telegram:7").await
    }
}

#[tokio::test]
async fn a_turn_counts_when_it_is_claimed_and_what_it_uses_when_it_ends() {
    let fixture = Fixture::open().await;
    let turn = fixture.paid("one", NO_LIMIT).await;
    assert_eq!(fixture.of_person().await, Spent { turns: 1, ..Spent::default() });
    fixture.finish(Finish { usage: Some(usage(10, 5, 7)), ..answered(&turn, "yes") }).await;
    let once = Spent { turns: 1, input: 10, output: 5, cost_micro: 7 };
    assert_eq!(fixture.of_person().await, once);
    assert_eq!(fixture.spent(BudgetScope::Agent, "main").await, once);
    let fixture = fixture.restarted(2).await;
    let turn = fixture.paid("two", NO_LIMIT).await;
    fixture.finish(Finish { usage: Some(usage(1, 1, 1)), ..answered(&turn, "yes") }).await;
    let twice = Spent { turns: 2, input: 11, output: 6, cost_micro: 8 };
    assert_eq!(fixture.of_person().await, twice);
    let day = Day::at(chrono_tz::UTC, t(0)).number;
    let by_agent = fixture.store.spent_by(BudgetScope::Agent, day).await.unwrap();
    assert_eq!(by_agent, [SpentRow { subject: "main".into(), spent: twice }]);
    assert_eq!(fixture.store.spent_by(BudgetScope::Agent, day + 1).await.unwrap(), []);
}

#[tokio::test]
async fn every_attempt_is_paid_and_they_are_one_turn() {
    let fixture = Fixture::open().await;
    let turn = fixture.paid("one", NO_LIMIT).await;
    done(fixture.store.requeue(turn.claim, Some(usage(1, 0, 0)), t(99)).await.unwrap());
    let turn = fixture.claim_within("anna", ONE, NO_LIMIT).await;
    done(fixture.store.release(turn.claim, Some(usage(10, 0, 0)), t(100)).await.unwrap());
    let turn = fixture.claim_within("anna", ONE, NO_LIMIT).await;
    assert_eq!(turn.attempt, 3);
    fixture.store.cancel(&key("anna"), &admin(), t(101)).await.unwrap();
    let used = Some(usage(100, 0, 0));
    fixture.store.keep_partial(turn.claim, None, false, used, t(101)).await.unwrap();
    assert_eq!(fixture.of_person().await, Spent { turns: 1, input: 111, ..Spent::default() });
}

#[tokio::test]
async fn a_turn_without_an_agent_does_not_count() {
    let fixture = Fixture::open().await;
    let turn = fixture.paid("one", NO_LIMIT).await;
    let error = Some(Reason::Refused(Refusal::Revoked));
    fixture.finish(Finish { error, ..bare(&turn, Ending::Refused) }).await;
    let turn = fixture.paid("two", NO_LIMIT).await;
    fixture.finish(Finish { by_hook: true, ..answered(&turn, "by a hook") }).await;
    for failure in [Failure::AgentGone, Failure::Unavailable] {
        let turn = fixture.paid(failure.name(), NO_LIMIT).await;
        fixture.finish(Finish { error: Some(Reason::Failed(failure)), ..bare(&turn, Ending::Dead) }).await;
    }
    assert_eq!(fixture.of_person().await, Spent::default());
    let turn = fixture.paid("three", NO_LIMIT).await;
    fixture.finish(bare(&turn, Ending::Dead)).await;
    assert_eq!(fixture.of_person().await.turns, 1, "a failure counts");
    let turn = fixture.paid("four", NO_LIMIT).await;
    let error = Some(Reason::Failed(Failure::Unavailable));
    fixture.finish(Finish { error, usage: Some(usage(1, 0, 0)), ..bare(&turn, Ending::Dead) }).await;
    assert_eq!(fixture.of_person().await.turns, 2, "what an agent has used before it failed counts");
}

#[tokio::test]
async fn what_waits_when_a_budget_is_used_up_is_named_and_does_not_count() {
    let fixture = Fixture::open().await;
    fixture.paid("one", turns(1)).await;
    let two = fixture.accept_one(11, says("bob", "two", "two")).await;
    let turn = fixture.claim_within("bob", ONE, turns(1)).await;
    assert_eq!(turn.over_budget.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [two]);
    assert_eq!(turn.over_budget[0].1.most, 1);
    assert_eq!(fixture.of_person().await.turns, 1);
    assert_eq!(fixture.spent(BudgetScope::Agent, "main").await.turns, 1, "nobody is answered");
    let error = Some(Reason::Refused(Refusal::Budget));
    fixture.finish(Finish { error, ..bare(&turn, Ending::Refused) }).await;
    assert_eq!(fixture.of_person().await.turns, 1);
    assert_eq!(fixture.state(two).await, ("refused".into(), Some("budget".into())));
}

#[tokio::test]
async fn a_kill_before_a_refusal_is_stored_gives_no_answer_away() {
    let fixture = Fixture::open().await;
    let one = fixture.paid("one", turns(1)).await;
    fixture.finish(answered(&one, "yes")).await;
    assert_eq!(fixture.paid("two", turns(1)).await.over_budget.len(), 1);
    let fixture = fixture.restarted(2).await;
    fixture.store.recover(Recovery { now: t(200), max_deaths: 3, resend: true }).await.unwrap();
    let again = fixture.claim_within("anna", ONE, turns(1)).await;
    assert_eq!((again.attempt, again.over_budget.len()), (2, 1));
    // What had begun goes on, whatever is left.
    let error = Some(Reason::Refused(Refusal::Budget));
    fixture.finish(Finish { error, ..bare(&again, Ending::Refused) }).await;
    assert_eq!(fixture.paid("three", turns(2)).await.over_budget, []);
    let fixture = fixture.restarted(3).await;
    fixture.store.recover(Recovery { now: t(300), max_deaths: 3, resend: true }).await.unwrap();
    assert_eq!(fixture.claim_within("anna", ONE, turns(2)).await.over_budget, []);
    assert_eq!(fixture.of_person().await.turns, 2);
}

#[tokio::test]
async fn a_turn_that_answers_several_people_is_divided_between_them() {
    let fixture = Fixture::open().await;
    for (n, who) in ["1", "2", "3"].into_iter().enumerate() {
        fixture.accept_one(10, in_group("-1", who, &format!("{n}"), "x")).await;
    }
    let session = "agent:main:telegram:group:-1".parse().unwrap();
    let claimed = fixture.store.claim_turn_within(&session, Take::All, rule(NO_LIMIT), t(100)).await.unwrap();
    fixture.finish(Finish { usage: Some(usage(10, 0, 0)), ..answered(&claimed.unwrap(), "yes") }).await;
    for who in ["telegram:1", "telegram:2", "telegram:3"] {
        let spent = fixture.spent(BudgetScope::Person, who).await;
        assert_eq!((spent.turns, spent.input), (1, 4), "rounded up");
    }
    assert_eq!(fixture.spent(BudgetScope::Agent, "main").await.input, 10);
}

#[tokio::test]
async fn a_message_is_refused_at_once_when_nothing_is_left() {
    let fixture = Fixture::open().await;
    let of = |event| {
        let budgets = vec![budget(BudgetScope::Person, "telegram:7", turns(1))];
        Admitted { budgets, ..says("anna", event, event) }
    };
    let accepted = fixture.accept_with_notices(1, vec![of("one")]).await;
    assert!(matches!(accepted.items[0], Stored::Accepted { .. }));
    fixture.claim_within("anna", ONE, turns(1)).await;
    let refused = fixture.accept_with_notices(2, vec![of("two")]).await;
    assert!(matches!(refused.items[0], Stored::Refused { reason: Refusal::Budget, told: true, .. }));
    let told = &refused.announced[0].post.part.body;
    assert!(
        told.starts_with("You have used up today's budget (1 answer). It opens again at 00:00 (UTC)"),
        "{told}"
    );
    let again = fixture.accept_with_notices(3, vec![of("two")]).await;
    assert!(matches!(again.items[0], Stored::Duplicate { refused: Some(Refusal::Budget), .. }));
}

#[tokio::test]
async fn a_chat_is_warned_once_a_day_also_after_a_restart() {
    let fixture = Fixture::open().await;
    let limits = DayLimits { tokens: Some(100), ..NO_LIMIT };
    let warnings =
        |rows: Vec<OutboxRow>| rows.iter().filter(|row| row.post.part.body.contains("You have used")).count();
    let turn = fixture.paid("one", limits).await;
    let rows = fixture.finish(Finish { usage: Some(usage(70, 9, 0)), ..answered(&turn, "yes") }).await;
    assert_eq!(warnings(rows), 0);
    let turn = fixture.paid("two", limits).await;
    let rows = fixture.finish(Finish { usage: Some(usage(1, 0, 0)), ..answered(&turn, "yes") }).await;
    let told = &rows.last().unwrap().post.part.body;
    assert!(told.starts_with("You have used 80 % of today's budget (80 of 100 tokens)."), "{told}");
    let fixture = fixture.restarted(2).await;
    let turn = fixture.paid("three", limits).await;
    let rows = fixture.finish(Finish { usage: Some(usage(1, 0, 0)), ..answered(&turn, "yes") }).await;
    assert_eq!(warnings(rows), 0);
}

#[tokio::test]
async fn a_budget_that_an_admin_sets_is_in_the_state_for_memory_and_in_the_audit() {
    let fixture = Fixture::open().await;
    let change = |set, until| AccessChange::Budget {
        scope: BudgetScope::Person,
        subject: "telegram:7".into(),
        set,
        until,
    };
    let set =
        BudgetOverride { turns: Some(Most::At(50)), cost_micro: Some(Most::Unlimited), ..Default::default() };
    assert_eq!(fixture.change(1, change(Some(set), Some(t(500)))).await, AccessDone::BudgetSet);
    let fixture = fixture.restarted(2).await;
    let (scope, subject) = (BudgetScope::Person, "telegram:7".to_owned());
    let row = BudgetRow { scope, subject, set, until: Some(t(500)), by: "telegram:1".into() };
    assert_eq!(fixture.store.access_state().await.unwrap().budgets, std::slice::from_ref(&row));
    assert!(row.holds(t(499)) && !row.holds(t(500)));
    fixture.change(2, change(None, None)).await;
    assert_eq!(fixture.store.access_state().await.unwrap().budgets, []);
    let audit = fixture.audit().await;
    assert_eq!(audit, ["budget set person telegram:7: done", "budget default person telegram:7: done"]);
}

#[tokio::test]
async fn a_chosen_time_zone_is_in_the_state_for_memory_and_keeps_the_chats_other_settings() {
    let fixture = Fixture::open().await;
    let zone = |zone: Option<&str>| AccessChange::Zone { chat: address("-1"), zone: zone.map(str::to_owned) };
    fixture.change(1, AccessChange::Serve { chat: address("-1"), allowed: true }).await;
    assert_eq!(fixture.change(2, zone(Some("Europe/Berlin"))).await, AccessDone::ZoneChosen);
    fixture.change(3, AccessChange::Mute { chat: address("-1"), until: Some(t(500)) }).await;
    let fixture = fixture.restarted(2).await;
    let row = fixture.store.access_state().await.unwrap().chats.remove(0);
    assert_eq!(
        (row.zone.as_deref(), row.allowed, row.muted_until),
        (Some("Europe/Berlin"), true, Some(t(500)))
    );
    fixture.change(4, zone(None)).await;
    fixture.change(5, zone(None)).await;
    let row = fixture.store.access_state().await.unwrap().chats.remove(0);
    assert_eq!((row.zone, row.allowed), (None, true));
    let audit = fixture.audit().await;
    assert_eq!(audit[1], "timezone telegram:-1: done");
    assert_eq!(audit[3..], ["timezone telegram:-1: done", "timezone telegram:-1: unchanged"]);
}
