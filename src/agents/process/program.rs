//! Which program is started, in which directory and with which environment.

use std::ffi::{OsStr, OsString};
use std::io;
use std::iter::once;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use frontdesk_core::config::ConfigError;
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::Turn;
use frontdesk_core::visible;
use frontdesk_http::proxy::Grant;
use tokio::process::Command;

use super::bubblewrap::{self, Reach, variable};
use super::environment;
use super::folder::Folder;
use super::rlimits::Limits;
use super::run_with::{Confinement, Ready, RunWith, Values, filled};

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
    /// What closes it in.
    pub confinement: Confinement,
    /// Whether processes that have left its group are ended as well if it does not end well. Only on Linux.
    pub end_strays: bool,
    /// The section of the configuration that describes it. `None` means `agents.NAME`.
    pub section: Option<&'static str>,
    /// What Frontdesk may have installed for it. If that exists, it is started in place of the program that `command`
    /// names.
    pub installed: Option<Installed>,
}

/// A program that Frontdesk installs itself, on command.
#[derive(Clone)]
pub struct Installed {
    /// The program.
    pub program: PathBuf,
    /// The folder with all that belongs to it, which it can read in a sandbox.
    pub folder: PathBuf,
    /// The command that installs it, for people.
    pub command: &'static str,
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
    /// The file with the facts of the turn, if the program gets one.
    pub facts: Option<PathBuf>,
    /// Further files and folders that it may read in a sandbox, as absolute paths.
    pub readable: Vec<PathBuf>,
    /// Further files and folders that it may read and change in a sandbox, as absolute paths.
    pub writable: Vec<PathBuf>,
    /// Folders that are empty and its own in a sandbox, but for what is readable or writable.
    pub hidden: Vec<PathBuf>,
    /// The files of messages that it may read in a sandbox. `None` means all, because later prompts name other ones.
    pub files: Option<Vec<PathBuf>>,
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

/// The folder of received files, within the folder for files.
const IN: &str = "in";
/// The folder of copies that are being sent, which is no concern of any agent.
const OUT: &str = "out";

pub(super) struct Program {
    agent: String,
    /// The section of the configuration that describes it.
    section: String,
    /// The configured program.
    named: OsString,
    installed: Option<Installed>,
    args: Vec<String>,
    folder: Folder,
    /// The folder for files: those that came with messages, and the only place that files may be sent from.
    media: PathBuf,
    env: Vec<(OsString, OsString)>,
    limits: Limits,
    confinement: Confinement,
    /// The gateway's home directory, as an absolute path.
    home: PathBuf,
}

impl Program {
    /// `gateway` is the gateway's environment, `home` an absolute path.
    pub(super) fn new(
        agent: &str,
        config: ProgramConfig,
        home: &Path,
        gateway: &[(OsString, OsString)],
    ) -> Self {
        let beneath = |paths: Vec<PathBuf>| paths.into_iter().map(|path| home.join(path)).collect();
        let Confinement { run_with, readable, writable } = config.confinement;
        let mut command = config.command.into_iter();
        let program = command.next().unwrap_or_default();
        Self {
            agent: agent.into(),
            section: config.section.map_or_else(|| format!("agents.{agent}"), str::to_owned),
            // A bare name is looked up in PATH, so the home directory must not be prepended.
            named: if program.contains('/') { home.join(program).into() } else { program.into() },
            installed: config.installed,
            args: command.collect(),
            folder: Folder {
                is_default: config.cwd.is_none(),
                path: home.join(config.cwd.unwrap_or_else(|| Path::new("agents").join(agent))),
                per_session: config.cwd_per_session,
            },
            media: media(home),
            env: environment::of(gateway, &config.inherit_env, config.env),
            limits: config.limits,
            confinement: Confinement { run_with, readable: beneath(readable), writable: beneath(writable) },
            home: home.to_owned(),
        }
    }

    /// What is installed for it, if it is.
    fn installed(&self) -> Option<&Installed> {
        self.installed.as_ref().filter(|installed| is_program(&installed.program))
    }

    /// The program that is started now.
    pub(super) fn path(&self) -> &OsStr {
        self.installed().map_or(&self.named, |installed| installed.program.as_os_str())
    }

    /// Whether it runs in a ready-made sandbox, whose own process dies of the signals that the program is to get.
    pub(super) fn is_sandboxed(&self) -> bool {
        self.confinement.ready().is_some()
    }

    /// Whether another program stands between the gateway and it.
    pub(super) fn has_prefix(&self) -> bool {
        self.confinement.run_with.is_some()
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Creates the media folder and the working folder, if it is one that we create.
    pub(super) async fn make_folders(&self, session: Option<&SessionKey>) -> io::Result<()> {
        let media = [IN, OUT].map(|folder| self.media.join(folder));
        for folder in once(&self.media).chain(media.iter().filter(|_| self.is_sandboxed())) {
            tokio::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).await?;
        }
        self.folder.make(session).await
    }

    /// Why it could not be started now. Looks where the system would look.
    pub(super) fn problem(&self) -> Option<String> {
        let section = &self.section;
        let cwd = &self.folder.path;
        if !self.folder.is_default && !cwd.is_dir() {
            let folder = shown(cwd.as_os_str());
            return Some(format!(
                "the directory {folder} does not exist: create it, or correct `cwd` in [{section}]"
            ));
        }
        match &self.confinement.run_with {
            None => self.missing(self.path(), "command"),
            // The command may be a program of another file system.
            Some(RunWith::Words(words)) => self.missing(words.first().map(OsStr::new)?, "run_with"),
            Some(RunWith::Ready(_)) if !cfg!(target_os = "linux") => {
                Some(format!("bubblewrap runs only on Linux: remove `run_with` in [{section}]"))
            }
            Some(RunWith::Ready(_)) if self.find(OsStr::new(bubblewrap::PROGRAM)).is_none() => Some(format!(
                "`run_with` in [{section}] needs the program {}: install the package {}",
                bubblewrap::PROGRAM,
                bubblewrap::PACKAGE
            )),
            Some(RunWith::Ready(_)) => self.missing(self.path(), "command"),
        }
    }

