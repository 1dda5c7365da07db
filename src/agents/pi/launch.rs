//! How pi is started: its environment, and the files of ours that it needs.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use frontdesk_core::delta::AgentError;
use frontdesk_core::port::Turn;
use frontdesk_core::tool::{Tool, Tools};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use super::abilities::Abilities;
use super::config::Config;
use super::given::Given;
use super::installed;
use super::process::PiProcess;
use super::shut;
use crate::Host;
use crate::paths::Paths;
use crate::process::{Confinement, Ending, Installed, Limits, ProcessHost, ProgramConfig, RunWith, Start};

/// The extension that connects pi with the gateway.
const EXTENSION: &str = include_str!("extension.mjs");
/// Its line that names the gateway's tools.
const NO_TOOLS: &str = "const TOOLS = [];";
/// How long pi may take to end after its stdin was closed.
const AFTER_EOF: Duration = Duration::from_secs(2);

/// Starts processes of pi.
pub(super) struct Launch {
    pub(super) processes: Arc<ProcessHost>,
    config: Config,
    paths: Paths,
    /// The folder of our files for pi, within the agent's folder.
    folder: PathBuf,
    /// The home and the agent folder of an isolated pi, which are created.
    own_folders: Vec<PathBuf>,
    /// pi's folder with settings, if it runs in a ready-made sandbox.
    shut_agent_dir: Option<PathBuf>,
    /// The gateway's tools, from the first turn on.
    tools: OnceLock<Vec<Tool>>,
}

impl Launch {
    pub(super) fn new(name: &str, config: &Config, host: &Host) -> Self {
        let home = std::path::absolute(&host.home).unwrap_or_else(|_| host.home.clone());
        let folder = home.join("agents").join(name).join("pi");
        let paths = Paths::new(&home, &host.env);
        let mut own_folders = vec![folder.join("sessions")];
        let mut env: Vec<(OsString, OsString)> =
            vec![("PI_TELEMETRY".into(), "0".into()), ("PI_SKIP_VERSION_CHECK".into(), "1".into())];
        let mut agent_dir = config.agent_dir.as_ref().map(|folder| paths.absolute(folder));
        if config.isolate {
            let own = folder.join("home");
            env.push(("HOME".into(), own.clone().into()));
            own_folders.push(own);
            let agent_dir = agent_dir.get_or_insert_with(|| folder.join("agent"));
            own_folders.push(agent_dir.clone());
        }
        let mut shut_agent_dir = None;
        if let Some(RunWith::Ready(_)) = config.run_with {
            // The sandbox shows only what exists.
            let agent_dir = agent_dir.clone().unwrap_or_else(|| paths.absolute(Path::new("~/.pi/agent")));
            own_folders.push(agent_dir.clone());
            shut_agent_dir = Some(agent_dir);
        }
        env.extend(agent_dir.map(|folder| ("PI_CODING_AGENT_DIR".into(), folder.into())));
        let package_dir = config.package_dir.as_ref().map(|folder| paths.absolute(folder));
        env.extend(package_dir.map(|folder| ("PI_PACKAGE_DIR".into(), folder.into())));
        env.extend(config.env.iter().map(|(name, value)| (name.into(), value.expose().into())));
        let installed = config.command.is_none().then(|| Installed {
            program: installed::program(&home),
            folder: installed::folder(&home),
            command: installed::COMMAND,
        });
        let program = ProgramConfig {
            section: None,
            command: config.command.clone().unwrap_or_else(|| vec!["pi".to_owned()]),
            cwd: config.cwd.as_ref().map(|cwd| paths.absolute(cwd)),
            cwd_per_session: config.cwd_per_session,
            env,
            inherit_env: config.inherit_env.clone(),
            limits: Limits::default(),
            confinement: confinement(config, &paths),
            // The commands of the model run in sessions of their own.
            end_strays: true,
            installed,
        };
        let ending = Ending { after_eof: AFTER_EOF, after_sigterm: Duration::from_secs(config.grace) };
        let processes = Arc::new(ProcessHost::new(name, program, ending, host));
        let config = config.clone();
        Self { processes, config, paths, folder, own_folders, shut_agent_dir, tools: OnceLock::new() }
    }

    /// Notes the gateway's tools, which are the same for all turns.
    pub(super) fn offers(&self, tools: &dyn Tools) {
        self.tools.get_or_init(|| tools.list());
    }

    /// The extension for these turns, under a name that is made from its text: processes with other tools, and those of
    /// another gateway or of `frontdesk agents check`, have files of their own.
    fn extension(&self, given: &Given) -> (String, String) {
        let tools = self.tools.get().into_iter().flatten().filter(|tool| given.has_tool(tool.name));
        let tool = |tool: &Tool| json!({"name": tool.name, "description": tool.description, "parameters": tool.parameters});
        let tools = Value::Array(tools.map(tool).collect());
        let text = EXTENSION.replacen(NO_TOOLS, &format!("const TOOLS = {tools};"), 1);
        let digest = Sha256::digest(&text);
        let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        (format!("frontdesk-{digest}.mjs"), text)
    }

