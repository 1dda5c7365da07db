//! `frontdesk agents`: what is said of agents before anybody writes to them, and how pi is installed.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use frontdesk_fakemodel::{FakeModel, Script};
use serde_json::{Value, json};

use crate::program::{Daemon, NewHome, Ran, command, finish};

/// Writes a program.
fn program(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs a command with the folder `bin` of the home folder before the others in PATH.
fn run(home: &NewHome, arguments: &[&str]) -> Ran {
    let path = format!("{}:/usr/bin:/bin", home.path().join("bin").display());
    finish(command(&home.path()).args(arguments).env("PATH", path).env("HOME", home.path()), "")
}

/// What `agents check` says of one agent.
fn checked(home: &NewHome, name: &str) -> Value {
    let ran = run(home, &["agents", "check", name, "--json"]);
    let answer: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    let agent = answer["agents"][0].clone();
    assert_eq!(ran.code, Some(if agent["ok"] == true { 0 } else { 1 }), "{ran:?}");
    agent
}

fn problem(home: &NewHome, name: &str) -> String {
    let agent = checked(home, name);
    agent["problem"].as_str().unwrap_or_else(|| panic!("no problem: {agent}")).to_owned()
}

fn seen(home: &NewHome, name: &str) -> String {
    let agent = checked(home, name);
    assert_eq!(agent["ok"], true, "{agent}");
    agent["seen"].as_array().unwrap().iter().map(|seen| seen.as_str().unwrap()).collect::<Vec<_>>().join("; ")
}

#[test]
fn the_list_names_every_agent_and_what_is_wrong_with_it() {
    let home = NewHome::new();
    assert_eq!(home.run(&["agents", "--json"]).json()["agents"][0]["kind"], "echo");
    home.write(
        "frontdesk.toml",
        "default_agent = \"coder\"\n[agents.coder]\nkind = \"pi\"\n\
         [agents.model]\nkind = \"openai\"\nmodel = \"m\"\nbase_url = \"http://127.0.0.1:1\"\napi_key = \"sk-secret\"\n\
         [agents.old]\nkind = \"command\"\ncommand = [\"no-such-program\", \"-x\"]\nrun_with = [\"env\"]\n",
    );
    let listed = home.run(&["agents", "list", "--json"]).json();
    let [coder, model, old] = listed["agents"].as_array().unwrap().as_slice() else { panic!("{listed}") };
    assert_eq!((&coder["kind"], &coder["default"]), (&json!("pi"), &json!(true)), "{coder}");
    let install = coder["problem"].as_str().unwrap();
    assert!(
        install.contains("pi is in none of the folders of PATH: run `frontdesk agents install pi`"),
        "{install}"
    );
    assert_eq!(model["answers"], "m at 127.0.0.1");
    assert_eq!((&model["problem"], &model["gateway_rights"]), (&Value::Null, &json!(false)));
    assert_eq!(old["answers"], "no-such-program -x");
    let table = home.run(&["agents"]).good().out.clone();
    assert!(table.contains("NAME") && table.contains("coder") && !table.contains("sk-secret"), "{table}");
    home.run(&["agents", "check", "oldd"]).failed(2, &["there is no agent oldd; did you mean old?"]);
}

#[test]
fn a_program_is_started_as_for_a_message_and_its_end_is_told() {
    let home = NewHome::new();
    home.write(
        "frontdesk.toml",
        "[agents.main]\nkind = \"command\"\nmode = \"lasting\"\ncommand = [\"cat\"]\n\
         [agents.ends]\nkind = \"command\"\nmode = \"lasting\"\n\
         command = [\"sh\", \"-c\", \"echo no $WHAT >&2; exit 3\"]\nenv = { WHAT = \"licence\" }\n\
         [agents.once]\nkind = \"command\"\ncommand = [\"sh\", \"-c\", \"touch $HOME/started\"]\n\
         [agents.closed]\nkind = \"command\"\ncommand = [\"cat\"]\nrun_with = \"bubblewrap\"\n",
    );
    assert_eq!(seen(&home, "main"), "its program starts and waits for messages");
    let ends = problem(&home, "ends");
    assert!(ends.contains("ends before it gets a message: exit code 3: no licence"), "{ends}");
    assert!(seen(&home, "once").contains("was not tried") && !home.path().join("started").exists());
    let mut without = command(&home.path());
    let ran = finish(without.args(["agents", "check", "closed"]).env("PATH", "/nowhere"), "");
    assert!(ran.out.contains("install the package bubblewrap"), "{ran:?}");
    ran.failed(1, &["agent closed cannot answer"]);
    // A table of all, and nothing is left running.
    let all = run(&home, &["agents", "check"]);
    all.failed(1, &["agent ends cannot answer"]);
    assert!(all.out.contains("once") && all.out.contains("problem"), "{all:?}");
}

/// A pi that tells the model and the models that the environment names.
const PI: &str = r#"#!/usr/bin/env node
process.stdin.on("data", (data) => {
  for (const line of String(data).split("\n").filter(Boolean)) {
    const { id, type } = JSON.parse(line);
    const models = JSON.parse(process.env.MODELS);
    const data = type === "get_state" ? { model: { provider: "p", id: process.env.MODEL, baseUrl: process.env.URL } } : { models };
    console.log(JSON.stringify({ id, type: "response", command: type, success: true, data }));
  }
});
process.stdin.on("end", () => process.exit(0));
"#;

#[test]
fn a_pi_says_what_keeps_it_from_answering() {
    let home = NewHome::new();
    program(&home.path().join("bin/pi"), PI);
    let models = r#"[{\"provider\":\"p\",\"id\":\"one\"}]"#;
    let agent = |name: &str, model: &str, models: &str| {
        format!("[agents.{name}]\nkind = \"pi\"\nenv = {{ MODEL = \"{model}\", MODELS = \"{models}\" }}\n")
    };
    let all =
        agent("main", "one", models) + &agent("unknown", "unknown", "[]") + &agent("login", "one", "[]");
    home.write("frontdesk.toml", &all);
    assert_eq!(seen(&home, "main"), "pi starts, with the model one of p");
    let unknown = problem(&home, "unknown");
    assert!(unknown.contains("knows no model: set `provider` and `model` in [agents.unknown]"), "{unknown}");
    let login = problem(&home, "login");
    assert!(login.contains("not logged in with p") && login.contains("/login"), "{login}");
    // One that Node is too old for.
    program(&home.path().join("bin/pi"), "#!/bin/sh\necho 'SyntaxError: x' >&2\nexit 1\n");
    program(&home.path().join("bin/node"), "#!/bin/sh\necho v20.20.2\n");
    let old = problem(&home, "main");
    let said =
        ["pi does not start: exit code 1: SyntaxError: x", "is v20.20.2", "frontdesk agents install pi"];
    assert!(said.iter().all(|said| old.contains(said)), "{old}");
}

#[test]
fn a_local_model_of_pi_that_the_proxy_would_refuse_is_named() {
    let home = NewHome::new();
    program(&home.path().join("bin/pi"), PI);
    let models = r#"[{\"provider\":\"p\",\"id\":\"one\"}]"#;
    let write = |hosts: &str, env: &str| {
        let env = format!("MODEL = \"one\", MODELS = \"{models}\", URL = \"http://127.0.0.1:11434/v1\"{env}");
        let ssrf = format!("[security.ssrf]\nenabled = true\nallowed_hosts = [{hosts}]\n");
        home.write("frontdesk.toml", &format!("[agents.main]\nkind = \"pi\"\nenv = {{ {env} }}\n{ssrf}"));
    };
    write("", "");
    let refused = problem(&home, "main");
    assert!(refused.contains("add \"127.0.0.1:11434\" to `allowed_hosts` in [security.ssrf]"), "{refused}");
    for (hosts, env) in [("\"127.0.0.1:11434\"", ""), ("", ", NO_PROXY = \"127.0.0.1\"")] {
        write(hosts, env);
        assert_eq!(seen(&home, "main"), "pi starts, with the model one of p");
    }
}

#[test]
fn the_installed_pi_comes_before_the_one_of_path() {
    let home = NewHome::new();
    home.write(
        "frontdesk.toml",
        "[agents.main]\nkind = \"pi\"\nenv = { MODEL = \"one\", MODELS = \"[]\" }\n",
    );
    program(&home.path().join("bin/pi"), "#!/bin/sh\nexit 1\n");
    let listed =
        |home: &NewHome| run(home, &["agents", "list", "--json"]).json()["agents"][0]["answers"].to_string();
    assert!(listed(&home).contains("/bin/pi"));
    program(&home.path().join("programs/pi/1.0.0/pi"), PI);
    symlink("1.0.0", home.path().join("programs/pi/current")).unwrap();
    assert!(listed(&home).contains("/programs/pi/current/pi"));
    assert!(problem(&home, "main").contains("not logged in"), "it starts");
    // What the configuration names is what it is.
    let named = home.path().join("bin/pi").display().to_string();
    home.write("frontdesk.toml", &format!("[agents.main]\nkind = \"pi\"\ncommand = [\"{named}\"]\n"));
    assert!(listed(&home).contains("/bin/pi"));
    assert!(problem(&home, "main").contains("pi does not start: exit code 1"));
}

#[test]
fn a_provider_is_asked_for_its_models_and_no_key_is_shown() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let provider = runtime.block_on(FakeModel::start()).unwrap();
    let home = NewHome::new();
    let agent = |url: &str| {
        format!(
            "[agents.main]\nkind = \"openai\"\nmodel = \"m1\"\nmodels = [\"m2\"]\nbase_url = \"{url}\"\napi_key = \"sk-very-secret\"\n"
        )
    };
    home.write("frontdesk.toml", &agent(&provider.url()));
    let list = |body: &Value| Script::status(200).raw(&body.to_string());
    provider.will(list(&json!({"data": [{"id": "m1"}, {"id": "m3"}]})));
    assert_eq!(seen(&home, "main"), "the provider lists the model m1; of `models`, it does not list m2");
    assert_eq!(provider.headers("authorization"), [Some("Bearer sk-very-secret".to_owned())]);
    provider.will(list(&json!({"data": [{"id": "m1:latest"}]})));
    assert!(seen(&home, "main").contains("does not list the model m1, so only a message will show"));
    provider.will(Script::refusal(404, &json!({"message": "no such path"})));
    assert!(seen(&home, "main").contains("does not say which models it has"));
    provider.will(Script::refusal(401, &json!({"message": "Incorrect API key provided: sk-very-secret."})));
    let refused = problem(&home, "main");
    assert!(
        refused.contains("status 401") && refused.contains("correct `api_key` in [agents.main]"),
        "{refused}"
    );
    assert!(!refused.contains("sk-very-secret"), "{refused}");
    home.write("frontdesk.toml", &agent("http://127.0.0.1:1"));
    let gone = problem(&home, "main");
    assert!(gone.contains("cannot be reached") && gone.contains("`base_url`"), "{gone}");
}

