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
const WORDS = { conflict: "already queued again", not_failed: "no longer failed", not_found: "gone from the queue" };
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
}

failed.addEventListener("change", ({ target }) => {
  if (target.matches("input.all")) {
    for (const box of boxes(target.closest(".scope"))) box.checked = target.checked;
  }
  paint();
});

// The question. What it counts is what is sent: it is read once.
let asked = null;

failed.addEventListener("click", ({ target }) => {
  const name = target.closest("[data-action]")?.dataset.action;
  if (!name) return;
  const ids = chosen().map((box) => box.value);
  const action = ACTIONS[name];
  asked = { name, ids };
  part("confirm-title").textContent = `${action.verb} ${rows(ids.length)}?`;
  part("confirm-means").textContent = action.means(ids.length);
  const stages = new Map();
  for (const box of chosen()) {
    const { stage } = box.closest(".row").dataset;
    stages.set(stage, (stages.get(stage) ?? 0) + 1);
  }
  const lines = [...stages].map(([stage, n]) => made("li", `${stage || "(no name)"}: ${rows(n)}`));
  part("confirm-stages").replaceChildren(...lines);
  part("confirm-yes").textContent = `${action.verb} ${rows(ids.length)}`;
  dialog.returnValue = "";
  dialog.showModal();
  part("confirm-yes").focus();
});

// Enter still held down from outside must not confirm.
dialog.addEventListener("keydown", (event) => {
  if (event.repeat && event.key === "Enter") event.preventDefault();
});

dialog.addEventListener("close", () => {
  if (dialog.returnValue === "yes") act(asked);
});

// The action. Ids are kept as text: a number of this language would round a large one.
async function post(name, ids) {
  let response, text;
  try {
    response = await fetch(new URL(`/api/queue/${name}`, location.origin), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ids }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    text = await response.text();
    const answer = JSON.parse(text.replace(/"id":\s*(-?\d+)/g, '"id":"$1"'));
    if (response.ok) return { results: [...answer.results] };
    if (answer.error) return { error: String(answer.error) };
  } catch {
    if (!response || response.ok || text === undefined) return { error: UNKNOWN };
  }
  return { error: `the answer was ${response.status} ${response.statusText}`.trim() };
}

async function act({ name, ids }) {
  const action = ACTIONS[name];
  busy = true;
  forget();
  paint();
  say(`${action.doing} ${rows(ids.length)}…`);
  outcome.focus({ preventScroll: true });
  const { error, results } = await post(name, ids);
  busy = false;
  if (error) {
    say(`${action.verb} of ${rows(ids.length)}: ${error}`, true);
    paint();
  } else {
    settle(action, results);
    refresh();
  }
}

function say(text, wrong = false, lines = []) {
  part("outcome-text").textContent = text;
  part("outcome-rows").replaceChildren(...lines);
  part("outcome-dismiss").hidden = text === "";
  outcome.classList.toggle("shown", text !== "");
  outcome.classList.toggle("wrong", wrong);
}

// What became of each row: done ones leave the list, the others keep a note while they stay.
let notes = new Map();

function settle(action, results) {
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
  say(`${count(done)} of ${rows(results.length)} ${action.done}.${left ? ` Left alone: ${left}.` : ""}`, notes.size > 0, lines);
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
