//! The ready-made sandbox: the words before the command for `bwrap`, which gives a program a file system, process ids
//! and a network (or none) of its own.
//!
//! The program sees the system's folders, read-only; its working folder and the folder for files; what the config names;
//! and an empty user's home. The gateway's home, with its token and its database, is covered by an empty folder, under
//! every name by which a visible folder would show it. What is shown of the home must be there itself: a link that leads
//! into it, or one in a folder that agents may write to, is refused.

use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::links::{Resolved, resolve};

/// The program, and the package that has it.
pub(super) const PROGRAM: &str = "bwrap";
pub(super) const PACKAGE: &str = "bubblewrap";

/// Folders of the operating system. Those that do not exist are left out.
const SYSTEM: [&str; 12] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc",
    "/opt",
    "/nix",
    "/gnu",
    "/var/lib/ca-certificates",
];

/// The folder of installed programs, in the home.
const PROGRAMS: &str = "programs";

/// Files of the home that no agent may see, by the beginnings and the ends of their names.
const SECRETS: ([&str; 2], [&str; 4]) = (["token", "frontdesk."], [".toml", ".db", ".db-wal", ".db-shm"]);

/// Where the system finds its name servers; often a link into a folder that is not a system folder.
const RESOLVER: &str = "/etc/resolv.conf";

/// What a program may reach.
pub(super) struct Reach {
    /// The gateway's home directory, as an absolute path.
    pub(super) home: PathBuf,
    /// The user's home, as the program's environment names it.
    pub(super) user_home: Option<PathBuf>,
    pub(super) cwd: PathBuf,
    pub(super) readable: Vec<PathBuf>,
    pub(super) writable: Vec<PathBuf>,
    /// Folders that are shown empty.
    pub(super) hidden: Vec<PathBuf>,
    pub(super) network: bool,
}

/// One mount in the sandbox.
struct Mount {
    option: &'static str,
    /// What is mounted, without links; `None` for an empty folder.
    source: Option<PathBuf>,
    place: PathBuf,
}

impl Reach {
    /// The words before the command. Fails if a path does not exist, or would show the gateway's home.
    pub(super) fn words(&self) -> io::Result<Vec<OsString>> {
        let home = Home::of(self)?;
        let mut words: Vec<OsString> = [
            PROGRAM,
            "--unshare-user-try",
            "--unshare-pid",
            "--unshare-ipc",
            "--unshare-uts",
            "--unshare-cgroup-try",
            "--cap-drop",
            "ALL",
            "--die-with-parent",
            // Without a session of its own it could type into the terminal of the gateway.
            "--new-session",
        ]
        .map(Into::into)
        .into();
        if !self.network {
            words.push("--unshare-net".into());
        }
        let (mut inside, mut outside): (Vec<Mount>, Vec<Mount>) =
            self.mounts(&home)?.into_iter().partition(|mount| mount.place.starts_with(&self.home));
        let system = system();
        let covers = covers(&self.home, &home.real, system.iter().chain(&outside).chain(&inside));
        // A folder before what lies in it.
        outside.sort_by_key(|mount| mount.place.components().count());
        inside.sort_by_key(|mount| mount.place.components().count());
        let (system, outside) = (system.into_iter(), outside.into_iter());
        system.chain(outside).for_each(|mount| mount.write(&mut words));
        words.extend(["--proc", "/proc", "--dev", "/dev"].map(Into::into));
        // The home itself is empty but for what is shown of it. The other covers come last, so that nothing is above them.
        Mount::empty(self.home.clone()).write(&mut words);
        inside.into_iter().chain(covers).for_each(|mount| mount.write(&mut words));
        words.extend(["--remount-ro".into(), self.home.clone().into()]);
        words.extend(["--chdir".into(), self.cwd.clone().into()]);
        words.extend(["--setenv", "TMPDIR", "/tmp", "--"].map(Into::into));
        Ok(words)
    }

    /// Everything but the system's folders.
    fn mounts(&self, home: &Home) -> io::Result<Vec<Mount>> {
        let mut mounts = vec![Mount::empty("/tmp".into())];
        let user_home = self.user_home.as_ref().filter(|path| path.is_absolute() && path.is_dir());
        // A home that contains the system's folders would hide them.
        let contains_system =
            |path: &PathBuf| SYSTEM.iter().any(|system| Path::new(system).starts_with(path));
        mounts.extend(user_home.filter(|path| !contains_system(path)).cloned().map(Mount::empty));
        for hidden in &self.hidden {
            mounts.push(Mount::empty(hidden.clone()));
        }
        for path in &self.readable {
            mounts.push(Mount::of("--ro-bind", path, home)?);
        }
        for path in &self.writable {
            mounts.push(Mount::of("--bind", path, home)?);
        }
        let cwd = Mount::of("--bind", &self.cwd, home)?;
        // An agent could have put a link in the place of a folder that it may write to.
        if let (Some(source), Ok(beneath)) = (&cwd.source, self.cwd.strip_prefix(&self.home))
            && *source != home.real.join(beneath)
        {
            return Err(refusal(format!(
                "its working folder {} is a link: name the folder itself in `cwd`",
                self.cwd.display()
            )));
        }
        mounts.push(cwd);
        Ok(mounts)
    }
}

