//! `frontdesk events`: the endpoints for events of other programs, and sending such an event.

use std::io::Read;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use frontdesk::clock::SystemClock;
use frontdesk::config::Config;
use frontdesk::core::port::Clock;
use frontdesk::home::Home;
use frontdesk_api::{HookMode, Signature};
use serde_json::{Value, json};

use super::client::{self, fresh_key, segment};
use super::config::{self, FileArgs};
use super::{Done, Failure, Remote, field, screen, table};

#[derive(Args)]
pub struct EventsArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// List the endpoints that accept events, with their URLs and how a sender signs
    List {
        #[command(flatten)]
        file: FileArgs,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Sign an event with the secret of an endpoint and send it to the running gateway
    #[command(after_help = "Examples:\n  frontdesk events push github --data '{\"action\": \"opened\"}'\n  \
                      frontdesk events push wake --data '{\"text\": \"Look at the log.\"}'\n  \
                      frontdesk events push deploy < event.json")]
    Push(PushArgs),
}

#[derive(Args)]
struct PushArgs {
    #[command(flatten)]
    remote: Remote,
    /// Configuration file [default: frontdesk.toml or frontdesk.jsonc in the home folder]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Name of the endpoint, or wake
    name: String,
    /// The event as JSON [default: standard input]
    #[arg(long, value_name = "JSON")]
    data: Option<String>,
    /// Id of the event: a second one with the same id has no effect. Slack's events have their `event_id` instead
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

pub async fn events(args: EventsArgs) -> Done {
    match args.what {
        What::List { file, json } => list(&file.load()?.config, json),
        What::Push(args) => push(args).await,
    }
}

/// How the sender of an endpoint signs, as far as anybody may know.
struct Shown {
    name: String,
    signature: Signature,
    does: String,
}

fn list(config: &Config, as_json: bool) -> Done {
    let hooks = &config.hooks;
    if !hooks.enabled {
        screen::note("note: events are off: set hooks.enabled = true");
    }
    let agent = |agent: Option<&String>| agent.map_or_else(String::new, |agent| format!("agent {agent}, "));
    let mut shown = Vec::new();
    if hooks.token.is_some() {
        let does = format!("{}answers to {}", agent(hooks.agent.as_ref()), hooks.to);
        shown.push(Shown { name: "wake".to_owned(), signature: Signature::Bearer, does });
    }
    shown.extend(hooks.endpoints.iter().map(|(name, endpoint)| {
        let to = endpoint.to.as_ref().unwrap_or(&hooks.to);
        let does = match (endpoint.mode, &endpoint.session) {
            (HookMode::Message, _) => format!("message to {to}"),
            (HookMode::Agent, Some(session)) => format!("input of {session}"),
            (HookMode::Agent, None) => {
                let agent = agent(endpoint.agent.as_ref().or(hooks.agent.as_ref()));
                format!("{agent}answers to {to}")
            }
        };
        Shown { name: name.clone(), signature: endpoint.signature, does }
    }));
    let (host, port) = (&config.gateway.host, config.gateway.port);
    let base = config.gateway.public_url.clone().unwrap_or_else(|| format!("http://{host}:{port}"));
    let url = |name: &str| format!("{}/hooks/{name}", base.trim_end_matches('/'));
    if as_json {
        let all = shown.iter().map(|hook| {
            json!({"name": hook.name, "url": url(&hook.name), "signature": hook.signature, "does": hook.does})
        });
        return screen::json(&json!({"enabled": hooks.enabled, "events": all.collect::<Value>()}));
    }
    let rows = shown.iter().map(|hook| {
        vec![hook.name.clone(), url(&hook.name), how(hook.signature).to_owned(), hook.does.clone()]
    });
    table::print(
        &["NAME", "URL", "SIGNED WITH", "BECOMES"],
        rows.collect(),
        "There are no endpoints for events.",
    )
}

/// How a sender shows that it knows the secret.
fn how(signature: Signature) -> &'static str {
    match signature {
        Signature::Bearer => "Authorization: Bearer SECRET",
        Signature::Github => "X-Hub-Signature-256 (GitHub: content type JSON, the secret as it is)",
        Signature::Slack => "X-Slack-Signature (Slack: the signing secret of the app)",
        Signature::Generic => "webhook-id, webhook-timestamp, webhook-signature (standardwebhooks.com)",
    }
}

async fn push(args: PushArgs) -> Done {
    let PushArgs { remote, config, name, data, key } = args;
    let home = Home::find(remote.home.home.as_deref(), &super::env)?;
    let config = config::load(&home, config.as_deref(), &screen::note)?.config;
    let (signature, secret) = secret(&config, &name)?;
    let body = match data {
        Some(data) => data.into_bytes(),
        None => {
            let mut read = Vec::new();
            let failed = |error| Failure::new(format!("standard input cannot be read: {error}"));
            std::io::stdin().lock().read_to_end(&mut read).map_err(failed)?;
            read
        }
    };
    if let Err(error) = serde_json::from_slice::<Value>(&body) {
        return Err(Failure::usage(format!("the event is not JSON: {error}")));
    }
    let key = match key {
        Some(key) => key,
        None => fresh_key()?,
    };
    let headers = signature.sign(&secret, &key, SystemClock::new().wall(), &body);
    let answer = client::post_signed(&remote, &format!("/hooks/{}", segment(&name)), &headers, body).await?;
    let text = |name: &str| field::text(&answer, name);
    let sentence = if answer["ignored"] == true {
        "The endpoint does not take such events: nothing was made of it.".to_owned()
    } else if answer.get("task").is_some() {
        format!("Accepted as background task {}.", text("task"))
    } else if answer.get("message").is_some() {
        format!("Accepted as message {} of {}.", text("message"), text("session"))
    } else {
        let parts = field::list(&answer, "parts").iter();
        let parts = parts.map(|part| format!("{} ({})", field::text(part, "id"), field::text(part, "state")));
        format!("Accepted as {}.", parts.collect::<Vec<_>>().join(", "))
    };
    remote.say(&answer, sentence)
}

/// How an endpoint's sender signs, and with which secret.
fn secret(config: &Config, name: &str) -> Result<(Signature, String), Failure> {
    let hooks = &config.hooks;
    let endpoint = hooks.endpoints.get(name);
    let token = hooks.token.as_ref();
    let found = match (name, endpoint) {
        ("wake", _) => Some((Signature::Bearer, token)),
        (_, Some(endpoint)) => Some((endpoint.signature, endpoint.secret.as_ref().or(token))),
        (_, None) => None,
    };
    let Some((signature, secret)) = found else {
        let known: Vec<&str> = hooks.endpoints.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(Failure::usage(format!(
            "there is no endpoint {name:?} in [hooks.endpoints]; there are: {known}"
        )));
    };
    let secret =
        secret.ok_or_else(|| Failure::config("hooks.token is not set, so there is no /hooks/wake"))?;
    Ok((signature, secret.expose().to_owned()))
}
