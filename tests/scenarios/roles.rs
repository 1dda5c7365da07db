//! Who answers where, and in which role.

use std::sync::Arc;

use frontdesk_core::agent::Capabilities;
use frontdesk_core::port::Turn;
use frontdesk_runtime::config::{Assignment, Role, Sharing};
use frontdesk_world::event::message_from;
use frontdesk_world::{Plan, ScriptedAgent, Step, World, plan};
use serde_json::json;

fn led_by(agent: &str) -> Role {
    Role { agent: Some(agent.to_owned()), ..Role::default() }
}

fn given(agent: Option<&str>, role: Option<&str>) -> Assignment {
    Assignment { agent: agent.map(str::to_owned), role: role.map(str::to_owned) }
}

/// The groups `-1` and `-2` are served.
fn two_groups() -> Plan {
    plan().access(|access| {
        access.groups.insert("-2".to_owned(), access.groups["-1"].clone());
    })
}

/// Where an agent has answered, and in which role.
fn seen(agent: &ScriptedAgent) -> Vec<String> {
    let role = |turn: &Turn| turn.role.as_ref().map_or_else(|| "-".to_owned(), |role| role.name.clone());
    agent.turns().iter().map(|turn| format!("{} {}", turn.session, role(turn))).collect()
}

#[tokio::test]
async fn two_groups_have_two_agents_and_share_nothing() {
    let mentor = Arc::new(ScriptedAgent::default());
    let world = World::with(
        two_groups()
            .agent("mentor", &mentor)
            .role("kids", led_by("mentor"))
            .role("plain", Role::default())
            .chat("-2", |chat| {
                chat.role = Some("kids".to_owned());
                chat.topics.insert("5".to_owned(), given(Some("main"), Some("plain")));
            }),
    )
    .await;
    let platform = world.platform();
    for (group, topic) in [("-1", None), ("-2", None), ("-2", Some("4")), ("-2", Some("5"))] {
        let event = message_from("anna", "hello");
        platform
            .outcome_of(match topic {
                Some(topic) => event.in_topic(group, topic),
                None => event.in_group(group),
            })
            .await;
        world.at_rest().await;
    }
    assert_eq!(seen(&mentor), ["agent:mentor:fake:group:-2 kids", "agent:mentor:fake:topic:-2:4 kids"]);
    assert_eq!(seen(world.agent()), ["agent:main:fake:group:-1 -", "agent:main:fake:topic:-2:5 plain"]);
    assert_eq!((platform.chat("-1").len(), platform.chat("-2").len()), (1, 3));
}

#[tokio::test]
async fn a_persons_own_agent_answers_where_the_session_is_theirs_alone() {
    let mentor = Arc::new(ScriptedAgent::default());
    let world = World::with(
        two_groups()
            .agent("mentor", &mentor)
            .role("kids", led_by("mentor"))
            .role("team", Role::default())
            .routing(|routing| {
                routing.people.insert("anna".to_owned(), given(None, Some("kids")));
            })
            .chat("-1", |chat| chat.role = Some("team".to_owned()))
            .chat("-2", |chat| chat.sessions = Some(Sharing::Person)),
    )
    .await;
    for who in ["anna", "ben"] {
        world.user(who).says("hello").await;
        world.at_rest().await;
        for group in ["-1", "-2"] {
            world.platform().outcome_of(message_from(who, "hello").in_group(group)).await;
            world.at_rest().await;
        }
    }
    assert_eq!(seen(&mentor), ["agent:mentor:fake:dm:anna kids", "agent:mentor:fake:member:-2::anna kids"]);
    let others = [
        "agent:main:fake:group:-1 team",
        "agent:main:fake:dm:ben -",
        "agent:main:fake:group:-1 team",
        "agent:main:fake:member:-2::ben -",
    ];
    assert_eq!(seen(world.agent()), others, "in a shared session the role of the chat holds");
}

