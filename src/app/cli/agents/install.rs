//! `frontdesk agents install pi`: installs one version of pi from npm, in a folder of its own in the home folder.
//!
//! The version, and those of everything that it needs, are fixed by the lock file that comes with Frontdesk, with a
//! checksum of each package. Which registry they come from is npm's own configuration. A version is installed beside the
//! one before and takes its place once it has shown that it starts.

mod npm;
mod system;

use std::fs::{DirBuilder, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use frontdesk::home::Home;
use frontdesk_agents::pi::installed::{self, PACKAGE};
use serde_json::Value;
use tempfile::TempDir;

use super::{Done, Failure, HomeArgs, screen};
use npm::Npm;
use system::{find, output, usable_node};

/// What npm is asked for, and what exactly that stands for.
const WANTED: &str = include_str!("pi/package.json");
const LOCK: &str = include_str!("pi/package-lock.json");
/// The version of the Node that is installed where there is none that is new enough.
const NODE: &str = "24.21.0";
/// The beginning of the names of folders that are not complete, and of those that are being removed.
const UNFINISHED: &str = ".new-";

pub async fn pi(args: HomeArgs) -> Done {
    let home = Home::find(args.home.as_deref(), &super::super::env)?;
    for notice in home.secure()? {
        screen::note(&notice);
    }
    let folder = installed::folder(home.path());
    let version = wanted_version()?;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(|error| unusable(&folder, &error))?;
    let _lock = alone(&folder)?;
    let target = folder.join(&version);
    let current = installed::current(home.path());
    let is_current = std::fs::read_link(&current).is_ok_and(|to| to == Path::new(&version));
    if is_current && check(&target, &version).await.is_ok() {
        return screen::line(format!("pi {version} is installed already, in {}.", target.display()));
    }
    remove_unfinished(&folder).map_err(|error| unusable(&folder, &error))?;
    let made = tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(&folder);
    let new = made.map_err(|error| unusable(&folder, &error))?;
    install(new.path(), &version).await?;
    put_in_place(new, &target, &current).map_err(|error| unusable(&target, &error))?;
    screen::line(format!("pi {version} is installed in {}.", target.display()))?;
    screen::line(
        "Agents with `kind = \"pi\"` and without `command` use it from their next start of pi on. \
         Try it: frontdesk agents check",
    )
}

/// The version in the embedded `package.json`.
fn wanted_version() -> Result<String, Failure> {
    let wanted: Value = serde_json::from_str(WANTED).unwrap_or_default();
    let version = wanted["dependencies"][PACKAGE].as_str();
    version.map(str::to_owned).ok_or_else(|| Failure::new("this build names no version of pi"))
}

fn unusable(folder: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot write to {}: {error}", folder.display()))
}

/// Keeps a second installation out until the file is dropped.
fn alone(folder: &Path) -> Result<File, Failure> {
    let file = File::create(folder.join("lock")).map_err(|error| unusable(folder, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Failure::new("another `frontdesk agents install pi` is running: wait for its end"))
        }
        Err(TryLockError::Error(error)) => Err(unusable(folder, &error)),
    }
}

/// Removes what an installation that was interrupted has left.
fn remove_unfinished(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// Fills a folder.
async fn install(folder: &Path, version: &str) -> Done {
    let Some(npm) = find("npm") else {
        return Err(Failure::new(
            "pi is installed with npm, which is in none of the folders of PATH: install npm with the package manager of \
             your system (Debian and Ubuntu: apt install npm)",
        ));
    };
    let npm = Npm::new(npm);
    let node = usable_node().await;
    let size = if node.is_some() { "about 230 MB" } else { "with Node, about 350 MB" };
    screen::note(&format!("Installing pi {version} from npm ({size}). This can take some minutes."));
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|error| unusable(&path, &error))
    };
    write("package.json", WANTED)?;
    write("package-lock.json", LOCK)?;
    // Nothing of what pi needs has to run anything when it is installed.
    npm.run(folder, &["ci", "--ignore-scripts"], &format!("pi {version}")).await?;
    if node.is_none() {
        let own = folder.join("node");
        std::fs::create_dir(&own).map_err(|error| unusable(&own, &error))?;
        write("node/package.json", &node_package())?;
        // Its script fetches the program for this machine.
        npm.run(&own, &["install", "--no-package-lock"], &format!("Node {NODE}")).await?;
    }
    let program = folder.join("pi");
    write("pi", &launcher(node.as_deref()))?;
    let executable = std::fs::set_permissions(&program, Permissions::from_mode(0o700));
    executable.map_err(|error| unusable(&program, &error))?;
    check(folder, version).await.map_err(Failure::new)
}

fn node_package() -> String {
    // Newer versions of npm run only scripts that are allowed.
    serde_json::json!({"private": true, "dependencies": {"node": NODE}, "allowScripts": {"node": true}})
        .to_string()
}

