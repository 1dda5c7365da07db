//! Files that come with messages.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use frontdesk_core::message::FileKind;
use frontdesk_core::port::File;
use frontdesk_world::event::message_from;
use frontdesk_world::files::Fetch;
use frontdesk_world::wait::until;
use frontdesk_world::{Step, World, plan};

pub fn photo(name: &str) -> Fetch {
    Fetch::Bytes(format!("bytes of {name}").into_bytes())
}

/// The files that the agent got with message `m` of turn `n`, both counted from 0.
pub fn files(world: &World, n: usize, m: usize) -> Vec<File> {
    world.agent().turns()[n].prompt[m].files.clone()
}

pub fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The names of the files in a folder.
pub fn listed(folder: PathBuf) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap();
    names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Creates a file as the agent would, and returns its path.
pub fn made(world: &World, name: &str, bytes: &[u8]) -> PathBuf {
    let path = world.media().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Makes a file look three days old.
pub fn aged(path: &Path, world: &World) {
    let when = frontdesk_core::port::Clock::wall(world.clock()) - chrono::Duration::days(3);
    let file = std::fs::File::open(path).unwrap();
    file.set_modified(when.into()).unwrap();
}

#[tokio::test]
async fn a_photo_reaches_the_agent_as_a_file_of_ours() {
    let world = World::new().await;
    world.platform().holds("cat", [photo("cat")]);
    world.platform().outcome_of(message_from("anna", "look").with_file("cat", FileKind::Photo)).await;
    world.agent().begun(1).await;
    let [file] = files(&world, 0, 0).try_into().unwrap();
    assert_eq!((file.kind, file.name.as_deref(), file.size), (FileKind::Photo, Some("cat.bin"), Some(12)));
    let path = file.got.unwrap();
    assert_eq!(path.parent(), Some(world.media().join("in").as_path()));
    assert!(!path.file_name().unwrap().to_string_lossy().contains("cat"), "its name is ours: {path:?}");
    assert_eq!(std::fs::read(&path).unwrap(), b"bytes of cat");
    assert_eq!((mode(&path), mode(&world.media()), mode(path.parent().unwrap())), (0o400, 0o700, 0o700));
    world.at_rest().await;
}

#[tokio::test]
async fn an_album_is_one_turn_with_all_its_files_in_order() {
    let world = World::new().await;
    for name in ["a", "b", "c"] {
        world.platform().holds(name, [photo(name)]);
    }
    // A turn is running, so that the whole album waits.
    world.agent().will([Step::Pause]);
    world.user("anna").says("wait").await;
    world.agent().begun(1).await;
    for name in ["a", "b", "c"] {
        let piece = message_from("anna", "").with_file(name, FileKind::Photo).of_album("7");
        world.platform().outcome_of(piece).await;
    }
    world.agent().resume();
    world.agent().begun(2).await;
    world.at_rest().await;
    assert_eq!(world.agent().turns().len(), 2);
    let names: Vec<String> =
        (0..3).flat_map(|m| files(&world, 1, m)).map(|file| file.name.unwrap()).collect();
    assert_eq!(names, ["a.bin", "b.bin", "c.bin"]);
}

#[tokio::test]
async fn an_album_that_a_crash_cuts_in_two_is_one_turn() {
    let mut world = World::new().await;
    for name in ["a", "b", "c", "d"] {
        world.platform().holds(name, [photo(name)]);
    }
    let piece = |name: &str| message_from("anna", "").with_file(name, FileKind::Photo).of_album("7");
    world.platform().outcome_of(piece("a")).await;
    world.platform().outcome_of(piece("b")).await;
    world.crash().await;
    world.start().await.unwrap();
    world.platform().outcome_of(piece("c")).await;
    world.platform().outcome_of(piece("d")).await;
    world.clock().pass(Duration::from_secs(2));
    world.agent().begun(1).await;
    world.at_rest().await;
    assert_eq!(world.agent().turns().len(), 1);
    assert_eq!(world.agent().turns()[0].prompt.len(), 4);
}

#[tokio::test]
async fn a_fetched_file_is_not_fetched_again_after_a_restart() {
    let mut world = World::new().await;
    world.platform().holds("cat", [photo("cat")]);
    world.agent().will([Step::Hang]);
    world.platform().outcome_of(message_from("anna", "look").with_file("cat", FileKind::Photo)).await;
    world.agent().begun(1).await;
    world.crash().await;
    world.start().await.unwrap();
    world.agent().begun(2).await;
    world.at_rest().await;
    assert!(world.agent().turns()[1].resumed);
    assert_eq!(files(&world, 0, 0), files(&world, 1, 0));
    assert!(files(&world, 1, 0)[0].got.as_ref().unwrap().exists());
    assert_eq!(world.platform().fetched(), ["cat"]);
}

#[tokio::test]
async fn a_file_that_a_crash_interrupted_is_fetched_again() {
    let mut world = World::new().await;
    world.platform().holds("cat", [Fetch::Stuck, photo("cat")]);
    world.platform().outcome_of(message_from("anna", "look").with_file("cat", FileKind::Photo)).await;
    until("a part of it is there", || async { (!listed(world.media().join("in")).is_empty()).then_some(()) })
        .await;
    world.crash().await;
    // A real crash runs no destructors; it leaves these files.
    made(&world, "in/.part-0123", b"some");
    world.start().await.unwrap();
    world.agent().begun(1).await;
    assert_eq!(std::fs::read(files(&world, 0, 0)[0].got.as_ref().unwrap()).unwrap(), b"bytes of cat");
    world.at_rest().await;
    assert_eq!(listed(world.media().join("in")).len(), 1, "no half file is left");
}

#[tokio::test]
async fn a_download_that_never_ends_is_given_up_and_its_message_is_answered() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.platform().holds("stuck", [Fetch::Stuck]);
    world.platform().outcome_of(message_from("anna", "look").with_file("stuck", FileKind::Document)).await;
    world.asleep(Duration::from_secs(60)).await;
    world.clock().pass(Duration::from_secs(60));
    assert_eq!(anna.hears().await, "look");
    let got = files(&world, 0, 0)[0].got.clone();
    assert_eq!(got, Err("It did not arrive in time.".to_owned()));
    world.at_rest().await;
    assert!(listed(world.media().join("in")).is_empty());
}

