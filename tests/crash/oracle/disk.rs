//! O6, O9: what is left on the disk, and what the gateway wrote about itself.

use std::collections::HashMap;

use super::Oracle;

impl<'a> Oracle<'a> {
    pub(super) fn disk(&mut self) {
        for file in &self.o.unfinished {
            self.report(None, format!("O6: an unfinished file is left: {file}"));
        }
        for line in self.leaks() {
            self.report(None, format!("O9: in the log: {line}"));
        }
        for code in &self.o.journal.codes {
            let parts = self.o.database.parts.iter().filter(|part| part.kind == "notice");
            let rows = self.o.database.inbound.iter().filter(|row| row.disposition == "command");
            let mut texts = parts.map(|part| &part.body).chain(rows.map(|row| &row.body));
            if texts.any(|text| text.contains(code)) {
                self.report(None, format!("O9: a code is in the database: {code}"));
            }
        }
    }

    /// Lines of the log with a secret or with message text. One pass for all secrets, of which there are many.
    fn leaks(&self) -> Vec<&'a str> {
        const HEAD: usize = 8;
        let mut heads: HashMap<&[u8], Vec<&str>> = HashMap::new();
        let mut begins = [false; 256];
        for secret in &self.o.secrets {
            if let Some(head) = secret.as_bytes().get(..HEAD) {
                heads.entry(head).or_default().push(secret);
                begins[usize::from(head[0])] = true;
            }
        }
        let is_secret = |rest: &[u8]| {
            let secrets = || heads.get(rest.get(..HEAD).filter(|_| begins[usize::from(rest[0])])?);
            secrets().into_iter().flatten().any(|secret| rest.starts_with(secret.as_bytes()))
        };
        let mut lines: Vec<&str> = self.o.log.lines().collect();
        lines.retain(|line| (0..line.len()).any(|at| is_secret(&line.as_bytes()[at..])));
        lines
    }
}
