//! Voice messages: transcribed before their turn begins, once, and within limits.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::history::{HistoryEntry, HistoryRequest};
use frontdesk_core::message::FileKind;
use frontdesk_core::prompt;
use frontdesk_core::voice::RecordingLimits;
use frontdesk_world::event::{TestEvent, message_from};
use frontdesk_world::files::Fetch;
use frontdesk_world::transcriber::{HEARD, Heard, ScriptedTranscriber};
use frontdesk_world::wait::until;
use frontdesk_world::{Step, World, operator, plan};

use crate::files::files;

const MINUTE: Duration = Duration::from_secs(60);

/// A world in which these files can be fetched, and its transcriber.
async fn hearing(names: &[&str]) -> (World, Arc<ScriptedTranscriber>) {
    let transcriber = ScriptedTranscriber::new();
    let world = World::with(plan().transcriber(&transcriber)).await;
    hold(&world, names);
    (world, transcriber)
}

fn hold(world: &World, names: &[&str]) {
    for name in names {
        world.platform().holds(name, [Fetch::Bytes(format!("sound of {name}").into_bytes())]);
    }
}

fn voice(person: &str, name: &str) -> TestEvent {
    message_from(person, "").with_file(name, FileKind::Voice)
}

/// What the agent got as the transcript of the first file of message `m` of turn `n`.
fn transcript(world: &World, n: usize, m: usize) -> Result<String, String> {
    files(world, n, m)[0].transcript.clone().expect("it is a recording")
}

fn said(words: &str) -> Heard {
    Heard::Words(words.to_owned())
}

#[tokio::test]
async fn the_words_of_a_voice_message_reach_the_agent_and_the_history() {
    let (world, transcriber) = hearing(&["v"]).await;
    transcriber.will([said(" Remind me\nat six.\u{7} \n")]);
    world.platform().outcome_of(voice("anna", "v").lasting(60)).await;
    world.at_rest().await;
    let turn = world.agent().turns()[0].clone();
    assert_eq!(prompt::text(&turn), "[Transcript of a voice message]\nRemind me\nat six.");
    let facts = prompt::facts(&turn)["messages"][0].clone();
    assert_eq!(
        (&facts["text"], &facts["files"][0]["transcript"]),
        (&"".into(), &"Remind me\nat six.".into())
    );
    assert!(files(&world, 0, 0)[0].got.as_ref().unwrap().exists(), "the agent can hear it itself");
    let [asked] = transcriber.asked().try_into().unwrap();
    assert_eq!((asked.kind, asked.seconds, asked.size), (FileKind::Voice, Some(60), 10));
    assert_eq!(transcriber.asked_bytes(), [b"sound of v"]);
    let row = &world.history("anna").await[0];
    assert_eq!((row.message.text.as_str(), row.words()), ("", prompt::text(&turn)));
    // The next turn reads what was said.
    world.user("anna").says("and?").await;
    world.at_rest().await;
    let request = HistoryRequest { before: None, messages: 10, bytes: 1000 };
    let page = world.agent().turns()[1].history.page(request).await.unwrap();
    let words = |entry: &HistoryEntry| match entry {
        HistoryEntry::Message { text, .. } => Some(text.clone()),
        _ => None,
    };
    assert_eq!(page.entries.iter().find_map(words).unwrap(), prompt::text(&turn));
}

#[tokio::test]
async fn what_counts_as_a_recording_is_its_kind_and_not_its_name() {
    let (world, transcriber) = hearing(&["a.ogg", "b", "c", "d"]).await;
    let message = message_from("anna", "listen")
        .with_file("a.ogg", FileKind::Document)
        .with_file("b", FileKind::Audio)
        .with_file("c", FileKind::VideoNote)
        .with_file("d", FileKind::Video);
    transcriber.will([said("one"), said("two")]);
    world.platform().outcome_of(message).await;
    world.at_rest().await;
    let heard: Vec<bool> = files(&world, 0, 0).iter().map(|file| file.transcript.is_some()).collect();
    assert_eq!(heard, [false, true, true, false]);
    let text = prompt::text(&world.agent().turns()[0]);
    assert!(text.starts_with("listen\n\n[Transcript of an audio file]\n"), "{text}");
    assert!(text.contains("\n\n[Transcript of a video message]\n"), "{text}");
}

