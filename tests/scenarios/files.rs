//! Files that come with messages, and files that go with answers.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use frontdesk_core::act::SendError;
use frontdesk_core::message::FileKind;
use frontdesk_core::port::File;
use frontdesk_world::event::said;
use frontdesk_world::files::Fetch;
use frontdesk_world::patience::until;
use frontdesk_world::platform::{Carried, Fault};
use frontdesk_world::{Step, World, operator, plan};

fn photo(name: &str) -> Fetch {
    Fetch::Bytes(format!("bytes of {name}").into_bytes())
}

/// What the agent got with its turn `n`, counted from 0, and with the message `m` of it.
fn files(world: &World, n: usize, m: usize) -> Vec<File> {
    world.agent().turns()[n].prompt[m].files.clone()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The names in a folder of files.
fn listed(folder: PathBuf) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap();
    names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Makes a file of the agent's, and gives its path.
fn made(world: &World, name: &str, bytes: &[u8]) -> PathBuf {
    let path = world.media().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    path
}

/// The file looks as if it had been there for days.
fn aged(path: &Path, world: &World) {
    let when = frontdesk_core::port::Clock::wall(world.clock()) - chrono::Duration::days(3);
    let file = std::fs::File::open(path).unwrap();
    file.set_modified(when.into()).unwrap();
}

#[tokio::test]
async fn a_photo_reaches_the_agent_as_a_file_of_ours() {
    let world = World::new().await;
    world.platform().holds("cat", [photo("cat")]);
    world.platform().brought(said("anna", "look").with_file("cat", FileKind::Photo)).await;
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
    // Something runs, so that the album waits as a whole.
    world.agent().will([Step::Pause]);
    world.user("anna").says("wait").await;
    world.agent().begun(1).await;
    for name in ["a", "b", "c"] {
        let piece = said("anna", "").with_file(name, FileKind::Photo).of_album("7");
        world.platform().brought(piece).await;
    }
    world.agent().go_on();
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
    let piece = |name: &str| said("anna", "").with_file(name, FileKind::Photo).of_album("7");
    world.platform().brought(piece("a")).await;
    world.platform().brought(piece("b")).await;
    world.crash().await;
    world.start().await.unwrap();
    world.platform().brought(piece("c")).await;
    world.platform().brought(piece("d")).await;
    world.clock().pass(Duration::from_secs(2));
    world.agent().begun(1).await;
    world.at_rest().await;
    assert_eq!(world.agent().turns().len(), 1);
    assert_eq!(world.agent().turns()[0].prompt.len(), 4);
}

#[tokio::test]
async fn what_was_fetched_is_not_fetched_again_after_a_restart() {
    let mut world = World::new().await;
    world.platform().holds("cat", [photo("cat")]);
    world.agent().will([Step::Hang]);
    world.platform().brought(said("anna", "look").with_file("cat", FileKind::Photo)).await;
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
async fn a_crash_in_the_middle_of_a_file_costs_nothing_but_the_time() {
    let mut world = World::new().await;
    world.platform().holds("cat", [Fetch::Stuck, photo("cat")]);
    world.platform().brought(said("anna", "look").with_file("cat", FileKind::Photo)).await;
    until("a part of it is there", || async { (!listed(world.media().join("in")).is_empty()).then_some(()) })
        .await;
    world.crash().await;
    // A real crash runs no destructors: this is what it leaves.
    made(&world, "in/.part-0123", b"some");
    world.start().await.unwrap();
    world.agent().begun(1).await;
    assert_eq!(std::fs::read(files(&world, 0, 0)[0].got.as_ref().unwrap()).unwrap(), b"bytes of cat");
    world.at_rest().await;
    assert_eq!(listed(world.media().join("in")).len(), 1, "no half file is left");
}

#[tokio::test]
async fn a_file_that_never_ends_to_come_is_told_to_the_agent_and_the_message_is_answered() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.platform().holds("stuck", [Fetch::Stuck]);
    world.platform().brought(said("anna", "look").with_file("stuck", FileKind::Document)).await;
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
    world.platform().brought(said("anna", "look").with_file("stuck", FileKind::Document)).await;
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
    world.platform().brought(said("anna", "look").with_file("cat", FileKind::Photo)).await;
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
async fn a_file_that_cannot_be_had_never_costs_the_message() {
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
    let mut message = said("anna", "look");
    for name in ["no", "bang", "flood", "large", "exact"] {
        message = message.with_file(name, FileKind::Document);
    }
    world.platform().brought(message).await;
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
async fn nothing_is_fetched_for_somebody_who_may_not_speak() {
    let world = World::with(plan().access(|access| {
        access.dm_policy = frontdesk_core::access::DmPolicy::Allowlist;
    }))
    .await;
    world.platform().holds("cat", [photo("cat")]);
    world.platform().brought(said("mallory", "look").with_file("cat", FileKind::Photo)).await;
    world.at_rest().await;
    assert!(world.platform().fetched().is_empty() && world.agent().turns().is_empty());
}

#[tokio::test]
async fn an_agents_file_follows_its_answer() {
    let world = World::new().await;
    let anna = world.user("anna");
    made(&world, "charts/sales.png", b"png");
    world.agent().will([Step::Say("Here."), Step::File("charts/sales.png", Some("**May**"))]);
    anna.says("draw").await;
    assert_eq!(anna.hears().await, "Here.");
    let file = anna.next().await;
    assert_eq!(file.text, "<b>May</b>");
    let carried = Carried { name: "sales.png".into(), kind: FileKind::Photo, bytes: b"png".to_vec() };
    assert_eq!(file.file, Some(carried));
    world.at_rest().await;
}

#[tokio::test]
async fn a_line_that_names_a_file_becomes_the_file() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    let path = made(&world, "a.mp3", b"mp3");
    let line = format!("Listen:\nMEDIA: {}\n```\nMEDIA: this is code\n```", path.display());
    world.agent().will([Step::Echo, Step::Pause]);
    anna.says(&line).await;
    // While it grows the line is not shown either.
    let shown = world.platform().shows("anna", 1, |_| true).await;
    assert!(!shown[0].text.contains("a.mp3"), "{shown:?}");
    world.agent().go_on();
    world.at_rest().await;
    let chat = world.platform().chat("anna");
    assert!(chat[0].text.starts_with("Listen:") && chat[0].text.contains("this is code"), "{chat:?}");
    assert_eq!(
        chat[1].file.as_ref().map(|file| (file.name.as_str(), file.kind)),
        Some(("a.mp3", FileKind::Audio))
    );
    assert_eq!(chat.len(), 2);
}

#[tokio::test]
async fn a_file_alone_is_an_answer() {
    let world = World::new().await;
    let anna = world.user("anna");
    made(&world, "a.txt", b"a");
    world.agent().will([Step::File("a.txt", None)]);
    anna.says("send").await;
    assert!(anna.next().await.file.is_some());
    world.at_rest().await;
    assert_eq!(anna.sees(), [""]);
}

#[tokio::test]
async fn a_file_from_elsewhere_is_refused_and_the_answer_comes() {
    let world = World::new().await;
    let anna = world.user("anna");
    std::fs::write(world.home().join("secret.txt"), "s").unwrap();
    std::os::unix::fs::symlink(world.home().join("secret.txt"), world.media().join("link.txt")).unwrap();
    for (n, path) in ["/etc/passwd", "../secret.txt", "link.txt", "file:///etc/passwd", "\\\\host\\share"]
        .into_iter()
        .enumerate()
    {
        anna.says(&format!("{n}\nMEDIA: {path}")).await;
        let sentence = "(A file could not be sent: it must lie in the media folder.)";
        assert_eq!(anna.hears().await, format!("{n}\n\n{sentence}"));
    }
    world.at_rest().await;
    assert!(world.platform().chat("anna").iter().all(|message| message.file.is_none()));
}

#[tokio::test]
async fn a_platform_without_files_names_the_file() {
    let world = World::with(plan().files_up_to(None)).await;
    let anna = world.user("anna");
    made(&world, "report.pdf", b"pdf");
    world.agent().will([Step::Say("Done."), Step::File("report.pdf", Some("for May"))]);
    anna.says("report").await;
    let answer = anna.hears().await;
    assert!(
        answer.starts_with("Done.") && answer.contains("report.pdf") && answer.ends_with("for May"),
        "{answer}"
    );
    world.at_rest().await;
}

#[tokio::test]
async fn a_file_that_waits_is_sent_as_it_was_and_once_after_a_restart() {
    let mut world = World::new().await;
    let anna = world.user("anna");
    let path = made(&world, "a.txt", b"first");
    world.platform().set_offline(true);
    world.agent().will([Step::File("a.txt", None)]);
    let message = anna.says("send").await;
    world.ended(message).await;
    std::fs::write(&path, "second").unwrap();
    world.crash().await;
    world.platform().set_offline(false);
    world.start().await.unwrap();
    world.at_rest().await;
    let sent: Vec<Vec<u8>> =
        world.platform().chat("anna").into_iter().filter_map(|message| Some(message.file?.bytes)).collect();
    assert_eq!(sent, [b"first"]);
}

#[tokio::test]
async fn a_waiting_file_that_somebody_deleted_is_dead_and_the_next_part_goes_on() {
    let world = World::new().await;
    let anna = world.user("anna");
    made(&world, "a.txt", b"a");
    world.platform().set_offline(true);
    world.agent().will([Step::File("a.txt", None)]);
    let message = anna.says("send").await;
    world.ended(message).await;
    until("the part has come back", || async { world.outbox().await[0].error.clone() }).await;
    for name in listed(world.media().join("out")) {
        std::fs::remove_file(world.media().join("out").join(name)).unwrap();
    }
    world.platform().set_offline(false);
    anna.says("still there?").await;
    // Whatever waits for the account has its time, however often it waits.
    until("the next answer comes", || async {
        world.clock().pass(Duration::from_secs(1));
        anna.sees().contains(&"still there?".to_owned()).then_some(())
    })
    .await;
    let dead: Vec<String> = world
        .outbox()
        .await
        .into_iter()
        .filter(|row| row.state.name() == "dead")
        .filter_map(|row| row.error)
        .collect();
    assert_eq!(dead, ["refused: its file cannot be sent: there is no such file in the media folder"]);
    world.at_rest().await;
}

#[tokio::test]
async fn a_sweep_takes_what_is_old_and_what_nobody_names() {
    let mut world = World::with(plan().with(|config| config.media.keep_days = 2)).await;
    let anna = world.user("anna");
    world.platform().holds("cat", [photo("cat")]);
    world.platform().brought(said("anna", "look").with_file("cat", FileKind::Photo)).await;
    anna.hears().await;
    made(&world, "mine.txt", b"mine");
    world.agent().will([Step::File("mine.txt", None)]);
    anna.says("send").await;
    anna.next().await;
    world.at_rest().await;
    let cat = files(&world, 0, 0)[0].got.clone().unwrap();
    let sent = world.media().join("out").join(&listed(world.media().join("out"))[0]);
    // A crash between the file's name and its row leaves a file that nobody names.
    let (orphan, young) = (made(&world, "in/aa.jpg", b"x"), made(&world, "in/bb.jpg", b"x"));
    for path in [&cat, &sent, &orphan] {
        aged(path, &world);
    }
    world.stop().await;
    world.start().await.unwrap();
    until("the orphan and the sent file are gone", || async {
        (!orphan.exists() && !sent.exists()).then_some(())
    })
    .await;
    assert!(cat.exists() && young.exists(), "a row names the one, and the other is young");
    world.clock().pass(Duration::from_secs(3 * 24 * 3600));
    world.stop().await;
    world.start().await.unwrap();
    until("the old file is gone", || async { (!cat.exists()).then_some(()) }).await;
    assert!(world.media().join("mine.txt").exists(), "what is not ours is not touched");
    world.at_rest().await;
}

#[tokio::test]
async fn a_chat_that_has_moved_gets_its_answer_at_its_new_place() {
    let world = World::new().await;
    let moved = Fault::Answer(SendError::Moved { to: "-1002".to_owned() });
    world.platform().fails([moved]);
    world.platform().brought(said("anna", "hello").in_group("-1")).await;
    let shown = world.platform().shows("-1002", 1, |_| true).await;
    assert_eq!(shown[0].text, "hello");
    world.at_rest().await;
    assert_eq!(world.outbox().await.last().unwrap().attempts, 1, "a move is no attempt");
}

#[tokio::test]
async fn a_chat_that_moves_under_a_growing_answer_gets_it_whole() {
    let world = World::with(plan().edits(800)).await;
    let moved = || Fault::Answer(SendError::Moved { to: "-1002".to_owned() });
    world.platform().fails([moved(), moved()]);
    world.agent().will([Step::Say("one "), Step::Pause, Step::Say("two")]);
    world.platform().brought(said("anna", "count").in_group("-1")).await;
    until("the first post was refused", || async {
        world.platform().journal().iter().any(|line| line.starts_with("answered")).then_some(())
    })
    .await;
    world.agent().go_on();
    let shown = world.platform().shows("-1002", 1, |_| true).await;
    assert_eq!(shown[0].text, "one two");
    world.at_rest().await;
    assert!(world.platform().chat("-1").is_empty());
}

#[tokio::test]
async fn a_caption_that_does_not_fit_follows_its_file_as_a_message() {
    let world = World::new().await;
    // A caption holds 50 characters with its marks, a message 200.
    for (caption, follows) in [
        ("a caption of just fifty characters, not one longer", false),
        ("a caption of fifty-one characters, which is one more", true),
        ("**b** **b** **b** **b** **b** **b** **b** **b** **b**", true),
    ] {
        for after in [Some("text after"), None] {
            let name = format!("anna{}{}", caption.len(), after.is_some());
            made(&world, "a.png", b"png");
            let text = after.map(Step::Say);
            world.agent().will([Step::File("a.png", Some(caption))].into_iter().chain(text));
            world.user(&name).says("draw").await;
            world.at_rest().await;
            let chat = world.platform().chat(&name).into_iter();
            let chat: Vec<(String, bool)> = chat.map(|sent| (sent.text, sent.file.is_some())).collect();
            let words = caption.replace("**b**", "<b>b</b>");
            let mut expected: Vec<(String, bool)> =
                after.map(|text| (text.to_owned(), false)).into_iter().collect();
            match follows {
                true => expected.extend([(String::new(), true), (words, false)]),
                false => expected.push((words, true)),
            }
            assert_eq!(chat, expected);
        }
    }
}

#[tokio::test]
async fn a_caption_that_the_platform_refuses_costs_nobody_the_file_and_a_bad_file_nobody_the_words() {
    let world = World::new().await;
    let anna = world.user("anna");
    made(&world, "a.png", b"png");
    let refused = || Fault::Answer(SendError::Refused("caption too long".to_owned()));
    world.platform().fails([refused()]);
    world.agent().will([Step::File("a.png", Some("May"))]);
    anna.says("draw").await;
    world.at_rest().await;
    let chat = world.platform().chat("anna");
    assert!(chat[0].file.is_some() && chat[0].text.is_empty(), "{chat:?}");
    assert_eq!((chat[1].text.as_str(), chat.len()), ("May", 2));

    let ben = world.user("ben");
    world.platform().fails([refused(), refused()]);
    world.agent().will([Step::File("a.png", Some("June"))]);
    ben.says("draw").await;
    world.at_rest().await;
    let sees = ben.sees();
    assert_eq!((sees[0].as_str(), sees.len()), ("June", 2), "{sees:?}");
    assert!(sees[1].contains("could not be delivered"), "{sees:?}");
}

#[tokio::test]
async fn erasing_a_conversation_erases_its_files() {
    let world = World::new().await;
    for (who, file) in [("anna", "cat"), ("bob", "dog")] {
        world.platform().holds(file, [photo(file)]);
        made(&world, &format!("{who}.txt"), b"for somebody");
        world.agent().will([Step::File("anna.txt", None), Step::Echo]);
        world.platform().brought(said(who, "look").with_file(file, FileKind::Photo)).await;
        world.at_rest().await;
    }
    assert_eq!((listed(world.media().join("in")).len(), listed(world.media().join("out")).len()), (2, 2));
    world.handle().erase(&world.key("anna"), &operator()).await.unwrap();
    let [left] = &listed(world.media().join("in"))[..] else { panic!("one is left") };
    let bobs = std::fs::read(world.media().join("in").join(left)).unwrap();
    assert_eq!(bobs, b"bytes of dog", "another conversation's file stays");
    assert_eq!(listed(world.media().join("out")).len(), 1);
}

#[tokio::test]
async fn the_same_file_sent_forty_times_is_fetched_and_kept_once() {
    let world = World::with(plan().with(|config| config.media.daily_bytes = 20)).await;
    world.platform().holds("cat", [photo("cat")]);
    for n in 0..40 {
        let cat = said("anna", &format!("{n}")).with_file("cat", FileKind::Photo).known_as(Some("u-cat"), 12);
        world.platform().brought(cat.in_topic("-1", &format!("{n}"))).await;
    }
    world.agent().begun(40).await;
    world.at_rest().await;
    assert_eq!(world.platform().fetched(), ["cat"]);
    assert_eq!(listed(world.media().join("in")).len(), 1);
    for n in 0..40 {
        let [file] = files(&world, n, 0).try_into().unwrap();
        assert_eq!(std::fs::read(file.got.unwrap()).unwrap(), b"bytes of cat");
    }
    // What was lost, or is not as it came, is fetched anew.
    std::fs::remove_file(world.media().join("in").join(&listed(world.media().join("in"))[0])).unwrap();
    world.clock().pass(Duration::from_secs(24 * 3600));
    world.platform().holds("cat", [photo("cat")]);
    let cat = said("anna", "again").with_file("cat", FileKind::Photo).known_as(Some("u-cat"), 12);
    world.platform().brought(cat).await;
    world.agent().begun(41).await;
    world.at_rest().await;
    assert!(files(&world, 40, 0)[0].got.as_ref().unwrap().exists());
}

#[tokio::test]
async fn the_same_content_lies_on_the_disk_once_and_outlives_either_session() {
    let mut world = World::new().await;
    world.platform().holds("a", [photo("cat")]);
    world.platform().holds("b", [photo("cat")]);
    world.platform().brought(said("anna", "1").with_file("a", FileKind::Photo)).await;
    world.agent().begun(1).await;
    world.at_rest().await;
    world.platform().brought(said("ben", "2").with_file("b", FileKind::Photo)).await;
    world.agent().begun(2).await;
    world.at_rest().await;
    assert_eq!((world.platform().fetched().len(), listed(world.media().join("in")).len()), (2, 1));
    let path = files(&world, 1, 0)[0].got.clone().unwrap();
    assert_eq!(files(&world, 0, 0)[0].got, Ok(path.clone()));
    world.handle().erase(&world.key("anna"), &frontdesk_world::operator()).await.unwrap();
    let orphan = made(&world, "in/aa.jpg", b"x");
    aged(&path, &world);
    aged(&orphan, &world);
    world.stop().await;
    world.start().await.unwrap();
    until("the orphan is gone", || async { (!orphan.exists()).then_some(()) }).await;
    assert!(path.exists(), "it is ben's as well");
    world.handle().erase(&world.key("ben"), &frontdesk_world::operator()).await.unwrap();
    world.stop().await;
    world.start().await.unwrap();
    until("the file is gone", || async { (!path.exists()).then_some(()) }).await;
}

#[tokio::test]
async fn a_person_has_so_many_bytes_a_day_and_is_told_once() {
    let world = World::with(plan().with(|config| config.media.daily_bytes = 30)).await;
    for name in ["a", "b", "c", "d", "e"] {
        world.platform().holds(name, [photo("cat"), photo("cat")]);
    }
    let sends =
        |person: &str, name: &str| said(person, name).with_file(name, FileKind::Photo).known_as(None, 12);
    for (n, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
        world.platform().brought(sends("anna", name)).await;
        world.agent().begun(n + 1).await;
        world.at_rest().await;
    }
    let got = |n: usize| files(&world, n, 0).remove(0).got;
    assert!(got(0).is_ok() && got(1).is_ok());
    assert!(got(2).unwrap_err().contains("as much today as one person may") && got(3).is_err());
    let told = || world.user("anna").sees().iter().filter(|text| text.contains("limit for files")).count();
    assert_eq!(told(), 1);
    world.platform().brought(sends("ben", "e")).await;
    world.agent().begun(5).await;
    assert!(got(4).is_ok(), "somebody else's day");
    world.clock().pass(Duration::from_secs(24 * 3600));
    world.platform().brought(sends("anna", "c")).await;
    world.agent().begun(6).await;
    world.at_rest().await;
    assert!(got(5).is_ok(), "another day");
}

#[tokio::test]
async fn a_fetch_that_is_stopped_gives_its_bytes_of_the_day_back() {
    let world = World::with(plan().with(|config| config.media.daily_bytes = 30)).await;
    world.platform().holds("slow", [Fetch::Stuck]);
    world.platform().holds("cat", [photo("cat")]);
    let sends = |name: &str, size| said("anna", name).with_file(name, FileKind::Photo).known_as(None, size);
    world.platform().brought(sends("slow", 30)).await;
    until("it is fetched", || async { (!world.platform().fetched().is_empty()).then_some(()) }).await;
    world.user("anna").says("/stop").await;
    world.at_rest().await;
    world.platform().brought(sends("cat", 12)).await;
    world.agent().begun(1).await;
    assert!(files(&world, 0, 0).remove(0).got.is_ok());
}

#[tokio::test]
async fn no_more_files_are_kept_than_may_be_and_old_ones_make_room() {
    let world = World::with(plan().with(|config| {
        config.media.total_bytes = 15;
        config.media.keep_days = 1;
    }))
    .await;
    for name in ["a", "b", "c"] {
        world.platform().holds(name, [photo(name)]);
    }
    let sends = |name: &str| said("anna", name).with_file(name, FileKind::Photo).known_as(None, 10);
    for (n, name) in ["a", "b"].into_iter().enumerate() {
        world.platform().brought(sends(name)).await;
        world.agent().begun(n + 1).await;
        world.at_rest().await;
    }
    assert!(files(&world, 0, 0)[0].got.is_ok());
    assert!(files(&world, 1, 0)[0].got.as_ref().unwrap_err().contains("As many files are kept"));
    assert!(world.user("anna").sees().iter().any(|text| text.contains("storage for files is full")));
    world.clock().pass(Duration::from_secs(2 * 24 * 3600));
    world.platform().brought(sends("c")).await;
    world.agent().begun(3).await;
    world.at_rest().await;
    assert!(files(&world, 2, 0)[0].got.is_ok());
    assert_eq!(listed(world.media().join("in")).len(), 1);
}
