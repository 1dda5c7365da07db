//! Starts pi as for a turn and looks whether it could answer. Nothing is sent to a model.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::config::Config;
use super::installed::{self, COMMAND, NODE, is_enough};
use super::launch::{Launch, random};
use super::process::PiProcess;
use super::settings::{Model, Settings};
use crate::Host;
use crate::probe::{Probe, detail};

/// What pi calls a model that it does not have.
const UNKNOWN: &str = "unknown";

/// Which pi would be started.
pub(crate) fn describe(name: &str, config: &Config, host: &Host) -> String {
    let launch = Launch::new(name, config, host);
    let named = config.command.as_deref().unwrap_or_default().join(" ");
    let Some(program) = launch.processes.program() else {
        return if named.is_empty() { "pi, which is not there".to_owned() } else { named };
    };
    let shown = if config.command.is_some() { named } else { program.display().to_string() };
    match launch.version() {
        Some(version) => format!("pi {version}: {shown}"),
        None => shown,
    }
}

/// Tries the agent out.
pub(crate) async fn probe(name: &str, config: &Config, host: &Host) -> Probe {
    let launch = Launch::new(name, config, host);
    if let Some(problem) = launch.processes.problem() {
        return Probe::failed(problem);
    }
    let probe = match started(&launch).await {
        Ok(mut process) => {
            let models = process.models(&**launch.processes.clock()).await;
            let settings = process.settings.clone().unwrap_or_default();
            process.process.retire();
            let program = launch.processes.program().unwrap_or_else(|| PathBuf::from("pi"));
            Look { name, config, program: &program }.at(&settings, models.as_deref())
        }
        Err(why) => Probe::failed(not_started(&launch, config, why).await),
    };
    launch.processes.close().await;
    probe
}

async fn started(launch: &Launch) -> Result<PiProcess, String> {
    // Without a message pi writes no file for a session.
    let id = random().map_err(|error| error.to_string())?;
    let given = launch.given(None).map_err(detail)?;
    let mut process = launch.start(None, &format!("fd-check-{id:016x}"), given).await.map_err(detail)?;
    process.ready(&**launch.processes.clock()).await.map_err(detail)?;
    Ok(process)
}

/// Why pi did not start, and what to do.
async fn not_started(launch: &Launch, config: &Config, why: String) -> String {
    if config.run_with.is_some() {
        return format!(
            "pi does not start: {why}. What closes it in (`run_with`) may hide a file that it needs"
        );
    }
    if config.command.is_none()
        && launch
            .processes
            .program()
            .is_some_and(|path| path.starts_with(installed::folder(launch.processes.home())))
    {
        return format!("the installed pi does not start: {why}. Run `{COMMAND}` again");
    }
    let (major, minor) = NODE;
    let needs =
        format!("pi needs Node {major}.{minor} or newer: run `{COMMAND}`, which brings one, or install it");
    let node = match launch.processes.find("node") {
        None => "there is no Node in the folders of PATH".to_owned(),
        Some(node) => match version_of(&node).await {
            Some(version) if !is_enough(&version) => {
                format!("the Node of PATH, {}, is {version}", node.display())
            }
            _ => return format!("pi does not start: {why}"),
        },
    };
    format!("pi does not start: {why}. Perhaps because {node}; {needs}")
}

/// What a Node says of itself.
async fn version_of(node: &Path) -> Option<String> {
    let mut command = tokio::process::Command::new(node);
    command.arg("--version").env_clear().stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.ok()?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Reads from pi's replies whether it can answer.
struct Look<'a> {
    name: &'a str,
    config: &'a Config,
    program: &'a Path,
}

impl Look<'_> {
    /// `models` are those for which pi has credentials; `None` if it does not tell.
    fn at(&self, settings: &Settings, models: Option<&[Model]>) -> Probe {
        let Some(model) = settings.model.as_ref().filter(|model| model.id != UNKNOWN) else {
            return Probe::failed(format!(
                "pi knows no model: set `provider` and `model` in [agents.{}] and pass the provider's key on with \
                 `inherit_env`, or run {} in a terminal and log in with /login",
                self.name,
                self.program.display()
            ));
        };
        let started = format!("pi starts, with the model {} of {}", model.id, model.provider);
        let Some(models) = models else {
            return Probe::seen(started).and("this pi does not tell which models it can use");
        };
        let has = |model: &Model| models.iter().any(|known| known == model);
        let is_logged_in = models.iter().any(|known| known.provider == model.provider);
        if !is_logged_in {
            return Probe::failed(format!(
                "pi is not logged in with {}: pass its key on with `inherit_env` in [agents.{}], or run {} in a \
                 terminal and log in with /login",
                model.provider,
                self.name,
                self.program.display()
            ));
        }
        let endpoint = settings.base_url.clone().filter(|_| !self.has_own_proxy());
        let mut probe = Probe { endpoint, ..Probe::seen(started) };
        if !has(model) {
            probe =
                probe.and(format!("pi does not know the model {} and asks for it all the same", model.id));
        }
        let offered = self.config.models.iter();
        let missing: Vec<&str> = offered
            .filter(|model| self.config.named(model).is_ok_and(|model| !has(&model)))
            .map(String::as_str)
            .collect();
        match missing.as_slice() {
            [] => probe,
            missing => probe.and(format!("of `models`, pi cannot use {}", missing.join(", "))),
        }
    }
}

impl Look<'_> {
    /// Whether the configuration sets a proxy for pi, which then holds in place of the gateway's.
    fn has_own_proxy(&self) -> bool {
        let names = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];
        let mut set = self.config.env.keys().chain(&self.config.inherit_env);
        set.any(|key| names.iter().any(|name| name.eq_ignore_ascii_case(key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(provider: &str, id: &str) -> Model {
        Model { provider: provider.into(), id: id.into() }
    }

    fn look(used: Option<Model>, models: Option<&[Model]>) -> Probe {
        let config = Config { models: vec!["a/one".into(), "b/two".into()], ..Config::default() };
        let settings = Settings { model: used, ..Settings::default() };
        Look { name: "main", config: &config, program: Path::new("/pi") }.at(&settings, models)
    }

    #[test]
    fn a_pi_that_cannot_answer_says_what_is_missing() {
        let problem = |used, models| look(used, models).problem.unwrap_or_default();
        for nothing in [None, Some(model(UNKNOWN, UNKNOWN))] {
            let problem = problem(nothing, Some(&[]));
            assert!(problem.contains("knows no model") && problem.contains("[agents.main]"), "{problem}");
        }
        let others = [model("b", "two")];
        let problem = problem(Some(model("a", "one")), Some(&others));
        assert!(problem.contains("not logged in with a"), "{problem}");
    }

    #[test]
    fn a_pi_that_can_answer_says_with_what() {
        let all = [model("a", "one"), model("a", "three")];
        assert_eq!(
            look(Some(model("a", "one")), Some(&all)),
            Probe::seen("pi starts, with the model one of a").and("of `models`, pi cannot use b/two")
        );
        let probe = look(Some(model("a", "new")), Some(&all));
        assert!(
            probe.problem.is_none() && probe.seen[1].contains("does not know the model new"),
            "{probe:?}"
        );
        let old = look(Some(model("a", "one")), None);
        assert!(old.problem.is_none() && old.seen[1].contains("does not tell"), "{old:?}");
    }
}
