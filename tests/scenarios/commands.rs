//! Commands in the chat.

use frontdesk_world::event::message_from;
use frontdesk_world::{Step, World, plan};

#[tokio::test]
async fn help_lists_every_command() {
    let world = World::new().await;
    let anna = world.user("anna");
    anna.says("/help").await;
    world.at_rest().await;
    let help = anna.sees().join("\n");
    for command in ["/help", "/new", "/status", "/stop", "/retry", "/sessions", "/resume", "/whoami"] {
        assert!(help.contains(command), "{command} is missing from: {help}");
    }
    assert!(world.agent().turns().is_empty(), "a command is not for the agent");
}

#[tokio::test]
async fn an_unknown_command_is_answered_with_the_nearest_one() {
    let world = World::new().await;
    let anna = world.user("anna");
    anna.says("/statsu").await;
    assert!(anna.hears().await.contains("/status"));
    world.at_rest().await;
    assert!(world.agent().turns().is_empty());
}

#[tokio::test]
async fn a_path_is_not_a_command() {
    let world = World::new().await;
    let anna = world.user("anna");
    anna.says("/etc/passwd is world readable").await;
    assert_eq!(anna.hears().await, "/etc/passwd is world readable");
}

#[tokio::test]
async fn new_starts_anew_and_resume_goes_back() {
    let world = World::new().await;
    let anna = world.user("anna");
    anna.says("first conversation").await;
    anna.says("/new").await;
    anna.says("second conversation").await;
    world.at_rest().await;
    assert_eq!(world.session("anna").await.epoch, 2);
    assert!(anna.sees()[1].contains("/resume 1"), "{:?}", anna.sees());

    anna.says("/resume 1").await;
    anna.says("first again").await;
    world.at_rest().await;
    let session = world.session("anna").await;
    assert_eq!((session.epoch, session.last_epoch), (1, 2));
    assert_eq!(world.agent().turns().last().unwrap().epoch, 1);

    anna.says("/new").await;
    world.at_rest().await;
    assert_eq!(world.session("anna").await.epoch, 3, "always the highest ever and one");
}

#[tokio::test]
async fn after_a_resume_the_next_message_does_not_reset_again() {
    let world = World::with(plan().reset_idle(30)).await;
    let anna = world.user("anna");
    anna.says("one").await;
    world.at_rest().await;
    world.clock().pass(std::time::Duration::from_secs(3600));
    anna.says("two").await;
    anna.says("/resume").await;
    world.clock().pass(std::time::Duration::from_secs(60));
    anna.says("back in one").await;
    world.at_rest().await;
    assert_eq!(world.session("anna").await.epoch, 1);
}

#[tokio::test]
async fn resuming_what_does_not_exist_says_so_and_changes_nothing() {
    let world = World::new().await;
    let anna = world.user("anna");
    anna.says("one").await;
    anna.says("/resume 7").await;
    anna.says("/resume").await;
    anna.says("/resume x").await;
    world.at_rest().await;
    assert_eq!(world.session("anna").await.epoch, 1);
    let sees = anna.sees();
    assert!(sees.iter().any(|text| text.contains("no conversation 7")), "{sees:?}");
    assert!(sees.iter().any(|text| text.contains("no earlier conversation")), "{sees:?}");
    assert!(sees.iter().any(|text| text.contains("/resume [N]")), "{sees:?}");
}

#[tokio::test]
async fn sessions_lists_the_conversations_of_this_chat_alone() {
    let world = World::new().await;
    let (anna, ben) = (world.user("anna"), world.user("ben"));
    ben.says("ben's secret").await;
    anna.says("about apples").await;
    anna.says("/new about pears").await;
    world.at_rest().await;
    anna.says("/sessions").await;
    world.at_rest().await;
    let list = anna.sees().pop().unwrap();
    assert!(list.contains("about apples") && list.contains("about pears"), "{list}");
    assert!(list.contains("2 (this one)"), "{list}");
    assert!(!list.contains("secret"), "{list}");
}

#[tokio::test]
async fn stop_cancels_what_runs_and_what_waits_and_says_how_much() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("never "), Step::Hang]);
    let running = anna.says("runs").await;
    world.agent().begun(1).await;
    let waiting = [anna.says("waits 1").await, anna.says("waits 2").await];
    anna.says("/stop").await;
    assert_eq!(anna.hears().await, "Stopped the answer and dropped 2 messages from the queue.");
    world.at_rest().await;
    for message in [running, waiting[0], waiting[1]] {
        assert_eq!(world.message(message).await.message.state.name(), "cancelled");
    }
    assert_eq!(world.agent().aborted().len(), 1, "the agent was told");
    anna.says("and now").await;
    assert_eq!(anna.hears().await, "and now");
    assert_eq!(world.agent().prompts(), ["runs", "and now"]);
}

#[tokio::test]
async fn stop_with_nothing_to_stop_says_so() {
    let world = World::new().await;
    let anna = world.user("anna");
    anna.says("/stop").await;
    assert_eq!(anna.hears().await, "There is nothing to stop.");
}

#[tokio::test]
async fn stop_leaves_other_chats_alone() {
    let world = World::new().await;
    let (anna, ben) = (world.user("anna"), world.user("ben"));
    world.agent().will([Step::Pause, Step::Echo]);
    ben.says("ben's").await;
    world.agent().begun(1).await;
    anna.says("/stop").await;
    assert_eq!(anna.hears().await, "There is nothing to stop.");
    world.agent().resume();
    assert_eq!(ben.hears().await, "ben's");
}

