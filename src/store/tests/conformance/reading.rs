//! Lists, pages and numbers.

use frontdesk_core::ask::{AskKind, AskState, Audience, Question};
use frontdesk_core::id::AskId;
use frontdesk_store::row::*;

use crate::fixture::*;

#[tokio::test]
async fn sessions_are_listed_page_by_page_and_by_channel() {
    let fixture = Fixture::open().await;
    for who in ["web:main", "telegram:anna", "telegram:bob", "web:other"] {
        fixture.accept_one(1, says(who, who, "x")).await;
    }
    let page = fixture.store.sessions(None, None, 3).await.unwrap();
    assert_eq!(page.len(), 3);
    let rest = fixture.store.sessions(None, Some(&page[2].key), 3).await.unwrap();
    assert_eq!(rest.iter().map(|row| row.key.clone()).collect::<Vec<_>>(), [key("web:other")]);
    let web = fixture.store.sessions(Some("web"), None, 10).await.unwrap();
    assert_eq!(
        web.iter().map(|row| row.key.clone()).collect::<Vec<_>>(),
        [key("web:main"), key("web:other")]
    );
    assert_eq!((web[0].waiting, web[0].created), (1, t(1)));
    assert!(fixture.store.sessions(Some("irc"), None, 10).await.unwrap().is_empty());
    assert_eq!(fixture.store.session(&key("nobody")).await.unwrap(), None);
}

