//! How pi is started: its arguments, its environment, and the files of ours that it needs.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use frontdesk_core::delta::AgentError;
use frontdesk_core::port::Turn;
use frontdesk_core::tool::{Tool, Tools};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::config::Config;
use super::process::PiProcess;
use crate::Host;
use crate::process::{Confinement, Ending, Limits, ProcessHost, ProgramConfig, RunWith, Start};

/// The extension that connects pi with the gateway.
const EXTENSION: &str = include_str!("extension.mjs");
/// Its line that names the gateway's tools.
const NO_TOOLS: &str = "const TOOLS = [];";
/// How long pi may take to end after its stdin was closed.
const AFTER_EOF: Duration = Duration::from_secs(2);

/// Starts processes of pi.
pub(super) struct Launch {
    pub(super) processes: Arc<ProcessHost>,
    max_line: usize,
    /// The folder of our files for pi, within the agent's folder.
    folder: PathBuf,
    /// The home and the agent folder of an isolated pi, which are created.
    own_folders: Vec<PathBuf>,
    /// The extension with the gateway's tools, from the first turn on: they are the same for all.
    extension: OnceLock<String>,
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
        let mut confinement = confinement(config, &paths);
        if let Some(RunWith::Ready(_)) = config.run_with {
            // The sandbox shows only what exists.
            let agent_dir = agent_dir.clone().unwrap_or_else(|| paths.absolute(Path::new("~/.pi/agent")));
            confinement.writable.extend([folder.clone(), agent_dir.clone()]);
            own_folders.push(agent_dir);
        }
        env.extend(agent_dir.map(|folder| ("PI_CODING_AGENT_DIR".into(), folder.into())));
        let package_dir = config.package_dir.as_ref().map(|folder| paths.absolute(folder));
        env.extend(package_dir.map(|folder| ("PI_PACKAGE_DIR".into(), folder.into())));
        env.extend(config.env.iter().map(|(name, value)| (name.into(), value.expose().into())));
        let mut command = config.command.clone();
        command.extend(arguments(config, &paths));
        let program = ProgramConfig {
            command,
            cwd: config.cwd.as_ref().map(|cwd| paths.absolute(cwd)),
            cwd_per_session: config.cwd_per_session,
            env,
            inherit_env: config.inherit_env.clone(),
            limits: Limits::default(),
            confinement,
            // The commands of the model run in sessions of their own.
            end_strays: true,
        };
        let ending = Ending { after_eof: AFTER_EOF, after_sigterm: Duration::from_secs(config.grace) };
        let processes = Arc::new(ProcessHost::new(name, program, ending, host));
        Self { processes, max_line: config.max_line, folder, own_folders, extension: OnceLock::new() }
    }

    /// What pi is to know of the gateway's tools.
    pub(super) fn offers(&self, tools: &dyn Tools) {
        self.extension.get_or_init(|| {
            let tool = |tool: Tool| json!({"name": tool.name, "description": tool.description, "parameters": tool.parameters});
            let tools = Value::Array(tools.list().into_iter().map(tool).collect());
            EXTENSION.replacen(NO_TOOLS, &format!("const TOOLS = {tools};"), 1)
        });
    }

    /// Starts pi for a session of its own. It has not shown yet that it works.
    pub(super) async fn start(&self, turn: Option<&Turn>, session_id: &str) -> Result<PiProcess, AgentError> {
        let session = turn.map(|turn| &turn.session);
        let prepared = self.prepare().await;
        let extension = prepared.map_err(|why| self.processes.not_started(session, &why))?;
        let sessions = self.folder.join("sessions");
        let args = vec![
            "--session-dir".into(),
            sessions.into(),
            "--session-id".into(),
            session_id.into(),
            // The last one: it sees the parameters of a tool as all others have left them.
            "-e".into(),
            extension.into(),
        ];
        let start = Start { turn, args, ..Start::default() };
        let process = self.processes.start(start, self.processes.stop.child_token()).await?;
        Ok(PiProcess::new(process, session_id.to_owned(), self.max_line))
    }

    /// Writes the extension and creates the folders. The extension is written for each start, because the model can
    /// write in the agent's folder.
    async fn prepare(&self) -> io::Result<PathBuf> {
        for folder in &self.own_folders {
            tokio::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).await?;
        }
        let path = self.folder.join("frontdesk.mjs");
        // Under a name of its own first: another process may just be reading the file.
        let new = self.folder.join(format!(".frontdesk-{:016x}.mjs", random()?));
        let mut file = tokio::fs::OpenOptions::new();
        let mut file = file.write(true).create_new(true).mode(0o600).open(&new).await?;
        let extension = self.extension.get().map_or(EXTENSION, String::as_str);
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

