// The names that the client uses.
export type { ClientFrame, ServerFrame, paths as ApiPaths } from "../../../schema/frontdesk.js";
