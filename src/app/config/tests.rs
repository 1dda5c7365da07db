//! What the parts do together.

use std::path::Path;

use serde_json::json;

use super::*;
use crate::document;

mod agents;
mod channels;
mod generated;

fn env(name: &str) -> Option<String> {
    match name {
        "PORT" => Some("4000".into()),
        "KEY" => Some("hunter2".into()),
        "ZONE" => Some("Europe/Berlin".into()),
        _ => None,
    }
}

fn read(text: &str) -> Result<(Config, document::Node), Vec<Problem>> {
    let syntax = if text.trim_start().starts_with('{') { Syntax::Jsonc } else { Syntax::Toml };
    parse(
        text,
        Reading { syntax, folder: Path::new("/"), env: &env, more: &More::default(), still_waits: &|_| {} },
    )
}

fn problem(text: &str) -> String {
    let problems = read(text).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems[0].to_string()
}

#[track_caller]
fn says(text: &str, parts: &[&str]) {
    let problem = problem(text);
    for part in parts {
        assert!(problem.contains(part), "{problem:?} does not say {part:?}");
    }
}

#[test]
fn an_empty_file_is_the_default() {
    assert_eq!(read("").unwrap().0, Config::default());
    assert_eq!(read("{}").unwrap().0, Config::default());
}

#[test]
fn an_unknown_key_is_reported_with_its_position_and_the_nearest_known_key() {
    says("[gateway]\n  prot = 1\n", &["2:3", "gateway.prot", "unknown key `prot`", "did you mean `port`?"]);
    says("{\n \"gatway\": {}\n}", &["2:2", "did you mean `gateway`?"]);
    says("[channels.web.chats.x.reset]\nhuor = 1", &["2:1", "channels.web.chats.x.reset.huor", "`hour`"]);
    says("[channels.web]\nagnet = \"main\"", &["`agent`"]);
    says("[sessions.reset]\nzzz = 1", &["the keys here are: channel, hour"]);
}

#[test]
fn a_key_in_the_wrong_table_is_reported_with_the_right_one() {
    says("[gateway]\nidle_minutes = 5\n", &["2:1", "it belongs to [sessions.reset]"]);
    says("port = 1\n", &["it belongs to [gateway]"]);
}

#[test]
fn a_key_of_a_later_version_says_so() {
    says("[redis]\nurl = 5", &["1:2", "this version does not have `redis` yet"]);
}

#[test]
fn a_camel_case_key_names_ours() {
    says("[sessions.reset]\nidleMinutes = 5\n", &["`idle_minutes`"]);
    says("[gateway]\nidleMinutes = 5\n", &["`idle_minutes`", "[sessions.reset]"]);
}

#[test]
fn a_burst_without_a_rate_is_refused_because_it_would_be_no_limit() {
    says("[limits.role.guest]\nburst = 2\n[roles.guest]\n", &["limits.role.guest.burst", "per_minute"]);
    let chat = "[channels.telegram.groups.\"-1\"]\nlimits = { burst = 2 }\n";
    says(chat, &["limits.burst", "per_minute"]);
    let (config, _) =
        read("[hooks.endpoints.a]\nsecret = \"0123456789abcdef\"\nrate = { burst = 5 }\n").unwrap();
    assert_eq!(
        config.hooks.endpoints["a"].rate.per_minute, 60,
        "a table that names a part keeps the other default"
    );
}

#[test]
fn a_number_that_does_not_fit_is_reported_with_its_position() {
    says(
        "[limits.user]\nper_minute = 4294967296\n",
        &["2:14", "limits.user.per_minute", "out of range", "4294967295"],
    );
    says(
        "{\"sessions\": {\"reset\": {\"idle_minutes\": 99999999999}}}",
        &["1:41", "sessions.reset.idle_minutes"],
    );
    says("[queue]\nglobal = -1\n", &["2:10", "queue.global"]);
}

#[test]
fn a_reset_rule_is_wrong_at_its_key() {
    says(
        "[sessions.reset]\nmode = \"daily\"\nhour = 24\n",
        &["3:1", "sessions.reset.hour", "0 (midnight) to 23"],
    );
    says("[sessions.reset]\nnotify = true\nidle_minutes = 0\n", &["3:1", "sessions.reset.idle_minutes"]);
    says(
        "[sessions.reset.scope.dm]\nmode = \"daily\"\ntimezone = \"Berlin\"\n",
        &["3:1", "scope.dm.timezone"],
    );
    says("[sessions.reset.channel.web]\nmode = \"daily\"\nhour = 24\n", &["3:1", "channel.web.hour"]);
    says(
        "[channels.web.chats.\"a.b\".reset]\nnotify = true\nhour = 24\n",
        &["3:1", "chats.\"a.b\".reset.hour"],
    );
}