impl Mount {
    fn empty(place: PathBuf) -> Self {
        Self { option: "--tmpfs", source: None, place }
    }

    fn of(option: &'static str, path: &Path, home: &Home) -> io::Result<Self> {
        let Resolved { path: source, links } = resolve(path)?;
        if let Some(problem) = home.problem(path, &source, &links) {
            return Err(refusal(format!("{} {problem}", path.display())));
        }
        Ok(Self { option, source: Some(source), place: path.to_owned() })
    }

    fn write(self, words: &mut Vec<OsString>) {
        words.push(self.option.into());
        words.extend(self.source.map(Into::into));
        words.push(self.place.into());
    }
}

/// The gateway's home, and what agents may have put in it or elsewhere.
struct Home {
    named: PathBuf,
    real: PathBuf,
    /// The links by which it is named.
    links: Vec<PathBuf>,
    /// Folders that the agent may write to, without links.
    writable: Vec<PathBuf>,
}

impl Home {
    fn of(reach: &Reach) -> io::Result<Self> {
        let Resolved { path: real, links } = resolve(&reach.home)?;
        let writable = reach.writable.iter().chain([&reach.cwd]).filter_map(|path| path.canonicalize().ok());
        Ok(Self { named: reach.home.clone(), real, links, writable: writable.collect() })
    }

    /// Why what `path` names is not shown: `source`, where it leads by `links`.
    fn problem(&self, path: &Path, source: &Path, links: &[PathBuf]) -> Option<&'static str> {
        let is_home = source == self.real;
        if is_home {
            return Some(
                "is the gateway's home folder, which no agent in a sandbox may see: name another folder",
            );
        }
        if self.is_secret(source) {
            return Some("is a file with secrets of the gateway, which no agent in a sandbox may see");
        }
        if links.iter().any(|link| self.may_be_of_agent(link)) {
            return Some(
                "is a link, or leads through one, in a folder where agents may write: name the folder that it leads to",
            );
        }
        let from_outside =
            links.iter().any(|link| !link.starts_with(&self.real) && !self.links.contains(link));
        if source.starts_with(&self.real) && from_outside {
            return Some("is a link into the gateway's home folder: name the folder itself");
        }
        let is_inside = path.starts_with(&self.named) || path.starts_with(&self.real);
        (is_inside && self.real.starts_with(source))
            .then_some("leads to a folder that contains the gateway's home")
    }

    fn is_secret(&self, source: &Path) -> bool {
        let name = source.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let (begins, ends) = SECRETS;
        source.parent() == Some(&*self.real)
            && !source.is_dir()
            && (begins.iter().any(|begin| name.starts_with(begin))
                || ends.iter().any(|end| name.ends_with(end)))
    }

    /// Directly in the home and among its programs only people make links; no agent may write there.
    fn may_be_of_agent(&self, link: &Path) -> bool {
        let parent = link.parent().unwrap_or(link);
        let is_within_home = parent.starts_with(&self.real)
            && parent != self.real
            && !parent.starts_with(self.real.join(PROGRAMS));
        is_within_home || self.writable.iter().any(|folder| parent.starts_with(folder))
    }
}

fn system() -> Vec<Mount> {
    let mut folders: Vec<PathBuf> = SYSTEM.map(PathBuf::from).into();
    folders.extend(Path::new(RESOLVER).canonicalize().ok().filter(|file| !in_system(file)));
    let read_only = |place: PathBuf| {
        let source = place.canonicalize().ok()?;
        Some(Mount { option: "--ro-bind", source: Some(source), place })
    };
    folders.into_iter().filter_map(read_only).collect()
}

/// Empty folders in every other place where a mount would show the gateway's home.
fn covers<'a>(literal: &Path, home: &Path, mounts: impl Iterator<Item = &'a Mount>) -> Vec<Mount> {
    let shown = mounts.filter_map(|mount| {
        let beneath = home.strip_prefix(mount.source.as_ref()?).ok()?;
        Some(mount.place.join(beneath))
    });
    let mut places: Vec<PathBuf> = shown.filter(|place| place != literal).collect();
    places.sort();
    places.dedup();
    places.into_iter().map(Mount::empty).collect()
}

/// Where a program that is not among the system's files has to be shown: under its name, and where a link leads.
pub(super) fn places(program: &Path) -> Vec<PathBuf> {
    let mut places = vec![program.to_owned()];
    places.extend(program.canonicalize().ok().filter(|real| real != program));
    places.retain(|place| !in_system(place));
    places
}

fn in_system(path: &Path) -> bool {
    SYSTEM.iter().any(|system| path.starts_with(system))
}

fn refusal(problem: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, problem)
}

/// The value of a variable in an environment, where a later entry replaces an earlier one.
pub(super) fn variable<'a>(env: &'a [(OsString, OsString)], name: &str) -> Option<&'a OsStr> {
    env.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_os_str())
}
