//! `frontdesk audit`: who changed what.

use super::list::{EntryNumber, List, Page};
use super::{Done, field, screen};

pub type AuditArgs = Page<EntryNumber>;

pub async fn audit(args: AuditArgs) -> Done {
    let list = List {
        path: "/api/audit".to_owned(),
        field: "audit",
        header: &["ID", "WHEN", "BY", "VIA", "ACTION", "SUBJECT", "OUTCOME"],
        empty: "Nothing has been changed yet.".to_owned(),
        row: |entry| {
            vec![
                field::text(entry, "id"),
                field::ago(entry, "at"),
                field::text(entry, "by"),
                field::text(entry, "via"),
                field::text(entry, "action"),
                screen::brief(&field::text(entry, "subject"), 60),
                field::text(entry, "outcome"),
            ]
        },
    };
    args.print(&list).await
}
