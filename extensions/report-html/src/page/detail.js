// A case with everything that is known about it.
const detail = find("detail");
// Where it covers the list.
const overlaid = matchMedia("(max-width: 1099px)");

function showDetail() {
  const row = cases[state.selected];
  detail.hidden = !row;
  root.classList.toggle("has-detail", Boolean(row));
  if (!row) { detail.replaceChildren(); return; }
  const verdict = verdicts[state.selected], extra = row[EXTRA] || {};
  const close = make("button", { type: "button", "aria-label": "Close this case" }, "✕");
  close.addEventListener("click", closeDetail);
  const parts = [
    make("header", {}, make("span", { class: `badge ${verdict}` }, inWords(verdict)), make("h2", {}, shownLine(row[ID])), close),
    facts([["took", time(row[DURATION])], ["worker", row[WORKER] || ""], ["try", row[ATTEMPT] > 1 ? row[ATTEMPT] : ""], ["run", extra.r ? shownLine(extra.r) : ""], ["at", extra.l ? shownLine(extra.l) : ""], ["began", row[DURATION] >= 0 ? `${time(Math.max(0, row[START]))} into the run` : ""]]),
  ];
  const chips = [["sut", "SUT ", sutsOf(row)], ["owner", "owner ", extra.u ? [extra.u] : []], ["tag", "", tagsOf(row)]];
  const buttons = chips.flatMap(([field, label, values]) => values.map((value) => searchButton(field, label, value)));
  if (buttons.length) parts.push(make("p", { class: "tags" }, ...buttons));
  if (extra.p) parts.push(make("h3", {}, "Parameters"), facts(extra.p.map(([name, value]) => [shownLine(name), shownLine(value)])));
  parts.push(...outcome(row, verdict));
  if (extra.a) {
    const tries = [...extra.a, row];
    parts.push(make("h3", {}, `${tries.length} tries`), make("div", { class: "attempts" }, ...tries.map(attempt)));
  }
  const past = pastOf(row);
  if (past.length) parts.push(make("h3", {}, "Earlier runs"), make("p", {}, pastElement(past), ` ${past.length} executions, oldest first`));
  if (run.again) parts.push(make("h3", {}, "Run it again"), command(`${run.again} --tests-include ${shellWord(row[ID])}`));
  detail.replaceChildren(...parts);
  detail.scrollTop = 0;
}

function closeDetail() {
  state.selected = -1;
  showDetail();
  writeAddress();
  paint();
  list.focus();
}

// Shows the other cases of which the same holds.
function searchButton(field, label, value) {
  const button = make("button", { type: "button", class: "tag", title: `Cases with the same ${label.trim() || field}` }, make("span", { class: "note" }, label), shownLine(value));
  button.addEventListener("click", () => { state.query = `${field}:${/\s/.test(value) ? `"${value}"` : value}`; refresh(); if (overlaid.matches) closeDetail(); });
  return button;
}

function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== "");
  return make("dl", { class: "facts" }, ...known.map(([label, value]) => make("div", {}, make("dt", {}, label), make("dd", {}, String(value)))));
}

// Reason, steps, processes left behind and outputs of one attempt.
function outcome(row, verdict) {
  const extra = row[EXTRA] || {}, parts = [];
  const reason = row[REASON] || (verdict !== "passed" && verdict !== "flaky" ? extra.x : "");
  if (reason) parts.push(make("p", { class: `reason ${verdict}` }, shown(reason)));
  // What ended a program is said once.
  const said = (extra.x || "").replace("exit status", "exit code");
  if (extra.x && reason !== extra.x && reason !== said && verdict !== "passed" && verdict !== "flaky") parts.push(make("p", { class: "note" }, extra.x));
  if (extra.d) parts.push(make("pre", { tabindex: "0" }, coloured(extra.d)));
  if (extra.q) parts.push(make("p", { class: "note" }, "Conflict: other runs say something else. The most serious counts; what they say stands below."));
  if (extra.w) parts.push(make("p", { class: "note" }, `Expected to fail: said by ${shownLine(extra.w.b)}`, ...(extra.w.l ? [" · ", issue(extra.w.l)] : [])));
  if (extra.s) parts.push(make("h3", {}, "Steps"), make("ol", { class: "steps" }, ...extra.s.map(step)));
  if (extra.k) parts.push(make("h3", {}, "Left behind and ended"), make("ul", {}, ...extra.k.map((text) => make("li", {}, make("code", {}, shownLine(text))))));
  for (const [label, output] of [["stdout", extra.o], ["stderr", extra.e]]) if (output) parts.push(...outputElements(label, output));
  if (extra.f || extra.m) parts.push(make("h3", {}, "Attachments"), ...(extra.f || []).map(attachment));
  if (extra.m) parts.push(make("p", { class: "note" }, `${extra.m} more left out: over a limit, or no regular files`));
  return parts;
}

