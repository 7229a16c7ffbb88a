// What is chosen: kept in the address, so that a link shows the same.
const GROUPS = ["none", "module", "verdict", "worker", "tag", "owner", "sut"];
const SORTS = ["gravity", "order", "name", "duration"];
const state = { verdicts: new Set(), query: "", group: "none", sort: "gravity", selected: -1, collapsed: new Set() };

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  const wanted = (given.get("verdict") || "").split(",");
  state.verdicts = new Set(wanted.filter((word) => GRAVITY.includes(word)));
  state.query = given.get("q") || "";
  state.group = GROUPS.includes(given.get("group")) ? given.get("group") : "none";
  state.sort = SORTS.includes(given.get("sort")) ? given.get("sort") : "gravity";
  const id = given.get("case");
  state.selected = id === null ? -1 : cases.findIndex((row) => row[ID] === id);
}

let lastAddress = "";
function writeAddress() {
  const kept = new URLSearchParams();
  if (state.verdicts.size) kept.set("verdict", [...state.verdicts].join(","));
  if (state.query) kept.set("q", state.query);
  if (state.group !== "none") kept.set("group", state.group);
  if (state.sort !== "gravity") kept.set("sort", state.sort);
  if (state.selected >= 0) kept.set("case", cases[state.selected][ID]);
  const address = `#${kept}`;
  if (address === lastAddress) return;
  lastAddress = address;
  try { history.replaceState(null, "", address); } catch { /* Where the page is embedded; nothing depends on it. */ }
}

const UNITS = { us: 1, µs: 1, ms: 1e3, s: 1e6, min: 60e6, m: 60e6, h: 3600e6 };

// What the words of a search ask of a case; each returns whether it does.
function conditions(query) {
  const words = query.match(/-?(?:[a-z]+:)?"[^"]*"?|\S+/gi) || [];
  return words.map((word) => {
    const negated = word.length > 1 && word.startsWith("-");
    const wanted = condition((negated ? word.slice(1) : word).toLowerCase());
    return negated ? (row, at) => !wanted(row, at) : wanted;
  });
}
function condition(word) {
  const limit = /^([<>])(=?)([0-9.]+)(us|µs|ms|s|min|m|h)$/.exec(word);
  if (limit) {
    const us = Number(limit[3]) * UNITS[limit[4]];
    if (limit[1] === "<") return (row) => row[DURATION] >= 0 && (row[DURATION] < us || (limit[2] && row[DURATION] === us));
    return (row) => row[DURATION] > us || (limit[2] && row[DURATION] === us);
  }
  const [, field, rest] = /^(?:(tag|owner|sut|worker|module|param):)?(.*)$/s.exec(word);
  const text = rest.replaceAll('"', "");
  switch (field) {
    case "tag": return (row) => tagsOf(row).some((tag) => tag.toLowerCase() === text);
    case "owner": return (row) => ownerOf(row).toLowerCase().includes(text);
    case "sut": return (row) => sutsOf(row).some((sut) => sut.toLowerCase() === text);
    case "worker": return (row) => row[WORKER] === Number(text);
    case "module": return (row) => moduleOf(row).toLowerCase().includes(text);
    case "param": return (row) => ((row[EXTRA] && row[EXTRA].p) || []).some((pair) => pair.join("=").toLowerCase().includes(text));
    default: return (row, at) => searchable(at).includes(text);
  }
}

const texts = [];
function searchable(at) {
  if (texts[at] === undefined) {
    const row = cases[at], extra = row[EXTRA] || {};
    const parts = [row[ID], row[REASON], extra.d || "", extra.u || "", ...tagsOf(row), ...sutsOf(row), ...(extra.p || []).flat()];
    texts[at] = parts.join("\n").toLowerCase();
  }
  return texts[at];
}

// Indices of the cases that are chosen, in the order that is chosen.
function chosen() {
  const wanted = conditions(state.query);
  const all = [];
  for (let at = 0; at < cases.length; at++) {
    if (state.verdicts.size && !state.verdicts.has(verdicts[at])) continue;
    if (wanted.every((holds) => holds(cases[at], at))) all.push(at);
  }
  const gravity = (at) => GRAVITY.indexOf(verdicts[at]);
  const by = {
    order: null,
    gravity: (a, b) => gravity(a) - gravity(b) || a - b,
    name: (a, b) => (cases[a][ID] < cases[b][ID] ? -1 : 1),
    duration: (a, b) => cases[b][DURATION] - cases[a][DURATION] || a - b,
  }[state.sort];
  return by ? all.sort(by) : all;
}

// Names of the groups that a case is in.
function groupsOf(at) {
  const row = cases[at];
  switch (state.group) {
    case "module": return [moduleOf(row) || "(none)"];
    case "verdict": return [verdicts[at]];
    case "worker": return [row[WORKER] ? `worker ${row[WORKER]}` : "not started"];
    case "tag": return tagsOf(row).length ? tagsOf(row) : ["(no tag)"];
    case "owner": return [ownerOf(row) || "(no owner)"];
    case "sut": return sutsOf(row).length ? sutsOf(row) : ["(no SUT)"];
    default: return [];
  }
}
