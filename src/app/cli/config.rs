//! `frontdesk config`: checks, shows and describes the configuration.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use frontdesk::config::{self, Loaded, Syntax};
use frontdesk::home::Home;

use super::{Done, Failure, HomeArgs, screen};

#[derive(Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Report every error in the configuration; exit 78 if there is one
    Check(FileArgs),
    /// Print all values in effect, with defaults and without secrets
    Show {
        #[command(flatten)]
        file: FileArgs,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON schema, for editors and other tools
    Schema,
    /// Print an example file with every key, its meaning and its default
    Example,
}

/// Which configuration to read.
#[derive(Args, Clone)]
pub struct FileArgs {
    #[command(flatten)]
    home: HomeArgs,
    /// Configuration file [default: frontdesk.toml or frontdesk.jsonc in the home folder]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub fn config(args: ConfigArgs) -> Done {
    match args.what {
        What::Check(file) => {
            let loaded = file.load()?;
            match loaded.file {
                Some(file) => screen::line(format!("{} is valid", file.display())),
                None => screen::line("There is no configuration file; the defaults are in effect."),
            }
        }
        What::Show { file, json } => {
            let effective = config::show::effective(&file.load()?.document);
            if json { screen::json(&effective) } else { screen::raw(&config::show::toml(&effective)) }
        }
        What::Schema => screen::json_lines(config::schema::whole()),
        What::Example => screen::raw(&config::example::toml()),
    }
}

impl FileArgs {
    fn load(&self) -> Result<Loaded, Failure> {
        let home = Home::find(self.home.home.as_deref(), &super::env)?;
        load(&home, self.config.as_deref())
    }
}

/// The configuration in effect: the named file, else the one in the home folder, else the defaults.
pub fn load(home: &Home, named: Option<&Path>) -> Result<Loaded, Failure> {
    let file = match named {
        Some(file) => Some(file.to_owned()),
        None => home.config()?,
    };
    match file {
        Some(file) => Ok(config::load(&file, &super::env)?),
        None => {
            let more = config::More::default();
            let reading =
                config::Reading { syntax: Syntax::Toml, folder: home.path(), env: &super::env, more: &more };
            let (config, document) =
                config::parse("", reading).map_err(|problems| config::Problems { file: None, problems })?;
            Ok(Loaded { config, file: None, document })
        }
    }
}
