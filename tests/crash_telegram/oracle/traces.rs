//! O6, O9: what is left on the disk, and what the daemon said about itself.

use super::Court;

impl Court<'_> {
    pub(super) fn traces(&mut self) {
        for file in &self.e.unfinished {
            self.find(None, format!("O6: an unfinished file is left: {file}"));
        }
        for secret in &self.e.secrets {
            let mut lines = self.e.log.lines().filter(|line| line.contains(secret.as_str())).peekable();
            // The first start prints the API's token once, as a link for the person who started it.
            lines.next_if(|line| line.contains("http://") && line.contains('#'));
            if let Some(line) = lines.next() {
                self.find(None, format!("O9: in the log: {line}"));
            }
        }
        for code in &self.e.book.codes {
            let told = self.e.database.outbox.iter().any(|out| out.body.contains(code));
            let typed = self.e.database.inbound.iter().any(|row| row.body.contains(code));
            if told || typed {
                self.find(None, format!("O9: a code is in the database: {code}"));
            }
        }
    }
}