#[tokio::test]
async fn epochs_say_how_they_open_and_how_long_they_are() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, says("anna", "1", "opening")).await;
    fixture.accept_one(2, says("anna", "2", "more")).await;
    fixture.accept_one(3, commands("anna", "3", EpochChange::New)).await;
    let epochs = fixture.store.epochs(&key("anna"), None, 10).await.unwrap();
    assert_eq!((epochs[0].n, epochs[0].messages, epochs[0].first_text.as_deref()), (2, 0, None));
    assert_eq!((epochs[1].n, epochs[1].messages, epochs[1].first_text.as_deref()), (1, 2, Some("opening")));
    assert_eq!(epochs[1].started, t(1));
    let older = fixture.store.epochs(&key("anna"), Some(2), 10).await.unwrap();
    assert_eq!(older.iter().map(|e| e.n).collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn history_is_read_backwards_over_all_epochs_or_in_one() {
    let fixture = Fixture::open().await;
    let mut all = vec![];
    for n in 1..=3 {
        all.push(fixture.accept_one(n, says("anna", &n.to_string(), &format!("text {n}"))).await);
    }
    all.push(fixture.accept_one(4, Admitted { epoch: EpochChange::New, ..says("anna", "4", "anew") }).await);
    fixture.accept_one(5, says("bob", "5", "elsewhere")).await;
    let read = async |epoch, before, limit| {
        let rows = fixture.store.history(&key("anna"), epoch, before, limit).await.unwrap();
        rows.iter().map(|row| row.message.id).collect::<Vec<_>>()
    };
    assert_eq!(read(None, None, 10).await, [all[3], all[2], all[1], all[0]]);
    assert_eq!(read(None, Some(all[2]), 1).await, [all[1]]);
    assert_eq!(read(Some(1), None, 2).await, [all[2], all[1]]);
    assert_eq!(read(Some(1), Some(all[1]), 2).await, [all[0]]);
    assert_eq!(read(Some(7), None, 2).await, []);
}

#[tokio::test]
async fn totals_count_what_there_is() {
    let fixture = Fixture::open().await;
    assert_eq!(fixture.store.totals().await.unwrap(), Totals::default());
    let turn = fixture.turn("anna", "a").await;
    fixture.finish(answered(&turn, "one|two")).await;
    let part = fixture.claim_part("anna").await.unwrap();
    fixture.part_ended(&part, SendResult::Dead { error: "x".into() }).await;
    fixture.turn("bob", "b").await;
    fixture.accept_one(30, says("bob", "2", "c")).await;
    fixture.accept_one(31, says("eve", "3", "d")).await;
    let totals = fixture.store.totals().await.unwrap();
    let expected = Totals {
        sessions: 3,
        waiting: 2,
        running: 1,
        asks: 0,
        outbox: 2,
        dead_parts: 1,
        dead_letters: 0,
        dead_letters_deleted: 0,
        oldest_waiting: Some(t(30)),
        oldest_part: Some(t(150)),
    };
    assert_eq!(totals, expected);
}

#[tokio::test]
async fn questions_are_listed_by_state_and_session_the_newest_first() {
    let fixture = Fixture::open().await;
    let ask = async |who: &str, ordinal: u32, turn: &ClaimedTurn| {
        let question = Question {
            kind: AskKind::Confirm,
            text: format!("{who} {ordinal}?"),
            choices: Vec::new(),
            audience: None,
            deadline: None,
            default: None,
        };
        let (question, audience) = (question.completed().unwrap(), Audience::Admins);
        let new = NewAsk { ordinal, question, audience };
        fixture.store.ask_opened(turn.claim, new, t(1)).await.unwrap();
    };
    let (anna, bob) = (fixture.turn("anna", "a").await, fixture.turn("bob", "b").await);
    ask("anna", 0, &anna).await;
    ask("bob", 0, &bob).await;
    ask("anna", 1, &anna).await;
    assert_eq!(fixture.store.totals().await.unwrap().asks, 3);
    fixture.store.cancel(&bob.session, &Author { name: "bob".into(), via: "chat" }, t(2)).await.unwrap();
    let list = async |state, session: Option<&ClaimedTurn>, before| {
        let filter = AskFilter { state, session: session.map(|turn| turn.session.clone()), before };
        let asks = fixture.store.asks(filter, 2).await.unwrap();
        asks.into_iter().map(|ask| ask.text).collect::<Vec<_>>()
    };
    assert_eq!(list(None, None, None).await, ["anna 1?", "bob 0?"], "at most two");
    assert_eq!(list(None, None, Some(AskId(2))).await, ["anna 0?"]);
    assert_eq!(list(Some(AskState::Open), None, None).await, ["anna 1?", "anna 0?"]);
    assert_eq!(list(Some(AskState::Cancelled), None, None).await, ["bob 0?"]);
    assert_eq!(list(None, Some(&bob), None).await, ["bob 0?"]);
    assert_eq!(list(Some(AskState::Answered), Some(&anna), None).await, Vec::<String>::new());
}

#[tokio::test]
async fn parts_are_listed_newest_first() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    fixture.finish(answered(&turn, "one|two|three")).await;
    let page = fixture.store.parts(None, None, 2).await.unwrap();
    assert_eq!(page.iter().map(|row| row.post.part.body.as_str()).collect::<Vec<_>>(), ["three", "two"]);
    let rest = fixture.store.parts(Some(OutboxState::Queued), Some(page[1].post.out), 2).await.unwrap();
    assert_eq!(rest.iter().map(|row| row.post.part.body.as_str()).collect::<Vec<_>>(), ["one"]);
    assert!(fixture.store.parts(Some(OutboxState::Sent), None, 2).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_channel_is_found_among_agents_and_accounts() {
    let fixture = Fixture::open().await;
    let wanted = [
        "agent:a-b:web:dm:1",
        "agent:a-b:web:dm:2",
        "agent:a:web:dm:1",
        "agent:a:web@home:dm:1",
        "agent:b:web:dm:1",
    ];
    let others = [
        "agent:a-b:telegram:dm:1",
        "agent:a:irc:dm:1",
        "agent:a:web2:dm:1",
        "agent:a:webex:dm:1",
        "agent:c:irc:dm:1",
    ];
    for name in wanted.iter().chain(&others) {
        fixture.accept_one(1, Admitted { session: name.parse().unwrap(), ..says("anna", name, "x") }).await;
    }
    let names = |rows: &[SessionRow]| rows.iter().map(|row| row.key.to_string()).collect::<Vec<_>>();
    assert_eq!(names(&fixture.store.sessions(Some("web"), None, 100).await.unwrap()), wanted);
    let (mut paged, mut after) = (vec![], None);
    loop {
        let page = fixture.store.sessions(Some("web"), after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.key.clone());
        paged.extend(names(&page));
    }
    assert_eq!(paged, wanted);
    assert_eq!(fixture.store.sessions(Some("web"), None, 0).await.unwrap(), []);
}

#[tokio::test]
async fn a_page_is_bounded_in_bytes_and_has_one_row_at_least() {
    let fixture = Fixture::open().await;
    for n in 0..5 {
        let turn = fixture.turn("anna", &format!("{n} {}", "x".repeat(1000))).await;
        fixture.finish(answered(&turn, &"y".repeat(1000))).await;
    }
    let key = fixture.turn("anna", "last").await.session;
    for (most, rows) in [(0, 1), (2500, 2), (4500, 3), (1 << 20, 6)] {
        let page = fixture.store.history_page(&key, None, None, 100, most).await.unwrap();
        assert_eq!((page.rows.len(), page.more), (rows, rows < 6), "{most}");
        let page = fixture.store.history_page(&key, Some(1), None, 100, most).await.unwrap();
        assert_eq!((page.rows.len(), page.more), (rows, rows < 6), "{most}");
    }
    // A part holds its text twice: as it is sent, and plain.
    for (most, rows) in [(0, 1), (4500, 2), (1 << 20, 5)] {
        for state in [None, Some(OutboxState::Queued)] {
            let page = fixture.store.parts_page(state, None, 100, most).await.unwrap();
            assert_eq!((page.rows.len(), page.more), (rows, rows < 5), "{most} {state:?}");
        }
    }
    assert_eq!(fixture.store.history_page(&key, None, None, 2, 1 << 20).await.unwrap().rows.len(), 2);
}

#[tokio::test]
async fn sessions_are_listed_by_their_last_message_each_once() {
    let fixture = Fixture::open().await;
    for (n, who) in ["anna", "bob", "anna", "carl", "bob", "dora"].into_iter().enumerate() {
        fixture.accept_one(n as i64, says(who, &n.to_string(), "x")).await;
    }
    let (mut before, mut seen) = (None, Vec::new());
    loop {
        let (page, next) = fixture.store.recent_sessions(SessionFilter::default(), before, 1).await.unwrap();
        seen.extend(page.into_iter().map(|one| (one.session.key, one.at)));
        before = next;
        if before.is_none() {
            break;
        }
    }
    let expected = [("dora", 5), ("bob", 4), ("carl", 3), ("anna", 2)];
    assert_eq!(seen, expected.map(|(who, at)| (key(who), t(at))));
    let turn = fixture.claim("bob").await.unwrap();
    fixture.finish(answered(&turn, "y")).await;
    let filter = |find: &str| SessionFilter { find: Some(find.into()), ..SessionFilter::default() };
    let (found, next) = fixture.store.recent_sessions(filter("BO"), None, 10).await.unwrap();
    assert_eq!((found.len(), &found[0].session.key, next), (1, &key("bob"), None));
    let (rest, _) =
        fixture.store.recent_sessions(SessionFilter::default(), Some(found[0].message), 10).await.unwrap();
    assert!(
        rest.iter().all(|one| one.session.key != key("bob")),
        "its earlier message does not list it again"
    );
    let busy = fixture.store.busy_sessions(None, 10).await.unwrap();
    assert_eq!(
        busy.iter().map(|row| &row.key).collect::<Vec<_>>(),
        [&key("anna"), &key("bob"), &key("carl"), &key("dora")]
    );
}