#[tokio::test]
async fn without_a_transcriber_the_agent_gets_the_file_and_is_told_so() {
    let world = World::new().await;
    hold(&world, &["v"]);
    world.platform().outcome_of(voice("anna", "v")).await;
    world.at_rest().await;
    assert!(files(&world, 0, 0)[0].got.is_ok());
    assert_eq!(transcript(&world, 0, 0).unwrap_err(), "This gateway transcribes no recordings.");
    assert_eq!(prompt::text(&world.agent().turns()[0]), "");
    let file = prompt::facts(&world.agent().turns()[0])["messages"][0]["files"][0].clone();
    assert_eq!(file["no_transcript"], "This gateway transcribes no recordings.");
}

#[tokio::test]
async fn a_message_is_answered_even_if_it_cannot_be_transcribed() {
    let (world, transcriber) = hearing(&["fails", "panics", "silent", "long", "large"]).await;
    world.platform().holds("large", [Fetch::Bytes(vec![0; 1001])]);
    transcriber.will([Heard::Fails("a cause".to_owned()), Heard::Panics, said(" \n")]);
    for (turn, (name, seconds, why)) in [
        ("fails", 60, "It could not be transcribed."),
        ("panics", 60, "It could not be transcribed."),
        ("silent", 60, "The transcript is empty: no words were recognized."),
        ("long", 61, "It was not transcribed because it is longer than 60 seconds."),
        ("large", 60, "It was not transcribed because it has more than 1000 bytes."),
    ]
    .into_iter()
    .enumerate()
    {
        world.platform().outcome_of(voice("anna", name).lasting(seconds)).await;
        world.at_rest().await;
        assert!(files(&world, turn, 0)[0].got.is_ok(), "{name}");
        assert_eq!(transcript(&world, turn, 0).unwrap_err(), why, "{name}");
    }
    assert_eq!(transcriber.asked().len(), 3, "what is too long or too large is not even tried");
}

#[tokio::test]
async fn a_transcription_that_hangs_ends_at_its_time_limit() {
    let (world, transcriber) = hearing(&["v"]).await;
    transcriber.will([Heard::Hangs]);
    world.platform().outcome_of(voice("anna", "v")).await;
    transcriber.begun(1).await;
    world.asleep(MINUTE).await;
    world.clock().pass(MINUTE - Duration::from_secs(1));
    world.round_trip().await;
    assert!(world.agent().turns().is_empty(), "not before its time");
    world.clock().pass(Duration::from_secs(1));
    world.agent().begun(1).await;
    assert_eq!(transcript(&world, 0, 0).unwrap_err(), "It could not be transcribed in time.");
    assert_eq!(transcriber.running(), 0);
    world.at_rest().await;
}

#[tokio::test]
async fn stop_ends_a_transcription() {
    let (world, transcriber) = hearing(&["v"]).await;
    let anna = world.user("anna");
    transcriber.will([Heard::Hangs]);
    world.platform().outcome_of(voice("anna", "v")).await;
    transcriber.begun(1).await;
    assert_eq!(transcriber.running(), 1);
    anna.says("/stop").await;
    world.at_rest().await;
    assert_eq!((transcriber.running(), world.agent().turns().len()), (0, 0));
    anna.says("hello").await;
    world.agent().begun(1).await;
    world.at_rest().await;
}

#[tokio::test]
async fn a_crash_after_the_transcription_does_not_pay_for_it_twice() {
    let (mut world, transcriber) = hearing(&["v"]).await;
    world.agent().will([Step::Hang]);
    world.platform().outcome_of(voice("anna", "v")).await;
    world.agent().begun(1).await;
    world.crash().await;
    world.start().await.unwrap();
    world.agent().begun(2).await;
    world.at_rest().await;
    assert!(world.agent().turns()[1].resumed);
    for turn in [0, 1] {
        assert_eq!(transcript(&world, turn, 0).unwrap(), HEARD);
    }
    assert_eq!(transcriber.asked().len(), 1);
}

#[tokio::test]
async fn a_crash_and_an_orderly_stop_during_the_transcription_lose_nothing() {
    let transcriber = ScriptedTranscriber::new();
    let plan = plan().transcriber(&transcriber).with(|config| config.turns.drain_seconds = 0);
    let mut world = World::with(plan).await;
    hold(&world, &["v"]);
    transcriber.will([Heard::Hangs, Heard::Hangs]);
    world.platform().outcome_of(voice("anna", "v")).await;
    transcriber.begun(1).await;
    world.crash().await;
    world.start().await.unwrap();
    transcriber.begun(2).await;
    world.stop().await;
    assert_eq!((transcriber.running(), transcriber.stopped()), (0, 1));
    world.start().await.unwrap();
    world.agent().begun(1).await;
    world.at_rest().await;
    assert_eq!(transcript(&world, 0, 0).unwrap(), HEARD);
    assert_eq!((transcriber.asked().len(), world.agent().turns().len()), (3, 1));
    assert_eq!(world.platform().fetched(), ["v"], "nor is the file fetched again");
}

