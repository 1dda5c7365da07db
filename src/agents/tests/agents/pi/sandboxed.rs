//! pi in a sandbox: what one chat lets it do there does not reach the others.

use std::path::Path;

use frontdesk_agents::process::{Ready, RunWith};

use super::*;
use crate::closed_in::no_namespaces;

fn closed(cwd_per_session: bool) -> pi::Config {
    pi::Config {
        agent_dir: Some("settings".into()),
        run_with: Some(RunWith::Ready(Ready::Bubblewrap)),
        readable: vec![FAKE.into()],
        cwd_per_session,
        ..config(3)
    }
}

/// A home in which pi has settings.
fn with_settings(auth: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let settings = sandbox.home.path().join("settings");
    for folder in ["extensions", "sessions"] {
        std::fs::create_dir_all(settings.join(folder)).expect("the file system");
    }
    std::fs::write(settings.join("models.json"), "mine").expect("the file system");
    std::fs::write(settings.join("auth.json"), auth).expect("the file system");
    std::fs::write(settings.join("sessions/talk"), "hunter2").expect("the file system");
    sandbox
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the file system");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_a_chat_writes_among_pis_files_is_not_there_for_the_next_one() {
    if no_namespaces() {
        return;
    }
    for cwd_per_session in [true, false] {
        let sandbox = with_settings(r#"{"a":{"type":"api_key","key":"k"}}"#);
        let (home, agent) =
            (sandbox.home.path(), sandbox.agent(Config::Pi(Box::new(closed(cwd_per_session)))));
        let pi = home.join("agents/test/pi");
        let sessions = pi.join("sessions").display().to_string();
        // Its own conversation is stored.
        let own = format!("sh cd {sessions}/*; echo talk > talk; ls .. | wc -l; cat talk");
        assert_eq!(answer(agent.turn(said("a", &own))).await, "1\ntalk\n");
        assert_eq!(names(&pi.join("sessions")).len(), 1);
        let spoil = format!(
            "sh cd $PI_CODING_AGENT_DIR; for f in extensions/evil.js models.json auth.json {0}/frontdesk-*.mjs; \
             do echo evil > $f; done; mkdir prompts skills x.lock; echo evil > settings.json; ls; cat {0}/sessions/*/talk",
            pi.display()
        );
        let seen = answer(agent.turn(said("b", &spoil))).await;
        assert!(seen.contains("auth.json\nextensions\nmodels.json\nprompts\n"), "{seen}");
        assert!(!seen.contains("talk\n") && !seen.contains("hunter2"), "{seen}");
        agent.stop().await;
        let settings = home.join("settings");
        assert_eq!(names(&settings), ["auth.json", "extensions", "models.json", "sessions"]);
        assert_eq!(names(&settings.join("extensions")), [""; 0]);
        assert_eq!(read(&settings.join("models.json")), "mine");
        let mut ours = names(&pi);
        ours.retain(|name| name.ends_with(".mjs"));
        assert!(
            !ours.is_empty() && ours.iter().all(|name| !read(&pi.join(name)).contains("evil")),
            "{ours:?}"
        );
    }
}

#[tokio::test]
async fn a_login_that_must_be_renewed_can_be_written_down() {
    if no_namespaces() {
        return;
    }
    let sandbox = with_settings(r#"{"a":{"type":"oauth","refresh":"r"}}"#);
    let agent = sandbox.agent(Config::Pi(Box::new(closed(true))));
    answer(agent.turn(said("a", "sh echo renewed > $PI_CODING_AGENT_DIR/auth.json; echo ok"))).await;
    assert_eq!(read(&sandbox.home.path().join("settings/auth.json")), "renewed\n");
    agent.stop().await;
}

#[tokio::test]
async fn a_conversation_that_lay_among_the_others_moves_into_its_own_folder() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    answer(agent.turn(said("a", "one"))).await;
    agent.stop().await;
    let sessions = sandbox.home.path().join("agents/test/pi/sessions");
    let [id] = &names(&sessions)[..] else { panic!() };
    std::fs::remove_dir(sessions.join(id)).unwrap();
    for name in [format!("2026-11-29T16-48-11-647Z_{id}.jsonl"), format!("2026_x{id}.jsonl")] {
        std::fs::write(sessions.join(name), "talk").unwrap();
    }
    let agent = super::agent(&sandbox);
    answer(agent.turn(said("a", "two"))).await;
    assert_eq!(names(&sessions.join(id)), [format!("2026-11-29T16-48-11-647Z_{id}.jsonl")]);
    agent.stop().await;
}
