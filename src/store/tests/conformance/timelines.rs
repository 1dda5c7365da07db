//! What a session has shown, page by page, and how it is listed.

use frontdesk_store::row::*;

use crate::fixture::*;

const WHO: &str = "web:main";

/// Two messages, of which the first is answered, and a new conversation.
async fn told() -> Fixture {
    let fixture = Fixture::open().await;
    let turn = fixture.turn(WHO, "one").await;
    fixture.finish(answered(&turn, "answer")).await;
    fixture.accept_one(200, says(WHO, "2", "two")).await;
    fixture.accept_one(300, commands(WHO, "3", EpochChange::New)).await;
    fixture.accept_one(1, says("web:other", "4", "elsewhere")).await;
    fixture
}

fn shown(item: &TimelineItem) -> String {
    match item {
        TimelineItem::Message(row) => format!("{} {:?}", row.message.text, row.answer),
        TimelineItem::Frame(row) => format!("frame {}", row.post.part.body),
        TimelineItem::Epoch(row) => format!("epoch {} {}", row.n, row.reason),
    }
}

const ALL: [&str; 6] =
    ["epoch 2 new", "/command None", "two None", "frame answer", "one None", "epoch 1 first"];

#[tokio::test]
async fn a_timeline_has_messages_frames_and_beginnings_in_the_order_in_which_they_were_shown() {
    let fixture = told().await;
    let page = fixture.store.timeline(&key(WHO), TimelineCursor::END, 100, 1 << 20).await.unwrap();
    assert_eq!(page.rows.iter().map(shown).collect::<Vec<_>>(), ALL);
    assert!(!page.more);
    let nobody = fixture.store.timeline(&key("nobody"), TimelineCursor::END, 100, 1 << 20).await.unwrap();
    assert!(nobody.rows.is_empty());
}

#[tokio::test]
async fn the_pages_of_a_timeline_have_everything_once() {
    let fixture = told().await;
    for (limit, most) in [(1, 1 << 20), (2, 1 << 20), (4, 1 << 20), (100, 0), (100, 12)] {
        let (mut all, mut before) = (Vec::new(), TimelineCursor::END);
        loop {
            let page = fixture.store.timeline(&key(WHO), before, limit, most).await.unwrap();
            if page.rows.is_empty() {
                break;
            }
            before = before.before(&page.rows).to_string().parse().unwrap();
            all.extend(page.rows.iter().map(shown));
        }
        assert_eq!(all, ALL, "{limit} {most}");
    }
    for wrong in ["", "m1", "m1.s2", "m1.s2.e3 ", "m01.s2.e3", "m1.s-2.e3"] {
        assert!(wrong.parse::<TimelineCursor>().is_err(), "{wrong:?}");
    }
}

#[tokio::test]
async fn an_answer_whose_frame_is_gone_stands_with_its_message() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("telegram:anna", "one").await;
    fixture.finish(answered(&turn, "answer")).await;
    let page =
        fixture.store.timeline(&key("telegram:anna"), TimelineCursor::END, 100, 1 << 20).await.unwrap();
    assert_eq!(page.rows.iter().map(shown).collect::<Vec<_>>(), ["one Some(\"answer\")", "epoch 1 first"]);
}

#[tokio::test]
async fn a_session_is_listed_under_its_title_and_comes_back_from_the_archive() {
    let fixture = told().await;
    let change = async |change: SessionChange| {
        assert!(fixture.store.list_session_as(&key(WHO), change, t(400)).await.unwrap());
        let row = fixture.store.session(&key(WHO)).await.unwrap().unwrap();
        (row.title, row.archived)
    };
    let title = |title: Option<&str>| SessionChange { title: Some(title.map(str::to_owned)), archived: None };
    let archived = |archived| SessionChange { title: None, archived: Some(archived) };
    let name = Some("A name".to_owned());
    assert_eq!(change(title(Some("A name"))).await, (name.clone(), None));
    assert_eq!(change(archived(true)).await, (name.clone(), Some(t(400))));
    assert_eq!(change(archived(false)).await, (name.clone(), None));
    assert_eq!(change(archived(true)).await, (name.clone(), Some(t(400))));
    fixture.accept_one(500, says(WHO, "5", "again")).await;
    assert_eq!(change(SessionChange::default()).await, (name, None), "its person has written");
    assert_eq!(change(title(None)).await, (None, None));
    assert!(!fixture.store.list_session_as(&key("nobody"), archived(true), t(400)).await.unwrap());
    let rows = fixture.store.sessions(Some("web"), None, 10).await.unwrap();
    let openings = fixture.store.openings(&rows).await.unwrap();
    assert_eq!(
        openings,
        [Some("again".to_owned()), Some("elsewhere".to_owned())],
        "of the current conversations"
    );
}
