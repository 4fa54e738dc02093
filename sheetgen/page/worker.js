// Python in a worker: loads everything once, then answers what the page asks, one thing after the other.
import { loadPyodide } from "./pyodide/pyodide.mjs";

const here = new URL(".", self.location).href;
const TYPES = { wasm: "application/wasm", json: "application/json" };
const fetched = new Map();
const ask = self.fetch;

// What is loaded already is not loaded again when Pyodide asks for it.
self.fetch = (what, ...rest) => {
  const name = String(what.url ?? what).replace(here, "");
  if (!fetched.has(name)) return ask(what, ...rest);
  const headers = { "content-type": TYPES[name.split(".").pop()] ?? "application/octet-stream" };
  return Promise.resolve(new Response(fetched.get(name), { headers }));
};

async function load() {
  const { files } = await (await ask("files.json")).json();
  const total = Object.values(files).reduce((one, other) => one + other, 0);
  let done = 0;
  await Promise.all(Object.keys(files).map(async (name) => {
    const answer = await ask(name);
    if (!answer.ok) throw new Error(`${name} cannot be loaded: the server says ${answer.status}`);
    const reader = answer.body.getReader();
    const pieces = [];
    for (let piece; !(piece = await reader.read()).done;) {
      pieces.push(piece.value);
      done += piece.value.length;
      postMessage({ doing: `Loading ${name.split("/").pop()}`, done, total });
    }
    fetched.set(name, await new Blob(pieces).arrayBuffer());
  }));
  const start = (doing) => postMessage({ doing, done: 0, total: 0 });
  start("Starting Python");
  const python = await loadPyodide({ indexURL: `${here}pyodide/` });
  python.FS.writeFile("/modules.zip", new Uint8Array(fetched.get("modules.zip")));
  python.runPython("import sys; sys.path.insert(0, '/modules.zip')");
  fetched.clear();
  start("Starting sheetgen");
  return [python, python.pyimport("sheetgen.page.door")];
}

const loading = load();
loading.then(() => postMessage({ ready: true }), (error) => postMessage({ failed: String(error.message ?? error) }));

const say = (doing, done, total) => postMessage({ doing: doing[0].toUpperCase() + doing.slice(1), done, total });

onmessage = async ({ data: { id, call, file, given } }) => {
  try {
    const [python, door] = await loading;
    const error = file && door.refused(file.name, file.size);
    if (error) return postMessage({ id, found: { error } });
    const bytes = file ? { name: file.name, data: new Uint8Array(await file.arrayBuffer()) } : {};
    const found = door.answer(call, python.toPy({ ...given, ...bytes }), say);
    postMessage({ id, found: found.toJs({ dict_converter: Object.fromEntries }) });
    found.destroy();
  } catch (error) {
    const said = error instanceof DOMException ? `${file?.name}: cannot be read; a workbook is expected, and no folder`
      : `This is a mistake of the program: ${String(error.message).trim().split("\n").pop()}`;
    postMessage({ id, found: { error: said } });
  }
};
