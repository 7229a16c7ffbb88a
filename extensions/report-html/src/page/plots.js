// Timeline of the workers, on a canvas because there may be as many bars as cases.
const canvas = find("timeline"), tip = find("tip");
const AXIS = 18;
let lanes = new Map(), window0 = [0, 1], whole = [0, 1];

function prepareTimeline() {
  let end = run.duration || 0, begin = 0;
  const add = (row, at) => {
    if (row[DURATION] < 0 || !row[WORKER]) return;
    // Workers of different runs are different ones.
    const lane = `${(row[EXTRA] && row[EXTRA].r) || ""} ${String(row[WORKER]).padStart(9)}`;
    if (!lanes.has(lane)) lanes.set(lane, []);
    lanes.get(lane).push({ start: row[START], end: row[START] + row[DURATION], at, verdict: row[ID] === "" ? run.verdicts[row[VERDICT]] : verdicts[at] });
    end = Math.max(end, row[START] + row[DURATION]);
    begin = Math.min(begin, row[START]);
  };
  cases.forEach((row, at) => { add(row, at); for (const earlier of (row[EXTRA] && row[EXTRA].a) || []) add(earlier, at); });
  if (!run.started) begin = Math.min(...[...lanes.values()].flat().map((bar) => bar.start), end);
  lanes = new Map([...lanes].sort(([a], [b]) => (a < b ? -1 : 1)));
  for (const bars of lanes.values()) bars.sort((a, b) => a.start - b.start);
  whole = [begin, Math.max(end, begin + 1)];
  window0 = [...whole];
  let busy = 0;
  for (const bars of lanes.values()) for (const bar of bars) busy += bar.end - bar.start;
  const workers = Math.max(run.workers, lanes.size);
  const share = workers ? Math.round((100 * busy) / (workers * (whole[1] - whole[0]))) : 0;
  find("timeline-note").textContent = `${workers} workers, busy ${Math.min(100, share)} % of ${time(whole[1] - whole[0])} · drag to look closer, double-click for all`;
  canvas.setAttribute("aria-label", `Timeline of ${workers} workers over ${time(whole[1] - whole[0])}, busy ${Math.min(100, share)} percent. The list of cases grouped by worker says the same.`);
}

const laneHeight = () => Math.max(3, Math.min(22, Math.floor(220 / Math.max(1, lanes.size))));

function drawTimeline() {
  const width = canvas.clientWidth, height = lanes.size * laneHeight() + AXIS, scale = devicePixelRatio || 1;
  canvas.style.height = `${height}px`;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  const style = getComputedStyle(canvas), tones = {};
  const probe = make("span");
  canvas.parentElement.append(probe);
  for (const verdict of GRAVITY) { probe.style.color = `var(--${verdict})`; tones[verdict] = getComputedStyle(probe).color; }
  probe.style.color = "var(--sunk)";
  const sunk = getComputedStyle(probe).color;
  probe.style.color = "var(--dim)";
  const dim = getComputedStyle(probe).color;
  probe.remove();
  const [from, to] = window0, perUs = width / (to - from), tall = laneHeight();
  let top = 0;
  for (const bars of lanes.values()) {
    pen.fillStyle = sunk;
    pen.fillRect(0, top, width, tall - 1);
    // What went wrong is drawn last, so that it is seen where many share a pixel.
    for (const bad of [false, true]) {
      let drawn = -1;
      for (const bar of bars) {
        if (bar.end < from || bar.start > to || BAD.has(bar.verdict) !== bad) continue;
        const left = Math.max(0, (bar.start - from) * perUs), right = Math.min(width, (bar.end - from) * perUs);
        if (right <= drawn) continue;
        pen.fillStyle = tones[bar.verdict];
        pen.fillRect(left, top, Math.max(bad ? 2 : 1, right - left - (right - left > 4 ? 1 : 0)), tall - 1);
        drawn = Math.max(right, Math.floor(left) + 1);
      }
    }
    top += tall;
  }
  pen.fillStyle = dim;
  pen.font = `11px ${style.fontFamily}`;
  const ticks = Math.max(2, Math.floor(width / 130));
  for (let n = 0; n <= ticks; n++) {
    pen.textAlign = n === 0 ? "left" : n === ticks ? "right" : "center";
    pen.fillText(time(Math.round(from + ((to - from) * n) / ticks)) || "0 µs", (width * n) / ticks, top + 13);
  }
}

