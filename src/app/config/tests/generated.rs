//! The files in `config/` and `schema/`, which the program writes itself.

use std::path::PathBuf;

use serde_json::Value as Json;

use super::*;

fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Compares a generated file with what it should be; `UPDATE=1` writes it instead.
#[track_caller]
fn is_up_to_date(path: &str, wanted: &str) {
    let file = in_repository(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, wanted).unwrap();
    }
    let there = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(there == wanted, "{path} is out of date: run `UPDATE=1 cargo test -p frontdesk --lib config`");
}

#[test]
fn the_schema_in_the_repository_is_the_programs() {
    let text = serde_json::to_string_pretty(schema::whole()).unwrap() + "\n";
    is_up_to_date("schema/config.schema.json", &text);
}

#[test]
fn the_example_names_every_key_with_its_default() {
    let text = example::toml();
    is_up_to_date("config/frontdesk.toml", &text);
    assert_eq!(read(&text).unwrap().0, Config::default());
}

/// The example with every key that is off switched on.
fn uncommented() -> String {
    let on = |line: &str| match line.strip_prefix('#') {
        Some(key) if !key.starts_with(' ') && !key.is_empty() => format!("{key}\n"),
        _ => format!("{line}\n"),
    };
    example::toml().lines().map(on).collect()
}

#[test]
fn no_key_of_the_schema_is_missing_from_the_example() {
    let document = Syntax::Toml.parse(&uncommented()).unwrap();
    let mut problems = Vec::new();
    let root = schema::Schema::root(schema::whole());
    let written = walk::walk(root, &document, &mut problems);
    assert_eq!(problems, [], "the example is not valid when everything in it is switched on");
    let mut missing = Vec::new();
    look_for(root, &written, "", &mut missing);
    assert!(missing.is_empty(), "not in the example: {missing:?}");
}

/// Adds to `missing` what `schema` knows and `written` does not have.
fn look_for(schema: schema::Schema<'_>, written: &Json, path: &str, missing: &mut Vec<String>) {
    let taken = schema.taken(Some(written));
    if schema.secret() || taken.secret() {
        return;
    }
    if let (Some(entry), Some(first)) = (taken.items(), written.get(0)) {
        look_for(entry, first, path, missing);
    }
    for (name, place) in taken.properties() {
        match written.get(name) {
            Some(inner) => look_for(place, inner, &join(path, name), missing),
            None => missing.push(join(path, name)),
        }
    }
    let known = taken.properties();
    for (name, inner) in written.as_object().into_iter().flatten() {
        if let Some(others) = taken.others().filter(|_| !known.iter().any(|(known, _)| known == name)) {
            look_for(others, inner, &join(path, name), missing);
        }
    }
}

#[test]
fn the_other_examples_are_good() {
    for name in ["config/minimal.toml", "config/team.toml"] {
        let file = in_repository(name);
        load(&file, &env).unwrap_or_else(|problems| panic!("{problems}"));
    }
}
