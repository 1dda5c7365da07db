//! Where `frontdesk agents install pi` puts pi, and which Node pi needs.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// pi's package on npm.
pub const PACKAGE: &str = "@earendil-works/pi-coding-agent";
/// The command that installs pi, for people.
pub const COMMAND: &str = "frontdesk agents install pi";
/// The oldest Node that runs the installed pi.
pub const NODE: (u32, u32) = (22, 19);

/// The folder of the installed pi, in the gateway's home folder. Each version has a folder of its own in it.
pub fn folder(home: &Path) -> PathBuf {
    home.join("programs").join("pi")
}

/// The link to the folder of the version that is used.
pub fn current(home: &Path) -> PathBuf {
    folder(home).join("current")
}

/// The program that starts it.
pub fn program(home: &Path) -> PathBuf {
    current(home).join("pi")
}

/// Whether this is what `node --version` prints for a Node that runs the installed pi.
pub fn is_enough(node: &str) -> bool {
    let mut numbers = node.trim().trim_start_matches('v').split('.').map_while(|number| number.parse().ok());
    (numbers.next(), numbers.next()) >= (Some(NODE.0), Some(NODE.1))
}

/// The version of the pi that a program belongs to; `None` if the program is no part of pi's package.
pub(super) fn version(program: &Path) -> Option<String> {
    let real = program.canonicalize().ok()?;
    // The installed program stands beside the folder of packages.
    let beside = real.parent().map(|folder| folder.join("node_modules").join(PACKAGE));
    let mut folders = beside.iter().map(PathBuf::as_path).chain(real.ancestors());
    folders.find_map(version_of_package)
}

/// The version of the package in a folder, if it is pi's.
fn version_of_package(folder: &Path) -> Option<String> {
    let text = std::fs::read_to_string(folder.join("package.json")).ok()?;
    let package: Value = serde_json::from_str(&text).ok()?;
    let is_pi = package["name"].as_str()?.ends_with("/pi-coding-agent");
    is_pi.then(|| package["version"].as_str().map(str::to_owned)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_found_from_the_installed_program_and_from_any_other() {
        let folder = tempfile::tempdir().unwrap();
        let package = folder.path().join("node_modules").join(PACKAGE);
        std::fs::create_dir_all(package.join("dist")).unwrap();
        std::fs::write(folder.path().join("package.json"), r#"{"private":true}"#).unwrap();
        std::fs::write(package.join("package.json"), format!(r#"{{"name":"{PACKAGE}","version":"1.2.3"}}"#))
            .unwrap();
        for program in [folder.path().join("pi"), package.join("dist/cli.js")] {
            std::fs::write(&program, "").unwrap();
            assert_eq!(version(&program).as_deref(), Some("1.2.3"), "{}", program.display());
        }
        std::fs::remove_file(package.join("package.json")).unwrap();
        assert_eq!(version(&folder.path().join("pi")), None);
    }

    #[test]
    fn an_old_node_and_what_is_no_version_are_not_enough() {
        for node in ["v22.19.0\n", "v24.0.0", "26.1.2"] {
            assert!(is_enough(node), "{node}");
        }
        for node in ["v20.20.2", "v22.18.9", "v9.99.0", "", "node: not found", "v22"] {
            assert!(!is_enough(node), "{node}");
        }
    }
}