// The bar under a place of the canvas: of several in reach, the one that went wrong, else the longest.
function barAt(x, y) {
  const bars = [...lanes.values()][Math.floor(y / laneHeight())];
  if (!bars) return null;
  const [from, to] = window0, perPixel = (to - from) / canvas.clientWidth, place = from + x * perPixel, reach = 2 * perPixel;
  const near = bars.filter((bar) => bar.start <= place + reach && bar.end >= place - reach);
  near.sort((a, b) => BAD.has(b.verdict) - BAD.has(a.verdict) || b.end - b.start - (a.end - a.start));
  return near[0] || null;
}

function listenToTimeline() {
  let pressed = null;
  const place = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = place(event), bar = barAt(x, y);
    tip.hidden = !bar;
    if (!bar) return;
    tip.textContent = `${bar.verdict} · ${time(bar.end - bar.start)} · ${shownLine(cases[bar.at][ID])}`;
    tip.style.left = `${Math.max(0, Math.min(x + 12, canvas.clientWidth - tip.offsetWidth))}px`;
    tip.style.top = `${y + 16}px`;
  });
  canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
  canvas.addEventListener("pointerdown", (event) => { pressed = place(event); });
  canvas.addEventListener("pointerup", (event) => {
    if (!pressed) return;
    const [x, y] = place(event), [began] = pressed, [from, to] = window0;
    pressed = null;
    if (Math.abs(x - began) < 5) { const bar = barAt(x, y); if (bar) select(bar.at); return; }
    const perPixel = (to - from) / canvas.clientWidth;
    window0 = [from + Math.min(x, began) * perPixel, from + Math.max(x, began) * perPixel];
    drawTimeline();
  });
  canvas.addEventListener("dblclick", () => { window0 = [...whole]; drawTimeline(); });
}

// How many cases took how long, by steps of 1, 2, 5.
function drawDurations() {
  const steps = [1];
  for (let power = 1; power < 1e11; power *= 10) for (const factor of [2, 5, 10]) steps.push(power * factor);
  const counts = new Array(steps.length).fill(0);
  for (const row of cases) if (row[DURATION] >= 0) {
    let at = steps.findIndex((step) => row[DURATION] < step);
    counts[at < 0 ? steps.length - 1 : at]++;
  }
  let first = counts.findIndex(Boolean), last = counts.findLastIndex(Boolean);
  if (first < 0) { find("durations").replaceChildren(make("p", { class: "note" }, "No case has run.")); return; }
  while (last - first < 5) { if (first > 0) first--; if (last < counts.length - 1) last++; }
  const most = Math.max(...counts), columns = last - first + 1, wide = 340 / columns;
  const svg = draw("svg", { viewBox: "0 0 340 132", role: "group", "aria-label": "How many cases took how long" });
  for (let n = first; n <= last; n++) {
    const left = (n - first) * wide, tall = counts[n] ? Math.max(2, (90 * Math.log1p(counts[n])) / Math.log1p(most)) : 0;
    const low = n ? steps[n - 1] : 0, high = steps[n], label = `${number(counts[n])} cases from ${time(low)} to less than ${time(high)}`;
    const query = low ? `>=${low}us <${high}us` : `<${high}us`;
    const column = draw("g", { class: state.query === query ? "column chosen" : "column", tabindex: counts[n] ? 0 : -1, role: "button", "aria-label": label },
      draw("title", {}, label), draw("rect", { class: "back", x: left, y: 0, width: wide, height: 112 }),
      draw("rect", { class: "front", x: left + 1.5, y: 112 - tall, width: Math.max(1, wide - 3), height: tall, rx: 2 }));
    if (counts[n]) column.append(draw("text", { x: left + wide / 2, y: 108 - tall, "text-anchor": "middle" }, counts[n] >= 10000 ? `${Math.round(counts[n] / 1000)}k` : String(counts[n])));
    const choose = () => { state.query = state.query === query ? "" : query; refresh(); };
    column.addEventListener("click", choose);
    column.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); event.stopPropagation(); choose(); } });
    svg.append(column);
    if ((n - first) % Math.ceil(columns / 6) === 0) svg.append(draw("text", { x: left, y: 127 }, time(low) || "0"));
  }
  find("durations").replaceChildren(svg);
}

