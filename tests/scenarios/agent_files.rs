//! Files that agents send.

use std::time::Duration;

use frontdesk_core::delivery::SendError;
use frontdesk_core::message::FileKind;
use frontdesk_world::platform::{Fault, PostedFile};
use frontdesk_world::wait::until;
use frontdesk_world::{Step, World, plan};

use crate::files::{listed, made};

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
    let carried = PostedFile { name: "sales.png".into(), kind: FileKind::Photo, bytes: b"png".to_vec() };
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
    // While the message grows the line is not shown either.
    let shown = world.platform().shows("anna", 1, |_| true).await;
    assert!(!shown[0].text.contains("a.mp3"), "{shown:?}");
    world.agent().resume();
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
async fn a_file_outside_the_media_folder_is_refused_and_the_answer_is_sent() {
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
async fn a_part_whose_file_was_deleted_is_dead_and_the_next_part_is_sent() {
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
    // Waiting for the account does not use up the time of the part, however often it waits.
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
async fn a_caption_that_does_not_fit_follows_its_file_as_a_message() {
    let world = World::new().await;
    // The limit is 50 characters for a caption with its markup, and 200 for a message.
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
async fn a_refused_caption_does_not_stop_its_file_and_a_refused_file_does_not_stop_its_caption() {
    let world = World::new().await;
    let anna = world.user("anna");
    made(&world, "a.png", b"png");
    let refused = || Fault::Answer(SendError::Refused("caption too long".into()));
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
