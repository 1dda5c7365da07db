//! The pieces of an album make one turn.

use frontdesk_core::id::MessageId;
use frontdesk_core::message::Refusal;
use frontdesk_store::row::*;

use crate::fixture::*;

fn piece(event: &str, album: &str) -> Admitted {
    with_event(says("anna", event, event), |event| event.album = Some(album.into()))
}

async fn all(fixture: &Fixture, items: Vec<Admitted>) -> Vec<MessageId> {
    let stored = fixture.accept(1, items).await;
    let id = |stored: &Stored| match stored {
        Stored::Accepted { message, .. } => *message,
        other => panic!("{other:?}"),
    };
    stored.iter().map(id).collect()
}

#[tokio::test]
async fn pieces_of_one_album_are_claimed_together() {
    let fixture = Fixture::open().await;
    let sent = all(&fixture, vec![piece("1", "x"), piece("2", "x"), piece("3", "x")]).await;
    let turn = fixture.claim("anna").await.unwrap();
    assert_eq!((ids(&turn), turn.more), (sent, false));
    assert_eq!(turn.reply_to.as_deref(), Some("p-3"));
    assert_eq!(turn.messages[0].album.as_deref(), Some("x"));
    assert_eq!(fixture.store.waiting(), 0);
}

#[tokio::test]
async fn an_album_ends_at_the_first_message_that_is_no_piece_of_it() {
    let fixture = Fixture::open().await;
    let last = piece("5", "x");
    let items = vec![piece("1", "x"), piece("2", "x"), says("anna", "3", "words"), piece("4", "y")];
    let sent = all(&fixture, items).await;
    let late = fixture.accept(2, vec![Admitted { per_session: 9, ..last }]).await;
    assert!(matches!(late[0], Stored::Accepted { .. }));
    let first = fixture.claim("anna").await.unwrap();
    assert_eq!((ids(&first), first.more), (sent[..2].to_vec(), true));
    fixture.finish(answered(&first, "A")).await;
    let second = fixture.claim("anna").await.unwrap();
    assert_eq!((ids(&second), second.more), (sent[2..3].to_vec(), true));
    fixture.finish(answered(&second, "B")).await;
    assert_eq!(ids(&fixture.claim("anna").await.unwrap()), sent[3..4], "another album is another turn");
}

#[tokio::test]
async fn a_message_without_an_album_goes_alone() {
    let fixture = Fixture::open().await;
    let sent = all(&fixture, vec![says("anna", "1", "a"), says("anna", "2", "b")]).await;
    let turn = fixture.claim("anna").await.unwrap();
    assert_eq!((ids(&turn), turn.more), (sent[..1].to_vec(), true));
}

#[tokio::test]
async fn two_people_have_no_album_in_common() {
    let fixture = Fixture::open().await;
    let eve = with_event(piece("2", "x"), |event| event.from.id = person("66"));
    let sent = all(&fixture, vec![piece("1", "x"), eve]).await;
    assert_eq!(ids(&fixture.claim("anna").await.unwrap()), sent[..1]);
}

#[tokio::test]
async fn an_album_does_not_reach_over_an_epoch() {
    let fixture = Fixture::open().await;
    let renewed = Admitted { epoch: EpochChange::New, ..piece("2", "x") };
    let sent = all(&fixture, vec![piece("1", "x"), renewed]).await;
    let turn = fixture.claim("anna").await.unwrap();
    assert_eq!((ids(&turn), turn.more), (sent[..1].to_vec(), true));
}

/// What became of each piece: whether it was accepted, or why it was refused and whether its sender was told.
fn fates(stored: &[Stored]) -> Vec<Option<(Refusal, bool)>> {
    let fate = |stored: &Stored| match stored {
        Stored::Accepted { .. } => None,
        Stored::Refused { reason, told, .. } => Some((*reason, *told)),
        other => panic!("{other:?}"),
    };
    stored.iter().map(fate).collect()
}

#[tokio::test]
async fn an_album_is_not_cut_where_its_session_is_full() {
    let fixture = Fixture::open().await;
    for n in 0..3 {
        fixture.accept_one(1, says("anna", &n.to_string(), "x")).await;
    }
    let pieces = |album: &str| -> Vec<Admitted> {
        ["1", "2", "3"].map(|n| piece(&format!("{album}{n}"), album)).into()
    };
    assert_eq!(fates(&fixture.accept(2, pieces("x")).await), [None, None, None], "the first piece had space");
    let full = |told| Some((Refusal::SessionFull, told));
    assert_eq!(fates(&fixture.accept(3, pieces("y")).await), [full(true), full(false), full(false)]);
    // Space that comes meanwhile does not let the rest of a refused album in.
    fixture.claim("anna").await.unwrap();
    for n in 0..3 {
        fixture.accept(4, vec![Admitted { per_session: 99, ..piece(&format!("y-late-{n}"), "y") }]).await;
    }
    assert_eq!(fixture.store.waiting(), 5, "two messages, and one album of three pieces");
}

#[tokio::test]
async fn an_album_counts_once_against_the_daily_limit() {
    let fixture = Fixture::open().await;
    let quota = Some(Quota { limit: 2, day: 20_000 });
    let pieces = |album: &str| -> Vec<Admitted> {
        ["1", "2", "3"]
            .map(|n| Admitted { quota, per_session: 99, ..piece(&format!("{album}{n}"), album) })
            .into()
    };
    for album in ["x", "y"] {
        assert_eq!(fates(&fixture.accept(1, pieces(album)).await), [None, None, None]);
    }
    let over = |told| Some((Refusal::Quota, told));
    assert_eq!(fates(&fixture.accept(1, pieces("z")).await), [over(true), over(false), over(false)]);
}

#[tokio::test]
async fn an_album_without_end_is_limited_like_messages() {
    let fixture = Fixture::open().await;
    let pieces = (0..30).map(|n| piece(&n.to_string(), "x")).collect();
    let accepted = fates(&fixture.accept(1, pieces).await).into_iter().filter(Option::is_none).count();
    assert_eq!(accepted, 20);
}
