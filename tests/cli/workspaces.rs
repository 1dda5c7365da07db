//! Two workspaces of Slack, each with an app of its own: an account for each, and a kill.

use frontdesk_fakeslack::{APP_TOKEN, Person, SlackApi, TOKEN};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::program::{Daemon, NewHome, command, until};

/// The second workspace, and the tokens of its app.
const WORKSPACE: &str = "T0000WORK";
const WORK: (&str, &str) = ("xoxb-2-work", "xapp-1-A0WORK-2-secret");

fn texts(person: &Person) -> Vec<String> {
    person.sees().into_iter().filter(|shown| shown.user != person.id).map(|shown| shown.text).collect()
}

#[test]
fn each_workspace_is_an_account_with_its_own_people_and_sessions() {
    let runtime = Runtime::new().unwrap();
    let slack = runtime.block_on(SlackApi::start());
    let app = json!({"id": "A0WORK", "token": WORK.1, "secret": "s", "team": WORKSPACE, "bot_token": WORK.0, "bot": "U0000WORK", "name": "Work"});
    slack.act("app", app);
    let (anna, otto) =
        (slack.person("U0000ANNA", "Anna"), slack.person_in(WORKSPACE, "U0000OTTO", "Otto", json!({})));
    let eve = slack.person_in(WORKSPACE, "U0000EVE", "Eve", json!({}));
    let home = NewHome::new();
    let config = format!(
        "[channels.slack]\napi_url = \"{}\"\nper_chat_ms = 0\nallow = [\"U0000ANNA\", \"U0000EVE\"]\ndm_policy = \"allowlist\"\n\
         [channels.slack.accounts.work]\ntoken = \"{}\"\napp_token = \"{}\"\nallow = [\"U0000OTTO\"]\ndm_policy = \"allowlist\"\n",
        slack.api_url(),
        WORK.0,
        WORK.1
    );
    home.write("frontdesk.toml", &config);
    let run = || {
        let mut run = command(&home.path());
        run.args(["run", "--port", "0"]).env("SLACK_BOT_TOKEN", TOKEN).env("SLACK_APP_TOKEN", APP_TOKEN);
        Daemon::start_with(&mut run)
    };
    let daemon = run();
    until("both are connected", || home.run(&["status", "--json"]).code == Some(0));
    anna.tells("I am Anna");
    otto.tells("I am Otto");
    eve.tells("I may write only elsewhere");
    until("both are answered", || texts(&anna) == ["I am Anna"] && texts(&otto) == ["I am Otto"]);
    drop(daemon);
    otto.tells("still there?");
    let daemon = run();
    until("what came meanwhile is answered", || texts(&otto).len() == 2);
    assert_eq!((texts(&anna), texts(&eve)), (vec!["I am Anna".to_owned()], vec![]));
    let keys = home.run(&["sessions", "--json"]).json();
    let keys: Vec<&str> =
        keys["sessions"].as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap()).collect();
    assert!(
        keys.contains(&"agent:main:slack:dm:U0000ANNA")
            && keys.contains(&"agent:main:slack@work:dm:U0000OTTO"),
        "{keys:?}"
    );
    daemon.stop().good();
}
