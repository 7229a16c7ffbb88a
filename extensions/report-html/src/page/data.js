// What goes wrong is kept where a test, or a person who reports it, can see it.
const root = document.documentElement;
const problem = (what) => { root.dataset.errors = `${root.dataset.errors || ""}${what}\n`; };
addEventListener("error", (event) => problem(event.message));
addEventListener("unhandledrejection", (event) => problem(String(event.reason)));
addEventListener("securitypolicyviolation", (event) => problem(`${event.violatedDirective}: ${event.blockedURI}`));

// Fields of a case, which is an array because there may be many.
const ID = 0, VERDICT = 1, START = 2, DURATION = 3, WORKER = 4, ATTEMPT = 5, REASON = 6, EXTRA = 7;

const run = JSON.parse(document.getElementById("run").textContent);
const cases = [];
for (const element of document.querySelectorAll("script.cases")) {
  for (const row of JSON.parse(element.textContent)) cases.push(row);
  element.remove();
}

// Worst first.
const GRAVITY = ["failed", "error", "timed-out", "aborted", "not-run", "unexpected-pass", "flaky", "passed", "expected-failure", "skipped", "ignored"];
const BAD = new Set(["failed", "error", "timed-out"]);

function verdictOf(row) {
  const verdict = run.verdicts[row[VERDICT]], known = row[EXTRA] && row[EXTRA].w;
  if (known && (known.m || verdict === "passed")) return known.m ? "expected-failure" : "unexpected-pass";
  return verdict === "passed" && row[ATTEMPT] > 1 ? "flaky" : verdict;
}
const verdicts = cases.map(verdictOf);
// The word in a list, which has a column for it.
const BRIEF = { "expected-failure": "xfail", "unexpected-pass": "xpass" };
const inWords = (verdict) => verdict.replace("-", " ");
const brief = (verdict) => BRIEF[verdict] || inWords(verdict);

// An id without its last part, and that part with the parameters; what separates parts in parameters separates nothing.
function splitId(id) {
  const bracket = id.indexOf("[");
  const plain = bracket < 0 ? id : id.slice(0, bracket);
  const colons = plain.lastIndexOf("::");
  const at = colons > 0 ? colons + 2 : plain.lastIndexOf("/") + 1;
  return at < id.length ? [id.slice(0, at), id.slice(at)] : ["", id];
}
// The directories that all ids begin with: in the list they would only take room.
const shared = (() => {
  if (cases.length < 2) return 0;
  let prefix = cases[0][ID].slice(0, cases[0][ID].search(/\[|::|$/));
  prefix = prefix.slice(0, prefix.lastIndexOf("/") + 1);
  for (const row of cases) while (!row[ID].startsWith(prefix)) prefix = prefix.slice(0, prefix.lastIndexOf("/", prefix.length - 2) + 1);
  return prefix.length;
})();
const shortModule = (row) => splitId(row[ID])[0].slice(shared);
const moduleOf = (row) => splitId(row[ID])[0].replace(/(::|\/)$/, "");
const tagsOf = (row) => (row[EXTRA] && row[EXTRA].t) || [];
const sutsOf = (row) => (row[EXTRA] && row[EXTRA].v) || [];
const ownerOf = (row) => (row[EXTRA] && row[EXTRA].u) || "";
const pastOf = (row) => (Object.hasOwn(run.history.cases, row[ID]) ? run.history.cases[row[ID]] : []);
