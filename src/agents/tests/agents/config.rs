//! The agents' config as operators write it.

use std::sync::Arc;

use frontdesk_agents::{BuildError, Config, Host, build};
use serde_json::json;

use crate::sandbox::{Sandbox, shell};

fn read(value: serde_json::Value) -> Result<Config, String> {
    serde_json::from_value(value).map_err(|why| why.to_string())
}

#[test]
fn the_kind_says_which_keys_there_are() {
    assert_eq!(read(json!({"kind": "echo", "max_turns": 3})).unwrap().max_turns(), Some(3));
    let Config::Command(program) = read(json!({"kind": "command", "command": ["cat"]})).unwrap() else {
        panic!("not a command");
    };
    assert_eq!((program.max_line, program.idle_timeout, program.grace), (1 << 20, 300, 2));
    for wrong in [
        json!({"kind": "echo", "command": ["cat"]}),
        json!({"kind": "command", "command": ["cat"], "modus": "once"}),
        json!({"kind": "command"}),
        json!({"kind": "oracle"}),
        json!({}),
    ] {
        assert!(read(wrong.clone()).is_err(), "{wrong} was taken");
    }
}

#[test]
fn the_schema_knows_the_keys_of_each_kind_and_refuses_others() {
    let schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap();
    let kinds = schema["oneOf"].as_array().unwrap();
    assert_eq!(kinds.len(), 4);
    for (kind, key) in kinds.iter().zip(["max_turns", "inherit_env", "base_url", "approvals"]) {
        let mut schema_of_keys = kind;
        if let Some(name) = kind["$ref"].as_str() {
            schema_of_keys = &schema["$defs"][name.rsplit('/').next().unwrap()];
        }
        assert!(schema_of_keys["properties"]["kind"]["const"].is_string(), "{kind:#}");
        assert!(schema_of_keys["properties"][key].is_object(), "{kind:#}");
        assert_eq!(schema_of_keys["additionalProperties"], json!(false), "{kind:#}");
    }
}

#[test]
fn an_agent_with_a_bad_name_or_config_is_not_built() {
    let sandbox = Sandbox::new();
    let host = Host {
        home: sandbox.home.path().into(),
        clock: sandbox.clock.clone(),
        env: Vec::new(),
        proxy: None,
        providers: Arc::default(),
    };
    for name in ["", "..", "a/b", "-x", "_x", ".hidden", "a.b", "Main", "ä", "a b", &"x".repeat(65)] {
        assert_eq!(build(name, &Config::default(), &host).err(), Some(BuildError::Name(name.into())));
    }
    let config = Config::Command(frontdesk_agents::command::Config { max_turns: Some(0), ..shell("cat") });
    assert!(matches!(build("a", &config, &host).err(), Some(BuildError::Config { .. })));
}