// A link if it is one that a browser may follow, otherwise text.
function issue(link) {
  return /^https?:\/\//i.test(link) ? make("a", { href: link, rel: "noreferrer noopener", target: "_blank" }, shownLine(link)) : shownLine(link);
}

// An image or a text in place, anything else as a link to its file.
function attachment({ n, k, b, f, c }) {
  const link = fileLink(f);
  link.textContent = shownLine(f.slice(f.lastIndexOf("/") + 1));
  link.title = shownLine(f);
  const caption = make("figcaption", {}, make("b", {}, shownLine(n)), ` · ${shownLine(k)} · ${size(b)} · `, link);
  const isImage = k.startsWith("image/");
  if (c && isImage) return make("figure", { class: "attachment" }, caption, make("img", { src: `data:${k};base64,${c}`, alt: shownLine(n), loading: "lazy" }));
  if (c) return make("figure", { class: "attachment" }, caption, make("pre", { tabindex: "0", "aria-label": shownLine(n) }, coloured(c)));
  return make("figure", { class: "attachment" }, caption);
}

function step([name, verdict, text, place]) {
  const word = run.verdicts[verdict];
  const children = [make("span", { class: `badge ${word}` }, word), make("span", {}, shownLine(name))];
  if (place) children.push(make("span", { class: "note" }, ` ${shownLine(place)}`));
  if (text) children.push(make("pre", {}, coloured(text)));
  return make("li", {}, ...children);
}

function outputElements(label, output) {
  const head = make("h3", {}, `${label} · ${size(output.b)}`);
  if (output.f) head.append(" · ", fileLink(output.f));
  if (output.l) head.append(" · bytes that are not UTF-8 are shown as \ufffd");
  const pre = make("pre", { tabindex: "0", "aria-label": label }, coloured(output.h));
  if (output.c) {
    const kept = new TextEncoder().encode(output.h + (output.t || "")).length;
    pre.append(make("span", { class: "gap" }, `… ${size(Math.max(0, output.b - kept))} left out …`));
    if (output.t) pre.append(coloured(output.t));
  }
  return [head, pre];
}

function attempt(row) {
  const extra = row[EXTRA] || {};
  const verdict = run.verdicts[row[VERDICT]];
  const shownHere = row[ID] === "" ? outcome(row, verdict) : [make("p", { class: "note" }, "The one that counts; what it said stands above.")];
  return make("section", { class: `attempt ${verdict}` }, make("p", {}, make("b", {}, `${extra.r ? `Run ${shownLine(extra.r)}, try` : "Try"} ${row[ATTEMPT]} `), make("span", { class: `badge ${verdict}` }, inWords(verdict)), ` ${time(row[DURATION])}`), ...shownHere);
}

function pastElement(past) {
  const words = past.map(([at, verdict, flaky]) => {
    const word = flaky ? "flaky" : run.verdicts[verdict];
    const known = run.history.runs[at];
    return make("i", { class: word, title: known ? `${known.id}: ${word}` : word });
  });
  return make("span", { class: "past", role: "img", "aria-label": past.map(([, verdict, flaky]) => (flaky ? "flaky" : run.verdicts[verdict])).join(", ") }, ...words);
}

function command(text) {
  const copy = make("button", { type: "button" }, "Copy");
  const pre = make("pre", { tabindex: "0" }, text);
  copy.addEventListener("click", async () => {
    try { await navigator.clipboard.writeText(text); copy.textContent = "Copied"; } catch { getSelection().selectAllChildren(pre); copy.textContent = "Selected"; }
  });
  return make("div", { class: "command" }, pre, copy);
}
