//! Tools of pi and of the gateway: who is asked, and what is reported.

use super::*;

#[tokio::test]
async fn a_tool_runs_once_a_person_and_the_gateway_have_allowed_it() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    let mut stream = agent.turn(said("a", "tool"));
    let Some(Ok(Delta::Ask(AgentQuestion { question, reply }))) = event(&mut stream).await else { panic!() };
    assert_eq!(question.kind, AskKind::Permission);
    assert!(question.text.contains("`bash`") && question.text.contains("\nls\n"), "{}", question.text);
    reply.ended(by_anna(AskAnswer::Choice("allow".into())));
    let Some(Ok(Delta::ToolStart(call))) = event(&mut stream).await else { panic!() };
    assert_eq!((call.name.as_str(), &call.params), ("bash", &json!({"command": "ls"})));
    call.approval.decide(ToolDecision::Allow(json!({"command": "ls -l"})));
    assert!(
        matches!(event(&mut stream).await, Some(Ok(Delta::ToolEnd { result, failed: false, .. })) if result == "out")
    );
    assert_eq!(answer(stream).await, "ran ls -l");

    // Nobody is asked about what cannot be shown.
    let denied = answer(agent.turn(said("a", "long tool"))).await;
    assert!(denied.starts_with("denied: The command is too long to be shown to a person"), "{denied}");

    // In the private chat of an admin nobody is asked, but the gateway still decides.
    let mut stream = agent.turn(Turn { trusted: true, ..said("a", "tool") });
    let Some(Ok(Delta::ToolStart(call))) = event(&mut stream).await else { panic!() };
    call.approval.decide(ToolDecision::Deny("the turn was cancelled".into()));
    assert_eq!(answer(stream).await, "denied: the turn was cancelled");
    agent.stop().await;
}

#[tokio::test]
async fn the_gateways_own_tools_are_carried_out_and_reported_by_the_gateway() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    let tools = Arc::new(Noting::default());
    let turn = |text: &str| Turn { tools: tools.clone(), ..said("a", text) };
    // Without a question and without a report of the agent, also outside of an admin's private chat.
    let mut stream = agent.turn(turn("gateway send_message tool+call"));
    let first = event(&mut stream).await;
    assert!(matches!(&first, Some(Ok(Delta::Text(_)))), "{first:?}");
    let rest = answer(stream).await;
    assert!(rest.contains("It is on its way."), "{rest}");
    let failed = answer(agent.turn(turn("gateway gone tool+call"))).await;
    assert_eq!(failed, r#"{"error":"there is no such tool"}"#);
    let hello = || json!({"text": "hello"});
    assert_eq!(tools.calls(), [("send_message".to_owned(), hello()), ("gone".to_owned(), hello())]);
    // Nothing is called that was not permitted before.
    assert_eq!(answer(agent.turn(turn("gateway send_message call"))).await, "nothing");
    assert_eq!(tools.calls().len(), 2);
    agent.stop().await;

    let offered: Value = serde_json::from_str(&read(&sandbox.file("tools"))).expect("a list of tools");
    assert_eq!(offered[0]["name"], "send_message");
    assert_eq!(offered[0]["parameters"]["properties"]["text"]["type"], "string");
}

#[tokio::test]
async fn the_configuration_decides_about_the_gateways_own_tools_too() {
    let sandbox = Sandbox::new();
    let set = pi::Policy([("send_message".to_owned(), Permission::Deny)].into());
    let agent = sandbox.agent(Config::Pi(Box::new(pi::Config { approvals: set, ..config(1) })));
    let tools = Arc::new(Noting::default());
    let turn = Turn { tools: tools.clone(), ..said("a", "gateway send_message tool") };
    assert!(answer(agent.turn(turn)).await.contains("not allowed by the gateway's configuration"));
    assert!(tools.calls().is_empty());
    agent.stop().await;
}

#[tokio::test]
async fn a_dialog_of_an_extension_is_a_question_and_its_answer_goes_back() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    let mut stream = agent.turn(said("a", "choose"));
    let Some(Ok(Delta::Ask(asked))) = event(&mut stream).await else { panic!() };
    assert_eq!(asked.question.choices.len(), 2);
    asked.reply.ended(by_anna(AskAnswer::Choice("2".into())));
    assert_eq!(answer(stream).await, "chosen: two");
    agent.stop().await;
}

#[tokio::test]
async fn a_check_leaves_the_extension_of_a_running_gateway_as_it_is() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    let turn = Turn { tools: Arc::new(Noting::default()), ..said("a", "hi") };
    assert_eq!(answer(agent.turn(turn)).await, "echo: hi");
    let extension = || {
        let arguments = read(&sandbox.file("arguments"));
        let started = arguments.lines().next().expect("a start").to_owned();
        let path = started.split_whitespace().skip_while(|word| *word != "-e").nth(1).expect("-e").to_owned();
        read(path.as_ref())
    };
    let before = extension();
    assert!(before.contains("send_message"), "{before}");
    frontdesk_agents::probe("test", &Config::Pi(Box::new(config(2))), &sandbox.host()).await;
    assert_eq!(read(&sandbox.file("arguments")).lines().count(), 2, "the check has started pi");
    assert_eq!(extension(), before);
    agent.stop().await;
}