#[test]
fn a_channel_that_does_not_exist_is_refused_with_those_that_do() {
    says("[sessions.reset.channel.nope]\nhour = 3\n", &["1:25", "sessions.reset.channel.nope", "web"]);
    says("[channels.web.chats.\"\"]\nagent = \"main\"\n", &["1:21", "empty"]);
    let more = More { channels: vec!["own".into()], ..More::default() };
    let reading = Reading {
        syntax: Syntax::Toml,
        folder: Path::new("/"),
        env: &env,
        more: &more,
        still_waits: &|_| {},
    };
    parse("[sessions.reset.channel.own]\nhour = 3\n", reading)
        .expect("a channel that the library's user adds");
}

#[test]
fn times_beyond_reason_are_refused() {
    for key in ["request_timeout_seconds", "auth_timeout_seconds"] {
        says(&format!("[gateway.limits]\n{key} = 9223372036854775807\n"), &["2:1", key, "86400"]);
    }
    let agent = "[agents.main]\nkind = \"command\"\ncommand = [\"cat\"]\n";
    says(&format!("{agent}idle_timeout = 9223372036854775807\n"), &["agents.main", "idle_timeout", "86400"]);
    says(&format!("{agent}grace = 9223372036854775807\n"), &["agents.main", "grace"]);
}

#[test]
fn a_large_configuration_is_read_in_one_go() {
    let agents: Vec<String> = (0..4_000).map(|n| format!("[agents.a{n}]\nkind = \"echo\"\n")).collect();
    let json: Vec<String> = (0..4_000).map(|n| format!("/* ä */ \"a{n}\": {{\"kind\": \"echo\"}}")).collect();
    let wrong: Vec<String> =
        (0..4_000).map(|n| format!("[agents.a{n}]\nkind = \"echo\"\nmax_turns = 0\n")).collect();
    let chats: Vec<String> =
        (0..4_000).map(|n| format!("[channels.web.chats.{n}]\nagent = \"a{n}\"\n")).collect();
    let whole = format!("default_agent = \"a0\"\n{}{}", agents.concat(), chats.concat());
    let line = format!("{{\"default_agent\": \"a0\", \"agents\": {{{}}}}}", json.join(", "));
    #[expect(clippy::disallowed_methods, reason = "a test measures")]
    let begun = std::time::Instant::now();
    read(&whole).unwrap();
    read(&line).unwrap();
    assert_eq!(read(&wrong.concat()).unwrap_err().len(), 4_001);
    // Quadratic, each of them takes minutes in a build like this.
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

#[test]
fn a_file_that_is_no_configuration_is_not_read_to_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("frontdesk.toml");
    std::fs::File::create(&file).unwrap().set_len(50 << 20).unwrap();
    let device = Path::new("/dev/zero");
    for (file, why) in [(file.as_path(), "larger than 4 MiB"), (device, "not an ordinary file")] {
        let problems = load(file, &env).unwrap_err();
        assert!(problems.to_string().contains(why), "{problems}");
    }
}

#[test]
fn a_wrong_type_says_what_was_found_and_what_is_expected() {
    says(
        "[gateway]\nport = \"3847\"\n",
        &["2:8", "gateway.port", "a whole number from 0 to 65535", "a text"],
    );
    says("[gateway]\nport = 70000\n", &["2:8", "70000 is out of range", "65535"]);
    says("[gateway]\nhosts = \"a\"\n", &["expected a list, found a text"]);
    says("[gateway]\nhosts = [\"a\", 1]\n", &["gateway.hosts[1]", "2:15", "expected a text"]);
    says("gateway = 1\n", &["expected a table, found a whole number"]);
    says("[log]\nlevel = \"inof\"\n", &["\"info\"", "2:9"]);
    says("[channels.web]\nenabled = 2026-01-01\n", &["true or false", "a date"]);
    says("[sessions.reset.scope.dm]\nmode = 3\n", &["\"none\", \"idle\", \"daily\" or \"both\""]);
}

#[test]
fn a_variable_is_typed_by_its_key_and_never_shown() {
    let (config, _) =
        read("[gateway]\nport = \"${PORT:-3847}\"\n[channels.web]\nenabled = \"${WEB:-false}\"").unwrap();
    assert_eq!(config.gateway.port, 4000);
    let problem = problem("[gateway]\nport = \"${KEY}\"\n");
    assert!(problem.contains("${KEY}") && !problem.contains("hunter2"), "{problem}");
    says("[gateway]\nhost = \"${NO_SUCH_THING}\"\n", &["2:8", "gateway.host", "NO_SUCH_THING is not set"]);
}

#[test]
fn all_errors_are_reported_at_once_and_in_order() {
    let text = "[queue]\nmod = 1\n[gateway]\nport = true\n[turns]\nmax = \"many\"\n";
    let lines: Vec<usize> = read(text).unwrap_err().iter().map(|p| p.position.unwrap().line).collect();
    assert_eq!(lines, [2, 4, 6]);
}

#[test]
fn errors_beyond_types_are_reported_with_their_position() {
    says("[turns]\nmax = 0\n", &["2:1", "turns.max", "at least 1"]);
    says("[sessions.reset]\ntimezone = \"Berlin\"\n", &["sessions.reset", "Europe/Berlin"]);
    says("[channels.web.chats.\"1.5\"]\nagent = \"nobody\"\n", &["2:1", "no agent `nobody`", "main"]);
    says("default_agent = \"x\"\n", &["1:1", "default_agent"]);
    says("[channels.web.chats.a.reset]\nhour = 25\n", &["reset", "25"]);
}

