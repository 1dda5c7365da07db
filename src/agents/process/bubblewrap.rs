//! The ready-made sandbox: the words before the command for `bwrap`, which gives a program a file system, process ids
//! and a network (or none) of its own.
//!
//! The program sees the system's folders, read-only; its working folder and the folder for files; what the config names;
//! and an empty user's home. The gateway's home, with its token and its database, is covered by an empty folder, under
//! every name by which a visible folder would show it.

use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

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
        let home = real(&self.home)?;
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
        let covers = covers(&self.home, &home, system.iter().chain(&outside).chain(&inside));
        // A folder before what lies in it.
        outside.sort_by_key(|mount| mount.place.components().count());
        inside.sort_by_key(|mount| mount.place.components().count());
        let (system, outside) = (system.into_iter(), outside.into_iter());
        system.chain(outside).for_each(|mount| mount.write(&mut words));
        words.extend(["--proc", "/proc", "--dev", "/dev"].map(Into::into));
        covers.into_iter().chain(inside).for_each(|mount| mount.write(&mut words));
        words.extend(["--remount-ro".into(), self.home.clone().into()]);
        words.extend(["--chdir".into(), self.cwd.clone().into()]);
        words.extend(["--setenv", "TMPDIR", "/tmp", "--"].map(Into::into));
        Ok(words)
    }

    /// Everything but the system's folders.
    fn mounts(&self, home: &Path) -> io::Result<Vec<Mount>> {
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
            && *source != home.join(beneath)
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

    fn of(option: &'static str, path: &Path, home: &Path) -> io::Result<Self> {
        let source = real(path)?;
        if source == home {
            return Err(refusal(format!(
                "{} is the gateway's home folder, which no agent in a sandbox may see: name another folder",
                path.display()
            )));
        }
        Ok(Self { option, source: Some(source), place: path.to_owned() })
    }

    fn write(self, words: &mut Vec<OsString>) {
        words.push(self.option.into());
        words.extend(self.source.map(Into::into));
        words.push(self.place.into());
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

/// Empty folders in every place where a mount would show the gateway's home.
fn covers<'a>(literal: &Path, home: &Path, mounts: impl Iterator<Item = &'a Mount>) -> Vec<Mount> {
    let shown = mounts.filter_map(|mount| {
        let beneath = home.strip_prefix(mount.source.as_ref()?).ok()?;
        Some(mount.place.join(beneath))
    });
    let mut places: Vec<PathBuf> = shown.chain([literal.to_owned()]).collect();
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

fn real(path: &Path) -> io::Result<PathBuf> {
    path.canonicalize().map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

fn refusal(problem: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, problem)
}

/// The value of a variable in an environment, where a later entry replaces an earlier one.
pub(super) fn variable<'a>(env: &'a [(OsString, OsString)], name: &str) -> Option<&'a OsStr> {
    env.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_os_str())
}
