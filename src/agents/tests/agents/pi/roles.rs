//! pi in a role.

use super::*;

#[tokio::test]
async fn another_role_starts_pi_anew_with_the_same_session() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    let in_role = |skill: &str, text| {
        let gives = Role { skills: Some(vec![skill.into()]), ..Role::default() };
        Turn { role: Some(Arc::new(TurnRole { name: "kids".into(), gives })), ..said("a", text) }
    };
    assert_eq!(answer(agent.turn(said("a", "one"))).await, "echo: one");
    for text in ["two", "three"] {
        assert_eq!(answer(agent.turn(in_role("/reading", text))).await, format!("echo: {text}"));
    }
    assert_eq!(answer(agent.turn(in_role("/writing", "four"))).await, "echo: four");
    assert_eq!(answer(agent.turn(said("a", "which"))).await, "one+two+three+four+which");
    let arguments = read(&sandbox.file("arguments"));
    let skill =
        |line: &str| line.split_whitespace().skip_while(|word| *word != "--skill").nth(1).map(str::to_owned);
    let skills: Vec<Option<String>> = arguments.lines().map(skill).collect();
    assert_eq!(skills, [None, Some("/reading".into()), Some("/writing".into()), None]);
    let starts = starts(&sandbox);
    assert!(starts.iter().all(|start| *start == starts[0]), "one session: {starts:?}");
    agent.stop().await;
}

#[tokio::test]
async fn a_process_that_was_started_ahead_serves_no_role() {
    let sandbox = Sandbox::new();
    let pool = pi::PoolConfig { min: 1, max: 3, ..pi::PoolConfig::default() };
    let agent = sandbox.agent(Config::Pi(Box::new(pi::Config { pool, ..config(3) })));
    assert_eq!(answer(agent.turn(said("a", "one"))).await, "echo: one");
    let started = || read(&sandbox.file("starts"));
    eventually("a process is started ahead", || started().contains("fd-ahead-")).await;
    let gives = Role { append_system_prompt: Some(PromptText::Text("Be kind.".into())), ..Role::default() };
    let role = Some(Arc::new(TurnRole { name: "kids".into(), gives }));
    assert_eq!(answer(agent.turn(Turn { role, ..said("b", "two") })).await, "echo: two");
    assert!(started().contains("fd-web-dm-b-"), "{}", started());
    agent.stop().await;
}

#[tokio::test]
async fn a_role_leaves_out_tools_of_the_gateway_and_others_keep_them() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    let tools = Arc::new(Noting::default());
    let none = Role { tools: Some(Vec::new()), ..Role::default() };
    let kids = Some(Arc::new(TurnRole { name: "kids".into(), gives: none }));
    for (chat, role) in [("a", kids.clone()), ("b", None), ("a", kids)] {
        let turn = Turn { tools: tools.clone(), role, ..said(chat, "hi") };
        assert_eq!(answer(agent.turn(turn)).await, "echo: hi");
    }
    let offered = read(&sandbox.file("tools"));
    let offered: Vec<bool> = offered.lines().map(|line| line.contains("send_message")).collect();
    assert_eq!(offered, [false, true], "one process for each");
    agent.stop().await;
}

#[tokio::test]
async fn a_role_may_deny_a_tool_that_the_agent_allows() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    let approvals = [("bash".to_owned(), Permission::Deny)].into();
    let gives = Role { approvals, ..Role::default() };
    let role = Some(Arc::new(TurnRole { name: "kids".into(), gives }));
    let answered = answer(agent.turn(Turn { role, trusted: true, ..said("a", "tool") })).await;
    assert!(answered.starts_with("denied: This tool is not allowed"), "{answered}");
    agent.stop().await;
}

#[tokio::test]
async fn a_changed_file_with_a_prompt_reaches_the_next_turn() {
    let sandbox = Sandbox::new();
    let home = sandbox.home.path();
    let own = vec!["own.md".to_owned()];
    let agent = sandbox.agent(Config::Pi(Box::new(pi::Config { append_system_prompt: own, ..config(2) })));
    let file = PromptText::File(PromptFile { file: "kids.md".into() });
    let gives = Role { append_system_prompt: Some(file), ..Role::default() };
    let role = Some(Arc::new(TurnRole { name: "kids".into(), gives }));
    let said = |text| Turn { role: role.clone(), ..said("a", text) };
    std::fs::write(home.join("own.md"), "Be a gardener.").expect("a file");
    for (file, text, starts_before) in
        [("kids.md", "Be kind.", 0), ("kids.md", "Be brief.", 1), ("own.md", "Be a cook.", 2)]
    {
        std::fs::write(home.join(file), text).expect("a file");
        for prompt in ["one", "two"] {
            assert_eq!(answer(agent.turn(said(prompt))).await, format!("echo: {prompt}"));
            assert_eq!(starts(&sandbox).len(), starts_before + 1, "{text}");
        }
    }
    let starts = starts(&sandbox);
    assert!(starts.iter().all(|start| *start == starts[0]), "one session: {starts:?}");
    std::fs::remove_file(home.join("kids.md")).expect("a file");
    let missing = error(agent.turn(said("three"))).await.to_string();
    assert!(missing.contains("kids.md for the role kids"), "{missing}");
    agent.stop().await;
}
