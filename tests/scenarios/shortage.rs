//! Without a free file descriptor the gateway waits. This test is alone in its process, because it changes the limit.

use std::time::Duration;

use frontdesk_core::message::FileKind;
use frontdesk_world::event::message_from;
use frontdesk_world::files::Fetch;
use frontdesk_world::wait::until;
use frontdesk_world::{Step, World};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

#[tokio::test]
async fn files_wait_for_descriptors_on_their_way_in_and_out() {
    let world = World::new().await;
    let anna = world.user("anna");
    let before = getrlimit(Resource::Nofile);
    let none_left = || setrlimit(Resource::Nofile, Rlimit { current: Some(3), ..before }).unwrap();
    let as_before = || setrlimit(Resource::Nofile, before).unwrap();
    let tried_again = || async {
        let pause = Duration::from_secs(4);
        until("it is to be tried again", || async { world.clock().has_sleeper(pause).then_some(()) }).await;
        as_before();
        world.clock().pass(Duration::from_secs(5));
    };
    world.platform().holds("cat", [Fetch::Bytes(b"cat".to_vec())]);
    world.agent().will([Step::Pause, Step::File("chart.png", None)]);

    none_left();
    world.platform().outcome_of(message_from("anna", "look").with_file("cat", FileKind::Photo)).await;
    tried_again().await;
    world.agent().begun(1).await;
    assert!(world.agent().turns()[0].prompt[0].files[0].got.is_ok(), "the picture is there");

    std::fs::write(world.media().join("chart.png"), b"chart").unwrap();
    none_left();
    world.agent().resume();
    tried_again().await;
    assert_eq!(anna.next().await.file.map(|file| file.bytes), Some(b"chart".to_vec()));
}
