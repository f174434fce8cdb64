"use strict";
const PATIENCE_MS = 60_000;
const part = (id) => document.getElementById(id);
const [failed, dialog, outcome] = ["failed", "confirm", "outcome"].map(part);
const count = (n) => n.toLocaleString("en");
const rows = (n) => (n === 1 ? "1 row" : `${count(n)} rows`);
const made = (name, text) => Object.assign(document.createElement(name), { textContent: text });

const ACTIONS = {
  retry: {
    verb: "Retry", doing: "Retrying", done: "retried",
    means: (n) => `Retry puts ${rows(n)} back in the queue with ${n === 1 ? "its" : "their"} attempts reset.`,
  },
  skip: {
    verb: "Skip", doing: "Skipping", done: "skipped",
    means: (n) => `Skip marks ${rows(n)} completed; no following stage is enqueued.`,
  },
};
const WORDS = {
  conflict: "already queued again", not_failed: "no longer failed", not_found: "gone from the queue",
  touched: "changed since",
};
const UNKNOWN = "no answer: whether it was done is unknown; reload to see";

// Selection: a box with the class "all" stands for the rows of its scope.
const boxes = (scope) => [...scope.querySelectorAll(".row input")];
const chosen = () => boxes(failed).filter((box) => box.checked);
const rowOf = (id) => failed.querySelector(`.row[data-id="${CSS.escape(id)}"]`);
let busy = false;

function paint() {
  for (const all of failed.querySelectorAll("input.all")) {
    const own = boxes(all.closest(".scope"));
    const checked = own.filter((box) => box.checked).length;
    all.checked = checked > 0 && checked === own.length;
    all.indeterminate = checked > 0 && checked < own.length;
  }
  const n = chosen().length;
  for (const button of failed.querySelectorAll("[data-action]")) {
    button.disabled = busy || n === 0;
    button.textContent = ACTIONS[button.dataset.action].verb + (n ? ` ${count(n)}` : "");
  }
  for (const button of document.querySelectorAll("[data-bulk], [data-run-call]")) button.disabled = busy;
}

failed.addEventListener("change", ({ target }) => {
  if (target.matches("input.all")) {
    for (const box of boxes(target.closest(".scope"))) box.checked = target.checked;
  }
  paint();
});

// The question. What it counts is what is sent: it is read once.
let asked = null;

function question(name, n, stages, gone, whole) {
  const action = ACTIONS[name];
  part("confirm-title").textContent = `${action.verb} ${rows(n)}?`;
  const lost = gone ? ` ${rows(gone)} ${gone === 1 ? "has" : "have"} no document any more.` : "";
  part("confirm-means").textContent = action.means(n) + lost;
  const lines = [...stages].map(([stage, n]) => made("li", `${stage || "(no name)"}: ${rows(n)}`));
  part("confirm-stages").replaceChildren(...lines);
  part("confirm-pace").hidden = !whole;
  part("confirm-pace").querySelector("select").value = "";
  part("confirm-yes").textContent = `${action.verb} ${rows(n)}`;
  dialog.returnValue = "";
  dialog.showModal();
  // Whoever presses Enter too soon must not skip.
  part(name === "retry" ? "confirm-yes" : "confirm-no").focus();
}

failed.addEventListener("click", ({ target }) => {
  const name = target.closest("[data-action]")?.dataset.action;
  if (name) askOfChosen(name);
  const bulk = target.closest("[data-bulk]");
  if (bulk && !busy) askOfAll(bulk);
});

function askOfChosen(name) {
  const ids = chosen().map((box) => box.value);
  const stages = new Map();
  for (const box of chosen()) {
    const { stage } = box.closest(".row").dataset;
    stages.set(stage, (stages.get(stage) ?? 0) + 1);
  }
  const gone = chosen().filter((box) => "gone" in box.closest(".row").dataset).length;
  asked = { name, n: ids.length, body: { ids } };
  question(name, ids.length, stages, gone, false);
}

// What the database holds now is asked for first.
async function askOfAll({ dataset: { bulk: name, limit } }) {
  const filter = JSON.parse(part("bulk").dataset.filter);
  const body = limit ? { filter, limit: Number(limit) } : { filter };
  busy = true;
  paint();
  const { error, answer } = await post(`api/queue/${name}`, { ...body, dry_run: true });
  busy = false;
  paint();
  if (error) return say(`The rows could not be counted: ${error}`, true);
  const stages = limit ? [] : answer.stages.map(({ stage, rows }) => [stage, rows]);
  asked = { name, n: answer.rows, body: { ...body, expected: answer.matching } };
  question(name, answer.rows, stages, answer.documents_gone, !limit);
}

