//! Which program is started, in which directory and with which environment.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use frontdesk_core::port::Turn;
use frontdesk_core::visible;
use tokio::process::Command;

use super::Config;
use crate::Host;

/// The variable that names the file with the facts of a turn, for a program of one turn.
pub(super) const FACTS: &str = "FRONTDESK_FACTS";

/// Variables that describe the first turn, and the media folder. A persistent program gets later turns on stdin.
pub(super) const SET_BY_FRONTDESK: [&str; 7] = [
    "FRONTDESK_MEDIA",
    "FRONTDESK_AGENT",
    "FRONTDESK_SESSION",
    "FRONTDESK_EPOCH",
    "FRONTDESK_TURN",
    "FRONTDESK_ATTEMPT",
    "FRONTDESK_RESUMED",
];

/// Variables of the gateway that every program gets. They contain no secrets.
const INHERITED: [&str; 7] = ["PATH", "HOME", "LANG", "TERM", "TZ", "TMPDIR", "USER"];

pub(super) struct Program {
    agent: String,
    path: OsString,
    args: Vec<String>,
    cwd: PathBuf,
    /// Whether the working directory is the default one, which we create.
    default_cwd: bool,
    /// The folder for files: those that came with messages, and the only place that files may be sent from.
    media: PathBuf,
    env: Vec<(OsString, OsString)>,
}

impl Program {
    pub(super) fn new(agent: &str, config: &Config, host: &Host) -> Self {
        let (program, args) =
            config.command.split_first().map_or(("", &[][..]), |(p, args)| (p.as_str(), args));
        let own = Path::new("agents").join(agent);
        Self {
            agent: agent.into(),
            // A bare name is looked up in PATH, so the home directory must not be prepended.
            path: if program.contains('/') { host.home.join(program).into() } else { program.into() },
            args: args.to_vec(),
            cwd: host.home.join(config.cwd.as_ref().unwrap_or(&own)),
            default_cwd: config.cwd.is_none(),
            // The program runs in another directory, where a relative path would mean something else.
            media: media(&host.home),
            env: environment(config, &host.env),
        }
    }

    /// Creates the media folder and the default working directory, which keeps an agent from working among our own
    /// files.
    pub(super) async fn make_folders(&self) -> io::Result<()> {
        tokio::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.media).await?;
        if self.default_cwd { tokio::fs::create_dir_all(&self.cwd).await } else { Ok(()) }
    }

    /// Why it could not be started now. Looks where the system would look.
    pub(super) fn problem(&self) -> Option<String> {
        let (agent, program) = (&self.agent, visible::escaped(&self.path.to_string_lossy(), 200));
        let correct = format!("correct `command` in [agents.{agent}]");
        if !self.default_cwd && !self.cwd.is_dir() {
            let folder = visible::escaped(&self.cwd.to_string_lossy(), 200);
            return Some(format!(
                "its directory {folder} does not exist: create it, or correct `cwd` in [agents.{agent}]"
            ));
        }
        if self.path.as_bytes().contains(&b'/') {
            let path = self.cwd.join(&self.path);
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
            std::env::split_paths(folders).any(|folder| is_program(&self.cwd.join(folder).join(&self.path)));
        (!found).then(|| {
            format!("its program {program} is in none of the folders of PATH: install it, or {correct}")
        })
    }

    /// The command for a turn, with pipes and a process group of its own.
    pub(super) fn command(&self, turn: &Turn, facts: Option<&Path>) -> Command {
        let mut command = Command::new(&self.path);
        command
            .args(&self.args)
            .current_dir(&self.cwd)
            .env_clear()
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .envs(SET_BY_FRONTDESK.into_iter().zip([
                self.media.clone().into_os_string(),
                self.agent.clone().into(),
                turn.session.to_string().into(),
                turn.epoch.to_string().into(),
                turn.id.to_string().into(),
                turn.attempt.to_string().into(),
                u8::from(turn.resumed).to_string().into(),
            ]))
            .envs(facts.map(|file| (FACTS, file)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        command
    }

    pub(super) fn cannot_start(&self, why: &io::Error) -> String {
        format!("{} in {}: {why}", self.path.to_string_lossy(), self.cwd.display())
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

/// Denies by default, because the gateway's environment contains its tokens.
fn environment(config: &Config, gateway: &[(OsString, OsString)]) -> Vec<(OsString, OsString)> {
    let allowed = |name: &OsStr| {
        name.to_str().is_some_and(|name| {
            INHERITED.contains(&name)
                || name.starts_with("LC_")
                || config.inherit_env.iter().any(|n| n == name)
        })
    };
    let inherited = gateway.iter().filter(|(name, _)| allowed(name)).cloned();
    let set = config.env.iter().map(|(name, value)| (name.into(), value.expose().into()));
    inherited.chain(set).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_inherits_what_is_harmless_or_listed_and_no_more() {
        let gateway = ["PATH", "LC_ALL", "TELEGRAM_BOT_TOKEN", "OPENAI_API_KEY", "PATHOLOGY"];
        let gateway: Vec<_> = gateway.into_iter().map(|name| (name.into(), "x".into())).collect();
        let config = Config { inherit_env: vec!["OPENAI_API_KEY".into()], ..Config::of(["cat"]) };
        let names: Vec<_> = environment(&config, &gateway).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["PATH", "LC_ALL", "OPENAI_API_KEY"]);
    }
}
