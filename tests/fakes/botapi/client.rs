//! A person in a terminal: what they write goes to the control plane of a server that runs.

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::{Value, json};

/// Which server to talk to.
#[derive(Args)]
pub struct Server {
    /// The port of the server
    #[arg(long, default_value_t = 8081)]
    port: u16,
}

#[expect(clippy::print_stdout, reason = "what a person reads")]
impl Server {
    /// Writes a message; who is not known gets an account first.
    pub async fn say(
        &self,
        from: i64,
        chat: i64,
        name: &str,
        reply_to: Option<i64>,
        text: &str,
    ) -> Result<()> {
        self.ask("user", &json!({"id": from, "name": name})).await?;
        let say = json!({"chat": chat, "from": from, "text": text, "reply_to": reply_to});
        let sent = self.ask("say", &say).await?;
        println!("message {} (update {})", sent["message_id"], sent["update_id"]);
        Ok(())
    }

    /// Prints a chat, and what comes after.
    #[expect(clippy::disallowed_methods, reason = "a person looks again every now and then")]
    pub async fn show(&self, chat: i64, follow: bool) -> Result<()> {
        let mut printed = Vec::new();
        loop {
            let url = format!("http://127.0.0.1:{}/control/chat?chat={chat}", self.port);
            let shown: Value =
                client()?.get(url).send().await.context("is the server running?")?.json().await?;
            for line in shown.as_array().into_iter().flatten().map(line) {
                if !printed.contains(&line) {
                    println!("{line}");
                    printed.push(line);
                }
            }
            if !follow {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        }
    }

    /// Presses a button.
    pub async fn press(&self, chat: i64, user: i64, message: i64, button: &str) -> Result<()> {
        let press = json!({"chat": chat, "user": user, "message_id": message, "button": button});
        let pressed = self.ask("press", &press).await?;
        println!("query {}", pressed["query_id"]);
        Ok(())
    }

    /// Does anything.
    pub async fn act(&self, act: &str, json: &str) -> Result<()> {
        println!("{}", self.ask(act, &serde_json::from_str(json)?).await?);
        Ok(())
    }

    async fn ask(&self, act: &str, body: &Value) -> Result<Value> {
        let url = format!("http://127.0.0.1:{}/control/{act}", self.port);
        let response = client()?.post(url).json(body).send().await.context("is the server running?")?;
        let (status, answer) = (response.status(), response.json::<Value>().await?);
        if !status.is_success() {
            bail!("{}", answer["error"].as_str().unwrap_or("refused"));
        }
        Ok(answer)
    }
}

fn client() -> Result<reqwest::Client> {
    Ok(reqwest::Client::builder().no_proxy().build()?)
}

/// A message in one line.
fn line(message: &Value) -> String {
    let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
    let mut line = format!("{:>5}  {}: {}", message["message_id"], text("name"), text("text"));
    if message["edited"] == json!(true) {
        line.push_str("  (edited)");
    }
    if let Some(kind) = message["kind"].as_str() {
        line.push_str(&format!("  <{kind}>"));
    }
    for button in message["buttons"].as_array().into_iter().flatten() {
        line.push_str(&format!("  [{}]", button.as_str().unwrap_or_default()));
    }
    line
}