// Enter still held down from outside must not confirm.
dialog.addEventListener("keydown", (event) => {
  if (event.repeat && event.key === "Enter") event.preventDefault();
});

dialog.addEventListener("close", () => {
  if (dialog.returnValue !== "yes") return;
  const pace = Number(part("confirm-pace").querySelector("select").value);
  if (pace) asked.body.per_minute = pace;
  act(asked);
});

// The action. Ids are kept as text: a number of this language would round a large one.
async function post(path, body) {
  let response, text;
  try {
    // The address of the page itself may hold credentials, which nothing may be fetched with.
    response = await fetch(new URL(path, location.origin + location.pathname), {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Requested-With": "page" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    text = await response.text();
    const answer = JSON.parse(text.replace(/"id":\s*(-?\d+)/g, '"id":"$1"'));
    if (response.ok) return { answer };
    if (answer.error) return { error: String(answer.error) };
  } catch {
    if (!response || response.ok || text === undefined) return { error: UNKNOWN };
  }
  return { error: `the answer was ${response.status} ${response.statusText}`.trim() };
}

async function act({ name, n, body }) {
  const action = ACTIONS[name];
  const { error, answer } = await doing(`${action.doing} ${rows(n)}…`, `api/queue/${name}`, body);
  if (error) say(`${action.verb} of ${rows(n)}: ${error}`, true);
  else if (answer.results) settle(action, answer);
  else say(`Action ${answer.action} has begun. It goes on by itself, and stands under the recent actions.`);
  paint();
  if (!error) refresh();
}

async function doing(words, path, body) {
  busy = true;
  forget();
  paint();
  say(words);
  outcome.focus({ preventScroll: true });
  const answer = await post(path, body);
  busy = false;
  return answer;
}

// What was asked for before is stopped, or taken back.
const CALLS = { stop: "Stopping", undo: "Taking back" };

for (const place of ["recent", "outcome"]) part(place).addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-run-call]");
  if (!button || busy) return;
  const { runCall: call } = button.dataset;
  const { run } = button.closest("[data-run]").dataset;
  const { error, answer } = await doing(`${CALLS[call]} ${run}…`, `api/queue/actions/${run}/${call}`, {});
  if (error) say(`${CALLS[call]} ${run}: ${error}`, true);
  else if (answer.results) settle({ done: "restored" }, answer);
  else say(call === "stop" ? `Action ${run} ends before its next batch.` : `Action ${answer.action} has begun.`);
  paint();
  if (!error) refresh();
});

function say(text, wrong = false, lines = [], run = "") {
  outcome.dataset.run = run;
  part("outcome-undo").hidden = run === "";
  part("outcome-text").textContent = text;
  part("outcome-rows").replaceChildren(...lines);
  part("outcome-dismiss").hidden = text === "";
  outcome.classList.toggle("shown", text !== "");
  outcome.classList.toggle("wrong", wrong);
}

// What became of each row: done ones leave the list, the others keep a note while they stay.
let notes = new Map();

function settle(action, { results, action: run }) {
  notes = new Map();
  const lines = [];
  const counts = new Map();
  for (const { id, outcome } of results) {
    const row = rowOf(id);
    if (outcome === action.done) {
      row?.remove();
      continue;
    }
    const words = WORDS[outcome] ?? outcome;
    counts.set(words, (counts.get(words) ?? 0) + 1);
    notes.set(id, words);
    const line = made("li", `${row?.querySelector(".title").textContent ?? `row ${id}`}: ${words}`);
    line.dataset.id = id;
    line.dataset.outcome = outcome;
    lines.push(line);
  }
  const left = [...counts].map(([words, n]) => `${count(n)} ${words}`).join(", ");
  const done = results.length - notes.size;
  say(`${count(done)} of ${rows(results.length)} ${action.done}.${left ? ` Left alone: ${left}.` : ""}`, notes.size > 0, lines, action.verb && done > 0 ? run : "");
  for (const box of chosen()) box.checked = false;
  for (const scope of [failed, ...failed.querySelectorAll(".scope")]) {
    const n = boxes(scope).length;
    if (n === 0 && scope !== failed) scope.remove();
    else scope.querySelector(".count")?.replaceChildren(count(n));
  }
  note();
  paint();
}

function note() {
  for (const old of failed.querySelectorAll(".note")) old.remove();
  for (const [id, words] of notes) {
    const text = made("p", words);
    text.className = "note";
    rowOf(id)?.querySelector("label").after(text);
  }
}

part("outcome-dismiss").addEventListener("click", () => {
  notes = new Map();
  note();
  say("");
  part("failures").focus({ preventScroll: true });
});
