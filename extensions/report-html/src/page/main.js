// Chooses anew and shows it.
function refresh() {
  rebuild();
  if (document.activeElement !== find("query") || find("query").value.trim() !== state.query) find("query").value = state.query;
  find("group").value = state.group;
  find("sort").value = state.sort;
  for (const chip of document.querySelectorAll(".chip[data-verdict]")) chip.setAttribute("aria-pressed", state.verdicts.has(chip.dataset.verdict));
  drawDurations();
  paint();
  writeAddress();
}

function toggleVerdict(verdict) {
  if (!state.verdicts.delete(verdict)) state.verdicts.add(verdict);
  list.scrollTop = 0;
  refresh();
}

function nextFailure(step) {
  if (!filtered.some((at) => BAD.has(verdicts[at]))) return;
  if (state.collapsed.size) { state.collapsed.clear(); refresh(); }
  const isBad = (entry) => entry.at !== undefined && BAD.has(verdicts[entry.at]);
  for (let n = 1; n <= entries.length; n++) {
    const from = current < 0 && step < 0 ? 0 : current;
    const at = (((from + step * n) % entries.length) + entries.length) % entries.length;
    if (isBad(entries[at])) { activate(at); list.focus(); return; }
  }
}

const THEMES = ["", "light", "dark"];
function setTheme(theme) {
  if (theme) root.dataset.theme = theme; else delete root.dataset.theme;
  find("theme").textContent = { "": "◐ Auto", light: "☀ Light", dark: "☾ Dark" }[theme];
  try { localStorage.setItem("k2-theme", theme); } catch { /* Files may have no storage. */ }
  drawTimeline();
}
function nextTheme() { setTheme(THEMES[(THEMES.indexOf(root.dataset.theme || "") + 1) % 3]); }
function nextGroup() {
  state.group = GROUPS[(GROUPS.indexOf(state.group) + 1) % GROUPS.length];
  state.collapsed.clear();
  refresh();
}

function onListKey(event) {
  const page = Math.max(1, Math.floor(list.clientHeight / caseHeight()) - 1);
  const entry = entries[current];
  const steps = { ArrowDown: current + 1, ArrowUp: current - 1, PageDown: current + page, PageUp: current - page, Home: 0, End: entries.length - 1 };
  if (event.key in steps) {
    moveTo(steps[event.key]);
    // With a case open, the next one is shown as one comes to it.
    if (state.selected >= 0 && entries[current] && entries[current].at !== undefined) select(entries[current].at);
  } else if ((event.key === "Enter" || event.key === " ") && entry) {
    activate(current);
    if (!entry.members) detail.focus();
  } else if (event.key === "ArrowRight" && entry) {
    if (!entry.members || state.collapsed.has(entry.name)) activate(current);
  } else if (event.key === "ArrowLeft" && entry) {
    if (entry.members && !state.collapsed.has(entry.name)) toggleGroup(entry.name);
    else if (state.selected >= 0) closeDetail();
  } else return;
  event.preventDefault();
}

function onKey(event) {
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  if (event.ctrlKey || event.metaKey || event.altKey || find("keys").open) return;
  if (event.key === "Escape") {
    if (state.selected >= 0) closeDetail();
    else if (state.query || state.verdicts.size) { state.query = ""; state.verdicts.clear(); refresh(); list.focus(); }
    else if (typing) list.focus();
    return;
  }
  if (typing) return;
  const actions = { "/": () => { find("query").focus(); find("query").select(); }, f: () => nextFailure(1), F: () => nextFailure(-1), g: nextGroup, t: nextTheme, "?": () => find("keys").showModal() };
  if (!Object.hasOwn(actions, event.key)) return;
  event.preventDefault();
  actions[event.key]();
}

function addControls() {
  const theme = make("button", { type: "button", id: "theme", title: "Light, dark, or as the system has it (t)" });
  const keys = make("button", { type: "button", title: "Keys (?)" }, "? Keys");
  theme.addEventListener("click", nextTheme);
  keys.addEventListener("click", () => find("keys").showModal());
  document.querySelector(".top").append(make("div", { class: "controls" }, theme, keys));
  // The counts, which can be read without this, become buttons.
  for (const chip of document.querySelectorAll("span.chip")) {
    const button = make("button", { type: "button", class: chip.className, "data-verdict": chip.dataset.verdict, "aria-pressed": "false" }, ...chip.childNodes);
    chip.replaceWith(button);
  }
  for (const target of document.querySelectorAll("[data-verdict]")) target.addEventListener("click", () => toggleVerdict(target.dataset.verdict));
}

function listen() {
  let later = 0;
  find("query").addEventListener("input", (event) => {
    clearTimeout(later);
    // Many cases take some milliseconds to search: not for every letter of a word.
    later = setTimeout(() => { state.query = event.target.value.trim(); list.scrollTop = 0; refresh(); }, cases.length > 5000 ? 120 : 0);
  });
  document.querySelector(".tools").addEventListener("submit", (event) => event.preventDefault());
  find("query").addEventListener("keydown", (event) => { if (event.key === "ArrowDown" || event.key === "Enter") { event.preventDefault(); list.focus(); moveTo(0); } });
  find("group").addEventListener("change", (event) => { state.group = event.target.value; state.collapsed.clear(); list.scrollTop = 0; refresh(); });
  find("sort").addEventListener("change", (event) => { state.sort = event.target.value; list.scrollTop = 0; refresh(); });
  find("clear").addEventListener("click", () => { state.query = ""; state.verdicts.clear(); refresh(); list.focus(); });
  list.addEventListener("scroll", paintSoon, { passive: true });
  list.addEventListener("keydown", onListKey);
  list.addEventListener("focus", () => { if (current < 0 && entries.length) moveTo(0); });
  space.addEventListener("click", (event) => { const row = event.target.closest(".row"); if (row) activate(Number(row.dataset.entry)); });
  addEventListener("keydown", onKey);
  addEventListener("hashchange", () => { if (location.hash !== lastAddress) { readAddress(); refresh(); showDetail(); } });
  addEventListener("resize", () => { measure(); paintSoon(); drawTimeline(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawTimeline);
  addEventListener("beforeprint", () => { printing = true; paint(); });
  addEventListener("afterprint", () => { printing = false; paint(); });
  listenToTimeline();
}

addControls();
listen();
readAddress();
find("app").hidden = false;
prepareTimeline();
let theme = "";
try { theme = localStorage.getItem("k2-theme") || ""; } catch { /* Files may have no storage. */ }
setTheme(THEMES.includes(theme) ? theme : "");
drawRankings();
drawHistory();
refresh();
if (state.selected >= 0) select(state.selected);
root.dataset.ready = Math.round(performance.now());