#[tokio::test]
async fn agents_are_told_to_stop_although_a_transcriber_does_not_end() {
    let (mut world, transcriber) = hearing(&[]).await;
    transcriber.hangs_at_stop();
    let running = world.running();
    let told = async {
        world.agent().stopped().await;
        // The stop waits for the transcriber no longer than this.
        let last_steps = Duration::from_secs(2);
        world.asleep(last_steps).await;
        world.clock().pass(last_steps);
    };
    tokio::join!(frontdesk_world::wait::soon("it stops", running.stop()), told);
    assert_eq!(transcriber.stopped(), 1);
}

#[tokio::test]
async fn a_retry_does_not_pay_again_but_tries_again_what_failed() {
    let (world, transcriber) = hearing(&["v", "w"]).await;
    let anna = world.user("anna");
    transcriber.will([said("heard"), Heard::Fails("no".to_owned()), said("heard at last")]);
    for (name, words) in [("v", "heard"), ("w", "heard at last")] {
        world.agent().will([Step::Fail]);
        world.platform().outcome_of(voice("anna", name)).await;
        world.at_rest().await;
        anna.says("/retry").await;
        world.at_rest().await;
        let last = world.agent().turns().len() - 1;
        assert_eq!(transcript(&world, last, 0).unwrap(), words);
    }
    assert_eq!(transcriber.asked().len(), 3);
}

#[tokio::test]
async fn an_album_of_recordings_is_transcribed_together_and_the_same_content_once() {
    let (world, transcriber) = hearing(&["a", "b"]).await;
    world.platform().holds("same", [Fetch::Bytes(b"sound of a".to_vec())]);
    world.agent().will([Step::Pause]);
    world.user("anna").says("wait").await;
    world.agent().begun(1).await;
    for name in ["a", "b", "same"] {
        let piece = message_from("anna", "").with_file(name, FileKind::Audio).of_album("7");
        world.platform().outcome_of(piece).await;
    }
    transcriber.will([Heard::Later("x".to_owned()), Heard::Later("y".to_owned())]);
    world.agent().resume();
    transcriber.begun(2).await;
    assert_eq!(transcriber.running(), 2, "both at once");
    transcriber.goes_on();
    transcriber.goes_on();
    world.agent().begun(2).await;
    world.at_rest().await;
    let words: Vec<String> = (0..3).map(|m| transcript(&world, 1, m).unwrap()).collect();
    assert_eq!((&words[0], transcriber.asked().len()), (&words[2], 2));
    assert_ne!(words[0], words[1]);
    let rows = world.history("anna").await;
    assert!(rows[1..].iter().all(|row| row.transcripts.len() == 1), "each message has its words");
    // The same recording once more, as a forward would bring it.
    world.platform().outcome_of(voice("anna", "same")).await;
    world.at_rest().await;
    assert_eq!((transcript(&world, 2, 0).unwrap(), transcriber.asked().len()), (words[2].clone(), 2));
    assert_eq!(world.history("anna").await.last().unwrap().transcripts.len(), 1);
}

#[tokio::test]
async fn a_reply_to_a_voice_message_brings_its_words() {
    let (world, transcriber) = hearing(&["v", "other"]).await;
    world.platform().outcome_of(voice("anna", "v").named("900")).await;
    world.at_rest().await;
    let reply = |name: &str, message: &str| {
        message_from("anna", "what is that?").replying_to_kind(message, name, FileKind::Voice)
    };
    world.platform().outcome_of(reply("v", "900")).await;
    world.at_rest().await;
    let quoted = |turn: usize| world.agent().turns()[turn].prompt[0].quoted_files[0].transcript.clone();
    assert_eq!((quoted(1), transcriber.asked().len()), (Some(Ok(HEARD.to_owned())), 1));
    assert_eq!(prompt::text(&world.agent().turns()[1]), "what is that?", "the words are somebody else's");
    world.platform().outcome_of(reply("other", "901")).await;
    world.at_rest().await;
    assert_eq!((quoted(2), transcriber.asked().len()), (Some(Ok(HEARD.to_owned())), 2));
}

