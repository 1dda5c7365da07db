//! The chat on the whole screen, in a real terminal.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::program::{Daemon, NewHome};
use crate::tmux::Tmux;

/// An agent that begins its answer, and ends it when the file `go` is there.
const SLOW: &str = r#"
while read -r line; do
  case "$line" in *'"type":"prompt"'*)
    printf '{"type":"delta","text":"It **begins** and"}\n'
    until [ -e ../../go ]; do sleep 0.05; done
    printf '{"type":"delta","text":" ends."}\n{"type":"done"}\n' ;;
  esac
done
"#;

/// An agent that asks for permission and then says what was answered.
const ASKING: &str = r#"
while read -r line; do
  case "$line" in
    *'"type":"prompt"'*) echo '{"type":"ask","id":"1","kind":"permission","text":"May I delete **it**?"}' ;;
    *'"type":"answer"'*)
      answer=$(printf '%s' "$line" | sed 's/.*"\(choice\|text\)":"\([^"]*\)".*/\2/')
      printf '{"type":"delta","text":"The answer is %s."}\n{"type":"done"}\n' "$answer" ;;
  esac
done
"#;

fn home_with_agent(script: &str) -> NewHome {
    let home = NewHome::new();
    home.write("agent.sh", script);
    home.write(
        "frontdesk.toml",
        "[agents.main]\nkind = \"command\"\nmode = \"lasting\"\ncommand = [\"sh\", \"../../agent.sh\"]\n",
    );
    home
}

/// The texts of the messages of a session, the oldest first.
fn texts(home: &NewHome, key: &str) -> Vec<String> {
    let messages = home.run(&["sessions", "messages", key, "--json"]).json();
    let mut rows = messages["messages"].as_array().unwrap().clone();
    rows.sort_by_key(|row| row["received"].as_str().unwrap().to_owned());
    rows.iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect()
}

/// `frontdesk tui` on a screen of this size.
fn opened(home: &NewHome, columns: u16, lines: u16) -> Tmux {
    let tmux = Tmux::start(&home.path(), columns, lines);
    tmux.enters("frontdesk tui; echo exit $?");
    tmux.sees("● connected");
    tmux
}

#[test]
fn a_conversation_is_held_and_the_terminal_given_back() {
    let home = NewHome::new();
    let _daemon = Daemon::start(&home.path());
    let tmux = opened(&home, 80, 24);
    tmux.sees_all(&["Main chat", "You write to the agent main", "Write a message", "F1 keys"]);
    tmux.enters("# Tea");
    tmux.sees_all(&["You  ", "  # Tea", "main  ", "\n  Tea\n"]);
    // Line breaks of keys and of a paste do not send.
    tmux.types("one");
    tmux.presses(&["M-Enter"]);
    tmux.types("two");
    tmux.presses(&["C-j"]);
    tmux.pastes("three\nfour\n");
    tmux.sees_all(&["> one\n", "  two\n", "  three\n", "  four\n"]);
    tmux.presses(&["Enter"]);
    tmux.sees("Write a message");
    tmux.enters("/status");
    tmux.sees("  /status\n");
    tmux.presses(&["F1"]);
    tmux.sees("Any key closes this");
    tmux.presses(&["Escape"]);
    tmux.sees_no("Any key closes this");
    tmux.presses(&["C-d"]);
    tmux.sees("exit 0");
    tmux.is_restored();
    assert_eq!(texts(&home, "agent:main:web:dm:main"), ["# Tea", "one\ntwo\nthree\nfour\n", "/status"]);
}

#[test]
fn a_kill_in_the_middle_of_an_answer_loses_nothing_and_doubles_nothing() {
    let home = home_with_agent(SLOW);
    let daemon = Daemon::start(&home.path());
    let tmux = opened(&home, 80, 24);
    tmux.enters("first");
    tmux.sees_all(&["  It begins and\n", "main writes"]);
    daemon.signal(Signal::KILL);
    daemon.end();
    tmux.sees("No connection.");
    tmux.enters("second");
    tmux.sees("Sent when the connection is back");
    tmux.types("a draft");
    let _daemon = Daemon::start(&home.path());
    tmux.sees("● connected");
    tmux.sees_no("No connection.");
    tmux.sees("Waits, number 1 in line");
    assert!(tmux.screen().contains("> a draft"));
    home.write("go", "");
    let screen = tmux.sees("It begins and ends.\n\nYou");
    assert_eq!(screen.matches("  first\n").count(), 1, "{screen}");
    let done = "It begins and ends.";
    crate::program::until("both are answered", || tmux.screen().matches(done).count() == 2);
    let screen = tmux.screen();
    assert_eq!((screen.matches("  second\n").count(), screen.matches("Waits").count()), (1, 0), "{screen}");
    assert_eq!(texts(&home, "agent:main:web:dm:main"), ["first", "second"]);
}

