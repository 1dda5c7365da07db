//! Questions of the agent during `frontdesk chat`: shown with numbers, and answered by typing one.

use std::io::IsTerminal;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};

use crate::cli::client::Client;
use crate::cli::{Done, Failure, asks, field, screen};

/// The questions that are open.
#[derive(Default)]
pub struct Questions {
    open: Vec<Value>,
    /// What the person types; `None` if standard input is no terminal, because then it may belong to a script.
    typed: Option<Lines<BufReader<Stdin>>>,
}

impl Questions {
    /// No question is open yet.
    pub fn new() -> Self {
        let terminal = std::io::stdin().is_terminal();
        Self { open: Vec::new(), typed: terminal.then(|| BufReader::new(tokio::io::stdin()).lines()) }
    }

    /// Shows a question and how to answer it.
    pub fn show(&mut self, ask: &Value) -> Done {
        if self.open.iter().any(|open| open["ask"] == ask["ask"]) {
            return Ok(());
        }
        screen::line(field::text(ask, "text"))?;
        let choices = field::list(ask, "choices");
        for (n, choice) in (1..).zip(choices) {
            screen::line(format!("  {n} {}", screen::one_line(&field::text(choice, "label"))))?;
        }
        screen::line(self.hint(ask))?;
        if ask["may_answer"] != false {
            self.open.push(ask.clone());
        }
        Ok(())
    }

    /// How to answer a question. One that is the whole reply to a command is not waited for.
    fn hint(&self, ask: &Value) -> String {
        let id = field::text(ask, "ask");
        let deadline = field::time(ask, "deadline").map(|at| format!(" until {}", at.format("%F %H:%M UTC")));
        let deadline = deadline.unwrap_or_default();
        let is_text = field::list(ask, "choices").is_empty();
        if ask["may_answer"] == false {
            return format!("({id}: somebody else has to answer this{deadline})");
        }
        if self.typed.is_none() || ask["reply"] == true {
            let what = if is_text { "TEXT" } else { "NUMBER" };
            return format!("(answer it{deadline}: frontdesk asks answer {id} {what})");
        }
        let what = if is_text { "your answer" } else { "a number" };
        format!("(type {what} and press Enter{deadline})")
    }

    /// Shows how a question has ended.
    pub fn close(&mut self, closed: &Value) -> Done {
        let known = self.open.iter().position(|open| open["ask"] == closed["ask"]);
        let ask = known.map(|index| self.open.remove(index)).unwrap_or_default();
        let chosen = field::list(&ask, "choices").iter().find(|choice| choice["id"] == closed["choice"]);
        let answer =
            chosen.map_or_else(|| field::text(closed, "answer"), |choice| field::text(choice, "label"));
        let answer = screen::one_line(&answer);
        screen::line(match closed["state"].as_str().unwrap_or_default() {
            "answered" => format!("({}: {answer})", screen::one_line(&asks::answerer(closed))),
            "expired" if answer.is_empty() => "(nobody answered in time)".to_owned(),
            "expired" => format!("(nobody answered in time, so the default applies: {answer})"),
            _ => "(this question was withdrawn)".to_owned(),
        })
    }

    /// Waits for the next line that is typed while a question is open.
    pub async fn typed(&mut self) -> String {
        while let (Some(typed), false) = (&mut self.typed, self.open.is_empty()) {
            match typed.next_line().await {
                Ok(Some(line)) if !line.trim().is_empty() => return line,
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => self.typed = None,
            }
        }
        std::future::pending().await
    }

    /// Sends what was typed as the answer to the question that was asked first. If it is no answer, the person is told
    /// and can type again.
    pub async fn answer(&mut self, client: &Client, line: &str) -> Result<(), Failure> {
        let Some(ask) = self.open.first() else { return Ok(()) };
        match asks::send(client, &field::text(ask, "ask"), line).await {
            Err(failure) if failure.is_unavailable() => Err(failure),
            Err(failure) => {
                screen::note(&failure.to_string());
                Ok(())
            }
            // The stream reports the end of the question.
            Ok(_) => Ok(()),
        }
    }
}