/// How paths of the configuration are read.
struct Paths<'a> {
    home: &'a Path,
    user: Option<&'a OsString>,
}

impl<'a> Paths<'a> {
    fn new(home: &'a Path, env: &'a [(OsString, OsString)]) -> Self {
        let user = env.iter().rev().find(|(name, _)| name == "HOME").map(|(_, home)| home);
        Self { home, user }
    }

    fn absolute(&self, path: &Path) -> PathBuf {
        match (path.strip_prefix("~"), self.user) {
            (Ok(rest), Some(user)) => Path::new(user).join(rest),
            _ => self.home.join(path),
        }
    }

    fn text(&self, path: &Path) -> String {
        self.absolute(path).to_string_lossy().into_owned()
    }

    /// A text, or the absolute name of the file that it names.
    fn text_or_file(&self, text: &str) -> String {
        self.file(text).map_or_else(|| text.to_owned(), |file| file.to_string_lossy().into_owned())
    }

    /// The file that a text names, if it does.
    fn file(&self, text: &str) -> Option<PathBuf> {
        let path = self.absolute(Path::new(text));
        (!text.contains('\n') && path.is_file()).then_some(path)
    }
}

/// What closes pi in. A sandbox shows it the files that its arguments name.
fn confinement(config: &Config, paths: &Paths<'_>) -> Confinement {
    let absolute = |path: &PathBuf| paths.absolute(path);
    let mut readable: Vec<PathBuf> = config.readable.iter().map(absolute).collect();
    if let Some(RunWith::Ready(_)) = config.run_with {
        let files = [&config.skills, &config.extensions, &config.prompt_templates].into_iter().flatten();
        readable.extend(files.chain(&config.package_dir).map(absolute));
        let texts = config.append_system_prompt.iter().chain(&config.system_prompt);
        readable.extend(texts.filter_map(|text| paths.file(text)));
    }
    let writable = config.writable.iter().map(absolute).collect();
    Confinement { run_with: config.run_with.clone(), readable, writable }
}

/// The arguments that are the same for all sessions.
fn arguments(config: &Config, paths: &Paths<'_>) -> Vec<String> {
    let mut args = vec!["--mode".to_owned(), "rpc".to_owned()];
    let mut add = |flag: &str, value: String| args.extend([flag.to_owned(), value]);
    for (flag, value) in
        [("--provider", &config.provider), ("--model", &config.model), ("--thinking", &config.thinking)]
    {
        if let Some(value) = value {
            add(flag, value.clone());
        }
    }
    let files = [
        ("--skill", &config.skills),
        ("-e", &config.extensions),
        ("--prompt-template", &config.prompt_templates),
    ];
    for (flag, paths_of_flag) in files {
        for path in paths_of_flag {
            add(flag, paths.text(path));
        }
    }
    if let Some(text) = &config.system_prompt {
        add("--system-prompt", paths.text_or_file(text));
    }
    for text in &config.append_system_prompt {
        add("--append-system-prompt", paths.text_or_file(text));
    }
    for (flag, names) in [("--tools", &config.tools), ("--exclude-tools", &config.exclude_tools)] {
        if !names.is_empty() {
            add(flag, names.join(","));
        }
    }
    args.push(if config.approve { "--approve" } else { "--no-approve" }.to_owned());
    args
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
        let confinement = confinement(&Config { run_with, ..config }, &paths);
        assert_eq!(confinement.readable, [Path::new("/opt/pi"), Path::new("/fd/role")]);
    }

    #[test]
    fn the_arguments_are_in_the_order_of_the_configuration() {
        let config = Config {
            provider: Some("fake".into()),
            model: Some("fake-1".into()),
            skills: vec!["role".into(), "/base".into(), "~/mine".into()],
            append_system_prompt: vec!["Be brief.".into()],
            tools: vec!["read".into(), "grep".into()],
            ..Config::default()
        };
        let env = [("HOME".into(), "/home/anna".into())];
        let args = arguments(&config, &Paths::new(Path::new("/fd"), &env)).join(" ");
        assert_eq!(
            args,
            "--mode rpc --provider fake --model fake-1 --skill /fd/role --skill /base --skill /home/anna/mine \
             --append-system-prompt Be brief. --tools read,grep --no-approve"
        );
    }
}
