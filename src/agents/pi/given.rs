//! What pi is given at its start: its arguments, which depend on the role in which it answers, and the files that they name.

use std::io;
use std::path::{Path, PathBuf};

use frontdesk_core::agent::TurnRole;
use frontdesk_core::config::PromptText;
use sha2::{Digest, Sha256};

use super::config::Config;
use crate::paths::Paths;
use crate::regular_file;

/// The arguments of a process and the files that they name. A process serves only turns with the same ones, and with the same
/// texts in those that are prompts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) args: Vec<String>,
    /// What a sandbox has to show.
    pub(super) files: Vec<PathBuf>,
    /// The gateway's tools that the role names; `None` means all.
    pub(super) tools: Option<Vec<String>>,
    /// Digests of the files with texts for the system prompt, which pi reads only once.
    texts: Vec<[u8; 32]>,
}

/// What a list of files is for: its flag, and the flag that keeps pi from adding those of its own folder.
type Files<'a> = (&'static str, &'static str, &'a Vec<PathBuf>, Option<&'a Vec<PathBuf>>);

impl Given {
    /// The role's files come before those of the agent, and its text after the agent's.
    pub(super) fn of(config: &Config, role: Option<&TurnRole>, paths: &Paths) -> io::Result<Self> {
        let tools = role.and_then(|role| role.gives.tools.clone());
        let args = vec!["--mode".to_owned(), "rpc".to_owned()];
        let mut given = Self { args, files: Vec::new(), tools, texts: Vec::new() };
        for (flag, value) in
            [("--provider", &config.provider), ("--model", &config.model), ("--thinking", &config.thinking)]
        {
            if let Some(value) = value {
                given.add(flag, value.clone());
            }
        }
        let gives = role.map(|role| &role.gives);
        let own = |list: fn(&frontdesk_core::config::Role) -> &Option<Vec<PathBuf>>| {
            gives.and_then(|role| list(role).as_ref())
        };
        let files: [Files<'_>; 3] = [
            ("--skill", "--no-skills", &config.skills, own(|role| &role.skills)),
            ("-e", "--no-extensions", &config.extensions, own(|role| &role.extensions)),
            (
                "--prompt-template",
                "--no-prompt-templates",
                &config.prompt_templates,
                own(|role| &role.prompt_templates),
            ),
        ];
        for (flag, none, of_agent, own) in files {
            if gives.is_some_and(|role| role.replaces(own)) {
                given.args.push(none.to_owned());
            }
            let all = gives.map_or_else(|| of_agent.clone(), |role| role.merged(own, of_agent));
            for path in all {
                given.add_file(flag, paths.absolute(&path));
            }
        }
        if let Some(text) = &config.system_prompt {
            given.add_text_or_file("--system-prompt", text, paths)?;
        }
        given.add_prompts(config, role, paths)?;
        for (flag, names) in [("--tools", &config.tools), ("--exclude-tools", &config.exclude_tools)] {
            if !names.is_empty() {
                given.add(flag, names.join(","));
            }
        }
        given.args.push(if config.approve { "--approve" } else { "--no-approve" }.to_owned());
        Ok(given)
    }

    fn add_prompts(&mut self, config: &Config, role: Option<&TurnRole>, paths: &Paths) -> io::Result<()> {
        const FLAG: &str = "--append-system-prompt";
        let own = role.and_then(|role| role.gives.append_system_prompt.as_ref());
        if !role.is_some_and(|role| role.gives.replaces(own)) {
            for text in &config.append_system_prompt {
                self.add_text_or_file(FLAG, text, paths)?;
            }
        }
        match own {
            None => {}
            Some(PromptText::Text(text)) => self.add(FLAG, text.clone()),
            Some(PromptText::File(prompt)) => {
                let file = paths.absolute(&prompt.file);
                // pi would take the name of a file that is missing for the text.
                if !file.is_file() {
                    let name = role.map_or("", |role| role.name.as_str());
                    let problem = format!("there is no file {} for the role {name}", file.display());
                    return Err(io::Error::new(io::ErrorKind::NotFound, problem));
                }
                self.add_text_file(FLAG, file)?;
            }
        }
        Ok(())
    }

    pub(super) fn has_tool(&self, name: &str) -> bool {
        self.tools.as_ref().is_none_or(|tools| tools.iter().any(|tool| tool == name))
    }

    fn add(&mut self, flag: &str, value: String) {
        self.args.extend([flag.to_owned(), value]);
    }

