//! Where a path leads, and which links are on the way: an agent that may write to a folder can put links in it.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};

/// How many links a path may have, as for the kernel.
const MOST: usize = 40;

/// A path without links.
pub(super) struct Resolved {
    pub(super) path: PathBuf,
    /// Where the links on the way are, without links in front of them.
    pub(super) links: Vec<PathBuf>,
}

/// Follows an absolute path.
pub(super) fn resolve(path: &Path) -> io::Result<Resolved> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let mut real = PathBuf::from("/");
    let mut links = Vec::new();
    let mut rest: VecDeque<OsString> = names(path);
    while let Some(name) = rest.pop_front() {
        if name == ".." {
            real.pop();
            continue;
        }
        real.push(name);
        if !real.symlink_metadata().map_err(named)?.is_symlink() {
            continue;
        }
        let target = real.read_link().map_err(named)?;
        links.push(real.clone());
        if links.len() > MOST {
            return Err(named(io::Error::other("too many links")));
        }
        real.pop();
        if target.is_absolute() {
            real = PathBuf::from("/");
        }
        for name in names(&target).into_iter().rev() {
            rest.push_front(name);
        }
    }
    Ok(Resolved { path: real, links })
}

fn names(path: &Path) -> VecDeque<OsString> {
    let name = |component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
    };
    path.components().filter_map(name).collect()
}