#[tokio::test]
async fn a_changed_route_holds_from_the_next_message_on_and_the_conversation_before_goes_on_later() {
    let mentor = Arc::new(ScriptedAgent::default());
    let mut world = World::with(plan().agent("mentor", &mentor)).await;
    let anna = world.user("anna");
    anna.says("one").await;
    anna.hears().await;
    world.agent().will([Step::Say("begun "), Step::Pause, Step::Say("two")]);
    anna.says("two").await;
    world.agent().begun(2).await;
    anna.says("three").await;
    let move_to = |agent: &'static str| {
        move |plan: Plan| {
            plan.role("guided", led_by(agent)).routing(|routing| {
                routing.people.insert("anna".to_owned(), given(None, Some("guided")));
            })
        }
    };
    world.reload().plan(move_to("mentor")).apply(&mut world).await.unwrap();
    anna.says("four").await;
    mentor.begun(1).await;
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(
        world.agent().prompts(),
        ["one", "two", "three"],
        "what was accepted before is answered there"
    );
    assert_eq!(seen(&mentor), ["agent:mentor:fake:dm:anna guided"]);
    let mut heard = anna.answers();
    heard.sort();
    assert_eq!(heard, ["begun two", "four", "one", "three"]);
    let listed = world.handle().store().sessions(None, None, 10).await.unwrap();
    let mut keys: Vec<String> = listed.iter().map(|row| row.key.to_string()).collect();
    keys.sort();
    assert_eq!(keys, ["agent:main:fake:dm:anna", "agent:mentor:fake:dm:anna"]);

    world.reload().plan(move_to("main")).apply(&mut world).await.unwrap();
    anna.says("five").await;
    world.at_rest().await;
    let last = world.agent().turns().pop().unwrap();
    assert_eq!((last.session.as_str(), last.epoch), ("agent:main:fake:dm:anna", 1));
    assert_eq!(world.history("anna").await.len(), 4, "the same conversation as before");
}

#[tokio::test]
async fn a_turn_keeps_the_role_with_which_it_began() {
    let kids = |tools: &[&str]| {
        let tools = Some(tools.iter().map(|tool| (*tool).to_owned()).collect());
        move |plan: Plan| {
            plan.role("kids", Role { tools, ..Role::default() })
                .routing(|routing| routing.role = Some("kids".to_owned()))
        }
    };
    let mut world = World::with(kids(&["session_status"])(plan())).await;
    let anna = world.user("anna");
    let send = || Step::GatewayTool("send_message", json!({"text": "psst"}));
    let status = || Step::GatewayTool("session_status", json!({}));
    world.agent().will([Step::Pause, send(), status(), Step::Say("one")]);
    anna.says("one").await;
    world.agent().begun(1).await;
    let names = || -> Vec<&str> {
        world.agent().turns()[0].tools_in_role().into_iter().map(|tool| tool.name).collect()
    };
    assert_eq!(names(), ["session_status"]);
    world.reload().plan(kids(&["send_message"])).apply(&mut world).await.unwrap();
    world.agent().resume();
    world.at_rest().await;
    let results = world.agent().results();
    let why = "the role of this chat does not have this tool";
    assert!(matches!(&results[0], Err(error) if error == why) && results[1].is_ok(), "{results:?}");
    assert_eq!(anna.sees(), ["one"]);
    world.agent().will([send(), status(), Step::Say("two")]);
    anna.says("two").await;
    world.at_rest().await;
    let results = world.agent().results();
    assert!(results[2].is_ok() && results[3].is_err(), "{results:?}");
    assert_eq!(anna.sees(), ["one", "psst", "two"]);
}

#[tokio::test]
async fn a_role_names_the_model_until_the_chat_chooses_another_one() {
    let small =
        Role { model: Some("small".to_owned()), thinking: Some("deep".to_owned()), ..Role::default() };
    let plan = plan().role("kids", small).routing(|routing| routing.role = Some("kids".to_owned()));
    let world = World::with(plan).await;
    world.agent().can(Capabilities {
        models: vec!["small".to_owned(), "large".to_owned()],
        thinking: vec!["high".to_owned()],
        ..Capabilities::default()
    });
    let anna = world.user("anna");
    for text in ["/model", "one", "/status", "/model large", "two", "/model default", "three"] {
        anna.says(text).await;
        world.at_rest().await;
    }
    let sees = anna.sees().join("\n");
    assert!(sees.starts_with("Model: small, as configured for the agent or its role."), "{sees}");
    assert!(sees.contains("Agent: main, model small."), "{sees}");
    let turns = world.agent().turns();
    let models: Vec<Option<&str>> = turns.iter().map(|turn| turn.options.model.as_deref()).collect();
    assert_eq!(models, [Some("small"), Some("large"), Some("small")]);
    assert_eq!(turns[0].options.thinking, None, "the agent does not offer this level");
}

