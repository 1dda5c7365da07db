// Who changed what.

import { el } from "/page/dom.js";
import { ago } from "./format.js";
import * as list from "./list.js";

export function open(view) {
  list.show(view, {
    label: "Audit",
    filters: [{ name: "find", label: "Find an entry", placeholder: "Person, action or outcome" }],
    columns: [
      { title: "What", cell: (row) => [row.action, el("span", { class: "sub" }, row.subject)] },
      { title: "Outcome", cell: (row) => el("span", { class: `state ${row.outcome.startsWith("done") ? "good" : row.outcome.startsWith("refused") ? "bad" : ""}` }, row.outcome.replaceAll("_", " ").replace(":", ": ")) },
      { title: "By", cell: (row) => row.by },
      { title: "Through", cell: (row) => row.via },
      { title: "When", kind: "when", cell: (row) => ago(row.at) },
    ],
    path: ({ find }, cursor) => "/api/audit" + list.query({ find, before: cursor, limit: 50 }),
    rows: (json) => json.audit,
    empty: ({ find }) => (find ? list.note("No entry has this text") : list.note("Nothing was changed yet", "Every change that an admin makes leaves an entry here.")),
  });
}
