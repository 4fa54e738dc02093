// The page: what is typed goes to the worker, and what comes back is shown.
const at = (id) => document.getElementById(id);
const FINDINGS = { "cell": ["cell", "column", "rows"], "what stands there": ["found", "value"],
  "what belongs there": ["expected", "should_be"], "why": ["why"] };
const MORE = { marked: "Download a marked copy", solution: "Download its solution" };
const plain = (line) => line.replace(/ {2,}/g, ": ");
const make = (tag, given, ...inside) => {
  const one = Object.assign(document.createElement(tag), given);
  one.append(...inside);
  return one;
};
let worker, ready, waiting = new Map(), number = 0;

function start() {
  ready = false;
  at("go").disabled = true;
  at("work").ariaBusy = "true";
  worker = new Worker("worker.js", { type: "module" });
  worker.onerror = (event) => show(`The page could not start: ${event.message ?? "a file is missing"}`, 0);
  worker.onmessage = ({ data }) => {
    if (data.ready) {
      ready = true;
      at("go").disabled = false;
      idle();
      preview();
      navigator.serviceWorker?.register("offline.js").catch(() => {});  // needs https or localhost; else no matter
    } else if (data.failed) show(`The page could not start: ${data.failed}`, 0);
    else if (data.id) {
      waiting.get(data.id)?.(data.found);
      waiting.delete(data.id);
      idle();
    } else show(data.doing, data.total ? data.done / data.total : null, data.total > 1e6 ? data : null);
  };
}

function show(text, share, bytes) {
  const mega = (count) => (count / 1e6).toFixed(1);
  at("doing").textContent = text + (bytes && !ready ? `: ${mega(bytes.done)} of ${mega(bytes.total)} MB` : "");
  if (waiting.size) at("cancel").hidden = at("bar").hidden = false;
  if (share === null) at("bar").removeAttribute("value");
  else at("bar").value = share;
}

function idle() {
  if (waiting.size) return;
  show("Ready", 1);
  at("work").ariaBusy = "false";
  at("cancel").hidden = at("bar").hidden = true;
}

// The worker's answer; null if it was cancelled. What is done at once is not announced.
function ask(call, given, file) {
  const id = ++number;
  at("work").ariaBusy = "true";
  setTimeout(() => {
    if (waiting.has(id) && at("doing").textContent === "Ready") show("Working", null);
  }, 300);
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    worker.postMessage({ id, call, given, file });
  });
}

function cancel() {
  worker.terminate();
  const asked = [...waiting.values()];
  waiting.clear();
  at("cancel").hidden = true;
  start();
  asked.forEach((resolve) => resolve(null));
}

const wish = () => ({
  text: at("text").value, origin: `${at("template").value}.toml`, rates: at("rates").value, steps: at("steps").value,
});

function wrong(found) {
  const { error = "", line = null } = found ?? {};
  at("wrong").textContent = error && line ? `Line ${line}: ${error}` : error;
  at("text").style.setProperty("--wrong-line", line ?? -99);
  if (error) at("text").setAttribute("aria-invalid", "true");
  else at("text").removeAttribute("aria-invalid");
  return error !== "";
}

// The picture follows what is typed: one question at a time, and always the last.
let previewing = false, again = false;
async function preview() {
  again = true;
  if (previewing || !ready) return;
  previewing = true;
  while (again && ready) {
    again = false;
    const found = await ask("preview", wish());
    if (again || !found) continue;
    at("picture").classList.toggle("old", wrong(found));
    if (found.error) continue;
    at("picture").innerHTML = found.picture + found.legend;
    at("said").textContent = found.said;
    at("note").textContent = found.note;
  }
  previewing = false;
}

function save({ name, data }) {
  const link = make("a", { download: name, href: URL.createObjectURL(new Blob([data])) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

async function submit(event) {
  event.preventDefault();
  if (!ready) return;
  at("made").textContent = "";
  const found = await ask("make", { kind: at("kind").value, ...wish() });
  if (!found) at("made").textContent = "Cancelled; nothing was made.";
  else if (wrong(found)) at("text").scrollTop = ((found.line ?? 1) - 5) * 20;
  else {
    save(found);
    at("made").textContent = found.lines.map(plain).join("; ");
  }
}

async function check(files) {
  const [file] = files;
  at("details").hidden = at("findings").hidden = true;
  at("more").replaceChildren();
  at("verdict").className = "";
  at("verdict").textContent = files.length === 1 ? `Checking ${file.name}`
    : `${files.length} files were given; one workbook at a time is checked here. Give one.`;
  if (files.length !== 1) return;
  const found = await ask("judge", {}, file);
  const said = found?.error ?? found?.lines[0] ?? "Cancelled; nothing was checked.";
  at("verdict").textContent = plain(said);
  at("verdict").className = found?.ok ? "right" : "wrong";
  if (!found || found.error) return;
  at("lines").textContent = found.lines.slice(1).join("\n");
  at("details").hidden = false;
  at("findings").hidden = !found.findings.length;
  at("findings").replaceChildren(table(found.findings));
  const fetched = async (what) => {
    const made = await ask("beside", { what }, file);
    if (made?.error) at("verdict").textContent = made.error;
    else if (made) save(made);
  };
  const button = (id) => make("button", { type: "button", id, onclick: () => fetched(id) }, MORE[id]);
  at("more").replaceChildren(...found.more.map(button));
}

function table(findings) {
  const said = (one, key) => (key === "rows" ? `rows ${one.rows.join(" to ")}` : one[key] ?? "");
  const cells = (one) => Object.entries(FINDINGS).map(([title, keys]) => make("td", { title },
    ...keys.map((key) => make("div", { className: key, textContent: said(one, key) }))));
  return make("table", {},
    make("caption", { textContent: `${findings.length} finding${findings.length === 1 ? "" : "s"}` }),
    make("thead", {}, make("tr", {}, ...Object.keys(FINDINGS).map((name) => make("th", { scope: "col" }, name)))),
    make("tbody", {}, ...findings.map((one) => make("tr", {}, ...cells(one)))));
}

function listen() {
  let typed;
  for (const id of ["text", "rates", "steps"]) {
    at(id).addEventListener("input", () => {
      clearTimeout(typed);
      typed = setTimeout(preview, 300);
    });
  }
  at("make").addEventListener("submit", submit);
  at("cancel").addEventListener("click", cancel);
  at("kind").addEventListener("change", () => { at("go").textContent = `Make the ${at("kind").value}`; });
  at("file").addEventListener("change", () => {
    check([...at("file").files]);
    at("file").value = "";
  });
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      at("drop").classList.toggle("over", kind === "dragenter" || kind === "dragover");
      if (kind === "drop") check([...event.dataTransfer.files]);
    });
  }
}

const { templates } = await (await fetch("files.json")).json();
at("template").append(...templates.map(({ name, title }) => new Option(`${title} (${name})`, name)));
const choose = () => {
  at("text").value = templates[at("template").selectedIndex].text;
  at("rates").value = at("steps").value = at("made").textContent = "";
  at("text").scrollTop = 0;
  preview();
};
at("template").addEventListener("change", choose);
choose();
listen();
start();
