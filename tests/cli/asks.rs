//! Questions of an agent: answered by a button, on the command line and in the terminal chat, over a kill of the gateway.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};
use std::sync::Arc;

use frontdesk_botapi::{BOT, Call, Shown};
use rustix::process::Signal;
use serde_json::json;

use crate::program::{Daemon, NewHome, command, until};
use crate::telegram::Telegram;
use crate::terminal::terminal;

const ANNA: i64 = 1001;
const BEN: i64 = 1002;
const GROUP: i64 = -1500;

/// An agent that asks for permission and then says what was answered, or asks three questions and does not wait for the
/// answers.
const AGENT: &str = r#"
while read -r line; do
  case "$line" in
    *'ask too much'*)
      for n in 1 2 3; do echo '{"type":"ask","id":"'$n'","kind":"permission","text":"And this?"}'; done
      printf '{"type":"delta","text":"Never mind."}\n{"type":"done"}\n' ;;
    *'"type":"prompt"'*) echo '{"type":"ask","id":"1","kind":"permission","text":"May I delete **it**?"}' ;;
    *'"type":"answer"'*)
      answer=$(printf '%s' "$line" | sed 's/.*"\(choice\|text\)":"\([^"]*\)".*/\2/')
      printf '{"type":"delta","text":"The answer is %s."}\n{"type":"done"}\n' "$answer" ;;
  esac
done
"#;

/// A home folder with that agent and `more` of the configuration.
fn home_with_agent(more: &str) -> NewHome {
    let home = NewHome::new();
    home.write("agent.sh", AGENT);
    let agent =
        "[agents.main]\nkind = \"command\"\nmode = \"lasting\"\ncommand = [\"sh\", \"../../agent.sh\"]\n";
    home.write("frontdesk.toml", &format!("{agent}{more}"));
    home
}

/// The answers to presses that people were shown, as text and whether it is an alert.
fn told(telegram: &Telegram) -> Vec<(String, bool)> {
    let shown = |call: &Arc<Call>| {
        let text = call.params["text"].as_str()?.to_owned();
        Some((text, call.params.get("show_alert") == Some(&json!(true))))
    };
    telegram.api.journal().calls_of("answerCallbackQuery").iter().filter_map(shown).collect()
}

/// The bot's messages in the group.
fn shown(telegram: &Telegram) -> Vec<Shown> {
    telegram.api.shows(GROUP).into_iter().filter(|shown| shown.from == BOT).collect()
}

#[test]
fn a_question_is_answered_by_a_button_after_a_kill_in_between_and_refused_to_another_person() {
    let telegram = Telegram::start();
    let group = format!("[channels.telegram.groups.\"{GROUP}\"]\nrequire_mention = false\n");
    let home = home_with_agent(&telegram.config(&format!("allow = [{ANNA}, {BEN}]\n{group}")));
    let (anna, ben) = (telegram.user(ANNA, "Anna"), telegram.user(BEN, "Ben"));
    let group = telegram.api.supergroup(GROUP, "Tea club");
    telegram.does(async {
        anna.user.joins(&group).await;
        ben.user.joins(&group).await;
    });
    let daemon = Daemon::start(&home.path());
    telegram.does(anna.user.says(&group, "tidy up"));
    until("the question has buttons", || shown(&telegram).iter().any(|shown| !shown.buttons.is_empty()));
    let question = shown(&telegram).pop().unwrap();
    assert_eq!(
        (question.text.as_str(), question.buttons.as_slice()),
        ("May I delete it?", &["Allow".to_owned(), "Deny".to_owned()][..])
    );
    telegram.does(ben.user.presses(&group, question.message_id, "Deny"));
    until("Ben is refused", || !told(&telegram).is_empty());
    assert_eq!(told(&telegram), [("This question is not for you.".to_owned(), true)]);
    assert_eq!(shown(&telegram).len(), 1, "and the others see nothing of it");
    // Otherwise the press is delivered again after the kill, and answered again.
    telegram.waits(|journal| journal.unconfirmed() == 0);

    daemon.signal(Signal::KILL);
    daemon.end();
    let allowed = telegram.does(async {
        ben.user.presses(&group, question.message_id, "Deny").await;
        let allowed = anna.user.presses(&group, question.message_id, "Allow").await;
        anna.user.presses(&group, question.message_id, "Deny").await;
        allowed
    });
    let daemon = Daemon::start(&home.path());
    until("the answer has arrived", || {
        shown(&telegram).iter().any(|shown| shown.text.contains("The answer is allow."))
    });
    until("each press is answered", || told(&telegram).len() == 4);
    // Several are answered at the same time.
    let mut later = told(&telegram).split_off(1);
    later.sort();
    assert_eq!(
        later,
        [
            ("Anna has answered this question already.".to_owned(), true),
            ("This question is not for you.".to_owned(), true),
            ("Your answer: Allow".to_owned(), false),
        ]
    );
    until("the buttons are gone", || shown(&telegram)[0].buttons.is_empty());
    let texts: Vec<String> = shown(&telegram).into_iter().map(|shown| shown.text).collect();
    assert_eq!(texts, ["May I delete it?\n\nAnna: Allow", "The answer is allow."], "asked and answered once");
    assert!(home.run(&["asks"]).good().out.contains("There are no open questions"));

    assert!(telegram.api.default_bot().hears_again(allowed.update_id));
    until("the press that was delivered again is answered", || told(&telegram).len() == 5);
    assert_eq!(told(&telegram)[4], ("Your answer: Allow".to_owned(), false), "like the first time");
    daemon.stop().good();
}

