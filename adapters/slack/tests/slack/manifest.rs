//! The manifest that people paste is complete, and the documentation shows it as it is.

use std::collections::BTreeSet;

const MANIFEST: &str = include_str!("../../manifest.json");
const PAGE: &str = include_str!("../../../../docs/slack.md");

#[test]
fn the_page_shows_the_manifest() {
    let indented: String = MANIFEST.lines().map(|line| format!("   {line}\n")).collect();
    assert!(
        PAGE.contains(&indented),
        "docs/slack.md shows another manifest than adapters/slack/manifest.json"
    );
}

#[test]
fn the_manifest_asks_for_what_the_adapter_calls_and_for_nothing_else() {
    let manifest: serde_json::Value = serde_json::from_str(MANIFEST).unwrap();
    let set = |list: &serde_json::Value| -> BTreeSet<String> {
        list.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
    };
    let scopes = set(&manifest["oauth_config"]["scopes"]["bot"]);
    for family in ["channels", "groups", "im", "mpim"] {
        for right in ["history", "read"] {
            assert!(scopes.contains(&format!("{family}:{right}")), "{family}:{right}");
        }
    }
    for needed in [
        "assistant:write",
        "chat:write",
        "commands",
        "files:read",
        "files:write",
        "im:write",
        "pins:write",
        "reactions:write",
        "usergroups:read",
        "users:read",
    ] {
        assert!(scopes.contains(needed), "{needed}");
    }
    assert!(scopes.iter().all(|scope| !scope.contains("admin") && !scope.contains("email")), "{scopes:?}");
    let events = set(&manifest["settings"]["event_subscriptions"]["bot_events"]);
    for kind in ["channels", "groups", "im", "mpim"] {
        assert!(events.contains(&format!("message.{kind}")), "{kind}");
    }
    assert!(events.contains("app_mention") && events.contains("reaction_added"));
    // The button that stops an answer, the prompts, and what shows that the app has an agent view.
    for of_agents in ["agent_session_stopped", "app_home_opened", "app_context_changed"] {
        assert!(events.contains(of_agents), "{of_agents}");
    }
    assert!(manifest["features"]["agent_view"]["agent_description"].is_string());
    assert_eq!(manifest["settings"]["socket_mode_enabled"], true);
    assert_eq!(manifest["settings"]["interactivity"]["is_enabled"], true);
}
