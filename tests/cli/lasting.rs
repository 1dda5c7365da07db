//! A program of mode `lasting` in the running gateway.

use crate::program::{NewHome, until};
use crate::telegram::Telegram;

const ANNA: i64 = 1001;

/// Answers with its pid; waits for an abort if it is asked to; and writes two lines that are not as they should be.
const AGENT: &str = r#"
while read -r line; do
  case "$line" in
    *'"type":"abort"'*) echo '{"type":"done"}' ;;
    *'"type":"compact"'*|*'wait for it'*) touch waits ;;
    *'ask me'*) echo '{"type":"ask","id":7,"kind":"confirm","text":"Go on?","deadline_s":"600"}'; read -r answer
      echo '{"type":"done","text":"not asked"}' ;;
    *'a long name'*) printf '{"type":"done","text":"named","usage":{"model":"big\\n%s"}}\n' "$(head -c 100000 /dev/zero | tr '\0' x)" ;;
    *'"type":"prompt"'*) printf '{"type":"done","text":"I am %s."}\n' "$$" ;;
  esac
done
"#;

/// The part of the configuration with this program.
fn section(home: &NewHome) -> String {
    home.write("agent.sh", AGENT);
    let agent =
        "kind = \"command\"\nmode = \"lasting\"\ncompact = true\ncommand = [\"sh\", \"../../agent.sh\"]";
    format!("allow = [{ANNA}]\n[agents.main]\n{agent}\n")
}

#[test]
fn a_program_that_ends_its_work_when_it_is_stopped_serves_the_next_message() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    let _daemon = telegram.gateway(&home, &section(&home));
    let anna = telegram.user(ANNA, "Anna");
    let waits = home.path().join("agents/main/waits");
    anna.tells("who are you?");
    let answer = anna.sees("I am ");
    for stopped in ["/compact", "wait for it"] {
        anna.tells(stopped);
        until("it works", || waits.exists());
        std::fs::remove_file(&waits).unwrap();
        let answers = || anna.texts().into_iter().filter(|text| *text == answer).count();
        let before = answers();
        anna.tells("/stop");
        anna.sees("Stopped");
        anna.tells("and now?");
        until("the same program answers", || answers() > before);
    }
}

#[test]
fn a_wrong_field_is_named_in_the_log_and_a_long_name_of_a_model_is_cut() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    let mut daemon = telegram.gateway(&home, &section(&home));
    let anna = telegram.user(ANNA, "Anna");
    anna.tells("ask me");
    anna.sees("not asked");
    let line = daemon.logs("a line of the program has a wrong field");
    for fact in ["ask", "deadline_s", "a whole number of 0 or more"] {
        assert!(line.contains(fact) && !line.contains("600"), "{line}");
    }
    anna.tells("a long name");
    anna.sees("named");
    let key = format!("agent:main:telegram:dm:{ANNA}");
    let messages = home.run(&["sessions", "messages", &key, "--json"]);
    let shown = messages.good().out.as_str();
    assert!(shown.contains("\"big xxx") && !shown.contains(&"x".repeat(130)), "{shown}");
}
