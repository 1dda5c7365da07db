//! Strangers: they get a code, and an admin who has it lets them in.

use std::collections::BTreeSet;

use frontdesk_core::account::AccountId;
use frontdesk_core::delivery::PostKind;
use frontdesk_core::message::Refusal;
use frontdesk_core::pairing::{Code, FAILURES, MASK};
use frontdesk_store::row::*;

use crate::fixture::*;

const HOUR: i64 = 3600;

fn approves(code: &Code) -> AccessChange {
    AccessChange::Approve { code: code.clone(), account: None }
}

fn wrong(n: u64) -> Code {
    code("nobody", &format!("wrong {n}"))
}

/// Makes enough mistakes to be locked out at this time.
async fn lock_out(fixture: &Fixture, at: i64) {
    for n in 1..=FAILURES {
        let left = FAILURES - n;
        assert_eq!(fixture.approve(at, &wrong(n.into())).await, AccessDone::NoSuchCode { left });
    }
}

#[tokio::test]
async fn a_strangers_first_message_makes_a_request_and_is_not_kept() {
    let fixture = Fixture::open().await;
    let tell = vec![address("1"), address("web:main")];
    let accepted = fixture.ask(1, with_request(asks("eve", "1"), |request| request.tell = tell)).await;
    let [Stored::Asked { message }] = accepted.items[..] else { panic!("{accepted:?}") };
    let row = fixture.store.message(message).await.unwrap().unwrap().message;
    assert_eq!((row.disposition, row.state), (RowDisposition::Refused, MessageState::Refused));
    assert_eq!((row.reason, row.text.as_str()), (Some(Reason::Refused(Refusal::Pairing)), ""));
    assert_eq!(fixture.store.session(&key("eve")).await.unwrap(), None);
    assert_eq!(fixture.store.waiting(), 0);

    let [code, one, two] = &accepted.announced[..] else { panic!("{:?}", accepted.announced) };
    assert_eq!((code.post.key.clone(), &code.address), (format!("{message}/notice/code/0"), &address("eve")));
    assert_eq!((code.salt, code.post.kind), (Some(salt("eve", "1")), PostKind::Notice));
    assert!(code.post.part.body.contains(MASK) && code.post.part.body.contains("`eve`"));
    assert_eq!(code.post.reply_to.as_deref(), Some("p-1"));
    for (n, (row, to)) in [(one, "1"), (two, "web:main")].into_iter().enumerate() {
        assert_eq!(
            (row.post.key.clone(), &row.address),
            (format!("{message}/notice/asked/{n}/0"), &address(to))
        );
        assert_eq!(
            (row.salt, row.post.reply_to.as_deref(), row.post.about.session.as_ref()),
            (None, None, None)
        );
        assert!(row.post.part.body.contains("Shown as eve") && !row.post.part.body.contains(MASK));
    }
    let mut read = fixture.store.parts(None, None, 10).await.unwrap();
    read.reverse();
    assert_eq!(read, accepted.announced, "a row reads back as it was said");

    let open = fixture.store.pairing_requests(t(2)).await.unwrap();
    assert_eq!((open[0].principal.clone(), open[0].address.clone()), (person("eve"), address("eve")));
    assert_eq!((open[0].created, open[0].expires), (t(1), t(1 + HOUR)));
    assert_eq!(fixture.store.pairing_requests(t(1 + HOUR)).await.unwrap(), []);
}

#[tokio::test]
async fn a_redelivered_request_is_known() {
    let fixture = Fixture::open().await;
    let accepted = fixture.ask(1, asks("eve", "1")).await;
    let [Stored::Asked { message }] = accepted.items[..] else { panic!("{accepted:?}") };
    let known =
        Stored::Duplicate { message, session: key("eve"), same: true, refused: Some(Refusal::Pairing) };
    // Whatever the gate makes of it this time: somebody may have let her in meanwhile.
    assert_eq!(fixture.ask(2, asks("eve", "1")).await.items, std::slice::from_ref(&known));
    assert_eq!(fixture.accept(2, vec![says("eve", "1", "let me in")]).await, [known]);
}

#[tokio::test]
async fn a_message_that_was_taken_is_known_though_its_sender_is_a_stranger_now() {
    let fixture = Fixture::open().await;
    let message = fixture.accept_one(1, says("eve", "1", "hello")).await;
    let known = Stored::Duplicate { message, session: key("eve"), same: true, refused: None };
    assert_eq!(fixture.ask(2, asks("eve", "1")).await.items, [known]);
    assert_eq!(fixture.store.pairing_requests(t(3)).await.unwrap(), []);
}

