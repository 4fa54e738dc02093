// The page: what is typed goes to the worker, and what comes back is shown.
const at = (id) => document.getElementById(id);
const FINDINGS = {
  cell: "cell", column: "column", rows: "rows", found: "what stands there", expected: "what belongs there",
  value: "value", should_be: "should be", why: "why",
};
const MORE = { marked: "Marked copy", solution: "Its solution" };
let worker, ready, waiting = new Map(), number = 0;

function start() {
  ready = false;
  at("go").disabled = true;
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
  if (share === null) at("bar").removeAttribute("value");
  else at("bar").value = share;
}

function idle() {
  if (waiting.size) return;
  show("Ready", 1);
  at("cancel").hidden = at("bar").hidden = true;
}

// The worker's answer; null if it was cancelled.
function ask(call, given, file) {
  at("cancel").hidden = at("bar").hidden = false;
  show("Working", null);
  return new Promise((resolve) => {
    waiting.set(++number, resolve);
    worker.postMessage({ id: number, call, given, file });
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
  const link = Object.assign(document.createElement("a"), { download: name, href: URL.createObjectURL(new Blob([data])) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

async function make(event) {
  event.preventDefault();
  if (!ready) return;
  at("made").textContent = "";
  const found = await ask("make", { kind: at("kind").value, ...wish() });
  if (!found) at("made").textContent = "Cancelled; nothing was made.";
  else if (wrong(found)) at("text").scrollTop = ((found.line ?? 1) - 5) * 20;
  else {
    save(found);
    at("made").textContent = found.lines.join("; ").replace(/ {2,}/g, " ");
  }
}

async function check(file) {
  if (!file) return;
  at("details").hidden = at("findings").hidden = true;
  at("more").replaceChildren();
  at("verdict").className = "";
  at("verdict").textContent = `Checking ${file.name}`;
  const found = await ask("judge", {}, file);
  const said = found?.error ?? found?.lines[0] ?? "Cancelled; nothing was checked.";
  at("verdict").textContent = said.replace(/ {2,}/g, " ");
  at("verdict").className = found?.ok ? "right" : "wrong";
  if (!found || found.error) return;
  at("lines").textContent = found.lines.slice(1).join("\n");
  at("details").hidden = false;
  at("findings").hidden = !found.findings.length;
  at("findings").replaceChildren(table(found.findings));
  at("more").replaceChildren(...found.more.map((what) => {
    const button = Object.assign(document.createElement("button"), { type: "button", id: what, textContent: MORE[what] });
    button.onclick = async () => {
      const made = await ask("beside", { what }, file);
      if (made?.error) at("verdict").textContent = made.error;
      else if (made) save(made);
    };
    return button;
  }));
}

function table(findings) {
  const made = document.createElement("table");
  made.createCaption().textContent = `${findings.length} finding${findings.length === 1 ? "" : "s"}`;
  const head = made.createTHead().insertRow();
  const title = (textContent) => Object.assign(document.createElement("th"), { scope: "col", textContent });
  head.append(...Object.values(FINDINGS).map(title));
  const body = made.createTBody();
  for (const one of findings) {
    const row = body.insertRow();
    for (const key of Object.keys(FINDINGS)) {
      row.insertCell().textContent = key === "rows" ? one.rows.join(" to ") : one[key] ?? "";
    }
  }
  return made;
}

function listen() {
  let typed;
  for (const id of ["text", "rates", "steps"]) {
    at(id).addEventListener("input", () => {
      clearTimeout(typed);
      typed = setTimeout(preview, 300);
    });
  }
  at("make").addEventListener("submit", make);
  at("cancel").addEventListener("click", cancel);
  at("kind").addEventListener("change", () => { at("go").textContent = `Make the ${at("kind").value}`; });
  at("file").addEventListener("change", () => {
    check(at("file").files[0]);
    at("file").value = "";
  });
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      at("drop").classList.toggle("over", kind === "dragenter" || kind === "dragover");
      if (kind === "drop") check(event.dataTransfer.files[0]);
    });
  }
}

const { templates } = await (await fetch("files.json")).json();
at("template").append(...templates.map(({ name, title }) => new Option(`${name}: ${title}`, name)));
const choose = () => {
  at("text").value = templates[at("template").selectedIndex].text;
  at("rates").value = at("steps").value = "";
  at("text").scrollTop = 0;
  preview();
};
at("template").addEventListener("change", choose);
choose();
listen();
start();