/// The program that starts pi with this Node, or with the one beside it.
fn launcher(node: Option<&Path>) -> String {
    let (path, node) = match node {
        Some(node) => ("", quoted(&node.to_string_lossy())),
        // Also for the scripts that pi runs.
        None => ("PATH=\"$here/node/node_modules/node/bin:$PATH\"\n", "node".to_owned()),
    };
    format!(
        "#!/bin/sh\n# Written by `{}`.\nhere=$(cd \"$(dirname \"$0\")\" && pwd -P) || exit\n{path}exec {node} \
         \"$here/node_modules/.bin/pi\" \"$@\"\n",
        installed::COMMAND
    )
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Whether a folder has this version of pi, and it starts.
async fn check(folder: &Path, version: &str) -> Result<(), String> {
    let package = folder.join("node_modules").join(PACKAGE).join("package.json");
    let text =
        std::fs::read_to_string(&package).map_err(|error| format!("npm did not install pi: {error}"))?;
    let there: Value = serde_json::from_str(&text).unwrap_or_default();
    if there["version"] != version {
        return Err(format!(
            "npm installed pi {} in place of {version}, so nothing was changed",
            there["version"]
        ));
    }
    let said = output(&folder.join("pi"), &["--version"]).await;
    let said =
        said.map_err(|why| format!("pi was installed and does not start, so nothing was changed: {why}"))?;
    match said.lines().any(|line| line.trim() == version) {
        true => Ok(()),
        false => Err("pi was installed and does not say its version, so nothing was changed".to_owned()),
    }
}

/// Puts a complete folder in its place, and lets the link lead there.
fn put_in_place(new: TempDir, target: &Path, current: &Path) -> io::Result<()> {
    let folder = new.path().parent().unwrap_or(target).to_owned();
    let other = tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(&folder)?;
    if target.exists() {
        // It does not start, else it would have been kept. It is removed with this folder.
        std::fs::rename(target, other.path().join("old"))?;
    }
    std::fs::rename(new.keep(), target)?;
    let link: PathBuf = other.path().join("current");
    symlink(target.file_name().unwrap_or_default(), &link)?;
    std::fs::rename(link, current)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_file_is_about_the_wanted_version_and_names_no_registry() {
        let lock: Value = serde_json::from_str(LOCK).unwrap();
        let version = wanted_version().unwrap();
        let packages = lock["packages"].as_object().unwrap();
        assert_eq!(packages[&format!("node_modules/{PACKAGE}")]["version"], version);
        for (path, package) in packages.iter().filter(|(path, _)| !path.is_empty()) {
            assert!(package["resolved"].is_null(), "{path}");
            let is_checked = package["integrity"].is_string() || package["inBundle"] == true;
            assert!(is_checked, "{path} has no checksum");
        }
    }

    #[test]
    fn the_version_that_is_installed_is_the_one_that_is_tested() {
        let tested = include_str!("../../../../tests/interop/pi/package.json");
        let tested: Value = serde_json::from_str(tested).unwrap();
        assert_eq!(tested["dependencies"][PACKAGE], wanted_version().unwrap());
        assert_eq!(tested["dependencies"]["node"], NODE);
    }

    #[test]
    fn the_launcher_takes_the_node_that_it_was_given_and_passes_all_arguments_on() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("a b'c");
        std::fs::create_dir_all(real.join("node_modules/.bin")).unwrap();
        std::fs::create_dir_all(real.join("node/node_modules/node/bin")).unwrap();
        let link = folder.path().join("current");
        symlink("a b'c", &link).unwrap();
        let node = real.join("my node");
        let own = real.join("node/node_modules/node/bin/node");
        for (given, program) in [(Some(node.as_path()), &node), (None, &own)] {
            std::fs::write(program, "#!/bin/sh\nprintf '%s|' \"$0\" \"$@\"\n").unwrap();
            std::fs::set_permissions(program, Permissions::from_mode(0o700)).unwrap();
            let launches = link.join("pi");
            std::fs::write(&launches, launcher(given)).unwrap();
            let ran =
                std::process::Command::new("sh").arg(&launches).args(["--mode", "a b"]).output().unwrap();
            let real = real.canonicalize().unwrap();
            let expected =
                format!("{}|{}|--mode|a b|", program.display(), real.join("node_modules/.bin/pi").display());
            assert_eq!(String::from_utf8_lossy(&ran.stdout), expected, "{ran:?}");
        }
    }

    #[test]
    fn a_new_version_takes_the_place_of_the_old_one_and_a_broken_one_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let current = folder.path().join("current");
        for (version, text) in [("1.0.0", "old"), ("1.1.0", "broken"), ("1.1.0", "mended")] {
            let new = tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(folder.path()).unwrap();
            std::fs::write(new.path().join("pi"), text).unwrap();
            put_in_place(new, &folder.path().join(version), &current).unwrap();
            assert_eq!(std::fs::read_to_string(current.join("pi")).unwrap(), text);
        }
        let mut names: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["1.0.0", "1.1.0", "current"]);
    }
}