    fn add_file(&mut self, flag: &str, file: PathBuf) {
        self.add(flag, shown(&file));
        self.files.push(file);
    }

    /// Adds a text, or the file that it names.
    fn add_text_or_file(&mut self, flag: &str, text: &str, paths: &Paths) -> io::Result<()> {
        match paths.file(text) {
            Some(file) => self.add_text_file(flag, file),
            None => {
                self.add(flag, text.to_owned());
                Ok(())
            }
        }
    }

    /// Adds a file whose text becomes a part of the system prompt.
    fn add_text_file(&mut self, flag: &str, file: PathBuf) -> io::Result<()> {
        let digest = digest(&file).map_err(|error| {
            io::Error::new(error.kind(), format!("the text in {} cannot be read: {error}", file.display()))
        })?;
        self.texts.push(digest);
        self.add_file(flag, file);
        Ok(())
    }
}

fn digest(file: &Path) -> io::Result<[u8; 32]> {
    let mut digest = Sha256::new();
    io::copy(&mut regular_file::open(file)?, &mut digest)?;
    Ok(digest.finalize().into())
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use frontdesk_core::config::{MergeMode, PromptFile, Role};

    use super::*;

    fn paths() -> Paths {
        Paths::new(Path::new("/fd"), &[("HOME".into(), "/home/anna".into())])
    }

    fn in_role(config: &Config, gives: Role) -> String {
        let role = TurnRole { name: "kids".into(), gives };
        Given::of(config, Some(&role), &paths()).unwrap().args.join(" ")
    }

    #[test]
    fn the_arguments_are_in_the_order_of_the_configuration() {
        let config = Config {
            provider: Some("fake".into()),
            model: Some("fake-1".into()),
            skills: vec!["role".into(), "/base".into(), "~/mine".into()],
            append_system_prompt: vec!["Be brief.".into()],
            tools: vec!["read".into(), "grep".into()],
            ..Config::default()
        };
        let given = Given::of(&config, None, &paths()).unwrap();
        assert_eq!(
            given.args.join(" "),
            "--mode rpc --provider fake --model fake-1 --skill /fd/role --skill /base --skill /home/anna/mine \
             --append-system-prompt Be brief. --tools read,grep --no-approve"
        );
        assert_eq!(given.files, [Path::new("/fd/role"), Path::new("/base"), Path::new("/home/anna/mine")]);
    }

    #[test]
    fn what_a_role_gives_comes_first_and_its_text_last() {
        let config = Config {
            skills: vec!["gateway".into(), "/base".into()],
            extensions: vec!["/agent.mjs".into()],
            prompt_templates: vec!["/agent.md".into()],
            append_system_prompt: vec!["Be brief.".into()],
            ..Config::default()
        };
        let role = Role {
            skills: Some(vec!["role".into()]),
            extensions: Some(vec!["role.mjs".into()]),
            prompt_templates: Some(vec!["role.md".into()]),
            append_system_prompt: Some(PromptText::Text("Be kind.".into())),
            ..Role::default()
        };
        assert_eq!(
            in_role(&config, role.clone()),
            "--mode rpc --skill /fd/role --skill /fd/gateway --skill /base -e /fd/role.mjs -e /agent.mjs \
             --prompt-template /fd/role.md --prompt-template /agent.md --append-system-prompt Be brief. \
             --append-system-prompt Be kind. --no-approve"
        );
        let replacing = Role { merge_mode: MergeMode::Replace, ..role };
        assert_eq!(
            in_role(&config, replacing),
            "--mode rpc --no-skills --skill /fd/role --no-extensions -e /fd/role.mjs --no-prompt-templates \
             --prompt-template /fd/role.md --append-system-prompt Be kind. --no-approve"
        );
        let nothing = Role { merge_mode: MergeMode::Replace, skills: Some(vec![]), ..Role::default() };
        assert_eq!(
            in_role(&config, nothing),
            "--mode rpc --no-skills -e /agent.mjs --prompt-template /agent.md --append-system-prompt Be brief. \
             --no-approve"
        );
    }

    #[test]
    fn a_text_of_a_role_that_is_missing_keeps_pi_from_starting() {
        let file = PromptText::File(PromptFile { file: "no-such.md".into() });
        let gives = Role { append_system_prompt: Some(file), ..Role::default() };
        let role = TurnRole { name: "kids".into(), gives };
        let error = Given::of(&Config::default(), Some(&role), &paths()).unwrap_err();
        assert_eq!(error.to_string(), "there is no file /fd/no-such.md for the role kids");
    }
}
