//! Commands: which texts are one, and which command they are.

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::id::MessageId;
use crate::message::{Conversation, Sender, SenderKind};

fn event(text: &str, first_line: FirstLine) -> Event {
    let from = Sender::new("telegram:1".parse().unwrap(), SenderKind::Person);
    let conversation = Conversation::Dm { chat: "1".into(), thread: None };
    let event = Event::new("1", EventKind::Message, from, "telegram:1".parse().unwrap(), conversation);
    Event { addressed: true, first_line, text: text.into(), ..event }
}

#[test]
fn only_a_plain_first_line_of_the_senders_own_message_is_a_command() {
    use crate::message::{Forward, ForwardKind};
    let text = "/gateway stop";
    assert!(matches!(of(&event(text, FirstLine::Plain)), Parsed::Command(Command::Gateway(_))));
    for first_line in [FirstLine::PlainFirstWord, FirstLine::Formatted] {
        assert_eq!(of(&event(text, first_line)), Parsed::Text(text), "{first_line:?}");
    }
    let forward = Some(Forward { kind: ForwardKind::Hidden, id: None, name: None });
    assert_eq!(of(&Event { forward, ..event(text, FirstLine::Plain) }), Parsed::Text(text));
    let pressed = EventKind::Button { target: None };
    assert_eq!(of(&Event { kind: pressed, ..event(text, FirstLine::Plain) }), Parsed::Text(text));
}

#[test]
fn a_new_conversation_may_begin_with_code_but_its_command_is_plain() {
    let text = "/new explain `ls`";
    let new = Parsed::Command(Command::New { text: Some("explain `ls`".into()) });
    assert_eq!(of(&event(text, FirstLine::PlainFirstWord)), new);
    assert_eq!(of(&event(text, FirstLine::Formatted)), Parsed::Text(text));
    assert_eq!(
        of(&event("//new", FirstLine::Formatted)),
        Parsed::Text("//new"),
        "what is shown has no escapes"
    );
}

fn written(ask: Option<i64>, text: &str) -> Command {
    Command::Answer(Some(WrittenAnswer { ask: ask.map(AskId), text: text.into() }))
}

fn command(text: &str) -> Command {
    match parse(text, Some("front_bot")) {
        Parsed::Command(command) => command,
        other => panic!("{text:?} is {other:?}"),
    }
}

#[rstest]
#[case("/help", Command::Help)]
#[case("/start ref_17", Command::Help)]
#[case("/new", Command::New { text: None })]
#[case("/reset", Command::New { text: None })]
#[case("/status", Command::Status)]
#[case("/usage", Command::Usage)]
#[case("/timezone", Command::Timezone { zone: None })]
#[case("/timezone  New York ", Command::Timezone { zone: Some("New York".into()) })]
#[case("/stop", Command::Stop)]
#[case("/stop at once!", Command::Stop)]
#[case("/retry", Command::Retry)]
#[case("/answer", Command::Answer(None))]
#[case("/answer 7 2", written(Some(7), "2"))]
#[case("/answer A7  to the\n main branch ", written(Some(7), "to the\n main branch"))]
#[case("/answer 2", written(None, "2"))]
#[case("/answer a7", written(None, "a7"))]
#[case("/answer the main  branch", written(None, "the main  branch"))]
#[case("/sessions", Command::Sessions { page: 1 })]
#[case("/sessions 3", Command::Sessions { page: 3 })]
#[case("/resume", Command::Resume { epoch: None })]
#[case("/resume 12", Command::Resume { epoch: Some(12) })]
#[case("/whoami", Command::Whoami)]
#[case("/queue", Command::Queue(QueueRequest::List))]
#[case("/queue  Drop 2", Command::Queue(QueueRequest::Drop(WaitingPlace::Place(2))))]
#[case("/queue drop M42", Command::Queue(QueueRequest::Drop(WaitingPlace::Message(MessageId(42)))))]
#[case("/queue collect", Command::Queue(QueueRequest::Mode(Some(QueueMode::Collect))))]
#[case("/queue Default", Command::Queue(QueueRequest::Mode(None)))]
#[case(
    "/queue interrupt  no, wait ",
    Command::Queue(QueueRequest::Send { mode: QueueMode::Interrupt, text: "no, wait".into() })
)]
#[case("/queue steer faster", Command::Steer { text: "faster".into() })]
#[case("/queue clear", Command::Queue(QueueRequest::Clear))]
#[case("/steer shorter, please", Command::Steer { text: "shorter, please".into() })]
#[case("/compact", Command::Compact { instructions: String::new() })]
#[case("/compact the names", Command::Compact { instructions: "the names".into() })]
#[case("/model", Command::Choose { option: SessionOption::Model, value: None })]
#[case("/Model Large-2", Command::Choose { option: SessionOption::Model, value: Some("Large-2".into()) })]
#[case("/thinking high", Command::Choose { option: SessionOption::Thinking, value: Some("high".into()) })]
#[case("  /Status \n", Command::Status)]
#[case("/STOP@Front_Bot", Command::Stop)]
fn a_command_is_understood(#[case] text: &str, #[case] expected: Command) {
    assert_eq!(command(text), expected);
}

