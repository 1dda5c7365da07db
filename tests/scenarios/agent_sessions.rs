//! What an agent is told of its conversation.

use std::time::Duration;

use frontdesk_core::agent::{Capabilities, Origin, SessionOptions};
use frontdesk_core::history::{HistoryEntry, HistoryRequest};
use frontdesk_world::agent::usage;
use frontdesk_world::wait::until;
use frontdesk_world::{Step, World};

#[tokio::test]
async fn an_agent_gets_its_own_name_for_a_conversation_back() {
    let mut world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Session("s1"), Step::Session("s7"), Step::Echo]);
    anna.says("one").await;
    anna.hears().await;
    world.agent().will([Step::Pause, Step::Echo]);
    anna.says("two").await;
    world.agent().begun(2).await;
    world.crash().await;
    world.start().await.unwrap();
    anna.hears().await;
    anna.says("/new").await;
    anna.says("three").await;
    world.at_rest().await;
    anna.says("/resume 1").await;
    anna.says("four").await;
    world.at_rest().await;
    let turns = world.agent().turns();
    let names: Vec<(u64, Option<&str>)> =
        turns.iter().map(|turn| (turn.epoch, turn.agent_ref.as_deref())).collect();
    let known = Some("s7");
    assert_eq!(names, [(1, None), (1, known), (1, known), (2, None), (1, known)]);
    assert_eq!(turns[0].origin, Origin::Message);
}

#[tokio::test]
async fn a_name_that_was_told_just_before_a_kill_is_known() {
    let mut world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Session("s1"), Step::Tool("note"), Step::Hang]);
    anna.says("one").await;
    until("the tool has run", || async { (!world.agent().tools().is_empty()).then_some(()) }).await;
    world.crash().await;
    world.start().await.unwrap();
    anna.hears().await;
    anna.says("two").await;
    world.at_rest().await;
    assert_eq!(world.agent().turns()[1].agent_ref.as_deref(), Some("s1"));
}

#[tokio::test]
async fn an_agent_reads_what_was_said_in_its_conversation() {
    let world = World::new().await;
    let anna = world.user("anna");
    for text in ["of the first conversation", "/new", "one", "two"] {
        anna.says(text).await;
        world.at_rest().await;
    }
    world.agent().will([Step::Compact("one and two"), Step::Say("half"), Step::Hang]);
    let stopped = anna.says("three").await;
    world.agent().begun(4).await;
    until("the summary is stored", || async {
        let request = HistoryRequest { before: None, messages: 1, bytes: 1 };
        let page = world.agent().turns()[3].history.page(request).await.unwrap();
        matches!(page.entries[0], HistoryEntry::Compaction { .. }).then_some(())
    })
    .await;
    world.round_trip().await;
    anna.says("/stop").await;
    world.ended(stopped).await;
    until("its text is kept", || async { world.message(stopped).await.answer }).await;
    anna.says("four").await;
    world.at_rest().await;
    let history = world.agent().turns().last().unwrap().history.clone();
    let page = history.page(HistoryRequest { before: None, messages: 100, bytes: 100_000 }).await.unwrap();
    let lines: Vec<String> = page
        .entries
        .into_iter()
        .map(|entry| match entry {
            HistoryEntry::Message { from, text, .. } => format!("{}: {text}", from.id),
            HistoryEntry::Answer { text, complete } => format!("{complete}: {text}"),
            HistoryEntry::Compaction { summary, .. } => format!("({})", summary.unwrap()),
        })
        .collect();
    let expected = [
        "false: half",
        "fake:anna: three",
        "(one and two)",
        "true: two",
        "fake:anna: two",
        "true: one",
        "fake:anna: one",
    ];
    assert_eq!((lines, page.next), (expected.map(str::to_owned).to_vec(), None));
}

#[tokio::test]
async fn what_a_failed_or_stopped_answer_cost_is_known() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Spend, Step::Fail]);
    let failed = anna.says("one").await;
    anna.hears().await;
    assert_eq!(world.ended(failed).await.usage, Some(usage()));
    world.agent().will([Step::Spend, Step::Say("half"), Step::Hang]);
    let stopped = anna.says("two").await;
    world.agent().begun(2).await;
    world.round_trip().await;
    anna.says("/stop").await;
    until("the usage is kept", || async { world.message(stopped).await.usage }).await;
    assert_eq!(world.message(stopped).await.usage, Some(usage()));
}