#[test]
fn a_table_that_is_written_in_part_keeps_the_rest_of_its_defaults() {
    let (config, _) = read("[limits.user]\nburst = 5\n[gateway.limits.per_ip]\nburst = 7\n").unwrap();
    assert_eq!((config.runtime.limits.user.burst, config.runtime.limits.user.per_minute), (5, 60));
    assert_eq!(config.gateway.limits.per_ip.per_minute, Config::default().gateway.limits.per_ip.per_minute);
}

const WITH_SECRETS: &str = r#"
[gateway]
port = "${PORT}"
[sessions.reset]
timezone = "${ZONE}"
[agents.main]
kind = "command"
command = ["run", "--key", "${KEY}"]
[agents.main.env]
PLAIN = "hunter2"
FROM_ENV = "${KEY}"
PRINTED = { command = ["printf", "hunter2"] }
"#;

#[test]
fn a_secret_can_be_printed_by_a_command() {
    let (config, _) = read(WITH_SECRETS).unwrap();
    assert!(!format!("{config:?}").contains("PRINTED: \"hunter2\""));
    says(
        "[agents.main]\nkind = \"command\"\ncommand = [\"x\"]\nenv = { A = { file = \"/no/such\" } }",
        &["4:9", "agents.main.env.A", "cannot be read"],
    );
    says(
        "[agents.main]\nkind = \"command\"\ncommand = [\"x\"]\nenv = { A = { fiel = \"/a\" } }",
        &["4:13", "a table with `file`"],
    );
}

#[test]
fn the_shown_configuration_is_complete_and_has_no_secret() {
    let (_, document) = read(WITH_SECRETS).unwrap();
    let shown = show::effective(&document);
    assert_eq!(shown["gateway"]["port"], json!(4000));
    assert_eq!(shown["gateway"]["host"], json!("127.0.0.1"));
    assert_eq!(shown["sessions"]["reset"]["timezone"], json!("${ZONE}"));
    assert_eq!(shown["agents"]["main"]["env"]["PLAIN"], json!("***"));
    assert_eq!(shown["agents"]["main"]["command"][2], json!("${KEY}"));
    assert!(!shown.to_string().contains("hunter2"), "{shown}");
    let toml = show::toml(&shown);
    assert!(!toml.contains("hunter2"), "{toml}");
    read(&toml.replace("\"***\"", "\"x\"").replace("${KEY}", "x")).expect("what is shown can be read again");
}

#[test]
fn the_defaults_shown_are_the_defaults_used() {
    let (_, document) = read("").unwrap();
    let shown = show::effective(&document);
    assert_eq!(serde_json::from_value::<Config>(shown).unwrap(), Config::default());
}

#[test]
fn a_job_is_read_and_wrong_ones_are_reported_at_their_keys() {
    let job = |fields: &str| format!("[[jobs]]\nid = \"report\"\ntask = \"sum up\"\n{fields}");
    let every = "schedule = { kind = \"every\", expr = \"1h\" }\n";
    let good =
        job(&format!("delivery = {{ mode = \"announce\", to = \"telegram:5\" }}\nretries = 2\n{every}"));
    let jobs = read(&good).unwrap().0.runtime.jobs;
    assert_eq!((jobs.len(), jobs[0].retries, jobs[0].enabled), (1, 2, true));
    for (fields, parts) in [
        (String::new(), &["jobs[0]", "`schedule`"][..]),
        (format!("delivery = \"announce\"\n{every}"), &["jobs[0].delivery", "needs a chat"]),
        (format!("delivery = \"direct\"\n{every}"), &["jobs[0].delivery", "owner"]),
        (
            format!("delivery = {{ mode = \"webhook\", url = \"https://x.example\" }}\n{every}"),
            &["cron.webhook_secret"],
        ),
        (format!("delivery = \"email\"\n{every}"), &["4:12", "jobs[0].delivery"]),
        (format!("delivery = \"silent\"\ncolour = 1\n{every}"), &["5:1", "colour"]),
        (format!("delivery = \"silent\"\nagent = \"nobody\"\n{every}"), &["jobs[0].agent", "nobody"]),
        (
            "delivery = \"silent\"\nschedule = { kind = \"cron\", expr = \"soon\" }\n".to_owned(),
            &["jobs[0].schedule.expr"],
        ),
    ] {
        let text = job(&fields);
        let problems = read(&text).unwrap_err();
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(parts.iter().all(|part| said.iter().any(|said| said.contains(part))), "{text}\n{said:?}");
    }
    let twice = format!(
        "{}{}",
        job(&format!("delivery = \"silent\"\n{every}")),
        job(&format!("delivery = \"silent\"\n{every}"))
    );
    says(&twice, &["jobs[1].id", "another job"]);
    let shown = show::toml(&show::effective(&read(&good).unwrap().1));
    assert!(shown.contains("\"report\"") && shown.contains("telegram:5"), "{shown}");
}
