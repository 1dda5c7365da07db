//! The data of a button.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::id::AskId;

/// A pressed button; its text form is the button's data: `a7:0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Press {
    /// The question.
    pub ask: AskId,
    /// The position of the choice, counted from 0.
    pub choice: usize,
}

/// A text is not the data of a button of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not the data of a button of a question")]
pub struct NotAPress;

impl fmt::Display for Press {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.ask, self.choice)
    }
}

impl FromStr for Press {
    type Err = NotAPress;

    fn from_str(data: &str) -> Result<Self, NotAPress> {
        let (ask, choice) = data.split_once(':').ok_or(NotAPress)?;
        if choice.is_empty() || !choice.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(NotAPress);
        }
        Ok(Press { ask: ask.parse().map_err(|_| NotAPress)?, choice: choice.parse().map_err(|_| NotAPress)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_of_a_button_reads_back_and_nothing_else_does() {
        let press = Press { ask: AskId(7), choice: 0 };
        assert_eq!(press.to_string(), "a7:0");
        assert_eq!("a7:0".parse(), Ok(press));
        for other in ["a7", "a7:", "a7:+1", "a7:-1", "7:0", "a:0", "a7:0 ", "m7:0", ""] {
            assert_eq!(other.parse::<Press>(), Err(NotAPress), "{other}");
        }
    }
}
