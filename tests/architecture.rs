//! Rules of the architecture that a program can check. Each scan fails when it finds nothing to scan.

#![expect(clippy::unwrap_used, reason = "a scan fails at the first error")]

#[path = "architecture/words.rs"]
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use toml_edit::DocumentMut;

/// Which crates of the workspace each crate may depend on. A crate that is not listed here is an error.
const DIRECTION: [(&str, &[&str]); 21] = [
    ("frontdesk-core", &[]),
    ("frontdesk-store", &["core"]),
    ("frontdesk-http", &["core"]),
    ("frontdesk-agents", &["core", "http"]),
    ("frontdesk-runtime", &["core", "store"]),
    ("frontdesk-api", &["core", "store", "runtime"]),
    ("frontdesk-kit", &["core", "http"]),
    ("frontdesk-conformance", &["core"]),
    ("frontdesk-web", &["core", "kit"]),
    ("frontdesk-telegram", &["core", "kit"]),
    ("frontdesk-discord", &["core", "kit"]),
    ("frontdesk-slack", &["core", "kit"]),
    ("tcp-chat", &["core", "kit"]),
    ("frontdesk-fakes", &[]),
    ("frontdesk-botapi", &["fakes"]),
    ("frontdesk-fakediscord", &["fakes"]),
    ("frontdesk-fakeslack", &["fakes"]),
    ("frontdesk-fakemodel", &["fakes"]),
    ("frontdesk-world", &["core", "store", "runtime"]),
    (
        "frontdesk",
        &["core", "store", "http", "agents", "runtime", "api", "kit", "web", "telegram", "discord", "slack"],
    ),
    ("frontdesk-load", &[]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Files below `folder` whose names end in `ending`, without built and downloaded files.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() && !["target", "node_modules", ".git"].contains(&name) {
                walk(&path, ending, found);
            } else if path.is_file() && name.ends_with(ending) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), ending, &mut found);
    assert!(!found.is_empty(), "nothing to scan in {folder}");
    found.sort();
    found
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// The lines of code of a source file with their numbers, without comments and unit tests.
fn code(path: &Path) -> Vec<(usize, String)> {
    text(path)
        .lines()
        .enumerate()
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .map(|(n, line)| (n + 1, line.split("//").next().unwrap().to_owned()))
        .filter(|(_, line)| !line.trim().is_empty())
        .collect()
}

fn offenders(folder: &str, words: &[&str], allowed: impl Fn(&Path) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for path in files(folder, ".rs").into_iter().filter(|path| !allowed(path)) {
        for (n, line) in code(&path) {
            for word in words.iter().filter(|word| line.contains(**word)) {
                found.push(format!("{}:{n}: {word}", path.display()));
            }
        }
    }
    found
}

fn manifests() -> BTreeMap<String, DocumentMut> {
    let found: BTreeMap<String, DocumentMut> = files(".", "Cargo.toml")
        .iter()
        .map(|path| text(path).parse::<DocumentMut>().unwrap())
        .map(|manifest| (manifest["package"]["name"].as_str().unwrap().to_owned(), manifest))
        .collect();
    assert!(found.len() > 8, "only {} packages", found.len());
    found
}

fn dependencies(manifest: &DocumentMut) -> BTreeSet<String> {
    let table = manifest.get("dependencies").and_then(|table| table.as_table());
    table.map(|table| table.iter().map(|(name, _)| name.to_owned()).collect()).unwrap_or_default()
}

#[test]
fn crates_depend_only_on_the_crates_below_them() {
    let direction: BTreeMap<&str, &[&str]> = DIRECTION.into_iter().collect();
    for (name, manifest) in manifests() {
        let allowed =
            direction.get(name.as_str()).unwrap_or_else(|| panic!("{name} is not in the list of crates"));
        for dependency in dependencies(&manifest) {
            let Some(other) = dependency.strip_prefix("frontdesk-") else { continue };
            assert!(allowed.contains(&other), "{name} must not depend on frontdesk-{other}");
        }
    }
}

