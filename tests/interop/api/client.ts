// A small client, written with the published types and nothing else. It talks to a running gateway: URL and token are its
// arguments. A field that is called otherwise, or is of another type, is an error of the compiler.
import type { ApiPaths, ClientFrame, ServerFrame } from "./api.js";

declare const process: { argv: string[]; exit(code: number): never };

const [, , url = "", token = ""] = process.argv;

type Get = { [Path in keyof ApiPaths]: ApiPaths[Path] extends { get: { responses: { 200: { content: { "application/json": infer Body } } } } } ? Body : never };
type Post = {
  [Path in keyof ApiPaths]: ApiPaths[Path] extends { post: { requestBody: { content: { "application/json": infer Body } } } } ? Body : never;
};

function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

async function call(method: string, path: string, body?: unknown): Promise<unknown> {
  const headers: Record<string, string> = { Authorization: `Bearer ${token}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const init: RequestInit = { method, headers };
  if (body !== undefined) init.body = JSON.stringify(body);
  const response = await fetch(url + path, init);
  const json: unknown = await response.json();
  check(response.ok, `${method} ${path}: ${response.status} ${JSON.stringify(json)}`);
  return json;
}

const get = async <Path extends keyof Get>(path: Path): Promise<Get[Path]> => (await call("GET", path)) as Get[Path];
const post = <Path extends keyof Post>(path: Path, body: Post[Path]) => call("POST", path, body);

const status = await get("/api/status");
check(status.agents.some((agent) => agent.name === "main"), "the agent is not listed");
const answer = (await post("/api/chat", { text: "typed", chat: "types", wait: true, stream: false, files: [] })) as { text: string };
check(answer.text.includes("typed"), `another answer: ${answer.text}`);
const { sessions } = await get("/api/sessions");
const session = sessions.find((session) => session.key === "agent:main:web:dm:types");
check(session !== undefined && session.epoch === 1 && session.running === null, "the session is not listed");

// The same over the WebSocket.
const socket = new WebSocket(url.replace("http", "ws") + "/ws", ["frontdesk.v1", `bearer.${token}`]);
const send = (frame: ClientFrame) => socket.send(JSON.stringify(frame));
const seen: string[] = [];
const done = await new Promise<string>((resolve, reject) => {
  socket.onerror = () => reject(new Error("the socket failed"));
  socket.onmessage = (event) => {
    const frame = JSON.parse(String(event.data)) as ServerFrame;
    if (!("type" in frame)) {
      check("sessions" in frame.result && frame.id === 7, "another result");
      seen.push("result");
      return send({ type: "prompt", id: "one", chat: "types", text: "over the socket" });
    }
    seen.push(frame.type);
    switch (frame.type) {
      case "ready":
        check(frame.protocol === 1, "another protocol");
        return send({ id: 7, method: "session.list", params: { limit: 10 } });
      case "accepted":
        return check(frame.session === session.key, "another session");
      case "error":
        return reject(new Error(`${frame.code}: ${frame.message}`));
      case "done":
        return resolve(frame.fullText);
    }
  };
});
check(done.includes("over the socket"), `another answer: ${done}`);
socket.close();
console.log(`a client in TypeScript: passed (${[...new Set(seen)].join(", ")})`);