#[tokio::test]
async fn many_voice_messages_block_no_other_chat_and_wait_for_a_limited_time() {
    // No other wait is as long.
    let timeout = Duration::from_secs(50);
    let limits = RecordingLimits { timeout, max_seconds: 60, max_bytes: 1000, at_once: 1 };
    let transcriber = ScriptedTranscriber::with(limits);
    let world = World::with(plan().transcriber(&transcriber)).await;
    hold(&world, &["v"]);
    transcriber.will([Heard::Hangs, Heard::Hangs]);
    for _ in 0..10 {
        world.platform().outcome_of(voice("anna", "v")).await;
    }
    transcriber.begun(1).await;
    for person in ["ben", "cleo"] {
        world.clock().pass(Duration::from_secs(10));
        world.platform().outcome_of(voice(person, "v")).await;
        world.asleep(timeout).await;
    }
    world.user("dora").says("hello").await;
    assert_eq!(world.user("dora").hears().await, "hello");
    let why = |turn: usize| transcript(&world, turn, 0).unwrap_err();
    // Anna's first one ends, so that Ben's begins; her next one waits behind Cleo's.
    world.clock().pass(Duration::from_secs(30));
    world.agent().begun(2).await;
    assert_eq!(why(1), "It could not be transcribed in time.");
    transcriber.begun(2).await;
    world.clock().pass(Duration::from_secs(20));
    world.agent().begun(3).await;
    assert_eq!(why(2), "Too many other recordings were waiting, so it was not transcribed.");
    assert_eq!(transcriber.running(), 1);
}

#[tokio::test]
async fn nothing_is_transcribed_for_people_and_messages_that_are_not_answered() {
    let transcriber = ScriptedTranscriber::new();
    let plan = plan().transcriber(&transcriber).access(|access| {
        access.dm_policy = frontdesk_core::access::DmPolicy::Allowlist;
    });
    let world = World::with(plan).await;
    hold(&world, &["v"]);
    world.platform().outcome_of(voice("stranger", "v")).await;
    world.platform().outcome_of(voice("root", "v").unaddressed_in("-1")).await;
    world.at_rest().await;
    assert_eq!((world.platform().fetched().len(), transcriber.asked().len()), (0, 0));
}

#[tokio::test]
async fn erasing_a_conversation_erases_its_transcripts() {
    let (world, transcriber) = hearing(&["v"]).await;
    for person in ["anna", "ben"] {
        world.platform().outcome_of(voice(person, "v")).await;
        world.at_rest().await;
    }
    assert_eq!(transcriber.asked().len(), 2, "what was said in another conversation stays there");
    world.handle().erase(&world.key("anna"), &operator()).await.unwrap();
    let rows = world.history("anna").await;
    assert!(rows.iter().all(|row| row.transcripts.is_empty() && row.words().is_empty()), "{rows:?}");
    assert_eq!(world.history("ben").await[0].transcripts[&0], HEARD);
}

#[tokio::test]
async fn a_reload_counts_for_the_next_recording_and_the_running_one_goes_on() {
    let (mut world, old) = hearing(&["v", "w", "x"]).await;
    old.will([Heard::Later("from the old one".to_owned())]);
    world.platform().outcome_of(voice("anna", "v")).await;
    old.begun(1).await;
    let new = ScriptedTranscriber::new();
    let reload = world.reload().plan(|plan| plan.transcriber(&new));
    reload.apply(&mut world).await.unwrap();
    world.platform().outcome_of(voice("ben", "w")).await;
    world.agent().begun(1).await;
    assert_eq!((new.asked().len(), old.stopped()), (1, 0));
    old.goes_on();
    world.agent().begun(2).await;
    assert_eq!(transcript(&world, 1, 0).unwrap(), "from the old one");
    until("the old one is stopped", || async { (old.stopped() == 1).then_some(()) }).await;
    let reload = world.reload().plan(frontdesk_world::Plan::no_transcriber);
    reload.apply(&mut world).await.unwrap();
    world.platform().outcome_of(voice("carl", "x")).await;
    world.agent().begun(3).await;
    assert_eq!(transcript(&world, 2, 0).unwrap_err(), "This gateway transcribes no recordings.");
    world.at_rest().await;
}
