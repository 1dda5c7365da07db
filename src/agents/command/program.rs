//! Which program is started, where, and with what environment.

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

/// Names the file with the facts of a turn, for a program that has one turn.
pub(super) const FACTS: &str = "FRONTDESK_FACTS";

/// What every program is told about its first turn, and where files are. A lasting one hears of later turns on
/// stdin.
pub(super) const OURS: [&str; 7] = [
    "FRONTDESK_MEDIA",
    "FRONTDESK_AGENT",
    "FRONTDESK_SESSION",
    "FRONTDESK_EPOCH",
    "FRONTDESK_TURN",
    "FRONTDESK_ATTEMPT",
    "FRONTDESK_RESUMED",
];

/// What a program may know without being allowed to: nothing in it is a secret.
const HARMLESS: [&str; 7] = ["PATH", "HOME", "LANG", "TERM", "TZ", "TMPDIR", "USER"];

pub(super) struct Program {
    agent: String,
    path: OsString,
    args: Vec<String>,
    cwd: PathBuf,
    /// Whether the directory is ours to make.
    own_room: bool,
    /// The folder for files: those that came with messages, and the only place that files are sent from.
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
            // A bare name is looked up in PATH; joining the home to it would hide that.
            path: if program.contains('/') { host.home.join(program).into() } else { program.into() },
            args: args.to_vec(),
            cwd: host.home.join(config.cwd.as_ref().unwrap_or(&own)),
            own_room: config.cwd.is_none(),
            // The program runs elsewhere, where a relative path would mean something else.
            media: media(&host.home),
            env: environment(config, &host.env),
        }
    }

    /// Makes the default directory, so that an agent does not work among our own files, and the one for files.
    pub(super) async fn make_room(&self) -> io::Result<()> {
        tokio::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.media).await?;
        if self.own_room { tokio::fs::create_dir_all(&self.cwd).await } else { Ok(()) }
    }

    /// Why it could not be started now: looked for where the system would look.
    pub(super) fn problem(&self) -> Option<String> {
        let (agent, program) = (&self.agent, visible::escaped(&self.path.to_string_lossy(), 200));
        let correct = format!("correct `command` in [agents.{agent}]");
        if !self.own_room && !self.cwd.is_dir() {
            let folder = visible::escaped(&self.cwd.to_string_lossy(), 200);
            return Some(format!(
                "its folder {folder} is not there: make it, or correct `cwd` in [agents.{agent}]"
            ));
        }
        if self.path.as_bytes().contains(&b'/') {
            let path = self.cwd.join(&self.path);
            return match (is_program(&path), path.is_file()) {
                (true, _) => None,
                (false, true) => {
                    Some(format!("its program {program} may not be run: `chmod +x` it, or {correct}"))
                }
                (false, false) => {
                    Some(format!("its program {program} is not there: install it, or {correct}"))
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
            .envs(OURS.into_iter().zip([
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

/// The folder for files, as a program is told of it.
pub(super) fn media(home: &Path) -> PathBuf {
    let media = home.join("media");
    std::path::absolute(&media).unwrap_or(media)
}

/// Whether a file is there that we may run.
fn is_program(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

/// Deny by default: the gateway's environment holds its tokens.
fn environment(config: &Config, gateway: &[(OsString, OsString)]) -> Vec<(OsString, OsString)> {
    let allowed = |name: &OsStr| {
        name.to_str().is_some_and(|name| {
            HARMLESS.contains(&name)
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
