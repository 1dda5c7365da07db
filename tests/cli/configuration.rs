//! `frontdesk config`, and starts with a wrong configuration.

use std::path::Path;

use serde_json::{Value, json};

use crate::program::{NewHome, command, finish};

#[test]
fn a_wrong_configuration_is_78_with_place_and_advice_for_everything() {
    let home = NewHome::new();
    let file = home.write("frontdesk.toml", "[gateway]\nprot = 1\n[turns]\nmax = \"many\"\n");
    let at = |place: &str| format!("{}:{place}", file.display());
    let expected = [
        &at("2:1: gateway.prot: unknown key `prot`; did you mean `port`?"),
        &at("4:7: turns.max: expected a whole number"),
    ];
    for arguments in [["config", "check"].as_slice(), &["config", "show"], &["run", "--port", "0"]] {
        home.run(arguments).failed(78, &expected.map(String::as_str));
    }
}

#[test]
fn an_agent_that_does_not_exist_is_a_wrong_configuration() {
    let home = NewHome::new();
    home.write("frontdesk.jsonc", "{ // whom to ask\n  \"default_agent\": \"nobody\"\n}");
    home.run(&["config", "check"]).failed(78, &["frontdesk.jsonc:2:3", "no agent `nobody`"]);
}

#[test]
fn names_of_roles_agents_and_tools_that_do_not_exist_are_refused_where_they_stand() {
    let home = NewHome::new();
    home.write(
        "frontdesk.toml",
        "[agents.main]\nkind = \"echo\"\n[roles.kids]\nagent = \"mian\"\ntools = [\"send_mesage\"]\n\
         [channels.telegram]\nrole = \"kidz\"\n[channels.telegram.groups.\"-5\".topics.7]\nagent = \"mai\"\n\
         [channels.telegram.people.8]\nrole = \"adult\"\n[channels.telegram.people.\"@anna\"]\nrole = \"kids\"\n\
         [channels.telegram.accounts.work]\n[roles.\"Big Ones\"]\nmerge_mode = \"add\"\n",
    );
    let expected = [
        "toml:16:14: roles.\"Big Ones\".merge_mode: \"add\" is not a valid value; expected \"append\" or \"replace\"",
    ];
    home.run(&["config", "check"]).failed(78, &expected);
    let text = std::fs::read_to_string(home.path().join("frontdesk.toml")).unwrap();
    home.write("frontdesk.toml", &text.replace("merge_mode = \"add\"", "merge_mode = \"replace\""));
    let expected = [
        "toml:4:1: roles.kids.agent: there is no agent `mian`; did you mean `main`?",
        "toml:5:10: roles.kids.tools[0]: there is no tool `send_mesage`; did you mean `send_message`?",
        "toml:7:1: channels.telegram.role: there is no role `kidz`; did you mean `kids`?",
        "toml:9:1: channels.telegram.groups.-5.topics.7.agent: there is no agent `mai`; did you mean `main`?",
        "toml:11:1: channels.telegram.people.8.role: there is no role `adult`; there are: Big Ones, kids. Add [roles.adult]",
        "channels.telegram.people.\"@anna\": this is not an id",
        "roles.\"Big Ones\": the name of a role has 1 to 64",
    ];
    home.run(&["config", "check"]).failed(78, &expected);
}

#[test]
fn a_check_names_what_of_a_role_can_never_apply() {
    let home = NewHome::new();
    home.write(
        "frontdesk.toml",
        "[agents.main]\nkind = \"openai\"\nmodel = \"m\"\napi_key = \"k\"\n[roles.nobody]\n[roles.kids]\n\
         model = \"small\"\nskills = [\"a\"]\nappend_system_prompt = { file = \"kids.md\" }\n\
         approvals = { bash = \"deny\" }\n[channels.web]\nrole = \"kids\"\n\
         [channels.web.chats.garden.topics.1]\nrole = \"kids\"\n",
    );
    let ran = home.run(&["config", "check"]);
    let notes: Vec<&str> = ran.good().err.lines().collect();
    for part in [
        "nobody has the role nobody: name it as `role`",
        "channels.web.chats.garden.topics: this channel has no topics",
        "the role kids sets `skills`, `approvals`, which the agent main cannot use",
        "the role kids sets model = \"small\", which the agent main does not offer to choose (it offers nothing)",
        "kids.md, which does not exist",
    ] {
        assert!(
            notes.iter().any(|note| note.starts_with("note: ") && note.contains(part)),
            "{part}: {notes:?}"
        );
    }
    assert_eq!(notes.len(), 5, "{notes:?}");
}

