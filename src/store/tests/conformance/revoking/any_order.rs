//! Property: whatever happens in whatever order, nobody who is shut out has anything open.

use frontdesk_core::delivery::PostKind;
use frontdesk_store::row::*;
use proptest::prelude::*;

use super::{by, revoke};
use crate::fixture::*;

/// What can happen around three people and their private chats.
#[derive(Debug, Clone, Copy)]
enum Step {
    Says(u8),
    Approve(u8),
    Grant(u8),
    Revoke(u8, bool),
    Claim(u8),
    End,
    /// A part of this person's chat is being sent,
    Send(u8),
    /// and the oldest of those requests fails.
    Fail,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0u8..3;
    prop_oneof![
        6 => who.clone().prop_map(Step::Says),
        3 => who.clone().prop_map(Step::Approve),
        2 => who.clone().prop_map(Step::Grant),
        3 => (who.clone(), any::<bool>()).prop_map(|(who, all)| Step::Revoke(who, all)),
        3 => who.clone().prop_map(Step::Claim),
        2 => Just(Step::End),
        2 => who.prop_map(Step::Send),
        1 => Just(Step::Fail),
        1 => Just(Step::Restart),
    ]
}

/// Takes the steps, behind a gate that asks the store who may write.
async fn live(steps: Vec<Step>) {
    let mut fixture = Fixture::open().await;
    let mut turns: Vec<ClaimedTurn> = Vec::new();
    let mut sending: Vec<OutboxRow> = Vec::new();
    let mut codes = std::collections::HashMap::new();
    for (n, step) in steps.into_iter().enumerate() {
        let at = n as i64 * 1200;
        let allowed = fixture.grants().await;
        let name = |who: u8| format!("p{who}");
        let may = |who: u8| allowed.contains(&format!("telegram:{} dm", name(who)));
        match step {
            Step::Says(who) if may(who) => {
                fixture.accept(at, vec![by(&name(who), says(&name(who), &n.to_string(), "x"))]).await;
            }
            Step::Says(who) => {
                let (who, event) = (name(who), n.to_string());
                if let Stored::Asked { .. } = fixture.ask(at, asks(&who, &event)).await.items[0] {
                    codes.insert(who, event);
                }
            }
            Step::Approve(who) => {
                if let Some(event) = codes.get(&name(who)) {
                    fixture.approve(at, &code(&name(who), event)).await;
                }
            }
            Step::Grant(who) => {
                fixture
                    .change(at, AccessChange::Grant { principal: person(&name(who)), scope: Scope::Dm })
                    .await;
            }
            Step::Revoke(who, all) => {
                fixture.change(at, revoke(&name(who), (!all).then_some(Scope::Dm))).await;
            }
            Step::Claim(who) => turns.extend(fixture.claim(&name(who)).await),
            Step::End => {
                if let Some(turn) = turns.pop() {
                    fixture.store.finish(answered(&turn, "A")).await.unwrap();
                }
            }
            Step::Send(who) => sending.extend(fixture.claim_part(&name(who)).await),
            Step::Fail => {
                if let Some(part) = sending.pop() {
                    let result = SendResult::Later { pause: pause(1), error: "502".into(), counts: true };
                    fixture.store.part_ended(part.claim(), result, t(at)).await.unwrap();
                }
            }
            Step::Restart => {
                turns.clear();
                sending.clear();
                fixture = fixture.restarted(n as u64 + 2).await;
                fixture.store.recover(recovery()).await.unwrap();
            }
        }
        let allowed = fixture.grants().await;
        let mut waiting = 0;
        for who in ["p0", "p1", "p2"] {
            let history = fixture.store.history(&key(who), None, None, 1000).await.unwrap();
            let open =
                history.iter().filter(|row| ["waiting", "in_turn"].contains(&row.message.state.name()));
            let open = open.count();
            waiting += history.iter().filter(|row| row.message.state.name() == "waiting").count();
            assert!(
                open == 0 || allowed.contains(&format!("telegram:{who} dm")),
                "{step:?} leaves {open} of {who}"
            );
        }
        for part in fixture.store.parts(None, None, 1000).await.unwrap() {
            let open = [OutboxState::Queued, OutboxState::Sending].contains(&part.state);
            let who = part.address.chat();
            assert!(
                !open
                    || part.post.kind != PostKind::Answer
                    || allowed.contains(&format!("telegram:{who} dm")),
                "{step:?} leaves an answer to {who} to be sent"
            );
        }
        assert_eq!(fixture.store.waiting(), waiting as u64, "the count in memory after {step:?}");
        let unique: std::collections::BTreeSet<_> = allowed.iter().collect();
        assert_eq!(unique.len(), allowed.len(), "a grant holds once");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_nobody_who_is_shut_out_has_anything_open(steps in prop::collection::vec(step(), 1..40)) {
        tokio::runtime::Runtime::new().unwrap().block_on(live(steps));
    }
}
