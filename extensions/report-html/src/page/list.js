// The list: as many elements as fit into the window, whatever the number of cases.
const list = find("list"), space = find("space");
const narrow = matchMedia("(max-width: 640px)");
const GROUP_HEIGHT = 34;
const caseHeight = () => (narrow.matches ? 54 : 34);

// What stands in the list: `{at}` of a case, or `{name, members}` of a group; with its place in pixels, which the last entry
// beyond the end has too.
let entries = [], tops = [0], filtered = [], current = -1;

function rebuild() {
  filtered = chosen();
  entries = [];
  if (state.group === "none") for (const at of filtered) entries.push({ at });
  else for (const [name, members] of grouped()) {
    entries.push({ name, members });
    if (!state.collapsed.has(name)) for (const at of members) entries.push({ at, inGroup: true });
  }
  measure();
  current = entries.findIndex((entry) => entry.at === state.selected && state.selected >= 0);
  find("shown").textContent = filtered.length === cases.length ? `${number(cases.length)} cases` : `${number(filtered.length)} of ${number(cases.length)} cases`;
  find("clear").hidden = !state.query && !state.verdicts.size;
  root.dataset.shown = filtered.length;
}

function grouped() {
  const groups = new Map();
  for (const at of filtered) for (const name of groupsOf(at)) {
    const members = groups.get(name);
    if (members) members.push(at); else groups.set(name, [at]);
  }
  const order = ([name, members]) => {
    if (state.group === "verdict") return String(GRAVITY.indexOf(name));
    // The first member is the worst one then.
    const worst = state.sort === "gravity" && BAD.has(verdicts[members[0]]) ? "0" : "1";
    return worst + name.replace(/\d+/g, (digits) => digits.padStart(9, "0"));
  };
  return [...groups].map((group) => [order(group), group]).sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
}

function measure() {
  const height = caseHeight();
  tops = new Array(entries.length + 1);
  tops[0] = 0;
  for (let n = 0; n < entries.length; n++) tops[n + 1] = tops[n] + (entries[n].members ? GROUP_HEIGHT : height);
  const total = tops[entries.length];
  space.style.height = `${total}px`;
  list.style.setProperty("--list", `${Math.max(total + 2, 120)}px`);
}

// The entry at a place.
function entryAt(pixels) {
  let low = 0, high = entries.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (tops[middle] <= pixels) low = middle; else high = middle - 1;
  }
  return low;
}

let printing = false;
function paint() {
  const first = printing ? 0 : Math.max(0, entryAt(list.scrollTop) - 6);
  const bottom = list.scrollTop + list.clientHeight;
  const rows = [];
  for (let n = first; n < entries.length && (printing ? n < 5000 : tops[n] < bottom + 240); n++) rows.push(entryElement(n));
  if (!entries.length) rows.push(make("p", { class: "nothing" }, cases.length ? "No case is like that." : "There are no cases."));
  space.replaceChildren(...rows);
  list.setAttribute("aria-activedescendant", current >= 0 ? `row-${current}` : "");
}

let awaited = false;
function paintSoon() {
  if (awaited) return;
  awaited = true;
  requestAnimationFrame(() => { awaited = false; paint(); });
}

function entryElement(n) {
  const entry = entries[n];
  const element = entry.members ? groupElement(entry) : caseElement(entry);
  element.id = `row-${n}`;
  element.dataset.entry = n;
  element.style.top = `${tops[n]}px`;
  element.setAttribute("role", "treeitem");
  element.setAttribute("aria-setsize", entries.length);
  element.setAttribute("aria-posinset", n + 1);
  element.setAttribute("aria-level", entry.inGroup ? 2 : 1);
  element.setAttribute("aria-selected", n === current);
  return element;
}

function groupTitle(name) {
  if (state.group === "module") return name.slice(shared) || name;
  return state.group === "verdict" ? inWords(name) : name;
}

function groupElement({ name, members }) {
  const counts = new Map();
  for (const at of members) counts.set(verdicts[at], (counts.get(verdicts[at]) || 0) + 1);
  const numbers = GRAVITY.filter((verdict) => counts.has(verdict)).map((verdict) => make("b", { class: verdict }, `${number(counts.get(verdict))} ${inWords(verdict)}`));
  const took = members.reduce((sum, at) => sum + Math.max(0, cases[at][DURATION]), 0);
  return make("div", { class: "row group", "aria-expanded": !state.collapsed.has(name) },
    make("span", { class: "twist", "aria-hidden": "true" }, "▸"),
    make("span", { class: "id", title: shownLine(name) }, shownLine(groupTitle(name))), make("span", { class: "why" }, ...numbers), make("span", { class: "total" }, `${number(members.length)} cases`), make("span", { class: "time" }, time(took)));
}

function caseElement({ at }) {
  const row = cases[at], verdict = verdicts[at];
  const name = splitId(row[ID])[1];
  const own = verdict === "flaky" ? `passed on try ${row[ATTEMPT]}` : row[REASON] || (row[EXTRA] && verdict !== "passed" && row[EXTRA].x) || "";
  const why = row[EXTRA] && row[EXTRA].q ? `conflict of runs: ${own}` : own;
  return make("div", { class: "row", title: shownLine(row[ID]) },
    make("span", { class: `badge ${verdict}` }, brief(verdict)),
    make("span", { class: "id" }, make("span", {}, shownLine(shortModule(row))), shownLine(name)),
    make("span", { class: "why" }, shownLine(why.split("\n", 1)[0])), make("span", { class: "time" }, time(row[DURATION])));
}

// Makes an entry the current one and brings it into sight.
function moveTo(n) {
  if (!entries.length) return;
  current = Math.max(0, Math.min(entries.length - 1, n));
  const head = tops[current], foot = tops[current + 1];
  if (head < list.scrollTop) list.scrollTop = head;
  else if (foot > list.scrollTop + list.clientHeight) list.scrollTop = foot - list.clientHeight;
  paint();
}

function activate(n) {
  const entry = entries[n];
  if (!entry) return;
  current = n;
  if (entry.members) toggleGroup(entry.name); else select(entry.at);
}

function toggleGroup(name) {
  if (!state.collapsed.delete(name)) state.collapsed.add(name);
  rebuild();
  current = entries.findIndex((entry) => entry.name === name);
  paint();
}

// Shows a case; where it is not in the list, the list shows everything first.
function select(at) {
  state.selected = at;
  let n = entries.findIndex((entry) => entry.at === at);
  if (n < 0) {
    if (!filtered.includes(at)) { state.query = ""; state.verdicts.clear(); }
    state.collapsed.clear();
    refresh();
    n = entries.findIndex((entry) => entry.at === at);
  }
  showDetail();
  moveTo(n);
  writeAddress();
}
