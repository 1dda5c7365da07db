//! Agents, models and roles.

use super::*;

#[test]
fn a_key_in_the_environment_makes_a_model_the_agent_of_a_file_without_agents() {
    let from = |text: &str, variables: &'static [(&str, &str)]| {
        let env = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let loaded = parse(
            text,
            Reading {
                syntax: Syntax::Toml,
                folder: Path::new("/"),
                env: &env,
                more: &More::default(),
                still_waits: &|_| {},
            },
        );
        loaded.map(|(config, document)| (config.agents, show::effective(&document), document.has_keys()))
    };
    let (agents, shown, written) =
        from("", &[("OPENAI_API_KEY", "sk-secret"), ("OPENAI_MODEL", "m")]).unwrap();
    let frontdesk_agents::Config::OpenAi(model) = &agents["main"] else { panic!("{agents:?}") };
    assert_eq!((model.model.as_str(), model.base_url.as_str()), ("m", "https://api.openai.com/v1"));
    assert_eq!(shown["agents"]["main"]["api_key"], "***");
    assert_eq!(shown["agents"]["main"]["model"], "${OPENAI_MODEL:-gpt-5-mini}");
    assert!(!written && !shown.to_string().contains("sk-secret"));
    for (text, variables) in [
        ("", &[("OPENAI_API_KEY", " ")][..]),
        ("", &[("OPENAI_MODEL", "m")]),
        ("[agents.main]\nkind = \"echo\"\n", &[("OPENAI_API_KEY", "sk-secret")]),
    ] {
        assert_eq!(from(text, variables).unwrap().0, Config::default().agents, "{text:?} {variables:?}");
    }
    let wrong = from("", &[("OPENAI_API_KEY", "k"), ("OPENAI_BASE_URL", "ftp://x")]).unwrap_err();
    assert!(
        wrong[0].to_string().starts_with("the environment variable OPENAI_BASE_URL: must be a URL"),
        "{wrong:?}"
    );
}

#[test]
fn parameters_of_a_model_take_any_value() {
    let agent = "[agents.main]\nkind = \"openai\"\nmodel = \"m\"\n[agents.main.parameters]\n";
    let (config, document) = read(&format!(
        "{agent}temperature = 0.5\nstop = [\"a\", \"b\"]\nprovider = {{ order = [1, {{ x = true }}] }}\n"
    ))
    .unwrap();
    let frontdesk_agents::Config::OpenAi(model) = &config.agents["main"] else {
        panic!("{:?}", config.agents)
    };
    let wanted = json!({"temperature": 0.5, "stop": ["a", "b"], "provider": {"order": [1, {"x": true}]}});
    assert_eq!(json!(model.parameters), wanted);
    assert_eq!(show::effective(&document)["agents"]["main"]["parameters"], wanted);
    says(
        &format!("{agent}model = \"other\"\n"),
        &["5:1", "agents.main.parameters.model", "is set by Frontdesk"],
    );
    says(
        "[agents.main]\nkind = \"openai\"\nmodle = \"m\"\nmodel = \"m\"\n",
        &["3:1", "did you mean `model`?"],
    );
}

#[test]
fn a_system_prompt_is_a_text_or_a_file() {
    let prompt = |value: &str| {
        let text = format!("[agents.main]\nkind = \"openai\"\nmodel = \"m\"\nsystem_prompt = {value}\n");
        let frontdesk_agents::Config::OpenAi(model) = read(&text).unwrap().0.agents["main"].clone() else {
            panic!()
        };
        model.system_prompt.unwrap()
    };
    use frontdesk_core::config::{PromptFile, PromptText};
    assert_eq!(prompt("\"Be kind.\""), PromptText::Text("Be kind.".into()));
    assert_eq!(prompt("{ file = \"a.md\" }"), PromptText::File(PromptFile { file: "a.md".into() }));
    says("[agents.main]\nkind = \"openai\"\nmodel = \"m\"\nsystem_prompt = 7\n", &["4:17", "system_prompt"]);
}

#[test]
fn an_agent_takes_the_keys_of_its_kind_only() {
    says(
        "[agents.main]\nkind = \"echo\"\ncommand = [\"x\"]\n",
        &["3:1", "agents.main.command", "kind = \"echo\""],
    );
    says("[agents.main]\nkind = \"comand\"\n", &["2:8", "did you mean \"command\"?"]);
    says(
        "[agents.main]
max_turns = 1
",
        &["`kind` is missing", "\"echo\", \"command\", \"openai\" or \"pi\""],
    );
    says("[agents.main]\nkind = \"command\"\n", &["agents.main", "`command`", "missing"]);
    read("[agents.main]\nkind = \"command\"\ncommand = [\"cat\"]\n[agents.main.env]\nA = \"b\"\n").unwrap();
}

#[test]
fn a_single_agent_is_the_default_whatever_its_name() {
    let (config, _) = read("[agents.helper]\nkind = \"echo\"\n").unwrap();
    assert_eq!(config.default_agent(), "helper");
    says("[agents.a]\nkind = \"echo\"\n[agents.b]\nkind = \"echo\"\n", &["no agent `main`", "a, b"]);
}

#[test]
fn an_agents_name_is_a_plain_word() {
    let agent = |name: &str| format!("default_agent = {name:?}\n[agents.{name:?}]\nkind = \"echo\"\n");
    read(&agent("a-2_b")).unwrap();
    for name in ["Main", "a b", "../x", "-a", "a.b", "ä", &"x".repeat(65)] {
        says(&agent(name), &["2:9", "1 to 64 of a-z, 0-9"]);
    }
}

#[test]
fn a_role_is_read_with_all_that_it_gives() {
    let (config, document) = read(
        "[roles.kids]\nmodel = \"m\"\nthinking = \"low\"\nskills = [\"a\", \"b\"]\nextensions = []\nmerge_mode = \"replace\"\n\
         append_system_prompt = { file = \"kids.md\" }\ntools = [\"send_message\"]\n[roles.kids.approvals]\n\"*\" = \"deny\"\n\
         [roles.plain]\n",
    )
    .unwrap();
    use frontdesk_core::config::{MergeMode, Permission, PromptFile, PromptText, Role};
    let kids = Role {
        merge_mode: MergeMode::Replace,
        model: Some("m".into()),
        thinking: Some("low".into()),
        append_system_prompt: Some(PromptText::File(PromptFile { file: "kids.md".into() })),
        skills: Some(vec!["a".into(), "b".into()]),
        extensions: Some(Vec::new()),
        approvals: [("*".to_owned(), Permission::Deny)].into(),
        tools: Some(vec!["send_message".into()]),
        ..Role::default()
    };
    assert_eq!(config.runtime.roles["kids"], kids);
    assert_eq!(config.runtime.roles["plain"], Role::default());
    assert_eq!(show::effective(&document)["roles"]["kids"]["skills"], json!(["a", "b"]));
    says("[roles.kids]\nskils = []\n", &["2:1", "roles.kids.skils", "did you mean `skills`?"]);
    says("{\"roles\": {\"kids\": {\"tools\": null}}}", &["1:30", "expected a list"]);
}