#[test]
fn two_configurations_in_one_home_are_refused() {
    let home = NewHome::new();
    home.write("frontdesk.toml", "");
    home.write("frontdesk.jsonc", "{}");
    home.run(&["config", "check"]).failed(78, &["keep one of them"]);
}

#[test]
fn the_shown_configuration_has_defaults_and_no_secrets() {
    let home = NewHome::new();
    home.write(
        "frontdesk.toml",
        "[gateway]\nport = \"${FRONT_PORT:-4000}\"\n[agents.main]\nkind = \"command\"\ncommand = [\"cat\", \"${FRONT_KEY}\"]\n\
         [agents.main.env]\nKEY = \"hunter2\"\nOTHER = \"${FRONT_KEY}\"\n",
    );
    let show = |more: &[&str]| {
        finish(command(&home.path()).args(["config", "show"]).args(more).env("FRONT_KEY", "hunter2"), "")
    };
    let shown: Value = show(&["--json"]).json();
    assert_eq!(shown["gateway"]["port"], json!(4000));
    assert_eq!(shown["queue"]["per_session"], json!(32));
    assert_eq!(shown["agents"]["main"]["env"], json!({"KEY": "***", "OTHER": "***"}));
    for ran in [show(&[]), show(&["--json"])] {
        assert!(!ran.good().out.contains("hunter2"), "{ran:?}");
    }
    home.run(&["config", "check"]).failed(78, &["FRONT_KEY is not set", ":5:19"]);
}

#[test]
fn the_schema_is_one_that_editors_can_use() {
    let schema = NewHome::new().run(&["config", "schema"]).json();
    assert_eq!(schema["properties"]["gateway"]["$ref"], json!("#/$defs/Config"));
    assert_eq!(schema["additionalProperties"], json!(false));
}

#[test]
fn a_configuration_that_others_can_change_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let home = NewHome::new();
    let file = home.write("elsewhere.toml", "");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
    home.run(&["run", "--config", file.to_str().unwrap()]).failed(78, &["chmod go-w"]);
}

#[test]
fn a_named_configuration_that_cannot_be_used_creates_no_home() {
    use std::os::unix::fs::PermissionsExt;
    let (home, elsewhere) = (NewHome::new(), NewHome::new());
    let open = elsewhere.write("open.toml", "");
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o666)).unwrap();
    let wrong = elsewhere.write("wrong.toml", "[gateway]\nprot = 1\n");
    for file in [Path::new("/nonexistent/frontdesk.toml"), &open, &wrong] {
        let file = file.to_str().unwrap();
        home.run(&["run", "--config", file]).failed(78, &[file]);
        assert!(!home.path().exists(), "{file}");
    }
}

#[test]
fn a_configuration_that_cannot_be_reached_is_not_taken_for_none() {
    for name in ["frontdesk.toml", "frontdesk.jsonc"] {
        let home = NewHome::new();
        let link = home.write("other", "").with_file_name(name);
        std::os::unix::fs::symlink("/no/such/file", &link).unwrap();
        for arguments in [["config", "check"].as_slice(), &["config", "show"], &["run", "--port", "0"]] {
            home.run(arguments).failed(78, &[link.to_str().unwrap(), "cannot be read"]);
        }
    }
}

#[test]
fn a_time_beyond_reason_is_a_wrong_configuration() {
    let home = NewHome::new();
    home.write("frontdesk.toml", "[gateway.limits]\nrequest_timeout_seconds = 9223372036854775807\n");
    home.run(&["run", "--port", "0"]).failed(78, &[":2:1: gateway.limits.request_timeout_seconds", "86400"]);
}

#[test]
fn a_check_can_be_read_by_programs() {
    let home = NewHome::new();
    let check = ["config", "check", "--json"];
    assert_eq!(home.run(&check).json(), json!({"valid": true, "file": null, "problems": []}));
    let file = home.write("frontdesk.toml", "[gateway]\nport = 1234\n");
    let file = file.to_str().unwrap();
    assert_eq!(home.run(&check).json(), json!({"valid": true, "file": file, "problems": []}));
    home.write("frontdesk.toml", "[gateway]\nprot = 1\n");
    let ran = home.run(&check);
    ran.failed(78, &["not valid"]);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    let problem = &told["problems"][0];
    assert_eq!((&told["valid"], &told["file"]), (&json!(false), &json!(file)));
    assert_eq!((&problem["line"], &problem["column"]), (&json!(2), &json!(1)), "{problem}");
    assert_eq!(problem["key"], json!("gateway.prot"));
    assert!(problem["problem"].as_str().unwrap().contains("did you mean `port`?"), "{problem}");
    home.write("frontdesk.jsonc", "{}");
    let ran = home.run(&check);
    ran.failed(78, &["not valid"]);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["valid"], json!(false), "two files: {told}");
}