    /// What pi is given for a turn, or before there is one.
    pub(super) fn given(&self, turn: Option<&Turn>) -> Result<Given, AgentError> {
        let given = Given::of(&self.config, turn.and_then(|turn| turn.role.as_deref()), &self.paths);
        given.map_err(|why| self.processes.not_started(turn.map(|turn| &turn.session), &why))
    }

    /// The version of the pi that would be started now, if that can be seen.
    pub(super) fn version(&self) -> Option<String> {
        // In `node /opt/pi/cli.js` the second word leads to pi.
        let words = self.config.command.iter().flatten().skip(1).map(PathBuf::from);
        self.processes.program().into_iter().chain(words).find_map(|path| installed::version(&path))
    }

    /// Starts pi for a session of its own. It has not shown yet that it works.
    pub(super) async fn start(
        &self,
        turn: Option<&Turn>,
        session_id: &str,
        given: Given,
    ) -> Result<PiProcess, AgentError> {
        let session = turn.map(|turn| &turn.session);
        let prepared = self.prepare(&given).await;
        let extension = prepared.map_err(|why| self.processes.not_started(session, &why))?;
        let abilities = Abilities::of(self.version().as_deref());
        let sessions = shut::sessions(&self.folder.join("sessions"), session_id).await;
        let sessions = sessions.map_err(|why| self.processes.not_started(session, &why))?;
        let id: [OsString; 2] = match abilities.session_ids {
            true => ["--session-id".into(), session_id.into()],
            false => ["--session".into(), sessions.join(format!("{session_id}.jsonl")).into()],
        };
        let known =
            |arg: &&String| abilities.approve || !["--approve", "--no-approve"].contains(&arg.as_str());
        let mut args: Vec<OsString> = given.args.iter().filter(known).map(OsString::from).collect();
        args.extend(["--session-dir".into(), sessions.clone().into()]);
        args.extend(id);
        // The last one: it sees the parameters of a tool as all others have left them.
        args.extend(["-e".into(), extension.clone().into()]);
        let mut start = Start { turn, args, readable: given.files.clone(), ..Start::default() };
        if let Some(agent_dir) = &self.shut_agent_dir {
            // The working folder may show it.
            start.hidden.push(self.folder.clone());
            start.readable.push(extension);
            let shown = shut::shut(&mut start, agent_dir, &sessions);
            shown.map_err(|why| self.processes.not_started(session, &why))?;
        }
        let process = self.processes.start(start, self.processes.stop.child_token()).await?;
        let clock = self.processes.clock().clone();
        Ok(PiProcess::new(process, session_id.to_owned(), given, self.config.max_line, abilities, clock))
    }

    /// Writes the extension and creates the folders. The extension is written for each start, because the model can
    /// write in the agent's folder.
    async fn prepare(&self, given: &Given) -> io::Result<PathBuf> {
        for folder in &self.own_folders {
            tokio::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).await?;
        }
        let (name, extension) = self.extension(given);
        let path = self.folder.join(name);
        // Under a name of its own first: another process may just be reading the file.
        let new = self.folder.join(format!(".frontdesk-{:016x}.mjs", random()?));
        let mut file = tokio::fs::OpenOptions::new();
        let mut file = file.write(true).create_new(true).mode(0o600).open(&new).await?;
        file.write_all(extension.as_bytes()).await?;
        file.flush().await?;
        tokio::fs::rename(&new, &path).await?;
        Ok(path)
    }
}

/// A random number, for names that nobody can have taken.
pub(super) fn random() -> io::Result<u64> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(u64::from_ne_bytes(bytes))
}

/// What closes pi in. A sandbox also shows it the files that its arguments name.
fn confinement(config: &Config, paths: &Paths) -> Confinement {
    let absolute = |path: &PathBuf| paths.absolute(path);
    let mut readable: Vec<PathBuf> = config.readable.iter().map(absolute).collect();
    if let Some(RunWith::Ready(_)) = config.run_with {
        readable.extend(config.package_dir.iter().map(absolute));
    }
    let writable = config.writable.iter().map(absolute).collect();
    Confinement { run_with: config.run_with.clone(), readable, writable }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sandbox_shows_what_the_arguments_name() {
        let readable = vec!["/opt/pi".into()];
        let config = Config { skills: vec!["role".into()], readable, ..Config::default() };
        let paths = Paths::new(Path::new("/fd"), &[]);
        assert_eq!(confinement(&config, &paths).readable, [Path::new("/opt/pi")]);
        let run_with = Some(RunWith::Ready(crate::process::Ready::Bubblewrap));
        let config = Config { run_with, ..config };
        let mut shown = confinement(&config, &paths).readable;
        shown.extend(Given::of(&config, None, &paths).unwrap().files);
        assert_eq!(shown, [Path::new("/opt/pi"), Path::new("/fd/role")]);
    }
}