#[test]
fn text_after_new_is_the_first_message_with_its_line_breaks() {
    let text = Some("a plan:\n\n- one\n- /two".to_owned());
    assert_eq!(command("/new@front_bot \n a plan:\n\n- one\n- /two\n"), Command::New { text });
}

#[rstest]
#[case("/etc/passwd is broken")]
#[case("/usr/bin")]
#[case("/2 of them")]
#[case("/_hidden")]
#[case("/stop!")]
#[case("/größe")]
#[case("/new@")]
#[case("/new@front-bot")]
#[case("/")]
#[case("//")]
#[case("// a comment")]
#[case("//server/share")]
#[case("a /new idea")]
#[case("")]
#[case("  keeps its space \n")]
fn text_that_only_looks_like_a_command_reaches_the_agent_unchanged(#[case] text: &str) {
    assert_eq!(parse(text, Some("front_bot")), Parsed::Text(text));
}

#[rstest]
#[case("//new", "/new")]
#[case("//etc", "/etc")]
#[case(" //stop it ", "/stop it")]
#[case("///new", "//new")]
fn one_more_slash_sends_a_command_to_the_agent_as_text(#[case] text: &str, #[case] sent: &str) {
    assert_eq!(parse(text, None), Parsed::Text(sent));
}

#[test]
fn a_command_for_another_bot_is_not_for_us() {
    assert_eq!(parse("/new@other_bot", Some("front_bot")), Parsed::NotForUs);
    assert_eq!(parse("/unheard_of@other_bot", Some("front_bot")), Parsed::NotForUs);
    assert_eq!(parse("/stop@front_bot", Some("@front_bot")), Parsed::Command(Command::Stop));
}

#[test]
fn on_platforms_without_bot_names_an_at_sign_is_text() {
    assert_eq!(parse("/new@home is a shop", None), Parsed::Text("/new@home is a shop"));
}