#[test]
fn core_has_no_clock_no_io_no_tasks_and_no_log() {
    let manifest = &manifests()["frontdesk-core"];
    for known in dependencies(manifest) {
        for banned in ["tokio", "tracing", "log", "reqwest", "rusqlite", "getrandom"] {
            assert_ne!(known, banned, "core must not depend on {banned}");
        }
    }
    let workspace: DocumentMut = text(&root().join("Cargo.toml")).parse().unwrap();
    let chrono = &workspace["workspace"]["dependencies"]["chrono"];
    assert_eq!(chrono["default-features"].as_bool(), Some(false));
    let features = chrono["features"].as_array().unwrap();
    assert!(
        features.iter().all(|feature| feature.as_str() != Some("clock")),
        "chrono must not read the clock"
    );
    let words =
        ["std::fs", "std::net", "std::thread", "std::process", "SystemTime", "Instant::now", "Utc::now"];
    // A `Delivery` passes an open file to an adapter and does not use it.
    let (handle, found): (Vec<String>, Vec<String>) = offenders("src/core", &words, |_| false)
        .into_iter()
        .partition(|line| line.contains("core/delivery.rs"));
    assert_eq!(found, Vec::<String>::new());
    assert_eq!(handle.len(), 1, "{handle:?}");
}

/// The top-level modules of a crate, each with those that it names by `crate::`.
fn module_dependencies(krate: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut modules: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let sources = files(krate.strip_prefix(root()).unwrap().to_str().unwrap(), ".rs");
    for path in &sources {
        let within = path.strip_prefix(krate).unwrap();
        let module = within.components().next().unwrap().as_os_str().to_str().unwrap();
        let module = module.trim_end_matches(".rs").to_owned();
        let is_test =
            within.ends_with("tests.rs") || within.components().any(|part| part.as_os_str() == "tests");
        if !["lib", "main", "tests", "examples"].contains(&module.as_str()) && !is_test {
            let text: Vec<String> = code(path).into_iter().map(|(_, line)| line).collect();
            modules.entry(module).or_default().extend(named_modules(&text.join("\n")));
        }
    }
    let names: BTreeSet<String> = modules.keys().cloned().collect();
    for (module, named) in &mut modules {
        named.retain(|name| names.contains(name) && name != module);
    }
    modules
}

/// The names that follow `crate::`, also in a list in braces.
fn named_modules(code: &str) -> BTreeSet<String> {
    let name = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let mut found = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{').and_then(|list| list.split_once("};")) {
            Some((list, _)) => found.extend(list.split(',').map(name)),
            None => _ = found.insert(name(rest)),
        }
    }
    found
}

#[test]
fn modules_of_a_crate_do_not_depend_on_each_other_in_a_circle() {
    let mut crates = 0;
    for folder in ["src", "adapters"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let krate = entry.unwrap().path();
            if !krate.join("lib.rs").is_file() {
                continue;
            }
            crates += 1;
            let mut left = module_dependencies(&krate);
            assert!(!left.is_empty(), "nothing to scan in {}", krate.display());
            // Removes modules that depend on none of the others, until only circles are left.
            while let Some(free) =
                left.iter().find(|(_, named)| named.is_empty()).map(|(name, _)| name.clone())
            {
                left.remove(&free);
                left.values_mut().for_each(|named| _ = named.remove(&free));
            }
            assert!(left.is_empty(), "{} has a circle of modules: {left:#?}", krate.display());
        }
    }
    assert!(crates >= 8, "only {crates} crates were found");
}

#[test]
fn ports_have_no_default_methods() {
    let mut ports = 0;
    for name in ["port.rs", "hook.rs"] {
        let mut inside = false;
        for (n, line) in code(&root().join("src/core").join(name)) {
            if line.starts_with("pub trait ") {
                (inside, ports) = (true, ports + 1);
            } else if line == "}" {
                inside = false;
            } else if inside {
                assert!(!line.contains('{'), "src/core/{name}:{n}: a port has a default method");
            }
        }
    }
    assert!(ports >= 6, "only {ports} ports were found");
}

#[test]
fn the_runtime_names_no_platform_and_no_agent() {
    let words = ["telegram", "discord", "slack", "whatsapp", "\"web\"", "\"echo\"", "\"command\"", "openai"];
    assert_eq!(offenders("src/runtime", &words, |_| false), Vec::<String>::new());
}

