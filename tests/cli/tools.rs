//! The gateway's tools in an agent's program, through `frontdesk mcp`.

use crate::program::NewHome;
use crate::telegram::Telegram;

const ANNA: i64 = 1001;

/// Sends a message by the tool, and answers with what the tool returned.
const AGENT: &str = r#"
{
  echo '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}'
  echo '{"jsonrpc":"2.0","method":"notifications/initialized"}'
  echo '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"send_message","arguments":{"text":"by the tool"}}}'
} | "$PROGRAM" mcp | grep -o 'It is on its way'
"#;

#[test]
fn a_program_sends_a_message_before_its_answer() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    home.write("agent.sh", AGENT);
    let program = env!("CARGO_BIN_EXE_frontdesk");
    let agent = format!(
        "allow = [{ANNA}]\n[agents.main]\nkind = \"command\"\ncommand = [\"sh\", \"../../agent.sh\"]\nenv = {{ PROGRAM = \"{program}\" }}\n"
    );
    let _daemon = telegram.gateway(&home, &agent);
    let anna = telegram.user(ANNA, "Anna");
    anna.tells("go");
    anna.sees("It is on its way");
    assert_eq!(anna.texts(), ["go", "by the tool", "It is on its way"]);
}

#[test]
fn outside_an_agent_the_command_says_what_it_is_for() {
    NewHome::new().run(&["mcp"]).failed(2, &["FRONTDESK_MCP_URL", "within an agent"]);
}