#[test]
fn a_question_is_answered_with_a_button() {
    let home = home_with_agent(ASKING);
    let _daemon = Daemon::start(&home.path());
    let tmux = opened(&home, 80, 24);
    tmux.enters("tidy up");
    tmux.sees_all(&[
        "  May I delete it?\n",
        "1 to 9 or arrows",
        " 1 Allow   2 Deny",
        "main waits for an answer",
    ]);
    // What one writes meanwhile is no answer.
    tmux.types("x2");
    tmux.sees("> x2");
    tmux.presses(&["BSpace", "BSpace"]);
    tmux.sees("Write a message");
    tmux.presses(&["Enter", "2"]);
    tmux.sees("Enter gives this answer");
    tmux.presses(&["Left", "Right", "Enter"]);
    tmux.sees_all(&["  Answer: Deny\n", "  The answer is deny.\n"]);
    tmux.sees_no("1 Allow   2 Deny");
}

#[test]
fn an_answer_is_stopped_with_escape() {
    let home = home_with_agent(SLOW);
    let _daemon = Daemon::start(&home.path());
    let tmux = opened(&home, 80, 24);
    tmux.enters("begin");
    tmux.sees("It begins and");
    tmux.presses(&["Escape"]);
    tmux.sees_all(&["  It begins and\n", "  (stopped)\n"]);
    tmux.sees_no("main writes");
}

#[test]
fn conversations_are_listed_switched_and_begun_and_what_is_unread_is_marked() {
    let home = NewHome::new();
    let _daemon = Daemon::start(&home.path());
    home.run(&["chat", "--chat", "work", "the plan"]).good();
    let tmux = opened(&home, 120, 24);
    tmux.sees_all(&["Conversations", "▸ Main chat", "  work"]);
    tmux.presses(&["Tab", "Down", "Enter"]);
    tmux.sees_all(&["▸ work", "  the plan\n"]);
    // What another client writes there is shown; elsewhere it is unread.
    home.run(&["chat", "--chat", "work", "from the command line"]).good();
    tmux.sees("  from the command line\n");
    home.run(&["chat", "elsewhere"]).good();
    tmux.sees("● Main chat");
    tmux.presses(&["M-Up"]);
    tmux.sees_all(&["▸ Main chat", "  elsewhere\n"]);
    tmux.sees_no("● Main chat");
    tmux.presses(&["C-n"]);
    tmux.sees_all(&["▸ New conversation", "You write to the agent main"]);
    tmux.enters("about tea");
    tmux.sees("▸ about tea");
    // A narrow terminal shows the list when it is asked for.
    tmux.resizes(60, 20);
    tmux.sees_no("Conversations");
    tmux.sees("about tea");
    tmux.presses(&["Tab"]);
    tmux.sees_all(&["Conversations", "  work"]);
    tmux.presses(&["Escape"]);
    tmux.sees_no("Conversations");
    tmux.presses(&["C-c"]);
    tmux.sees("Press Ctrl+C again to quit");
    tmux.presses(&["C-c"]);
    tmux.sees("exit 0");
    tmux.is_restored();
}

#[test]
fn a_session_is_opened_by_its_key_and_its_history_read_by_scrolling_up() {
    let home = NewHome::new();
    let _daemon = Daemon::start(&home.path());
    for n in 1..=40 {
        home.run(&["chat", "--chat", "long", &format!("question number {n}.")]).good();
    }
    let tmux = Tmux::start(&home.path(), 80, 24);
    tmux.enters("frontdesk tui --session agent:main:web:dm:long");
    let screen = tmux.sees_all(&["● connected", "question number 40."]);
    assert!(!screen.contains("number 1."), "{screen}");
    // The wheel and the key: the first page of the timeline does not reach that far.
    tmux.types("\u{1b}[<64;10;10M");
    tmux.sees("more lines (Ctrl+End)");
    crate::program::until("the first message is shown", || {
        tmux.presses(&["PageUp"]);
        tmux.screen().contains("question number 1.")
    });
    // What arrives meanwhile moves nothing.
    let below = |screen: &str| screen.lines().find(|line| line.contains("more lines")).map(str::to_owned);
    let before = below(&tmux.screen()).unwrap();
    home.run(&["chat", "--chat", "long", "and one more"]).good();
    crate::program::until("there is more below", || below(&tmux.screen()) != Some(before.clone()));
    tmux.sees("question number 1.");
    tmux.presses(&["C-End"]);
    tmux.sees("and one more");
}

