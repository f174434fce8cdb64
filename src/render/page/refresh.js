
// The refresh, one at a time. What a reader holds stays as it is until they let go of it, and
// how old it is, and why, always stands beside it.
const REFRESH_MS = 10_000, RUNNING_MS = 2_000, STALE_MS = 3 * REFRESH_MS;
const REFUSED = "the token was changed; reload the page and give the new one";

function selects(area) {
  const selection = getSelection();
  return !selection.isCollapsed && selection.rangeCount > 0 && selection.getRangeAt(0).intersectsNode(area);
}

function loses(area, fresh) {
  const focused = document.activeElement;
  return area.contains(focused) && !partner(focused, area, fresh);
}

// The parts of the page that are of one moment: since when, and whether they are held.
const began = performance.timeOrigin, asOf = part("asof").textContent;
const lanes = { ids: ["asof", "wrong", "recent", "board"], isUsed: () => false, since: began, asOf, held: false };
const list = {
  ids: ["failed"], since: began, asOf, held: false,
  isUsed: () => busy || dialog.open || chosen().length > 0 || failed.contains(document.activeElement),
};

function show(parts, page, since) {
  const areas = parts.ids.map((id) => [part(id), page.getElementById(id)]);
  parts.held = parts.isUsed() || areas.some(([area, fresh]) => selects(area) || loses(area, fresh));
  if (parts.held) return;
  Object.assign(parts, { since, asOf: page.getElementById("asof").textContent });
  for (const [area, fresh] of areas) keepingPlace(area, () => patch(area, fresh));
}

let asking = null, sent = began, trouble = "";

// An answer from before an action would show what the action has changed.
function forget() {
  asking?.abort();
  asking = null;
}

async function ask(signal) {
  let response, text;
  try {
    // With this header a token that was changed is answered, instead of asked for by the browser.
    const headers = { "X-Requested-With": "refresh" };
    response = await fetch(location.origin + location.pathname + location.search, { headers, signal });
    text = await response.text();
  } catch {
    const wait = `there was no answer within ${PATIENCE_MS / 1000} s`;
    return { trouble: signal.aborted ? wait : "the exporter cannot be reached" };
  }
  if (response.status === 401) return { trouble: REFUSED };
  if (!response.ok) return { trouble: `the answer was ${response.status} ${response.statusText}`.trim() };
  const page = new DOMParser().parseFromString(text, "text/html");
  const whole = [...lanes.ids, ...list.ids].every((id) => page.getElementById(id));
  return whole ? { page } : { trouble: "the answer was another page" };
}

async function refresh() {
  forget();
  const own = (asking = new AbortController());
  const since = (sent = Date.now());
  const late = setTimeout(() => own.abort(), PATIENCE_MS);
  const answer = await ask(own.signal);
  clearTimeout(late);
  if (own !== asking) return;
  asking = null;
  trouble = answer.trouble ?? "";
  if (answer.page) {
    show(list, answer.page, since);
    show(lanes, answer.page, since);
    if (!list.held) note();
    paint();
  }
  tell();
}

function ago(since) {
  const seconds = Math.max(0, Math.round((Date.now() - since) / 1000));
  if (seconds < 120) return `${seconds} s ago`;
  return seconds < 7200 ? `${Math.floor(seconds / 60)} min ago` : `${Math.floor(seconds / 3600)} h ago`;
}

const isStale = ({ since }) => Date.now() - since > STALE_MS;
const HELD = "held while in use";
const age = (parts) => `, ${ago(parts.since)}${parts.held ? `, ${HELD}` : ""}`;

function reason() {
  if (trouble) return `The last refresh failed: ${trouble}.`;
  if (asking) return "The refresh is not answered yet.";
  return lanes.held ? `It is ${HELD}.` : "";
}

// It is announced when it changes, so the age is no part of it.
function warn(text, loud) {
  const line = part("trouble");
  if (line.textContent !== text) line.textContent = text;
  part("top").classList.toggle("stale", loud);
}

function tell() {
  const stale = isStale(lanes);
  part("age").textContent = age(lanes);
  if (stale) warn(`STALE: this is older than three refreshes. ${reason()}`.trim(), true);
  else warn(trouble && reason(), trouble === REFUSED);
  const apart = list.held || list.since !== lanes.since;
  const old = apart && isStale(list);
  part("held").textContent = apart ? `${old ? "STALE: " : ""}${list.asOf}${age(list)}` : "";
  part("held").classList.toggle("bad", old);
}

// A clock may be set back. A token that was refused will not be accepted later.
function tick() {
  const pace = document.querySelector("[data-running]") ? RUNNING_MS : REFRESH_MS;
  const due = Math.abs(Date.now() - sent) >= pace;
  const free = !asking && !busy && trouble !== REFUSED;
  if (due && free && document.visibilityState === "visible") refresh();
  tell();
}

setInterval(tick, 1000);
document.addEventListener("visibilitychange", tick);
paint();
tell();

// The bar of the list stands below the head, which grows with what it has to say.
const measure = () => document.documentElement.style.setProperty("--top", `${part("top").offsetHeight}px`);
new ResizeObserver(measure).observe(part("top"));