#[tokio::test]
async fn somebody_with_a_code_gets_no_other_one_and_leaves_no_row() {
    let fixture = Fixture::open().await;
    fixture.ask(0, asks("eve", "0")).await;
    let soon = fixture.ask(59, asks("eve", "soon")).await;
    assert_eq!((soon.items, soon.announced), (vec![Stored::Dropped], vec![]), "she has just got it");
    for n in 1..60 {
        let accepted = fixture.ask(n * 60, asks("eve", &n.to_string())).await;
        assert_eq!(accepted.items, [Stored::Dropped], "after {n} minutes");
        // Once she is told that her code is good, and then no more.
        let announced: Vec<&str> = accepted.announced.iter().map(|row| row.post.key.as_str()).collect();
        assert_eq!(
            announced,
            if n == 1 { vec!["m1/notice/code_stands/0"] } else { vec![] },
            "after {n} minutes"
        );
        assert!(accepted.announced.iter().all(|row| row.salt.is_none() && row.address == address("eve")));
    }
    let again = fixture.ask(HOUR, asks("eve", "60")).await;
    assert!(matches!(again.items[..], [Stored::Asked { .. }]));
    assert_eq!(again.announced[0].salt, Some(salt("eve", "60")));
    let open = fixture.store.pairing_requests(t(HOUR)).await.unwrap();
    assert_eq!(open.len(), 1, "at most one request each");
    assert!(matches!(fixture.approve(HOUR + 1, &code("eve", "0")).await, AccessDone::NoSuchCode { .. }));
    assert!(matches!(fixture.approve(HOUR + 1, &code("eve", "60")).await, AccessDone::Approved(_)));
}

#[tokio::test]
async fn a_request_of_somebody_who_is_let_in_by_id_is_closed() {
    for scope in [Scope::Dm, Scope::Admin] {
        let fixture = Fixture::open().await;
        fixture.ask(0, asks("eve", "0")).await;
        fixture.ask(0, asks("mallory", "1")).await;
        let group = AccessChange::Grant { principal: person("eve"), scope: Scope::Group("-1".into()) };
        fixture.change(1, group).await;
        assert_eq!(
            fixture.store.pairing_requests(t(2)).await.unwrap().len(),
            2,
            "a group's grant is another thing"
        );
        fixture.change(3, AccessChange::Grant { principal: person("eve"), scope }).await;
        let open = fixture.store.pairing_requests(t(4)).await.unwrap();
        assert_eq!(open.iter().map(|row| &row.principal).collect::<Vec<_>>(), [&person("mallory")]);
        assert_eq!(
            fixture.ask(300, asks("eve", "2")).await.announced,
            [],
            "and she is told of no code any more"
        );
    }
}

#[tokio::test]
async fn a_denied_stranger_waits_as_long_as_anybody() {
    let fixture = Fixture::open().await;
    fixture.ask(0, asks("eve", "0")).await;
    let deny = AccessChange::Deny { code: code("eve", "0"), account: None };
    let AccessDone::Denied(row) = fixture.change(5, deny).await else { panic!("not denied") };
    assert_eq!(row.principal, person("eve"));
    assert_eq!(fixture.ask(HOUR - 1, asks("eve", "1")).await.items, [Stored::Dropped]);
    assert!(matches!(fixture.ask(HOUR, asks("eve", "2")).await.items[0], Stored::Asked { .. }));
    assert!(fixture.grants().await.is_empty());
    assert_eq!(fixture.audit().await, ["deny telegram:eve dm: done"]);
}

#[tokio::test]
async fn a_flood_gets_no_answer_and_no_row() {
    let fixture = Fixture::open().await;
    let closed = |n: &str| with_request(asks(n, n), |request| request.open = false);
    assert_eq!(
        fixture.ask(1, closed("1")).await,
        Accepted { items: vec![Stored::Dropped], announced: vec![] }
    );
    let none_open = with_request(asks("2", "2"), |request| request.most = 0);
    assert_eq!(fixture.ask(1, none_open).await.items, [Stored::Dropped]);
    assert_eq!(fixture.store.pairing_requests(t(1)).await.unwrap(), []);
    assert!(
        matches!(fixture.ask(2, asks("1", "3")).await.items[0], Stored::Asked { .. }),
        "later she may ask"
    );
}