#[tokio::test]
async fn typing_is_shown_while_a_file_comes_and_stop_does_not_wait_for_it() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.platform().holds("stuck", [Fetch::Stuck]);
    world.platform().outcome_of(message_from("anna", "look").with_file("stuck", FileKind::Document)).await;
    world.asleep(Duration::from_millis(400)).await;
    world.clock().pass(Duration::from_millis(400));
    until("typing was shown", || async { (world.platform().typings() == 1).then_some(()) }).await;
    anna.says("/stop").await;
    world.at_rest().await;
    assert!(world.agent().turns().is_empty());
}

#[tokio::test]
async fn a_platform_that_says_later_is_asked_again() {
    let world = World::new().await;
    world.platform().holds("cat", [Fetch::Later, Fetch::Cut, photo("cat")]);
    world.platform().outcome_of(message_from("anna", "look").with_file("cat", FileKind::Photo)).await;
    for pause in [1, 2] {
        world.asleep(Duration::from_secs(pause)).await;
        world.clock().pass(Duration::from_secs(pause));
    }
    world.agent().begun(1).await;
    assert!(files(&world, 0, 0)[0].got.is_ok());
    assert_eq!(world.platform().fetched().len(), 3);
    world.at_rest().await;
}

#[tokio::test]
async fn a_message_is_answered_even_if_its_file_cannot_be_fetched() {
    let world = World::with(plan().with(|config| config.media.max_bytes = 1000)).await;
    for (name, answer) in [
        ("no", Fetch::Refused),
        ("bang", Fetch::Panic),
        ("flood", Fetch::Endless),
        ("large", Fetch::Bytes(vec![0; 1001])),
        ("exact", Fetch::Bytes(vec![0; 1000])),
    ] {
        world.platform().holds(name, [answer]);
    }
    let mut message = message_from("anna", "look");
    for name in ["no", "bang", "flood", "large", "exact"] {
        message = message.with_file(name, FileKind::Document);
    }
    world.platform().outcome_of(message).await;
    assert_eq!(world.user("anna").hears().await, "look");
    let got: Vec<Result<(), String>> =
        files(&world, 0, 0).into_iter().map(|file| file.got.map(drop)).collect();
    let too_large = Err("It has more than 1000 bytes, and is not fetched.".to_owned());
    assert_eq!(
        got,
        [
            Err("The platform does not hand it out.".to_owned()),
            Err("It could not be fetched.".to_owned()),
            too_large.clone(),
            too_large,
            Ok(())
        ]
    );
    world.at_rest().await;
    assert_eq!(listed(world.media().join("in")).len(), 1);
}

#[tokio::test]
async fn no_file_is_fetched_for_a_sender_without_access() {
    let world = World::with(plan().access(|access| {
        access.dm_policy = frontdesk_core::access::DmPolicy::Allowlist;
    }))
    .await;
    world.platform().holds("cat", [photo("cat")]);
    world.platform().outcome_of(message_from("mallory", "look").with_file("cat", FileKind::Photo)).await;
    world.at_rest().await;
    assert!(world.platform().fetched().is_empty() && world.agent().turns().is_empty());
}