/// An npm that "installs" the version of pi that the environment names, and a Node.
const NPM: &str = r#"#!/bin/sh
echo "$*" >> "$HOME/npm-calls"
case "$1" in
  ci)
    package=node_modules/@earendil-works/pi-coding-agent
    mkdir -p "$package" node_modules/.bin
    echo "{\"name\":\"@earendil-works/pi-coding-agent\",\"version\":\"$VERSION\"}" > "$package/package.json"
    echo "console.log('$VERSION')" > node_modules/.bin/pi ;;
  install)
    mkdir -p node_modules/node/bin
    printf '#!/bin/sh\nexec /usr/bin/node "$@"\n' > node_modules/node/bin/node
    chmod +x node_modules/node/bin/node ;;
esac
"#;

fn install(home: &NewHome, version: &str) -> Ran {
    let path = format!("{}:/usr/bin:/bin", home.path().join("bin").display());
    let mut command = command(&home.path());
    command
        .args(["agents", "install", "pi"])
        .env("PATH", path)
        .env("HOME", home.path())
        .env("VERSION", version);
    finish(&mut command, "")
}

fn files(home: &NewHome) -> Vec<String> {
    let folder = std::fs::read_dir(home.path().join("programs/pi")).unwrap();
    let mut names: Vec<String> =
        folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn an_installation_is_whole_and_exact_or_changes_nothing() {
    let home = NewHome::new();
    program(&home.path().join("bin/npm"), NPM);
    program(&home.path().join("bin/node"), "#!/bin/sh\necho v20.20.2\n");
    // npm takes an older version without a word where Node is too old for the newest.
    install(&home, "0.15.10").failed(1, &["npm installed pi \"0.15.10\" in place of 1.6.0"]);
    assert_eq!(files(&home), ["lock"]);
    std::fs::create_dir(home.path().join("programs/pi/.new-interrupted")).unwrap();
    let done = install(&home, "1.6.0");
    assert!(done.good().out.contains("pi 1.6.0 is installed in"), "{done:?}");
    assert_eq!(files(&home), ["1.6.0", "current", "lock"]);
    home.write("frontdesk.toml", "[agents.main]\nkind = \"pi\"\n");
    let listed = run(&home, &["agents", "list", "--json"]).json();
    let answers = listed["agents"][0]["answers"].as_str().unwrap();
    assert!(answers.starts_with("pi 1.6.0: ") && answers.ends_with("/programs/pi/current/pi"), "{answers}");
    let calls = || std::fs::read_to_string(home.path().join("npm-calls")).unwrap().lines().count();
    let before = calls();
    assert!(install(&home, "1.6.0").good().out.contains("installed already"));
    assert_eq!(calls(), before);
    // One that does not start any more is installed anew.
    std::fs::remove_file(home.path().join("programs/pi/1.6.0/node_modules/.bin/pi")).unwrap();
    install(&home, "1.6.0").good();
    assert_eq!(files(&home), ["1.6.0", "current", "lock"]);
}

#[test]
fn without_npm_or_its_registry_the_error_says_what_to_do() {
    let home = NewHome::new();
    let install = |path: &str| {
        let mut command = command(&home.path());
        let registry = ("npm_config_registry", "http://me:s3cret@127.0.0.1:1/");
        command.args(["agents", "install", "pi"]).env("PATH", path).env("HOME", home.path());
        command.envs([registry, ("npm_config_fetch_retries", "0")]);
        finish(&mut command, "")
    };
    install("/nowhere").failed(1, &["npm, which is in none of the folders of PATH: install npm"]);
    let offline = install("/usr/local/bin:/usr/bin:/bin");
    offline.failed(1, &["npm could not install pi 1.6.0: its registry cannot be reached. Check the network"]);
    assert!(!offline.err.contains("s3cret"), "{offline:?}");
    assert_eq!(files(&home), ["lock"]);
}

#[test]
fn a_pi_that_cannot_be_started_is_counted() {
    let home = NewHome::new();
    program(&home.path().join("bin/pi"), "#!/bin/sh\nexit 1\n");
    let named = home.path().join("bin/pi").display().to_string();
    home.write(
        "frontdesk.toml",
        &format!("[agents.main]\nkind = \"pi\"\ncommand = [\"{named}\"]\npool = {{ min = 0 }}\n"),
    );
    let daemon = Daemon::start(&home.path());
    home.run(&["chat", "hello"]).failed(1, &[]);
    let (url, token) = home.reached();
    let mut curl = std::process::Command::new("curl");
    curl.args(["-sf", &format!("{url}/metrics"), "-H", &format!("Authorization: Bearer {token}")]);
    let metrics = String::from_utf8(curl.output().unwrap().stdout).unwrap();
    for line in [
        "frontdesk_agent_spawn_failures_total{agent=\"main\"} 1",
        "frontdesk_agent_processes{agent=\"main\",state=\"busy\"} 0",
        "frontdesk_agent_processes{agent=\"main\",state=\"waiting\"} 0",
    ] {
        assert!(metrics.lines().any(|there| there == line), "{line} is not in {metrics}");
    }
    daemon.stop().good();
}