#[tokio::test]
async fn the_oldest_of_too_many_requests_gives_way_and_may_ask_again_at_once() {
    let fixture = Fixture::open().await;
    let few = |who: &str, event: &str| with_request(asks(who, event), |request| request.most = 2);
    fixture.ask(1, few("a", "1")).await;
    fixture.ask(2, few("b", "2")).await;
    // Another account has its own limit.
    let work = frontdesk_core::address::Principal::new("telegram", Some("work"), "w").unwrap();
    fixture.ask(2, with_event(few("w", "w"), |event| event.from.id = work)).await;
    fixture.ask(3, few("c", "3")).await;
    let names = async || {
        let open = fixture.store.pairing_requests(t(9)).await.unwrap();
        open.into_iter().map(|row| row.principal.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names().await, ["telegram:b", "telegram@work:w", "telegram:c"]);
    assert!(matches!(fixture.approve(3, &code("a", "1")).await, AccessDone::NoSuchCode { .. }));
    assert_eq!(fixture.claim_part("a").await, None, "a code that is worth nothing is not told any more");
    assert!(matches!(fixture.ask(4, few("a", "4")).await.items[0], Stored::Asked { .. }));
    assert_eq!(names().await, ["telegram@work:w", "telegram:c", "telegram:a"]);
    assert!(fixture.claim_part("a").await.is_some());
}

#[tokio::test]
async fn a_code_lets_its_owner_in_and_says_so() {
    let fixture = Fixture::open().await;
    fixture.ask(1, asks("eve", "1")).await;
    fixture.ask(1, asks("mallory", "2")).await;
    let AccessDone::Approved(row) = fixture.approve(2, &code("eve", "1")).await else {
        panic!("not approved")
    };
    assert_eq!((row.principal, row.address), (person("eve"), address("eve")));
    let grants = fixture.store.access_state().await.unwrap().grants;
    let [GrantRow { principal, scope: Scope::Dm, source, by, shown, created }] = &grants[..] else {
        panic!("{grants:?}")
    };
    assert_eq!((principal, source.as_str(), by.as_str()), (&person("eve"), "pairing", "telegram:1"));
    assert_eq!((shown.as_deref(), *created), (Some("Shown as eve"), t(2)));
    let told = fixture.texts(OutboxState::Queued).await;
    assert!(told[2].starts_with("You may write to me now"), "{told:?}");
    assert_eq!(fixture.audit().await, ["approve telegram:eve dm: done"]);
    let open = fixture.store.pairing_requests(t(2)).await.unwrap();
    assert_eq!(open.iter().map(|row| row.principal.clone()).collect::<Vec<_>>(), [person("mallory")]);
}

#[tokio::test]
async fn two_approvals_at_once_make_one_grant() {
    for _ in 0..20 {
        let fixture = Fixture::open().await;
        fixture.ask(1, asks("eve", "1")).await;
        let (a, b) = (fixture.store.clone(), fixture.store.clone());
        let other = Author { name: "cli".into(), via: "cli" };
        let (one, two) = tokio::join!(
            a.change_access(approves(&code("eve", "1")), admin(), t(2)),
            b.change_access(approves(&code("eve", "1")), other, t(2)),
        );
        let approved = [one.unwrap(), two.unwrap()]
            .iter()
            .filter(|done| matches!(done, AccessDone::Approved(_)))
            .count();
        assert_eq!((approved, fixture.grants().await), (1, vec!["telegram:eve dm".into()]));
    }
}

#[tokio::test]
async fn a_code_is_good_once_for_an_hour_in_its_own_place() {
    let fixture = Fixture::open().await;
    fixture.ask(0, asks("eve", "1")).await;
    let there = |channel: &str, account: &str| AccessChange::Approve {
        code: code("eve", "1"),
        account: Some(AccountId::new(channel, Some(account)).unwrap()),
    };
    let none = |done: &AccessDone| matches!(done, AccessDone::NoSuchCode { .. });
    assert!(none(&fixture.change(1, there("telegram", "work")).await), "another account");
    assert!(none(&fixture.change(1, there("discord", "default")).await), "another channel");
    assert!(none(&fixture.approve(HOUR, &code("eve", "1")).await), "too late");
    assert!(none(&fixture.approve(-HOUR, &code("eve", "1")).await), "a clock that was put back");
    assert!(fixture.grants().await.is_empty());
    assert!(matches!(fixture.change(HOUR - 1, there("telegram", "default")).await, AccessDone::Approved(_)));
    assert!(none(&fixture.approve(HOUR - 1, &code("eve", "1")).await), "used");
    assert_eq!(fixture.grants().await, ["telegram:eve dm"]);
}

#[tokio::test]
async fn too_many_wrong_codes_lock_out_right_ones_too() {
    let fixture = Fixture::open().await;
    fixture.ask(0, asks("eve", "1")).await;
    lock_out(&fixture, 10).await;
    let locked = AccessDone::Locked { until: t(10 + HOUR) };
    assert_eq!(fixture.approve(11, &code("eve", "1")).await, locked);
    let deny = AccessChange::Deny { code: code("eve", "1"), account: None };
    assert_eq!(fixture.change(12, deny).await, locked);
    assert!(fixture.grants().await.is_empty());
    let lines = fixture.audit().await;
    assert_eq!(lines[0], "approve anybody: refused:no_such_code");
    assert_eq!(lines[5..], ["approve anybody: refused:locked", "deny anybody: refused:locked"]);
    // Another author is not locked, and another way in stays open.
    let cli = Author { name: "cli".into(), via: "cli" };
    let done = fixture.store.change_access(approves(&code("eve", "1")), cli, t(13)).await.unwrap();
    assert!(matches!(done, AccessDone::Approved(_)));
    let grant = AccessChange::Grant { principal: person("bob"), scope: Scope::Dm };
    assert_eq!(fixture.change(14, grant).await, AccessDone::Granted { new: true });
    assert_eq!(fixture.approve(10 + HOUR, &wrong(9)).await, AccessDone::NoSuchCode { left: 4 }, "over");
}

#[tokio::test]
async fn a_lock_a_grant_and_a_request_outlive_the_process() {
    let fixture = Fixture::open().await;
    fixture.ask(0, asks("eve", "1")).await;
    fixture.change(1, AccessChange::Grant { principal: person("bob"), scope: Scope::Admin }).await;
    lock_out(&fixture, 10).await;
    let fixture = fixture.restarted(2).await;
    fixture.store.recover(recovery()).await.unwrap();
    assert_eq!(fixture.approve(11, &code("eve", "1")).await, AccessDone::Locked { until: t(10 + HOUR) });
    assert_eq!(fixture.grants().await, ["telegram:bob admin"]);
    assert_eq!(fixture.store.pairing_requests(t(12)).await.unwrap().len(), 1);
    assert_eq!(fixture.ask(13, asks("eve", "2")).await.items, [Stored::Dropped]);
}

#[tokio::test]
async fn failures_are_forgotten_with_time_and_with_success() {
    let fixture = Fixture::open().await;
    fixture.ask(0, asks("eve", "1")).await;
    for (n, (minute, left)) in [(0, 4), (0, 3), (12, 3), (24, 3), (59, 4), (59, 3)].into_iter().enumerate() {
        let done = fixture.approve(minute * 60, &wrong(n as u64)).await;
        assert_eq!(done, AccessDone::NoSuchCode { left }, "after {minute} minutes");
    }
    assert!(matches!(fixture.approve(HOUR - 1, &code("eve", "1")).await, AccessDone::Approved(_)));
    assert_eq!(fixture.approve(HOUR - 1, &wrong(9)).await, AccessDone::NoSuchCode { left: 4 });
}

#[tokio::test]
async fn a_thousand_guesses_find_nothing_and_few_are_looked_at() {
    let fixture = Fixture::open().await;
    fixture.ask(0, asks("eve", "1")).await;
    let mut looked = 0;
    for n in 0..1000 {
        match fixture.approve(n, &wrong(n as u64)).await {
            AccessDone::NoSuchCode { .. } => looked += 1,
            AccessDone::Locked { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((looked, fixture.grants().await), (5, vec![]));
}

#[tokio::test]
async fn a_command_takes_the_same_road() {
    let fixture = Fixture::open().await;
    fixture.ask(0, asks("eve", "1")).await;
    let run = async |event: &str, code: Code| {
        let text = format!("/gateway pair {}", code.reveal());
        let pair = with_event(commands("1", event, EpochChange::ByRule), |event| event.text = text);
        let id = fixture.accept_one(1, pair).await;
        let effect = CommandEffect::Access { change: Box::new(approves(&code)), author: admin() };
        let reply = Box::new(|facts: &CommandFacts| format!("{facts:?}"));
        (id, done(fixture.answer_command(id, effect, t(2), reply).await.unwrap()))
    };
    for n in 1..FAILURES {
        let (_, announced) = run(&format!("c{n}"), wrong(n.into())).await;
        let left = FAILURES - n;
        assert_eq!(
            announced.facts,
            CommandFacts::Access(Box::new(AccessDone::NoSuchCode { left })),
            "it counts"
        );
    }
    let (id, CommandDone { facts, announced }) = run("right", code("eve", "1")).await;
    let CommandFacts::Access(done) = &facts else { panic!("{facts:?}") };
    assert!(matches!(&**done, AccessDone::Approved(row) if row.principal == person("eve")));
    assert_eq!(announced[1].post.part.body, format!("{facts:?}"), "after the notice to the person");
    let row = fixture.store.message(id).await.unwrap().unwrap().message;
    assert_eq!((row.state, row.text.as_str()), (MessageState::Answered, MASK), "the code stays nowhere");
    assert_eq!((fixture.grants().await, fixture.store.waiting()), (vec!["telegram:eve dm".into()], 0));
}

#[tokio::test]
async fn a_request_that_cannot_be_told_is_passed_as_dead() {
    let fixture = Fixture::open().await;
    let broken = with_event(asks("eve", "1"), |event| event.address = address("PANIC"));
    let accepted = fixture.ask(1, broken).await;
    assert!(matches!(accepted.items[..], [Stored::Dead { .. }]), "{accepted:?}");
    assert_eq!(
        fixture.store.pairing_requests(t(2)).await.unwrap(),
        [],
        "there is no code that nobody was told"
    );
}

#[tokio::test]
async fn requests_are_purged_when_nothing_hangs_on_them() {
    const DAY: i64 = 24 * HOUR;
    let fixture = Fixture::open().await;
    for (n, who) in ["open", "approved", "denied"].into_iter().enumerate() {
        fixture.ask(0, asks(who, &n.to_string())).await;
    }
    fixture.approve(1, &code("approved", "1")).await;
    fixture.change(1, AccessChange::Deny { code: code("denied", "2"), account: None }).await;
    fixture.approve(1, &wrong(1)).await;
    let keep = Retention {
        outbox_days: 999,
        refused_days: 999,
        dead_letter_days: 999,
        history_days: 999,
        audit_days: 10,
    };
    assert_eq!(fixture.store.purge(keep, t(1)).await.unwrap(), 0);
    assert_eq!(fixture.store.purge(keep, t(7 * DAY)).await.unwrap(), 1, "a wrong code");
    assert_eq!(fixture.store.purge(keep, t(9 * DAY)).await.unwrap(), 3);
    assert_eq!(fixture.store.purge(keep, t(11 * DAY)).await.unwrap(), 3, "lines of the audit");
    assert_eq!(fixture.grants().await, ["telegram:approved dm"]);
}

#[tokio::test]
async fn nothing_that_is_said_about_codes_says_one() {
    let fixture = Fixture::open().await;
    fixture.ask(0, with_request(asks("eve", "1"), |request| request.tell = vec![address("1")])).await;
    let code = code("eve", "1");
    fixture.approve(1, &wrong(1)).await;
    let done = fixture.approve(1, &code).await;
    let mut words: BTreeSet<String> = fixture.audit().await.into_iter().collect();
    words.extend(fixture.texts(OutboxState::Queued).await);
    words.insert(format!("{done:?} {:?}", approves(&code)));
    words.insert(format!("{:?}", fixture.store.access_state().await.unwrap()));
    assert!(words.iter().all(|text| !text.contains(code.reveal())), "{words:?}");
}

#[tokio::test]
async fn a_request_is_decided_by_its_number_once() {
    let fixture = Fixture::open().await;
    fixture.ask(0, asks("eve", "0")).await;
    fixture.ask(0, asks("mallory", "1")).await;
    let open = fixture.store.pairing_requests(t(1)).await.unwrap();
    let (eve, mallory) = (open[0].id, open[1].id);
    assert!(matches!(fixture.change(2, AccessChange::ApproveRequest(eve)).await, AccessDone::Approved(_)));
    let twice = fixture.change(2, AccessChange::ApproveRequest(eve)).await;
    assert_eq!(twice, AccessDone::NoSuchRequest, "and nobody else is let in");
    assert!(matches!(fixture.change(2, AccessChange::DenyRequest(mallory)).await, AccessDone::Denied(_)));
    assert_eq!(fixture.grants().await, [format!("{} dm", person("eve"))]);
    for again in [AccessChange::ApproveRequest(eve), AccessChange::ApproveRequest(mallory)] {
        assert_eq!(fixture.change(3, again).await, AccessDone::NoSuchRequest);
    }
    assert_eq!(fixture.grants().await, [format!("{} dm", person("eve"))]);
    fixture.ask(HOUR, asks("late", "2")).await;
    let late = fixture.store.pairing_requests(t(HOUR)).await.unwrap()[0].id;
    assert_eq!(fixture.change(3 * HOUR, AccessChange::ApproveRequest(late)).await, AccessDone::NoSuchRequest);
}
