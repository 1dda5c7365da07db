//! Which messages reach the agent, and who is named as their author.

use std::time::Duration;

use frontdesk_core::access::{GroupAccess, Members};
use frontdesk_core::agent::Capabilities;
use frontdesk_core::hook::{HookEvent, HookPoint, HookVerdict};
use frontdesk_core::message::{FileKind, FirstLine, ForwardKind, Outcome};
use frontdesk_core::port::Turn;
use frontdesk_core::prompt;
use frontdesk_store::row::{AccessChange, Author, Scope};
use frontdesk_world::event::{TestEvent, message_from};
use frontdesk_world::files::Fetch;
use frontdesk_world::{Plan, Step, TestHook, World, plan};
use serde_json::{Value, json};

/// A group in which only people with a grant may write.
const GROUP: &str = "-3";

async fn changes(world: &World, change: AccessChange) {
    let by = Author { name: "cli".to_owned(), via: "cli" };
    world.handle().change_access(change, by).await.unwrap();
}

async fn lets_in(world: &World, who: &str) {
    let principal = format!("fake:{who}").parse().unwrap();
    changes(world, AccessChange::Grant { principal, scope: Scope::Group(GROUP.to_owned()) }).await;
}

async fn shuts_out(world: &World, who: &str) {
    let principal = format!("fake:{who}").parse().unwrap();
    changes(world, AccessChange::Revoke { principal, scope: None, also: Vec::new(), private: None }).await;
}

/// People who write in the group are its moderators, who retry what others asked for, too.
fn moderated() -> Plan {
    let moderators =
        Members { people: ["anna", "ben", "eve"].map(str::to_owned).into(), ..Members::default() };
    let rules = GroupAccess { closed: true, moderators, ..GroupAccess::default() };
    let plan = plan().access(|access| drop(access.groups.insert(GROUP.to_owned(), rules)));
    plan.chat(GROUP, |chat| chat.ambient = Some(9))
}

async fn group(people: &[&str]) -> World {
    let world = World::with(moderated()).await;
    for person in people {
        lets_in(&world, person).await;
    }
    world
}

/// Delivers an event in the group and waits until everything that follows from it is done.
async fn there(world: &World, event: TestEvent) -> Outcome {
    let outcome = world.platform().outcome_of(event).await;
    world.at_rest().await;
    outcome
}

fn last(world: &World) -> Turn {
    world.agent().turns().pop().unwrap()
}

