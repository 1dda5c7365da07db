//! Words that do not belong into the tree: names of machines and registries, an earlier vocabulary.

use super::*;

#[test]
fn the_tree_names_no_machine_and_no_registry() {
    // The names are put together here, so that this file does not contain them.
    let words =
        [["static.crates", ".io"], ["registry.npmjs", ".org"], ["pypi", ".org"], ["deb.debian", ".org"]];
    let words: Vec<String> = words.iter().map(|word| word.concat()).collect();
    for ending in [".rs", ".toml", ".md", ".sh", ".json", ".yml", ".html", ".js", ".css", "run", "test"] {
        for folder in ["src", "adapters", "tests", "docs", "config", "scripts", ".ci", "examples", "schema"] {
            let folder = root().join(folder);
            if !folder.exists() {
                continue;
            }
            for path in every(&folder).into_iter().filter(|path| path.to_str().unwrap().ends_with(ending)) {
                let text = fs::read_to_string(&path).unwrap_or_default();
                for word in &words {
                    assert!(!text.contains(word.as_str()), "{} names {word}", path.display());
                }
            }
        }
    }
}

/// Words of an earlier private vocabulary, which other words replaced. "Frontdesk" is a different word.
const PRIVATE: [&str; 5] = ["house", "room", "rooms", "errand", "desk"];

/// Lines in which one of these words has its ordinary meaning: the end of the file's path, and a part of the line.
const JUSTIFIED: [(&str, &str); 8] = [
    ("Cargo.toml", "The front desk for AI agents"),
    ("tests/architecture/words.rs", "\""),
    ("tests/fakes/botapi/tlds.txt", ""),
    ("README.md", "the front desk for AI agents"),
    ("config/frontdesk.service", "the front desk for AI agents"),
    ("src/core/address/tests.rs", "matrix:!room%3Ahome"),
    ("src/core/address/tests.rs", "matrix:!room%3ahome"),
    ("src/core/key/tests.rs", "agent:main:telegram:room:1"),
];

#[test]
fn no_field_of_the_log_is_called_message() {
    // In the JSON log that is the name of the text.
    let fields =
        ["(%message,", ", %message,", "    %message,", "(message = %", ", message = %", "    message = %"];
    let found: Vec<_> = ["src", "adapters", "examples"]
        .iter()
        .flat_map(|folder| offenders(folder, &fields, |_| false))
        .collect();
    assert!(found.is_empty(), "call it message_id:\n{}", found.join("\n"));
}

#[test]
fn the_private_words_do_not_come_back() {
    let folders = ["src", "adapters", "tests", "docs", "schema", "config", "scripts", "examples", ".ci"];
    let scanned = folders.iter().flat_map(|folder| files(folder, ""));
    let mut found = Vec::new();
    // Recorded events of platforms contain names that people chose.
    let recorded = |path: &PathBuf| path.components().any(|part| part.as_os_str() == "fixtures");
    let single = [
        "README.md",
        "ARCHITECTURE.md",
        "BENCHMARKS.md",
        "CHANGELOG.md",
        "Cargo.toml",
        "clippy.toml",
        "deny.toml",
    ];
    for path in scanned.chain(single.map(|file| root().join(file))).filter(|path| !recorded(path)) {
        // Pictures and other binary files have no words.
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for (n, line) in text.lines().enumerate() {
            let words = line.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
            let private: Vec<String> = words.filter(|word| PRIVATE.contains(&word.as_str())).collect();
            let justified =
                || JUSTIFIED.iter().any(|(file, part)| path.ends_with(file) && line.contains(part));
            if !private.is_empty() && !justified() {
                found.push(format!("{}:{}: {}", path.display(), n + 1, private.join(", ")));
            }
        }
    }
    assert!(found.is_empty(), "write what is meant in the field's terms:\n{}", found.join("\n"));
}

fn every(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("node_modules") {
            found.extend(every(&path));
        } else if path.is_file() {
            found.push(path);
        }
    }
    found
}