#[test]
fn background_tasks_have_three_commands() {
    let command = |text| match parse(text, None) {
        Parsed::Command(command) => command,
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(
        command("/bg  dig *deep*\nand wide"),
        Command::Background { text: Some("dig *deep*\nand wide".into()) }
    );
    assert_eq!(command("/background"), Command::Background { text: None });
    assert_eq!(command("/tasks"), Command::Tasks);
    assert_eq!(command("/tasks retry B7"), Command::RetryTask(TaskId(7)));
    assert_eq!(command("/cancel 7"), Command::CancelTask(TaskId(7)));
    for wrong in ["/cancel", "/cancel m7", "/tasks 7", "/tasks retry", "/tasks drop 7"] {
        assert!(matches!(parse(wrong, None), Parsed::Malformed { .. }), "{wrong}");
    }
}

#[rstest]
#[case("/halp", "halp", Some("help"))]
#[case("/Stpo", "stpo", Some("stop"))]
#[case("/resset now", "resset", Some("reset"))]
#[case("/backgroud dig", "backgroud", Some("background"))]
#[case("/yesterday", "yesterday", None)]
#[case("/etc", "etc", None)]
fn an_unknown_command_is_answered_with_the_nearest(
    #[case] text: &str,
    #[case] name: &str,
    #[case] nearest: Option<&'static str>,
) {
    assert_eq!(parse(text, None), Parsed::Unknown { name: name.to_owned(), nearest });
}

#[rstest]
#[case("/resume the talk about tea", "resume")]
#[case("/resume -1", "resume")]
#[case("/resume +1", "resume")]
#[case("/resume 99999999999999999999", "resume")]
#[case("/sessions 0", "sessions")]
#[case("/queue drop", "queue")]
#[case("/queue drop 0", "queue")]
#[case("/queue drop 1 2", "queue")]
#[case("/queue clear all", "queue")]
#[case("/queue soon", "queue")]
#[case("/retry harder", "retry")]
#[case("/status please", "status")]
fn arguments_that_would_be_lost_are_refused_with_the_usage(#[case] text: &str, #[case] name: &str) {
    let Parsed::Malformed { command, usage, words } = parse(text, None) else {
        panic!("{text:?} is {:?}", parse(text, None))
    };
    assert_eq!(command, name);
    assert!(!words.is_empty() && text.ends_with(words), "{words}");
    assert!(usage.starts_with(&format!("/{name}")));
}

#[test]
fn the_list_and_the_grammar_know_the_same_commands() {
    assert!(!list().is_empty());
    let mut names = std::collections::BTreeSet::new();
    for spec in list() {
        for name in std::iter::once(&spec.name).chain(spec.aliases) {
            assert!(names.insert(*name), "{name} stands twice");
            let known = match parse(&format!("/{name}"), None) {
                Parsed::Command(command) => command.name(),
                // It needs words.
                Parsed::Malformed { command, .. } => command,
                other => panic!("{name:?} is {other:?}"),
            };
            assert_eq!(known, spec.name);
        }
        assert!(spec.usage.starts_with(&format!("/{}", spec.name)));
        // The bounds of Telegram's setMyCommands (core.telegram.org/bots/api#botcommand).
        assert!(spec.name.len() <= 32 && (1..=256).contains(&spec.help.len()));
    }
}

proptest! {
    #[test]
    fn no_text_panics_and_text_is_never_changed(text in r"[ /]{0,3}[a-zA-Z_@/é]{0,8}\PC{0,12}") {
        for bot in [None, Some("front_bot"), Some("@")] {
            if let Parsed::Text(out) = parse(&text, bot) {
                let unescaped = text.trim().strip_prefix('/');
                prop_assert!(out == text || Some(out) == unescaped.filter(|rest| rest.starts_with('/')));
            }
        }
    }

    #[test]
    fn any_message_without_a_leading_slash_is_for_the_agent(text in r"[^/\s]\PC*") {
        prop_assert_eq!(parse(&text, Some("front_bot")), Parsed::Text(text.as_str()));
    }

    #[test]
    fn every_command_can_be_sent_as_text(slashes in "/{1,4}", name in "[a-zA-Z][a-z_]{0,8}", rest in "( [a-z]{1,5})?") {
        let wanted = format!("{slashes}{name}{rest}");
        let escaped = format!("/{wanted}");
        prop_assert_eq!(parse(&escaped, None), Parsed::Text(wanted.as_str()));
    }

    #[test]
    fn a_name_is_nearest_to_itself(at in 0..LIST.len()) {
        let names = LIST.map(|spec| spec.name);
        prop_assert_eq!(nearest(names[at], names), Some(names[at]));
    }
}