#[test]
fn a_question_is_listed_and_answered_on_the_command_line() {
    let home = home_with_agent("");
    let daemon = Daemon::start(&home.path());
    assert_eq!(home.run(&["asks"]).good().out, "There are no open questions.\n");
    let chat = TerminalChat::start(&home, "tidy up");
    until("the question is open", || {
        !home.run(&["asks", "--json"]).json()["asks"].as_array().unwrap().is_empty()
    });
    let open = home.run(&["asks", "--json"]).json()["asks"][0].clone();
    assert_eq!(
        (&open["id"], &open["state"], &open["to"]),
        (&json!("a1"), &json!("open"), &json!("web:main"))
    );
    let table = home.run(&["asks"]).good().out.clone();
    assert!(table.contains("a1") && table.contains("1 Allow, 2 Deny"), "{table}");
    let status = home.run(&["status"]).good().out.clone();
    assert!(status.contains("Questions 1 open"), "{status}");
    home.run(&["asks", "answer", "a1", "perhaps"]).failed(1, &["not one of the choices"]);
    home.run(&["asks", "answer", "a9", "1"]).failed(1, &["no question a9"]);
    home.run(&["asks", "answer", "9", "1"]).failed(1, &["no question a9"]);
    home.run(&["asks", "answer", "x9", "1"]).failed(2, &["a question"]);
    // Chats call it question 1.
    assert_eq!(home.run(&["asks", "answer", "1", "2"]).good().out, "a1 is answered: Deny\n");
    for late in ["2", "perhaps"] {
        home.run(&["asks", "answer", "a1", late]).failed(1, &["already"]);
    }
    let said = chat.ends();
    assert!(said.contains("May I delete **it**?") && said.contains("The answer is deny."), "{said}");
    let until = open["deadline"].as_str().unwrap().get(..16).unwrap().replace('T', " ");
    assert!(said.contains(&format!(" until {until} UTC")), "with its date: {said}");
    assert!(said.contains("frontdesk asks answer a1 NUMBER"), "it reads nothing that is not typed: {said}");
    let listed = home.run(&["asks", "--state", "answered"]).good().out.clone();
    assert!(listed.contains("answered") && listed.contains("Deny (web:main)"), "{listed}");
    let ended = home.run(&["asks", "--state", "all", "--json"]).json()["asks"][0].clone();
    assert!(ended["ended"].as_str().unwrap() < ended["deadline"].as_str().unwrap(), "{ended}");
    daemon.stop().good();
}

#[test]
fn all_questions_are_listed_also_those_of_later_pages() {
    let home = home_with_agent("");
    let daemon = Daemon::start(&home.path());
    for _ in 0..17 {
        TerminalChat::start(&home, "ask too much").ends();
    }
    let listed = home.run(&["asks", "--state", "all", "--json"]).json();
    assert_eq!(listed["asks"].as_array().unwrap().len(), 51);
    daemon.stop().good();
}

#[test]
fn in_a_terminal_a_question_is_answered_by_typing() {
    let home = home_with_agent("");
    let daemon = Daemon::start(&home.path());
    let (mut keyboard, terminal) = terminal();
    let mut chat = command(&home.path());
    let chat = chat.args(["chat", "tidy up"]).stdin(terminal).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut chat = chat.spawn().unwrap();
    let mut screen = BufReader::new(chat.stdout.take().unwrap()).lines();
    let mut sees = |wanted: &str| {
        let mut seen = Vec::new();
        while !seen.last().is_some_and(|line: &String| line.contains(wanted)) {
            let next = screen.next();
            seen.push(next.unwrap_or_else(|| panic!("{wanted:?} was not printed: {seen:?}")).unwrap());
        }
        seen
    };
    let question = sees("type a number");
    assert_eq!(question[..3], ["May I delete **it**?", "  1 Allow", "  2 Deny"]);
    keyboard.write_all(b"maybe\n").unwrap();
    let mut problems = BufReader::new(chat.stderr.take().unwrap()).lines();
    let problem = problems.next().unwrap().unwrap();
    assert!(problem.contains("not one of the choices"), "{problem}");
    keyboard.write_all(b"1\n").unwrap();
    sees("main: Allow");
    sees("The answer is allow.");
    assert!(chat.wait().unwrap().success());
    daemon.stop().good();
}

/// `frontdesk chat` without a terminal.
struct TerminalChat(Child);

impl TerminalChat {
    fn start(home: &NewHome, text: &str) -> TerminalChat {
        let mut chat = command(&home.path());
        let chat =
            chat.args(["chat", text]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        TerminalChat(chat.spawn().unwrap())
    }

    /// What it has printed at its end.
    fn ends(self) -> String {
        let output = self.0.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}
