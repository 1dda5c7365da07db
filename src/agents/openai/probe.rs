//! Asks a provider for its models, which costs nothing and shows whether address and key are right.

use super::fault::Fault;
use super::{Config, model::Model};
use crate::Host;
use crate::probe::Probe;

/// How many models of a provider are named at most.
const NAMED: usize = 5;

/// Tries the agent out.
pub(crate) async fn probe(name: &str, config: &Config, host: &Host) -> Probe {
    let model = match Model::new(name, config, host) {
        Ok(model) => model,
        Err(error) => return Probe::failed(error.to_string()),
    };
    match model.problem() {
        Some(problem) => Probe::failed(problem),
        None => found(name, config, model.provider.models().await),
    }
}

fn found(name: &str, config: &Config, models: Result<Vec<String>, Fault>) -> Probe {
    let wanted = &config.model;
    let untried = format!("so only a message will show whether it has the model {wanted}");
    match models {
        Ok(models) if models.contains(wanted) => {
            let missing: Vec<&str> =
                config.models.iter().filter(|model| !models.contains(model)).map(String::as_str).collect();
            let probe = Probe::seen(format!("the provider lists the model {wanted}"));
            match missing.as_slice() {
                [] => probe,
                missing => probe.and(format!("of `models`, it does not list {}", missing.join(", "))),
            }
        }
        Ok(models) if models.is_empty() => {
            Probe::seen(format!("the provider answers and lists no models, {untried}"))
        }
        Ok(models) => {
            let named: Vec<&str> = models.iter().take(NAMED).map(String::as_str).collect();
            let more = if models.len() > NAMED { ", ..." } else { "" };
            let listed = format!("the provider answers and does not list the model {wanted}, {untried}");
            Probe::seen(listed).and(format!("it lists {}{more}", named.join(", ")))
        }
        Err(Fault::Refused { status: 404 | 405 | 501, .. }) => {
            Probe::seen(format!("the provider answers and does not say which models it has, {untried}"))
        }
        Err(fault @ Fault::Refused { status: 401 | 403, .. }) => {
            let key = if config.api_key.is_some() { "correct" } else { "set" };
            Probe::failed(format!("{fault}; {key} `api_key` in [agents.{name}]"))
        }
        Err(fault @ (Fault::Unreachable(_) | Fault::Lost(_) | Fault::Silent(_))) => Probe::failed(format!(
            "{fault}; is `base_url` in [agents.{name}] right, and does the server run?"
        )),
        // The list is nothing that every provider has, and a strange one says nothing about answers.
        Err(Fault::Malformed(_)) => {
            Probe::seen(format!("the provider's list of models cannot be read, {untried}"))
        }
        Err(fault) => Probe::failed(fault.to_string()),
    }
}