/// The messages of the last turn, as its facts list them.
fn messages(world: &World) -> Vec<Value> {
    prompt::facts(&last(world))["messages"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_retry_runs_a_message_in_its_authors_name_and_says_who_retries() {
    let world = group(&["anna", "ben"]).await;
    there(&world, message_from("anna", "book the flight").in_group(GROUP)).await;
    there(&world, message_from("ben", "/retry").in_group(GROUP)).await;
    assert_eq!(world.agent().prompts(), ["book the flight", "book the flight"]);
    let [again] = messages(&world).try_into().unwrap();
    assert_eq!((&again["from"]["id"], &again["from"]["name"]), (&json!("fake:anna"), &json!("name of anna")));
    assert_eq!(again["retried_by"]["id"], "fake:ben");
    // Also in the next attempt, by another person.
    there(&world, message_from("anna", "/retry").in_group(GROUP)).await;
    let [again] = messages(&world).try_into().unwrap();
    assert_eq!(
        (&again["from"]["id"], &again["retried_by"]["id"]),
        (&json!("fake:anna"), &json!("fake:anna"))
    );
}

#[tokio::test]
async fn wishes_for_one_summary_stay_their_authors() {
    let world = group(&["anna", "ben", "eve"]).await;
    world.agent().can(Capabilities { compact: true, ..Capabilities::default() });
    world.agent().will([Step::Say("one"), Step::Pause]);
    world.platform().outcome_of(message_from("anna", "hello").in_group(GROUP)).await;
    world.agent().begun(1).await;
    let mut rows = Vec::new();
    for (who, wish) in
        [("anna", "the names"), ("eve", "my secret"), ("ben", "the prices"), ("ben", "the names")]
    {
        let says = message_from(who, &format!("/compact {wish}")).in_group(GROUP);
        let Outcome::Accepted { message: id, .. } = world.platform().outcome_of(says).await else {
            panic!("{who}")
        };
        rows.push(id);
    }
    world.round_trip().await;
    shuts_out(&world, "eve").await;
    world.agent().resume();
    world.at_rest().await;
    let mut seen = Vec::new();
    for id in rows {
        let row = world.message(id).await.message;
        seen.push(format!("{}: {} {}", row.from.id, row.text, row.state.name()));
    }
    assert_eq!(
        seen,
        [
            "fake:anna: the names answered",
            "fake:eve: my secret refused",
            "fake:ben: the prices answered",
            "fake:ben: the names answered"
        ]
    );
    let wishes: Vec<_> = world.agent().compactions().into_iter().map(|(_, wishes)| wishes.unwrap()).collect();
    assert_eq!(wishes, ["the names\nthe prices"], "in one summary");
}

#[tokio::test]
async fn a_retry_never_runs_a_message_whose_author_has_lost_access() {
    let world = group(&["anna", "eve"]).await;
    there(&world, message_from("eve", "delete everything").in_group(GROUP)).await;
    shuts_out(&world, "eve").await;
    there(&world, message_from("anna", "/retry").in_group(GROUP)).await;
    assert_eq!(world.agent().prompts(), ["delete everything"], "only the first time");
    let reply = world.platform().chat(GROUP).pop().unwrap().text;
    assert_eq!(
        reply,
        "I did not answer the last message again, because the person who wrote it may no longer write here."
    );
    // After a new grant the message may run again.
    lets_in(&world, "eve").await;
    there(&world, message_from("anna", "/retry").in_group(GROUP)).await;
    assert_eq!(world.agent().prompts().len(), 2);
}

#[tokio::test]
async fn a_retry_leaves_out_messages_whose_authors_have_lost_access() {
    let world = World::with(plan().collect(0).chat(GROUP, |chat| chat.ambient = Some(9))).await;
    for person in ["anna", "eve"] {
        lets_in(&world, person).await;
    }
    world.agent().will([Step::Pause]);
    world.platform().outcome_of(message_from("anna", "wait").in_group(GROUP)).await;
    world.agent().begun(1).await;
    for person in ["anna", "eve"] {
        world.platform().outcome_of(message_from(person, &format!("by {person}")).in_group(GROUP)).await;
    }
    world.agent().resume();
    world.agent().begun(2).await;
    world.at_rest().await;
    shuts_out(&world, "eve").await;
    there(&world, message_from("anna", "/retry").in_group(GROUP)).await;
    assert_eq!(world.agent().prompts(), ["wait", "by anna\nby eve", "by anna"]);
}

#[tokio::test]
async fn a_retry_ends_when_the_access_of_the_author_is_revoked() {
    let world = group(&["anna", "eve"]).await;
    there(&world, message_from("eve", "delete everything").in_group(GROUP)).await;
    world.agent().will([Step::Hang]);
    world.platform().outcome_of(message_from("anna", "/retry").in_group(GROUP)).await;
    world.agent().begun(2).await;
    shuts_out(&world, "eve").await;
    world.at_rest().await;
    assert_eq!(world.agent().aborted().len(), 1);
    assert_eq!(world.agent().turns().len(), 2, "it does not begin once more");
    let reply = world.platform().chat(GROUP).pop().unwrap().text;
    assert!(reply.starts_with("I did not answer the last message again"), "{reply}");
}

#[tokio::test]
async fn a_person_without_access_cannot_retry() {
    let world = group(&["anna", "eve"]).await;
    there(&world, message_from("anna", "hello").in_group(GROUP)).await;
    shuts_out(&world, "eve").await;
    assert_eq!(there(&world, message_from("eve", "/retry").in_group(GROUP)).await, Outcome::Denied);
    assert_eq!(world.agent().turns().len(), 1);
}

#[tokio::test]
async fn a_retry_counts_against_the_daily_limit_of_its_sender() {
    let world = World::with(moderated().with(|config| config.limits.daily = 1)).await;
    for person in ["anna", "ben"] {
        lets_in(&world, person).await;
    }
    there(&world, message_from("anna", "hello").in_group(GROUP)).await;
    assert!(matches!(
        there(&world, message_from("ben", "/retry").in_group(GROUP)).await,
        Outcome::Accepted { .. }
    ));
    assert!(matches!(
        there(&world, message_from("ben", "/retry").in_group(GROUP)).await,
        Outcome::Refused { .. }
    ));
    assert_eq!(world.agent().turns().len(), 2);
}

#[tokio::test]
async fn a_retry_has_the_files_of_the_message_and_fetches_none_again() {
    let world = group(&["anna", "ben"]).await;
    world.platform().holds("cat", [Fetch::Bytes(b"cat".to_vec())]);
    there(&world, message_from("anna", "look").with_file("cat", FileKind::Photo).in_group(GROUP)).await;
    there(&world, message_from("ben", "/retry").in_group(GROUP)).await;
    let path = |n: usize| world.agent().turns()[n].prompt[0].files[0].got.clone().unwrap();
    assert_eq!(path(0), path(1));
}

#[tokio::test]
async fn a_context_message_is_left_out_after_its_author_lost_access() {
    let mut world = group(&["anna", "eve"]).await;
    there(&world, message_from("eve", "psst").unaddressed_in(GROUP)).await;
    world.agent().will([Step::Hang]);
    world.platform().outcome_of(message_from("anna", "what now?").in_group(GROUP)).await;
    world.agent().begun(1).await;
    assert_eq!(last(&world).context_messages[0].from.id.to_string(), "fake:eve");
    world.crash().await;
    world.start().await.unwrap();
    world.agent().begun(2).await;
    assert_eq!(last(&world).context_messages.len(), 1, "a message of somebody who may still write is kept");
    world.at_rest().await;

    there(&world, message_from("eve", "psst").unaddressed_in(GROUP)).await;
    world.agent().will([Step::Hang]);
    world.platform().outcome_of(message_from("anna", "what now?").in_group(GROUP)).await;
    world.agent().begun(3).await;
    shuts_out(&world, "eve").await;
    world.crash().await;
    world.start().await.unwrap();
    world.agent().begun(4).await;
    assert!(last(&world).context_messages.is_empty());
}

#[tokio::test]
async fn two_people_with_the_same_name_have_different_ids() {
    let world = World::new().await;
    for person in ["1", "2"] {
        there(&world, message_from(person, "hello").shown_as("An\u{200b}na").in_group("-1")).await;
    }
    let from: Vec<Value> =
        world.agent().turns().iter().map(|turn| prompt::message(&turn.prompt[0])["from"].clone()).collect();
    assert_eq!(from[0]["name"], from[1]["name"]);
    assert_eq!([&from[0]["id"], &from[1]["id"]], ["fake:1", "fake:2"]);
}

#[tokio::test]
async fn quoted_and_formatted_text_is_never_a_command() {
    let world = World::new().await;
    for text in ["/gateway stop", "/stop", "/retry", "/help", "/nonsense"] {
        there(&world, message_from("root", text).with_first_line(FirstLine::Formatted)).await;
        assert_eq!(world.agent().prompts().last().unwrap(), text);
    }
    world.platform().holds("cat", [Fetch::Bytes(b"cat".to_vec())]);
    let caption = message_from("root", "/gateway stop")
        .with_first_line(FirstLine::Formatted)
        .with_file("cat", FileKind::Photo);
    there(&world, caption).await;
    assert_eq!(last(&world).prompt[0].files.len(), 1, "the picture is there with its words");
    assert_eq!(*world.handle().lifecycle().borrow(), None);
    assert_eq!(world.session("root").await.epoch, 1);
    // The admin addressed the bot and is told how to allow a group; quoted text does not allow it.
    there(
        &world,
        message_from("root", "/gateway allow-here").with_first_line(FirstLine::Formatted).in_group("-9"),
    )
    .await;
    world.at_rest().await;
    assert!(world.platform().chat("-9")[0].text.contains("I do not answer in this group yet"));
    assert_eq!(there(&world, message_from("anna", "hello").in_group("-9")).await, Outcome::Denied);
}

#[tokio::test]
async fn the_source_of_a_forward_is_a_fact_also_after_merging_and_after_a_crash() {
    let mut world = World::with(plan().collect(1000)).await;
    let forwards = [
        message_from("anna", "one").forwarded_from(ForwardKind::Channel, Some("-100")),
        message_from("anna", "/stop").forwarded_from(ForwardKind::Person, Some("ben")),
        message_from("anna", "two").forwarded(),
        message_from("anna", "my own"),
    ];
    for event in forwards {
        world.platform().outcome_of(event).await;
    }
    world.crash().await;
    world.start().await.unwrap();
    world.clock().pass(Duration::from_secs(2));
    world.agent().begun(1).await;
    world.at_rest().await;
    let forwards: Vec<Value> = messages(&world).iter().map(|message| message["forwarded"].clone()).collect();
    let source = |kind: &str, id: Value| json!({"kind": kind, "id": id, "name": "somewhere"});
    assert_eq!(
        forwards,
        [
            source("channel", json!("fake:-100")),
            source("person", json!("fake:ben")),
            source("hidden", Value::Null),
            Value::Null
        ]
    );
    assert_eq!(prompt::text(&last(&world)), "one\n\n/stop\n\ntwo\n\nmy own");
}

#[tokio::test]
async fn a_forwarded_context_message_has_its_source() {
    let world = group(&["anna"]).await;
    let nearby =
        message_from("anna", "news").forwarded_from(ForwardKind::Channel, Some("-100")).unaddressed_in(GROUP);
    there(&world, nearby).await;
    there(&world, message_from("anna", "so?").in_group(GROUP)).await;
    assert_eq!(prompt::facts(&last(&world))["nearby"][0]["forwarded"]["id"], "fake:-100");
}

#[tokio::test]
async fn a_hidden_links_target_is_a_fact() {
    let world = World::new().await;
    there(&world, message_from("anna", "this (https://e.com/)").with_link("this", "https://e.com/")).await;
    assert_eq!(messages(&world)[0]["links"], json!([{"label": "this", "url": "https://e.com/"}]));
}

#[tokio::test]
async fn a_quoted_picture_is_the_file_that_was_kept_when_it_came() {
    let world = World::new().await;
    world.platform().holds("roof", [Fetch::Bytes(b"roof".to_vec())]);
    there(&world, message_from("anna", "the roof").named("4").with_file("roof", FileKind::Photo)).await;
    there(&world, message_from("anna", "what is wrong here?").replying_to_file("4", "roof, once more")).await;
    let turns = world.agent().turns();
    assert_eq!(turns[1].prompt[0].quoted_files[0].got, turns[0].prompt[0].files[0].got, "not fetched again");
    assert!(turns[1].prompt[0].files.is_empty(), "it did not come with the question");
}

#[tokio::test]
async fn a_quoted_picture_that_is_not_kept_is_fetched_within_the_limits() {
    let world = World::with(plan().with(|config| config.media.max_bytes = 5)).await;
    world.platform().holds("roof", [Fetch::Bytes(b"roof".to_vec())]);
    world.platform().holds("big", [Fetch::Bytes(b"a whole city".to_vec())]);
    there(&world, message_from("anna", "what is wrong here?").replying_to_file("4", "roof")).await;
    let path = last(&world).prompt[0].quoted_files[0].got.clone().unwrap();
    assert_eq!(std::fs::read(path).unwrap(), b"roof");
    there(&world, message_from("anna", "and here?").replying_to_file("5", "big")).await;
    let why = last(&world).prompt[0].quoted_files[0].got.clone().unwrap_err();
    assert!(why.contains("more than 5 bytes"), "{why}");
}

#[tokio::test]
async fn no_file_is_fetched_for_a_sender_without_access() {
    let world = group(&["eve"]).await;
    world.platform().holds("roof", [Fetch::Bytes(b"roof".to_vec())]);
    world.agent().will([Step::Hang]);
    world.platform().outcome_of(message_from("eve", "wait").in_group(GROUP)).await;
    world.agent().begun(1).await;
    world
        .platform()
        .outcome_of(message_from("eve", "this?").replying_to_file("4", "roof").in_group(GROUP))
        .await;
    shuts_out(&world, "eve").await;
    there(&world, message_from("eve", "this?").replying_to_file("4", "roof").in_group(GROUP)).await;
    assert_eq!(std::fs::read_dir(world.media().join("in")).unwrap().count(), 0);
}

/// A hook that tells the agent the day and drops rude messages.
fn operator() -> TestHook {
    TestHook::at([HookPoint::BeforeAgentStart, HookPoint::MessageReceived], |event| {
        Ok(match event {
            HookEvent::MessageReceived { message, .. } if message.contains("rude") => {
                HookVerdict::Drop("rude".to_owned())
            }
            HookEvent::MessageReceived { message, .. } => HookVerdict::Rewrite(format!("{message}!")),
            _ => HookVerdict::Context("It is Monday.".to_owned()),
        })
    })
}

#[tokio::test]
async fn hooks_add_context_apart_from_the_text_and_are_called_for_a_retry_too() {
    let world = World::with(plan().hook(operator())).await;
    let anna = world.user("anna");
    anna.says("hello").await;
    world.at_rest().await;
    let turn = last(&world);
    assert_eq!(prompt::text(&turn), "hello!");
    assert_eq!(prompt::facts(&turn)["context"], json!(["It is Monday."]));
    anna.says("/retry").await;
    world.at_rest().await;
    assert_eq!(prompt::text(&last(&world)), "hello!!", "what the hook made of it, and the hook once more");
}
