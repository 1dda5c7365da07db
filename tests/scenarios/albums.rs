//! Several files of one answer.

use std::time::Duration;

use frontdesk_core::delivery::SendError;
use frontdesk_runtime::config::Ambiguous;
use frontdesk_store::row::OutboxState;
use frontdesk_world::platform::Fault;
use frontdesk_world::wait::until;
use frontdesk_world::{Step, World, plan};

use crate::files::made;

/// The files of a chat with their captions, in order.
fn files(world: &World, chat: &str) -> Vec<(String, String)> {
    let files = world.platform().chat(chat).into_iter();
    files.filter_map(|sent| Some((sent.file?.name, sent.text))).collect()
}

fn with_captions(files: &[(&str, &str)]) -> Vec<(String, String)> {
    files.iter().map(|(name, caption)| ((*name).to_owned(), (*caption).to_owned())).collect()
}

fn send(world: &World, files: &[(&'static str, &'static str)]) {
    let step = |(name, caption): &(&'static str, &'static str)| {
        made(world, name, name.as_bytes());
        Step::File(name, Some(caption).filter(|text| !text.is_empty()).copied())
    };
    world.agent().will(files.iter().map(step).collect::<Vec<_>>());
}

#[tokio::test]
async fn files_that_go_together_are_one_album_where_the_platform_has_albums() {
    let sent =
        [("a.png", "May"), ("b.mp4", ""), ("c.pdf", "one"), ("d.pdf", "two"), ("e.mp3", ""), ("f.png", "")];
    for (plan, albums) in
        [(plan(), vec![]), (plan().albums(10), vec![vec!["a.png", "b.mp4"], vec!["c.pdf", "d.pdf"]])]
    {
        let world = World::with(plan).await;
        send(&world, &sent);
        world.user("anna").says("all of them").await;
        world.at_rest().await;
        assert_eq!(files(&world, "anna"), with_captions(&sent));
        assert_eq!(world.platform().albums(), albums);
        let ids: Vec<_> = world.outbox().await.into_iter().filter_map(|row| row.platform_message).collect();
        let on_platform: Vec<_> = world.platform().chat("anna").into_iter().map(|sent| sent.id).collect();
        assert_eq!(ids.len(), on_platform.len(), "each file has an id of its own");
        assert!(on_platform.iter().all(|id| ids.contains(id)), "{ids:?} {on_platform:?}");
    }
}

#[tokio::test]
async fn an_album_is_as_long_as_the_platform_allows_and_ends_where_text_follows_a_file() {
    let world = World::with(plan().albums(3)).await;
    let long = "a caption of fifty-one characters, which is one more";
    send(
        &world,
        &[("a.png", ""), ("b.png", ""), ("c.png", ""), ("d.png", ""), ("e.png", long), ("f.png", "")],
    );
    world.user("anna").says("all of them").await;
    world.at_rest().await;
    assert_eq!(world.platform().albums(), [vec!["a.png", "b.png", "c.png"], vec!["d.png", "e.png"]]);
    let chat: Vec<String> = world.platform().chat("anna").into_iter().map(|sent| sent.text).collect();
    assert_eq!(chat, ["", "", "", "", "", long, ""]);
}

#[tokio::test]
async fn a_refused_file_costs_its_album_nothing_but_being_together() {
    let world = World::with(plan().albums(10)).await;
    let anna = world.user("anna");
    world.platform().refuse_file("b.png");
    send(&world, &[("a.png", "one"), ("b.png", "two"), ("c.png", "three")]);
    anna.says("all of them").await;
    world.at_rest().await;
    assert_eq!(files(&world, "anna"), with_captions(&[("a.png", "one"), ("c.png", "three")]));
    assert_eq!(world.platform().albums(), Vec::<Vec<String>>::new());
    let sees = anna.sees();
    assert!(sees.contains(&"two".to_owned()), "its caption is sent without it: {sees:?}");
    assert_eq!(sees.iter().filter(|text| text.contains("could not be delivered")).count(), 1, "{sees:?}");
}

#[tokio::test]
async fn markup_that_an_album_is_refused_for_is_sent_plain_by_its_file_alone() {
    let world = World::with(plan().albums(10)).await;
    let refused = || Fault::Answer(SendError::Markup("cannot parse it".into()));
    // The album, and then the first file alone.
    world.platform().fails([refused(), refused()]);
    send(&world, &[("a.png", "**one**"), ("b.png", "**two**")]);
    world.user("anna").says("both").await;
    world.at_rest().await;
    assert_eq!(files(&world, "anna"), with_captions(&[("a.png", "one"), ("b.png", "<b>two</b>")]));
}

#[tokio::test]
async fn an_album_that_may_have_arrived_follows_the_operators_choice_as_a_whole() {
    let both = [("a.png", ""), ("b.png", "")];
    let world = World::with(plan().albums(10)).await;
    world.platform().fails([Fault::LostAnswer]);
    send(&world, &both);
    world.user("anna").says("both").await;
    until("the album is sent again", || async {
        world.clock().pass(Duration::from_secs(1));
        (world.platform().albums().len() == 2).then_some(())
    })
    .await;
    world.at_rest().await;
    assert_eq!(world.platform().albums(), [["a.png", "b.png"], ["a.png", "b.png"]], "at least once");

    let hold = plan().albums(10).with(|config| config.delivery.on_ambiguous = Ambiguous::Hold);
    let world = World::with(hold).await;
    let anna = world.user("anna");
    world.platform().fails([Fault::LostAnswer]);
    send(&world, &both);
    anna.says("both").await;
    anna.says("still there?").await;
    world.at_rest().await;
    assert_eq!(world.platform().albums().len(), 1);
    let states: Vec<_> = world.outbox().await.iter().map(|row| row.state).collect();
    assert_eq!(states.iter().filter(|state| **state == OutboxState::Unknown).count(), 2, "{states:?}");
    assert!(anna.sees().contains(&"still there?".to_owned()), "it blocks nothing");
}

#[tokio::test]
async fn an_album_is_sent_once_and_whole_after_a_kill_before_or_during_its_request() {
    for during in [false, true] {
        let mut world = World::with(plan().albums(10)).await;
        let anna = world.user("anna");
        match during {
            true => world.platform().fails([Fault::Hang]),
            false => world.platform().set_offline(true),
        }
        send(&world, &[("a.png", "one"), ("b.png", "two")]);
        let message = anna.says("both").await;
        world.ended(message).await;
        let state = if during { OutboxState::Sending } else { OutboxState::Queued };
        until("both files wait", || async {
            let rows = world.outbox().await;
            (rows.len() == 2 && rows.iter().all(|row| row.state == state)).then_some(())
        })
        .await;
        world.crash().await;
        world.platform().set_offline(false);
        world.start().await.unwrap();
        // The first attempt may have been made, and have failed: then the files pause.
        until("the album is sent", || async {
            world.clock().pass(Duration::from_secs(1));
            (!world.platform().albums().is_empty()).then_some(())
        })
        .await;
        world.at_rest().await;
        assert_eq!(world.platform().albums(), [["a.png", "b.png"]]);
        assert_eq!(files(&world, "anna"), with_captions(&[("a.png", "one"), ("b.png", "two")]));
    }
}