#[test]
fn features_are_asked_for_in_one_file() {
    let registry = root().join("src/app/adapters.rs");
    assert!(text(&registry).contains("cfg(feature"), "the registry moved");
    for folder in ["src", "adapters", "tests", "examples"] {
        let words = ["cfg(feature", "cfg(not(feature", "cfg(any(feature", "cfg(all(feature"];
        let allowed = |path: &Path| path == registry || path.ends_with("tests/architecture.rs");
        assert_eq!(offenders(folder, &words, allowed), Vec::<String>::new());
    }
}

#[test]
fn no_sqlite_type_leaves_the_store() {
    for folder in ["src/core", "src/runtime", "src/api", "src/app", "src/agents", "adapters"] {
        assert_eq!(offenders(folder, &["rusqlite"], |_| false), Vec::<String>::new());
    }
}

/// The API and the command line read through a handle; only whoever started the gateway can write past the runtime.
#[test]
fn handles_on_the_gateway_only_read_the_database() {
    let writing =
        ["frontdesk_store::Store;", "frontdesk_store::{Store,", "&Store ", "frontdesk_runtime::Running"];
    let is_test = |path: &Path| path.components().any(|part| part.as_os_str() == "tests");
    assert_eq!(offenders("src/api", &writing, is_test), Vec::<String>::new());
    let owner = |path: &Path| path.ends_with("running.rs") || is_test(path);
    assert_eq!(offenders("src/runtime", &["-> &Store "], owner), Vec::<String>::new());
}

#[test]
fn the_conformance_suite_names_its_database_in_one_place() {
    let naming = ["Store::open", "Options", "frontdesk.db", "rusqlite", "sqlite"];
    let suite = "src/store/tests/conformance";
    let parameter = |path: &Path| path.ends_with("database.rs");
    assert_eq!(offenders(suite, &naming, parameter), Vec::<String>::new());
}

#[test]
fn every_task_has_a_parent_and_every_ban_a_reason() {
    for folder in ["src", "adapters"] {
        let words = ["tokio::spawn(", "task::spawn(", "Handle::current().spawn("];
        let is_test = |path: &Path| path.components().any(|part| part.as_os_str() == "tests");
        assert_eq!(offenders(folder, &words, is_test), Vec::<String>::new());
    }
    let clippy: DocumentMut = text(&root().join("clippy.toml")).parse().unwrap();
    let bans = clippy["disallowed-methods"].as_array().unwrap();
    assert!(bans.len() >= 6);
    for ban in bans {
        assert!(ban.as_inline_table().unwrap().contains_key("reason"), "{ban} has no reason");
    }
}

#[test]
fn every_file_says_what_it_holds_and_none_has_a_name_without_meaning() {
    let meaningless = ["utils.rs", "util.rs", "helpers.rs", "common.rs", "manager.rs", "types.rs", "misc.rs"];
    for folder in ["src", "adapters", "tests", "examples"] {
        for path in files(folder, ".rs") {
            let name = path.file_name().unwrap().to_str().unwrap();
            assert!(!meaningless.contains(&name), "{}: name the file after what it holds", path.display());
            assert!(text(&path).starts_with("//!"), "{} does not say what it holds", path.display());
        }
    }
}

#[test]
fn every_adapter_has_the_same_files() {
    let mut adapters = 0;
    for entry in fs::read_dir(root().join("adapters")).unwrap() {
        let folder = entry.unwrap().path();
        let lib = text(&folder.join("lib.rs"));
        if folder.ends_with("kit") || folder.ends_with("conformance") {
            continue;
        }
        adapters += 1;
        assert!(folder.join("markup.rs").is_file(), "{} has no markup.rs", folder.display());
        if lib.contains("impl Adapter for") {
            for name in ["inbound.rs", "outbound.rs"] {
                assert!(folder.join(name).is_file(), "{} has no {name}", folder.display());
            }
        }
    }
    assert!(adapters >= 2);
}

#[test]
fn the_schema_is_strict_and_explains_itself() {
    for path in files("schema", ".sql") {
        let sql = text(&path);
        let tables = sql.matches("CREATE TABLE").count();
        assert!(tables > 0 || path.file_name().unwrap() != "0001_init.sql");
        assert_eq!(sql.matches(") STRICT").count(), tables, "{}: a table is not STRICT", path.display());
        assert!(sql.matches("-- ").count() >= tables, "{}: a table has no comment", path.display());
    }
}