#[tokio::test]
async fn a_chosen_model_holds_from_the_next_message_on_and_after_a_reset_and_a_restart() {
    let mut world = World::new().await;
    let anna = world.user("anna");
    anna.says("/model").await;
    assert_eq!(anna.hears().await, "This agent has no choice of models.");
    let offers = Capabilities {
        models: vec!["small".to_owned(), "Large".to_owned(), "*odd*".to_owned()],
        thinking: vec!["high".to_owned()],
        ..Capabilities::default()
    };
    world.agent().can(offers.clone());
    for (said, heard) in [
        ("/model", "Model: as configured for the agent or its role."),
        ("/model huge", "There is no model"),
        // No name is Markdown.
        ("/model *odd*", "Model: *odd*, from the next message on."),
        ("/model", "Model: *odd*. Send /model default"),
        ("/model large", "Model: Large, from the next message on."),
        ("/thinking high", "Thinking: high, from the next message on."),
        ("/model", "Model: Large. Send /model default"),
    ] {
        anna.says(said).await;
        let reply = anna.hears().await;
        assert!(reply.starts_with(heard), "{said}: {reply}");
    }
    anna.says("/new").await;
    anna.hears().await;
    world.crash().await;
    world.start().await.unwrap();
    anna.says("hello").await;
    anna.hears().await;
    let chosen = |model: Option<&str>, thinking: Option<&str>| SessionOptions {
        model: model.map(str::to_owned),
        thinking: thinking.map(str::to_owned),
    };
    assert_eq!(world.agent().turns()[0].options, chosen(Some("Large"), Some("high")));
    // What the agent no longer offers is not asked of it.
    world.agent().can(Capabilities { thinking: Vec::new(), ..offers });
    anna.says("/model default").await;
    anna.hears().await;
    anna.says("hello").await;
    anna.hears().await;
    assert_eq!(world.agent().turns()[1].options, chosen(None, None));
}

#[tokio::test]
async fn status_names_the_agent_with_what_is_chosen_or_configured() {
    let world = World::new().await;
    let anna = world.user("anna");
    let status = async || {
        let seen = anna.sees().len();
        anna.says("/status").await;
        world.at_rest().await;
        anna.sees()[seen..].join("\n")
    };
    assert!(status().await.contains("Agent: main."));
    world.agent().can(Capabilities {
        models: vec!["small".to_owned(), "large".to_owned()],
        thinking: vec!["low".to_owned()],
        default_model: Some("small".to_owned()),
        ..Capabilities::default()
    });
    assert!(status().await.contains("Agent: main, model small."));
    for choose in ["/model large", "/thinking low"] {
        anna.says(choose).await;
        anna.hears().await;
    }
    let said = status().await;
    assert!(said.contains("Agent: main, model large (chosen here), thinking low (chosen here)."), "{said}");
    let shown = world.handle().session_status(&world.key("anna")).await.unwrap().unwrap();
    assert_eq!((shown.model.value.as_deref(), shown.model.chosen), (Some("large"), true));
    world.agent().will([Step::GatewayTool("session_status", serde_json::json!({})), Step::Echo]);
    anna.says("hello").await;
    world.at_rest().await;
    let told: serde_json::Value = serde_json::from_str(world.agent().results()[0].as_ref().unwrap()).unwrap();
    assert_eq!(
        (&told["agent"], &told["model"], &told["thinking"]),
        (&"main".into(), &"large".into(), &"low".into())
    );
}

#[tokio::test]
async fn help_names_what_the_agent_can_do() {
    let world = World::new().await;
    let anna = world.user("anna");
    let mut seen = 0;
    for (offers, shown) in [
        (Capabilities::default(), false),
        (
            Capabilities {
                steer: true,
                compact: true,
                client_tools: false,
                models: vec!["a".to_owned()],
                thinking: vec!["b".to_owned()],
                ..Capabilities::default()
            },
            true,
        ),
    ] {
        world.agent().can(offers);
        anna.says("/help").await;
        anna.hears().await;
        world.at_rest().await;
        let sees = anna.sees();
        let help = sees[seen..].join("\n");
        seen = sees.len();
        for command in ["/steer", "/compact", "/model", "/thinking"] {
            assert_eq!(help.contains(command), shown, "{command}: {help}");
        }
    }
}

#[tokio::test]
async fn status_says_what_the_last_answer_cost() {
    let world = World::new().await;
    let anna = world.user("anna");
    anna.says("hello").await;
    anna.hears().await;
    world.clock().pass(Duration::from_secs(1));
    anna.says("/status").await;
    // The fake platform's messages are short, so these are two.
    let status = format!("{}\n{}", anna.hears().await, anna.hears().await);
    assert!(
        status.contains("The last answer (scripted) read 1 token and wrote 2 tokens for 0.000005."),
        "{status}"
    );
    assert!(status.contains("context is 85 % full (6 of 7 tokens)"), "{status}");
    assert!(!status.contains("The whole conversation"), "that would say the same: {status}");
    world.agent().will([Step::Spend, Step::Fail]);
    anna.says("again").await;
    world.at_rest().await;
    let seen = anna.sees().len();
    anna.says("/status").await;
    world.at_rest().await;
    let status = anna.sees()[seen..].join("\n");
    assert!(
        status.contains("The whole conversation read 2 tokens and wrote 4 tokens for 0.000010."),
        "a failed answer costs as well: {status}"
    );
    let shown = world.handle().session_status(&world.key("anna")).await.unwrap().unwrap();
    let total = shown.usage.total;
    assert_eq!((total.answers, total.cost_micro), (1, Some(10)), "a failed answer is none, and costs");
    anna.says("/new").await;
    world.at_rest().await;
    let seen = anna.sees().len();
    anna.says("/status").await;
    world.at_rest().await;
    let status = anna.sees()[seen..].join("\n");
    assert!(!status.contains("The last answer"), "another conversation: {status}");
}
