//! O6, O9: what is left on the disk, and what the daemon said about itself.

use std::collections::HashMap;

use super::Court;

impl Court<'_> {
    pub(super) fn traces(&mut self) {
        for file in &self.e.unfinished {
            self.find(None, format!("O6: an unfinished file is left: {file}"));
        }
        for line in self.leaks() {
            self.find(None, format!("O9: in the log: {line}"));
        }
        for code in &self.e.book.codes {
            let notices = self.e.database.outbox.iter().filter(|out| out.kind == "notice");
            let told = notices.map(|out| &out.body).any(|body| body.contains(code));
            let commands = self.e.database.inbound.iter().filter(|row| row.disposition == "command");
            let typed = commands.map(|row| &row.body).any(|body| body.contains(code));
            if told || typed {
                self.find(None, format!("O9: a code is in the database: {code}"));
            }
        }
    }

    /// Lines of the log with something secret in them. One pass for all secrets, of which there are many.
    fn leaks(&self) -> Vec<String> {
        const HEAD: usize = 8;
        let heads: HashMap<&[u8], &str> = self
            .e
            .secrets
            .iter()
            .filter_map(|secret| Some((secret.as_bytes().get(..HEAD)?, secret.as_str())))
            .collect();
        let mut leaks = Vec::new();
        let mut links = 0;
        for line in self.e.log.lines() {
            let mut places = line.as_bytes().windows(HEAD).enumerate();
            let holds = |(at, head): (usize, &[u8])| {
                heads.get(head).is_some_and(|secret| line.as_bytes()[at..].starts_with(secret.as_bytes()))
            };
            if !places.any(holds) {
                continue;
            }
            // The first start prints the API's token once, as a link for the person who started it.
            let is_link = line.contains("http://") && line.contains("#token=");
            links += usize::from(is_link);
            if !is_link || links > 1 {
                leaks.push(line.to_owned());
            }
        }
        leaks
    }
}
