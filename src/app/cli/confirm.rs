//! Confirmation of what cannot be undone.

use std::io::{BufRead, IsTerminal};

use clap::Args;

use super::{Done, Failure, screen};

#[derive(Args, Clone, Copy)]
pub struct Confirm {
    /// Do it without a question; needed where nobody can answer one
    #[arg(long, short)]
    yes: bool,
}

impl Confirm {
    /// Returns when somebody has agreed. `what` says what would be lost, such as "this erases all messages for good".
    pub fn ask(self, what: &str) -> Done {
        if self.yes {
            return Ok(());
        }
        let input = std::io::stdin();
        if !input.is_terminal() || !screen::is_terminal() {
            return Err(Failure::usage(format!("{what}; add --yes to do it")));
        }
        screen::raw(&format!("{}. Go on? [y/N] ", capitalised(what)))?;
        let mut line = String::new();
        let read = input.lock().read_line(&mut line);
        read.map_err(|error| Failure::new(format!("cannot read the answer: {error}")))?;
        match line.trim().to_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Failure::new("nothing was changed")),
        }
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