function ranking(place, rows) {
  find(place).replaceChildren(...rows.map(([at, ...right]) => {
    const name = splitId(cases[at][ID])[1];
    const button = make("button", { type: "button", title: shownLine(cases[at][ID]) }, make("span", { class: "id" }, shownLine(name), make("span", {}, ` ${shownLine(shortModule(cases[at]))}`)), make("span", { class: "time" }, ...right));
    button.addEventListener("click", () => select(at));
    return make("li", {}, button);
  }));
}

function drawRankings() {
  const slowest = [];
  for (let at = 0; at < cases.length; at++) {
    if (slowest.length < 7 || cases[at][DURATION] > cases[slowest[6]][DURATION]) {
      slowest.push(at);
      slowest.sort((a, b) => cases[b][DURATION] - cases[a][DURATION]);
      slowest.length = Math.min(slowest.length, 7);
    }
  }
  ranking("slowest", slowest.filter((at) => cases[at][DURATION] >= 0).map((at) => [at, time(cases[at][DURATION])]));
  const flaky = [];
  cases.forEach((row, at) => {
    const past = pastOf(row), turns = past.filter(([, , wasFlaky]) => wasFlaky).length;
    if (verdicts[at] === "flaky" || turns) flaky.push([turns + (verdicts[at] === "flaky" ? 1 : 0), at, past]);
  });
  flaky.sort(([a], [b]) => b - a);
  find("flaky-card").hidden = !flaky.length;
  ranking("flaky", flaky.slice(0, 7).map(([, at, past]) => [at, past.length ? pastElement(past) : "", verdicts[at] === "flaky" ? ` ${cases[at][ATTEMPT]} tries` : ""]));
}

// Runs before this one: what became of their cases as stacked bars, and how long they took as a line.
function drawHistory() {
  const runs = run.history.runs;
  find("history-card").hidden = !runs.length;
  if (!runs.length) return;
  const now = { id: run.id, started: run.started, duration: run.duration === null ? -1 : run.duration, passed: 0, failures: 0, flaky: 0, others: 0 };
  for (const verdict of verdicts) now[BAD.has(verdict) ? "failures" : verdict === "flaky" || verdict === "passed" ? "passed" : "others"]++;
  now.flaky = verdicts.filter((verdict) => verdict === "flaky").length;
  const all = [...runs, now], wide = Math.min(48, 1000 / all.length);
  const most = Math.max(1, ...all.map((past) => past.passed + past.failures + past.others)), longest = Math.max(1, ...all.map((past) => past.duration));
  const svg = draw("svg", { viewBox: "0 0 1000 150", role: "img", "aria-label": `${runs.length} earlier runs and this one, oldest first` });
  const line = [];
  all.forEach((past, n) => {
    let foot = 140;
    const when = past.started ? new Date(past.started).toISOString().slice(0, 16).replace("T", " ") : "";
    const group = draw("g", {}, draw("title", {}, `${past.id} ${when}: ${past.passed} passed (${past.flaky} flaky), ${past.failures} failed, ${past.others} others${past.duration >= 0 ? `, ${time(past.duration)}` : ""}`));
    for (const [word, count] of [["passed", past.passed - past.flaky], ["flaky", past.flaky], ["skipped", past.others], ["failed", past.failures]]) {
      const tall = count ? Math.max(1.5, (110 * count) / most) : 0;
      foot -= tall;
      group.append(draw("rect", { class: `fill ${word}`, x: n * wide + 1, y: foot, width: Math.max(1, Math.min(40, wide - 2)), height: tall }));
    }
    if (past.duration >= 0) line.push(`${n * wide + Math.min(42, wide) / 2},${130 - (120 * past.duration) / longest}`);
    svg.append(group);
  });
  svg.append(draw("polyline", { points: line.join(" "), fill: "none", stroke: "currentColor", "stroke-width": 1.5, "stroke-opacity": 0.7 }));
  find("history-note").textContent = `oldest first, this run last; the line is how long they took (longest ${time(longest)})`;
  find("history").replaceChildren(svg);
}