#[tokio::test]
async fn a_choice_that_is_not_offered_any_more_leaves_the_model_to_the_role() {
    let small = Role { model: Some("small".to_owned()), ..Role::default() };
    let plan = plan().role("kids", small).routing(|routing| routing.role = Some("kids".to_owned()));
    let world = World::with(plan).await;
    let offers = |models: &[&str]| Capabilities {
        models: models.iter().map(|model| (*model).to_owned()).collect(),
        compact: true,
        default_model: Some("base".to_owned()),
        ..Capabilities::default()
    };
    let anna = world.user("anna");
    let mut heard = Vec::new();
    for (models, says) in [
        (&["small", "large"][..], "/model large"),
        (&["small"], "/model"),
        (&["other"], "/model"),
        (&[], "/model"),
    ] {
        world.agent().can(offers(models));
        for text in [says, "/status", "hello"] {
            let seen = anna.sees().len();
            anna.says(text).await;
            world.at_rest().await;
            heard.push(anna.sees()[seen..].join("\n"));
        }
    }
    let gone = "`large` was chosen here and is not offered any more. ";
    for (n, expected) in [
        (1, "Agent: main, model `large` (chosen here).".to_owned()),
        (3, format!("{gone}Model: `small`, as configured for the agent or its role.")),
        (
            4,
            "Agent: main, model `small`. The model `large` was chosen here and is not offered any more."
                .to_owned(),
        ),
        (6, format!("{gone}Model: `base`, as configured for the agent or its role.")),
        (
            7,
            "Agent: main, model `base`. The model `large` was chosen here and is not offered any more."
                .to_owned(),
        ),
        (9, format!("{gone}This agent has no choice of models.")),
    ] {
        let expected = expected.replace('`', "");
        assert!(heard[n].replace('`', "").contains(&expected), "{n}: {} has no {expected}", heard[n]);
    }
    let turns = world.agent().turns();
    let models: Vec<Option<&str>> = turns.iter().map(|turn| turn.options.model.as_deref()).collect();
    assert_eq!(models, [Some("large"), Some("small"), None, None]);
    world.agent().can(offers(&["small"]));
    anna.says("/compact").await;
    world.at_rest().await;
    assert_eq!(world.agent().compactions()[0].0.options.model.as_deref(), Some("small"));
}

#[tokio::test]
async fn whoami_names_the_agent_and_the_role() {
    let mentor = Arc::new(ScriptedAgent::default());
    let world =
        World::with(plan().agent("mentor", &mentor).role("kids", led_by("mentor")).routing(|routing| {
            routing.people.insert("anna".to_owned(), given(None, Some("kids")));
        }))
        .await;
    for (who, says) in
        [("anna", "The agent mentor answers here in the role kids."), ("ben", "The agent main answers here.")]
    {
        let person = world.user(who);
        person.says("/whoami").await;
        let heard = person.hears().await;
        assert!(heard.contains(says), "{heard}");
    }
}

#[tokio::test]
async fn a_role_makes_nobody_an_admin() {
    let plan = plan().role("admin", Role::default()).routing(|routing| {
        routing.people.insert("anna".to_owned(), given(None, Some("admin")));
    });
    let world = World::with(plan).await;
    let anna = world.user("anna");
    anna.says("hello").await;
    anna.hears().await;
    assert!(!world.agent().turns()[0].trusted);
    anna.says("/whoami").await;
    assert!(!anna.hears().await.contains("manage the gateway"));
}