#[test]
fn a_narrower_terminal_wraps_again_and_wide_characters_stay_whole() {
    let home = NewHome::new();
    let _daemon = Daemon::start(&home.path());
    let tmux = opened(&home, 90, 24);
    tmux.enters("表表表表表表表表表表 internationalisation 👩\u{200d}👧 end");
    tmux.sees("  表表表表表表表表表表 internationalisation");
    tmux.resizes(24, 20);
    tmux.sees_all(&["  表表表表表表表表表表\n", "  internationalisation\n"]);
    tmux.resizes(3, 2);
    tmux.resizes(90, 24);
    tmux.sees("  表表表表表表表表表表 internationalisation");
}

#[test]
fn a_text_cannot_control_the_terminal() {
    let home = NewHome::new();
    let _daemon = Daemon::start(&home.path());
    let evil = "before\u{1b}]2;owned\u{7}\u{1b}[31mred\u{9b}2Jafter";
    home.run(&["chat", evil]).good();
    let tmux = opened(&home, 90, 24);
    tmux.sees_all(&["  before", "after"]);
    assert!(!tmux.tells("#{pane_title}").contains("owned"));
    let screen = tmux.styled_screen();
    assert!(!screen.contains("\u{1b}[31mred"), "{screen:?}");
}

#[test]
fn signals_and_the_shells_job_control_give_the_terminal_back() {
    let home = NewHome::new();
    let _daemon = Daemon::start(&home.path());
    let tmux = opened(&home, 80, 24);
    tmux.presses(&["C-l"]);
    tmux.types("still here");
    tmux.sees_all(&["● connected", "> still here"]);
    tmux.presses(&["C-z"]);
    tmux.sees("topped");
    tmux.is_restored();
    tmux.enters("fg; echo exit $?");
    tmux.sees("● connected");
    let signal = |signal| kill_process(Pid::from_raw(tmux.running()).unwrap(), signal).unwrap();
    signal(Signal::TSTP);
    tmux.sees("topped");
    tmux.is_restored();
    tmux.enters("fg; echo exit $?");
    tmux.sees("● connected");
    signal(Signal::TERM);
    tmux.sees_all(&["ended by SIGTERM", "exit 1"]);
    tmux.is_restored();
    tmux.enters("clear; frontdesk tui; echo exit $?");
    tmux.sees("● connected");
    signal(Signal::HUP);
    tmux.sees_all(&["ended by SIGHUP", "exit 1"]);
    tmux.is_restored();
}

#[test]
fn without_colours_only_emphasis_is_left() {
    let home = NewHome::new();
    let _daemon = Daemon::start(&home.path());
    home.run(&["chat", "# Tea\n\n`code`"]).good();
    // SGR parameters of colours begin with 3, 4, 9 or 10 and have a second digit.
    let is_coloured = |screen: &str| {
        let sequences = screen.split("\u{1b}[").skip(1).filter_map(|rest| rest.split_once('m'));
        let mut numbers = sequences.flat_map(|(sequence, _)| sequence.split(';'));
        numbers.any(|number| number.len() >= 2 && number != "39" && number != "49")
    };
    for (environment, coloured) in [("", true), ("NO_COLOR=1", false)] {
        let tmux = Tmux::start_with(&home.path(), 120, 24, environment);
        tmux.enters("frontdesk tui");
        tmux.sees_all(&["● connected", "  code"]);
        let screen = tmux.styled_screen();
        assert_eq!(is_coloured(&screen), coloured, "{environment:?}: {screen:?}");
        assert!(screen.contains("\u{1b}[1m"), "bold: {screen:?}");
    }
}

#[test]
fn what_makes_a_chat_impossible_is_said_as_by_every_command() {
    let home = NewHome::new();
    home.run(&["tui"]).failed(2, &["needs a terminal", "frontdesk chat"]);
    let tmux = Tmux::start(&home.path(), 120, 24);
    tmux.enters("frontdesk tui; echo exit $?");
    tmux.sees_all(&["no gateway is running", "frontdesk run", "exit 69"]);
    let _daemon = Daemon::start(&home.path());
    let wrong = home.write("other-token", &"x".repeat(43));
    tmux.enters(&format!("clear; frontdesk tui --token-file {}; echo exit $?", wrong.display()));
    tmux.sees_all(&["does not know this token", "exit 1"]);
    assert_eq!(tmux.tells("#{alternate_on}"), "0");
    let status: Value = home.run(&["status", "--json"]).state();
    assert_eq!(status["status"], "ok");
}