#[tokio::test]
async fn retry_runs_the_last_message_once_more() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Fail]);
    let failed = anna.says("try this").await;
    let notice = anna.hears().await;
    assert!(notice.contains("/retry"), "{notice}");
    assert_eq!(world.message(failed).await.message.state.name(), "dead");
    anna.says("/retry").await;
    assert_eq!(anna.hears().await, "try this");
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["try this", "try this"]);
    let turns = world.agent().turns();
    assert_ne!(turns[0].id, turns[1].id, "a turn of its own");
}

#[tokio::test]
async fn retry_without_anything_to_retry_says_so() {
    let world = World::new().await;
    let anna = world.user("anna");
    anna.says("/retry").await;
    assert!(anna.hears().await.contains("no message to answer again"));
}

#[tokio::test]
async fn commands_work_while_a_turn_runs() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Pause, Step::Echo]);
    anna.says("long work").await;
    world.agent().begun(1).await;
    anna.says("/status").await;
    let status = anna.hears().await;
    assert!(status.contains("The agent is answering."), "{status}");
    world.agent().resume();
    assert_eq!(anna.hears().await, "long work");
}

#[tokio::test]
async fn status_does_not_count_itself() {
    let world = World::new().await;
    let anna = world.user("anna");
    anna.says("hello").await;
    anna.hears().await;
    anna.says("/status").await;
    let status = anna.hears().await;
    assert!(status.contains("Nothing is running or waiting."), "{status}");
}

#[tokio::test]
async fn whoami_shows_the_stable_id_and_what_one_may_do() {
    let world = World::new().await;
    let (anna, root) = (world.user("anna"), world.user("root"));
    anna.says("/whoami").await;
    root.says("/whoami").await;
    let (anna, root) = (anna.hears().await, root.hears().await);
    assert!(anna.contains("fake:anna") && !anna.contains("manage the gateway"), "{anna}");
    assert!(root.contains("fake:root") && root.contains("manage the gateway"), "{root}");
}

#[tokio::test]
async fn a_command_that_was_accepted_is_answered_once_whatever_happens() {
    let mut world = World::new().await;
    let anna = world.user("anna");
    anna.says("hello").await;
    world.at_rest().await;
    for _ in 0..5 {
        anna.says("/new").await;
        world.crash().await;
        world.start().await.unwrap();
        world.at_rest().await;
    }
    let replies = anna.sees().iter().filter(|text| text.starts_with("New conversation")).count();
    assert_eq!(replies, 5, "{:?}", anna.sees());
    assert_eq!(world.session("anna").await.epoch, 6);
}

#[tokio::test]
async fn counts_of_one_are_in_the_singular() {
    let world = World::new().await;
    let root = world.user("root");
    root.says("hello").await;
    root.hears().await;
    root.says("/sessions").await;
    let reply = root.hears().await;
    assert!(reply.contains(", 1 message: hello"), "{reply}");
    root.says("/gateway mute 1").await;
    let reply = root.hears().await;
    assert!(reply.contains("for 1 minute, "), "{reply}");
}

#[tokio::test]
async fn help_lists_what_the_reader_may_use() {
    let world = World::new().await;
    let (anna, root) = (world.user("anna"), world.user("root"));
    anna.says("/help").await;
    root.says("/help").await;
    world.at_rest().await;
    let (anna, root) = (anna.sees().join("\n"), root.sees().join("\n"));
    assert!(anna.contains("/new [TEXT]: Start a new conversation") && !anna.contains("/gateway"), "{anna}");
    assert!(root.contains("/gateway WHAT: Manage the gateway"), "{root}");
}

#[tokio::test]
async fn gateway_lists_only_what_makes_sense_in_this_chat() {
    let world = World::new().await;
    let root = world.user("root");
    root.says("/gateway").await;
    world.at_rest().await;
    let here = root.sees().join("\n");
    assert!(here.contains("status: show the state of the gateway") && !here.contains("allow-here"), "{here}");
    world.platform().outcome_of(message_from("root", "/gateway").in_group("-1")).await;
    world.at_rest().await;
    let there =
        world.platform().chat("-1").iter().map(|post| post.text.clone()).collect::<Vec<_>>().join("\n");
    assert!(there.contains("allow-here: answer everyone in this group"), "{there}");
}

#[tokio::test]
async fn what_people_wrote_stands_literally_and_shortened_in_the_bots_own_text() {
    let world = World::new().await;
    let anna = world.user("anna");
    let link = "[x](http://e.vil/)";
    anna.says(&format!("/new {link} **bold**")).await;
    world.at_rest().await;
    for (command, says) in [
        ("/sessions".to_owned(), format!("1 message: {link} **bold**")),
        (
            format!("/resume {link}"),
            format!("I do not understand {link} here. Please write it like this: /resume"),
        ),
        (format!("/{}", "x".repeat(3000)), format!("There is no command /{}….", "x".repeat(39))),
        (format!("/status {}", "x".repeat(3000)), format!("I do not understand {}… here.", "x".repeat(40))),
    ] {
        anna.says(&command).await;
        world.at_rest().await;
        let shown = anna.sees().pop().unwrap();
        assert!(shown.contains(&says), "{says:?} is not in {shown:?}");
        assert!(!shown.contains("<http"), "{shown:?}");
    }
}
