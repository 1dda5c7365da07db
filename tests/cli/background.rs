//! Background work for Telegram: its result is sent once, also after a kill, and while another answer is under way.

use frontdesk_botapi::{BOT, Journal};
use rustix::process::Signal;
use serde_json::json;

use crate::program::{Daemon, NewHome, until};
use crate::telegram::Telegram;

const ANNA: i64 = 1001;
const RESULT: &str = "The treasure is found.";
const STORY: &str = "Once upon a time there was a gateway that lost nothing at all";

/// Digs for some seconds and says how far it is, or tells a story word by word.
const AGENT: &str = r#"
while read -r line; do
  case "$line" in
    *'"type":"abort"'*) echo '{"type":"done"}' ;;
    *'dig deep'*)
      for n in 1 2 3 4 5 6 7 8; do
        printf '{"type":"progress","percent":%s,"text":"layer %s"}\n' $((n * 12)) $n; sleep 0.4
      done
      echo '{"type":"done","text":"The treasure is found."}' ;;
    *'tell a story'*)
      for word in Once upon a time there was a gateway that lost nothing at all; do
        printf '{"type":"delta","text":"%s "}\n' $word; sleep 0.15
      done
      echo '{"type":"done"}' ;;
    *'"type":"prompt"'*) echo '{"type":"done","text":"An agent was asked."}' ;;
  esac
done
"#;

fn section(home: &NewHome) -> String {
    home.write("agent.sh", AGENT);
    let agent = "kind = \"command\"\nmode = \"lasting\"\ncommand = [\"sh\", \"../../agent.sh\"]";
    format!("allow = [{ANNA}]\n[agents.main]\n{agent}\n[tasks]\nprogress_seconds = 1\n")
}

/// The edits of the message that shows the progress.
fn bars(journal: &Journal) -> usize {
    journal.calls_of("editMessageText").iter().filter(|call| call.text().contains('░')).count()
}

#[test]
fn the_result_of_a_task_is_sent_to_telegram_once_after_a_kill_while_its_chat_is_busy() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    let daemon = telegram.gateway(&home, &section(&home));
    let anna = telegram.user(ANNA, "Anna");
    anna.tells("/bg dig deep");
    anna.sees("⏳ Background task");
    telegram.waits(|journal| bars(journal) >= 2);
    daemon.signal(Signal::KILL);
    daemon.end();

    let before = bars(&telegram.api.journal());
    let daemon = Daemon::start(&home.path());
    anna.tells("tell a story");
    telegram.waits(|journal| bars(journal) > before);
    anna.sees(RESULT);
    until("the story has ended", || anna.texts().iter().any(|text| text.trim() == STORY));
    let of_bot = |part: &str| {
        anna.user.sees().into_iter().filter(|shown| shown.from == BOT && shown.text.contains(part)).count()
    };
    assert_eq!((of_bot(RESULT), of_bot("Once upon")), (1, 1), "{:?}", anna.texts());
    let posts = telegram.api.journal().calls_of("sendMessage");
    let results: Vec<_> = posts.iter().filter(|call| call.text().contains(RESULT)).collect();
    assert_eq!(results.len(), 1, "it was sent once: {results:?}");
    assert_eq!(
        of_bot("dig deep (b1) is done."),
        1,
        "the message with the progress was edited: {:?}",
        anna.texts()
    );
    assert!(!anna.texts().iter().any(|text| text.contains('░')), "the bar is gone: {:?}", anna.texts());
    let task = home.run(&["tasks", "show", "b1", "--json"]).json();
    assert_eq!((&task["state"], &task["attempt"]), (&json!("succeeded"), &json!(2)));
    daemon.stop().good();
}

#[test]
fn an_event_that_github_has_signed_becomes_a_message_or_an_answer_in_telegram() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    let endpoint = |name: &str, mode: &str| {
        format!(
            "[hooks.endpoints.{name}]\nsignature = \"github\"\nsecret = \"a secret of GitHub\"\nmode = \"{mode}\"\n\
             to = \"telegram:{ANNA}\"\ntemplate = \"New issue: {{{{ issue.title }}}}\"\n"
        )
    };
    let hooks =
        format!("[hooks]\nenabled = true\n{}{}", endpoint("told", "message"), endpoint("asked", "agent"));
    let daemon = telegram.gateway(&home, &(section(&home) + &hooks));
    let anna = telegram.user(ANNA, "Anna");
    // A bot writes to nobody who has not written to it.
    anna.tells("hello");
    anna.sees("An agent was asked.");
    let event = json!({"action": "opened", "issue": {"title": "It is slow"}}).to_string();
    for name in ["told", "asked"] {
        // GitHub delivers again what it thinks has failed.
        for _ in 0..2 {
            home.run(&["events", "push", name, "--key", "delivery-1", "--data", &event]).good();
        }
    }
    anna.sees("New issue: It is slow");
    let answers = || anna.texts().iter().filter(|text| *text == "An agent was asked.").count();
    until("the agent has answered", || answers() == 2);
    daemon.stop().good();
    assert_eq!((answers(), anna.texts().len()), (2, 4), "{:?}", anna.texts());
}
