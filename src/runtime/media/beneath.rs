//! Opens a file only if it lies beneath a folder, whatever its path contains.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::MediaError;

/// Sequences that other programs interpret: separators of other systems, and encodings that a later step might decode.
const FOREIGN: [&str; 6] = ["\\", "\0", "%2f", "%2e", "%5c", "%00"];

/// The path relative to one of `roots`, judged by its text alone. The file system is not accessed.
pub(super) fn relative(roots: [&Path; 2], path: &Path) -> Result<PathBuf, MediaError> {
    let text = path.to_str().ok_or(MediaError::Outside)?.to_ascii_lowercase();
    if text.starts_with("file:") || text.contains("://") || FOREIGN.iter().any(|piece| text.contains(piece)) {
        return Err(MediaError::Outside);
    }
    let inner = match path.is_absolute() {
        true => roots.into_iter().find_map(|root| path.strip_prefix(root).ok()).ok_or(MediaError::Outside)?,
        false => path,
    };
    let mut name = PathBuf::new();
    for component in inner.components() {
        match component {
            Component::Normal(piece) => name.push(piece),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(MediaError::Outside);
            }
        }
    }
    if name.as_os_str().is_empty() { Err(MediaError::Odd) } else { Ok(name) }
}

/// Opens the regular file of this name beneath `root`; returns it with its size. No link is followed on the way, and a
/// file with another hard link is refused, because it may be a file from elsewhere.
pub(super) fn open(root: &Path, name: &Path) -> Result<(File, u64), MediaError> {
    // Opening a pipe would otherwise block until its other end is opened.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let folder = rustix::fs::open(root, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    let file = File::from(resolve(&folder.map_err(io::Error::from)?, name, flags).map_err(refusal)?);
    let facts = file.metadata()?;
    if !facts.is_file() || facts.nlink() != 1 {
        return Err(MediaError::Odd);
    }
    Ok((file, facts.size()))
}

/// The kernel checks the whole path; where it cannot, each folder is opened on its own.
#[cfg(target_os = "linux")]
fn resolve(root: &OwnedFd, name: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    use rustix::fs::ResolveFlags;

    let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match rustix::fs::openat2(root, name, flags, Mode::empty(), how) {
        // The kernel is old, or a sandbox does not allow the call.
        Err(Errno::NOSYS | Errno::PERM) => walk(root, name, flags),
        opened => opened,
    }
}

#[cfg(not(target_os = "linux"))]
fn resolve(root: &OwnedFd, name: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    walk(root, name, flags)
}

/// Opens folder by folder, none of which may be a link. `name` has only normal components.
fn walk(root: &OwnedFd, name: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let folder = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut at: Option<OwnedFd> = None;
    let mut steps = name.components().peekable();
    while let Some(step) = steps.next() {
        let from = at.as_ref().map_or(root.as_fd(), AsFd::as_fd);
        let how = if steps.peek().is_some() { folder } else { flags };
        let next = rustix::fs::openat(from, step.as_os_str(), how, Mode::empty())?;
        at = Some(next);
    }
    at.ok_or(Errno::NOENT)
}

fn refusal(error: Errno) -> MediaError {
    match error {
        // A link, or a way out.
        Errno::LOOP | Errno::XDEV | Errno::MLINK => MediaError::Outside,
        Errno::NOENT | Errno::NAMETOOLONG => MediaError::Missing,
        // A component on the way is not a folder: a file, or a link to one.
        Errno::NOTDIR | Errno::NXIO | Errno::ISDIR => MediaError::Odd,
        error => MediaError::Disk(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Both ways to open: a kernel that supports the first one never takes the second.
    fn ways(root: &Path, name: &str) -> [Result<OwnedFd, Errno>; 2] {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let folder = rustix::fs::open(root, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap();
        [resolve(&folder, Path::new(name), flags), walk(&folder, Path::new(name), flags)]
    }

    #[test]
    fn both_ways_take_a_file_and_refuse_every_link() {
        let budget = tempfile::tempdir().unwrap();
        let (root, outside) = (budget.path().join("media"), budget.path().join("outside"));
        std::fs::create_dir_all(root.join("sub")).unwrap();
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(root.join("sub/a.txt"), "a").unwrap();
        std::fs::write(outside.join("secret"), "s").unwrap();
        symlink(outside.join("secret"), root.join("file-link")).unwrap();
        symlink(&outside, root.join("folder-link")).unwrap();
        symlink("a.txt", root.join("sub/inner-link")).unwrap();
        symlink("sub", root.join("sub-link")).unwrap();
        symlink("/proc/self/environ", root.join("environ")).unwrap();
        for opened in ways(&root, "sub/a.txt") {
            assert!(opened.is_ok());
        }
        for name in [
            "file-link",
            "folder-link/secret",
            "sub/inner-link",
            "sub-link/a.txt",
            "environ",
            "missing",
            "sub/a.txt/x",
        ] {
            for opened in ways(&root, name) {
                assert!(opened.is_err(), "{name}");
            }
        }
    }

    #[test]
    fn a_path_is_judged_by_its_text_first() {
        let roots = [Path::new("/home/anna/media"), Path::new("/var/frontdesk/media")];
        let name = |path: &str| relative(roots, Path::new(path)).ok();
        for (path, expected) in [
            ("a.png", "a.png"),
            ("./sub//a b.png", "sub/a b.png"),
            ("/home/anna/media/a.png", "a.png"),
            ("/home/anna/media/./sub/../a.png", ""),
            ("/var/frontdesk/media/a.png", "a.png"),
            ("..png", "..png"),
        ] {
            assert_eq!(name(path), (!expected.is_empty()).then(|| expected.into()), "{path}");
        }
        for path in [
            "",
            ".",
            "/home/anna/media",
            "/home/anna/mediaother/a",
            "/etc/passwd",
            "/proc/self/environ",
            "../frontdesk.db",
            "sub/../../frontdesk.db",
            "..%2f..%2fetc/passwd",
            "..%2Fetc",
            "%2e%2e/x",
            "file:///etc/passwd",
            "FILE:a.png",
            "https://example.org/a.png",
            "\\\\host\\share\\a.png",
            "a\\..\\b",
            "a\0.png",
        ] {
            assert_eq!(name(path), None, "{path:?}");
        }
    }
}
