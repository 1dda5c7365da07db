//! Which program is started, in which directory and with which environment.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use frontdesk_core::config::ConfigError;
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::Turn;
use frontdesk_core::visible;
use tokio::process::Command;

use super::environment;
use super::folder::Folder;
use super::rlimits::Limits;

/// The program of an agent, as its config describes it.
#[derive(Clone, Default)]
pub struct ProgramConfig {
    /// The program and its arguments. A program whose name contains a `/` is looked up relative to the home directory.
    pub command: Vec<String>,
    /// The working folder, relative to the home directory. `None` means `agents/NAME`, which is created.
    pub cwd: Option<PathBuf>,
    /// Whether every session has a working folder of its own, beneath the working folder.
    pub cwd_per_session: bool,
    /// The environment variables that are set.
    pub env: Vec<(OsString, OsString)>,
    /// The names of further variables that the program gets from the gateway's environment.
    pub inherit_env: Vec<String>,
    /// The kernel's limits on the program.
    pub limits: Limits,
}

/// The arguments of one start of a program; everything else is configured.
#[derive(Clone, Default)]
pub struct Start<'a> {
    /// The turn that it is started for; `None` for a program that is started ahead.
    pub turn: Option<&'a Turn>,
    /// Arguments after the configured ones.
    pub args: Vec<OsString>,
    /// Further environment variables.
    pub env: Vec<(OsString, OsString)>,
}

/// Checks the config key `command`.
pub fn check_command(command: &[String]) -> Result<(), ConfigError> {
    if command.first().is_none_or(String::is_empty) {
        let problem = "must name a program, for example [\"my-agent\", \"--flag\"]";
        return Err(ConfigError::new("command", problem));
    }
    if command.iter().any(|word| word.contains('\0')) {
        return Err(ConfigError::new("command", "must not contain a NUL character"));
    }
    Ok(())
}

pub(super) struct Program {
    agent: String,
    path: OsString,
    args: Vec<String>,
    folder: Folder,
    /// The folder for files: those that came with messages, and the only place that files may be sent from.
    media: PathBuf,
    env: Vec<(OsString, OsString)>,
    limits: Limits,
}

impl Program {
    /// `gateway` is the gateway's environment, `home` an absolute path.
    pub(super) fn new(
        agent: &str,
        config: ProgramConfig,
        home: &Path,
        gateway: &[(OsString, OsString)],
    ) -> Self {
        let mut command = config.command.into_iter();
        let program = command.next().unwrap_or_default();
        Self {
            agent: agent.into(),
            // A bare name is looked up in PATH, so the home directory must not be prepended.
            path: if program.contains('/') { home.join(program).into() } else { program.into() },
            args: command.collect(),
            folder: Folder {
                is_default: config.cwd.is_none(),
                path: home.join(config.cwd.unwrap_or_else(|| Path::new("agents").join(agent))),
                per_session: config.cwd_per_session,
            },
            media: media(home),
            env: environment::of(gateway, &config.inherit_env, config.env),
            limits: config.limits,
        }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Creates the media folder and the working folder, if it is one that we create.
    pub(super) async fn make_folders(&self, session: Option<&SessionKey>) -> io::Result<()> {
        tokio::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.media).await?;
        self.folder.make(session).await
    }

    /// Why it could not be started now. Looks where the system would look.
    pub(super) fn problem(&self) -> Option<String> {
        let (agent, program) = (&self.agent, visible::escaped(&self.path.to_string_lossy(), 200));
        let cwd = &self.folder.path;
        let correct = format!("correct `command` in [agents.{agent}]");
        if !self.folder.is_default && !cwd.is_dir() {
            let folder = visible::escaped(&cwd.to_string_lossy(), 200);
            return Some(format!(
                "its directory {folder} does not exist: create it, or correct `cwd` in [agents.{agent}]"
            ));
        }
        if self.path.as_bytes().contains(&b'/') {
            let path = cwd.join(&self.path);
            return match (is_program(&path), path.is_file()) {
                (true, _) => None,
                (false, true) => Some(format!(
                    "its program {program} is not executable: run `chmod +x` on it, or {correct}"
                )),
                (false, false) => {
                    Some(format!("its program {program} does not exist: install it, or {correct}"))
                }
            };
        }
        let path = self.env.iter().rev().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_os_str());
        let folders = path.unwrap_or(OsStr::new("/bin:/usr/bin"));
        let found =
            std::env::split_paths(folders).any(|folder| is_program(&cwd.join(folder).join(&self.path)));
        (!found).then(|| {
            format!("its program {program} is in none of the folders of PATH: install it, or {correct}")
        })
    }

    /// The command for a start, with pipes and a process group of its own.
    pub(super) fn command(&self, start: &Start<'_>) -> Command {
        let mut command = Command::new(&self.path);
        command
            .args(&self.args)
            .args(&start.args)
            .current_dir(self.folder.of(start.turn.map(|turn| &turn.session)))
            .env_clear()
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .envs(environment::facts(&self.agent, &self.media, start.turn))
            .envs(start.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        command
    }

    pub(super) fn cannot_start(&self, session: Option<&SessionKey>, why: &io::Error) -> String {
        format!("{} in {}: {why}", self.path.to_string_lossy(), self.folder.of(session).display())
    }
}

/// The absolute path of the media folder.
pub(super) fn media(home: &Path) -> PathBuf {
    let media = home.join("media");
    std::path::absolute(&media).unwrap_or(media)
}

/// Whether this is a file that we may execute.
fn is_program(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}
