// Routes that nothing reaches, and what is wrong with route objects.

/** The kinds of findings that say why a route cannot be reached. */
const UNREACHABLE = new Set(["shadowed-route", "unreachable-after-catch-all", "overlapping-routes", "refused-object", "unattached-route", "disjoint-hosts", "missing-gateway", "hidden-from-gateway", "other-workload", "skipped-server", "refused-listener", "refused-table"]);

/** How many rows of a list are shown at once; the filter finds the others. */
const ROW_LIMIT = 250;

/** A list that a filter narrows and of which the first rows are shown, so that a table of thousands of routes stays light. */
function boundedList(name, entries, textOf, draw, held) {
  if (entries.length <= ROW_LIMIT) return draw(entries);
  const place = h("div"), note = h("p", { class: "muted inside", "aria-live": "polite" });
  const input = h("input", { type: "search", name, placeholder: `Filter ${name}`, "aria-label": `Filter ${name}`, autocomplete: "off", spellcheck: "false", value: held.get(name) ?? "" });
  const show = () => {
    held.set(name, input.value);
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fitting = entries.filter((entry) => { const text = textOf(entry).toLowerCase(); return words.every((word) => text.includes(word)); });
    const rows = fitting.slice(0, ROW_LIMIT);
    put(note, rows.length < fitting.length ? `The first ${rows.length} of ${count(fitting.length)}; the filter finds the others.` : `${count(fitting.length)} of ${count(entries.length)}.`);
    fill(place, fitting.length ? draw(rows) : empty("Nothing fits", "No entry has these words in it."));
  };
  input.addEventListener("input", show);
  show();
  return h("div", null, h("form", { class: "controls inside", role: "search", onsubmit: (event) => event.preventDefault() }, input), note, place);
}

/** The words of a finding that its filter looks at. */
function findingText(finding) {
  return `${finding.severity} ${finding.object} ${finding.path ?? ""} ${finding.code} ${finding.message}`;
}

/** Findings, bounded. */
function findingList(findings, held) {
  return boundedList("findings", findings, findingText, findingTable, held);
}

/** Rows of findings. */
function findingTable(findings) {
  return table([{ title: "Severity", class: "tight" }, { title: "Object" }, { title: "What", class: "middle-only" }, { title: "Finding" }],
    findings.map((finding) => h("tr", null,
      h("td", null, h("span", { class: `tag ${finding.severity}` }, finding.severity)),
      h("td", null, wire(finding.object), finding.path ? h("div", { class: "muted" }, wire(finding.path)) : null),
      h("td", { class: "middle-only" }, h("code", null, wire(finding.code))),
      h("td", null, wire(finding.message)))));
}

/** The view of routes never hit. */
const coverageView = {
  title: "Coverage",
  interval: 10_000,
  filters: new Map(),
  async load() {
    const [list, found, status] = await Promise.all([ask("api/v1/routes"), ask("api/v1/findings"), ask("api/v1/status")]);
    return { list, found, status };
  },
  draw({ list, found, status }) {
    const inTable = list.routes.filter((route) => route.inTable);
    const idle = inTable.filter((route) => !route.requests);
    const gone = list.routes.filter((route) => !route.inTable);
    const reasons = found.findings.filter((finding) => UNREACHABLE.has(finding.code));
    const emptyTable = () => empty("The table is empty", status.routes.notice ? `${shown(status.routes.notice)}.` : "There is no route that could have requests.");
    const age = span((Date.parse(status.time) - Date.parse(status.startTime)) / 1000);
    return [
      h("div", { class: "head" }, title("Route coverage"),
        h("p", { class: "muted" }, `${counted(inTable.length - idle.length, "route")} of ${inTable.length} had requests in the ${age} since the agent began.`)),
      panel("Never hit", `No request in ${age}; a route that is used once a month looks the same.`, idle.length
        ? boundedList("routes", idle, (route) => `${route.object} ${route.route} ${route.hosts.join(" ")} ${route.target}`, (rows) => table([{ title: "Route" }, { title: "Matches" }, { title: "Hosts", class: "middle-only" }, { title: "To", class: "wide-only" }],
          rows.map((route) => h("tr", null,
            h("td", null, h("a", { href: `#route/${route.id}` }, wire(route.object)), " ", h("span", { class: "tag" }, wire(route.route))),
            h("td", null, wire(route.matches.map((match) => match.conditions).join("  or  "))),
            h("td", { class: "middle-only" }, wire(route.hosts.join(", "))),
            h("td", { class: "wide-only" }, wire(route.target))))), this.filters)
        : inTable.length ? empty("Every route had requests", "Nothing in the table is unused.") : emptyTable()),
      panel("Cannot be reached, or not surely", "Shadowed, overlapping, refused or unattached, as the objects show.", reasons.length
        ? findingList(reasons, this.filters) : inTable.length ? empty("No findings", "No route is hidden behind another one, and no object is refused.") : emptyTable()),
      gone.length ? panel("Gone from the table", "Routes of earlier objects whose series are still kept.",
        boundedList("earlier routes", gone, (route) => `${route.object} ${route.route}`, (rows) => table([{ title: "Route" }, { title: "Requests", class: "num" }, { title: "Last", class: "num" }],
          rows.map((route) => h("tr", null, h("td", null, wire(route.object), " ", h("span", { class: "tag" }, wire(route.route))),
            h("td", { class: "num" }, count(route.requests)), h("td", { class: "num" }, ago(route.lastRequestTime, link.now))))), this.filters)) : null,
    ];
  },
};

/** The view of everything that lint finds. */
const findingsView = {
  title: "Findings",
  interval: 10_000,
  filters: new Map(),
  load() { return ask("api/v1/findings"); },
  draw({ counts, findings }) {
    return [
      h("div", { class: "head" }, title("Findings"),
        h("p", { class: "muted" }, `${counted(counts.error, "error")}, ${counted(counts.warning, "warning")}, ${counted(counts.note, "note")}; the same as `, h("code", null, "wingmirror routes check"), " prints.")),
      h("section", { class: "panel" }, findings.length ? findingList(findings, this.filters) : empty("Nothing to report", "No mistakes were found in the route objects in force.")),
    ];
  },
};