    /// Why a program cannot be found, and which key names it.
    fn missing(&self, program: &OsStr, key: &str) -> Option<String> {
        if self.find(program).is_some() {
            return None;
        }
        let correct = format!("correct `{key}` in [{}]", self.section);
        let named = shown(program);
        let install = match &self.installed {
            Some(installed) if key == "command" => format!("run `{}`", installed.command),
            _ => "install it".to_owned(),
        };
        Some(match program.as_bytes().contains(&b'/') {
            true if self.folder.path.join(program).is_file() => {
                format!("the program {named} is not executable: run `chmod +x` on it, or {correct}")
            }
            true => format!("the program {named} does not exist: {install}, or {correct}"),
            false => {
                format!("the program {named} is in none of the folders of PATH: {install}, or {correct}")
            }
        })
    }

    /// Where a program is.
    pub(super) fn find(&self, program: &OsStr) -> Option<PathBuf> {
        let cwd = &self.folder.path;
        if program.as_bytes().contains(&b'/') {
            return Some(cwd.join(program)).filter(|path| is_program(path));
        }
        let folders = variable(&self.env, "PATH").unwrap_or(OsStr::new("/bin:/usr/bin"));
        let mut places = std::env::split_paths(folders).map(|folder| cwd.join(folder).join(program));
        places.find(|path| is_program(path))
    }

    /// The command for a start, with pipes and a process group of its own. Fails if the program cannot be closed in as
    /// the config says.
    pub(super) fn command(&self, start: &Start<'_>, proxy: Option<&Grant>) -> io::Result<Command> {
        let cwd = self.folder.of(start.turn.map(|turn| &turn.session));
        let mut words = self.prefix(start, &cwd)?.into_iter().chain(once(self.path().to_owned()));
        let mut command = Command::new(words.next().unwrap_or_default());
        command
            .args(words)
            .args(&self.args)
            .args(&start.args)
            .current_dir(cwd)
            .env_clear()
            // First, so that the config can name another proxy.
            .envs(proxy.map(Grant::variables).unwrap_or_default())
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .envs(environment::facts(&self.agent, &self.media, start.turn))
            .envs(start.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        Ok(command)
    }

    /// The words before the command.
    fn prefix(&self, start: &Start<'_>, cwd: &Path) -> io::Result<Vec<OsString>> {
        let facts = start.facts.as_ref().map(|path| path.as_os_str());
        match &self.confinement.run_with {
            None => Ok(Vec::new()),
            Some(RunWith::Words(words)) => {
                let values = Values { cwd, media: &self.media, facts };
                let mut words: Vec<OsString> = words.iter().map(|word| filled(word, &values)).collect();
                // As for the command: a path is relative to the home directory, and we run in another one.
                if let Some(first) = words.first_mut().filter(|first| first.as_bytes().contains(&b'/')) {
                    *first = self.home.join(&first).into();
                }
                Ok(words)
            }
            Some(RunWith::Ready(ready)) => self.reach(*ready, start, cwd).words(),
        }
    }

    /// What it may reach in a ready-made sandbox.
    fn reach(&self, ready: Ready, start: &Start<'_>, cwd: &Path) -> Reach {
        let Confinement { readable, writable, .. } = &self.confinement;
        let program = match self.installed() {
            Some(installed) => vec![installed.folder.clone()],
            // A program within a writable folder is there already, and links in such a folder must not be followed: the
            // program itself may have made them.
            None => self
                .find(&self.named)
                .filter(|path| {
                    !writable.iter().any(|folder| path.starts_with(folder)) && !path.starts_with(cwd)
                })
                .map(|path| bubblewrap::places(&path))
                .unwrap_or_default(),
        };
        let (incoming, outgoing) = (self.media.join(IN), self.media.join(OUT));
        let (mut hidden, files) = match &start.files {
            Some(files) => (vec![incoming], files.clone()),
            None => (Vec::new(), vec![incoming]),
        };
        hidden.push(outgoing);
        hidden.extend(start.hidden.iter().cloned());
        // A file can be gone by now; the program is told so by its absence.
        let files = files.into_iter().filter(|file| file.exists());
        Reach {
            home: self.home.clone(),
            user_home: variable(&self.env, "HOME").map(PathBuf::from),
            cwd: cwd.to_owned(),
            readable: readable
                .iter()
                .cloned()
                .chain(start.readable.clone())
                .chain(program)
                .chain(start.facts.clone())
                .chain(files)
                .collect(),
            writable: writable
                .iter()
                .cloned()
                .chain(start.writable.clone())
                .chain(once(self.media.clone()))
                .collect(),
            hidden,
            network: ready == Ready::Bubblewrap,
        }
    }

    pub(super) fn cannot_start(&self, session: Option<&SessionKey>, why: &io::Error) -> String {
        let program = match &self.confinement.run_with {
            Some(RunWith::Words(words)) => words.join(" "),
            Some(RunWith::Ready(_)) => bubblewrap::PROGRAM.to_owned(),
            None => self.path().to_string_lossy().into_owned(),
        };
        format!("{program} in {}: {why}", self.folder.of(session).display())
    }
}

/// A path for a sentence.
fn shown(path: &OsStr) -> String {
    visible::escaped(&path.to_string_lossy(), 200)
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
