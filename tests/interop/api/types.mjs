// Makes schema/frontdesk.d.ts of schema/openapi.json and schema/frames.schema.json. Fails if the file in the repository is
// another; with UPDATE=1 it is written.
import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const schema = (name) => new URL(`../../../schema/${name}`, import.meta.url);
const read = (name) => JSON.parse(readFileSync(schema(name), "utf8"));

const description = read("openapi.json");
const frames = JSON.parse(JSON.stringify(read("frames.schema.json").$defs).replaceAll("#/$defs/", "#/components/schemas/"));
const known = description.components.schemas;
for (const [name, frame] of Object.entries(frames)) {
  const there = known[name];
  if (there && JSON.stringify(there) !== JSON.stringify(frame)) throw new Error(`${name} is two different schemas`);
  known[name] = frame;
}

const types = await openapiTS(description, { rootTypes: true, rootTypesNoSchemaPrefix: true, defaultNonNullable: false });
const head = `/**
 * Types of Frontdesk's HTTP interface and of the frames of its WebSocket (\`ServerFrame\`, \`ClientFrame\`).
 * Made by tests/interop/api/types.mjs of openapi.json and frames.schema.json.
 */

`;
const wanted = head + astToString(types);
const file = schema("frontdesk.d.ts");
if (process.env.UPDATE) writeFileSync(file, wanted);
let there = "";
try {
  there = readFileSync(file, "utf8");
} catch {}
if (there !== wanted) {
  console.error("schema/frontdesk.d.ts is out of date: run UPDATE=1 scripts/api-types");
  process.exit(1);
}
console.log(`schema/frontdesk.d.ts is current (${Object.keys(known).length} schemas)`);
