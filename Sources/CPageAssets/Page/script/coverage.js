// Routes that nothing reaches, and what is wrong with route objects.

/** The kinds of findings that say why a route cannot be reached. */
const UNREACHABLE = new Set(["shadowed-route", "unreachable-after-catch-all", "overlapping-routes", "refused-object", "unattached-route", "disjoint-hosts", "missing-gateway", "hidden-from-gateway", "other-workload", "skipped-server", "refused-listener", "refused-table"]);

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
  async load() {
    const [list, found, status] = await Promise.all([ask("api/v1/routes"), ask("api/v1/findings"), ask("api/v1/status")]);
    return { list, found, status };
  },
  draw({ list, found, status }) {
    const inTable = list.routes.filter((route) => route.inTable);
    const idle = inTable.filter((route) => !route.requests);
    const gone = list.routes.filter((route) => !route.inTable);
    const reasons = found.findings.filter((finding) => UNREACHABLE.has(finding.code));
    const age = span((Date.now() - Date.parse(status.startTime)) / 1000);
    return [
      h("div", { class: "head" }, title("Route coverage"),
        h("p", { class: "muted" }, `${counted(inTable.length - idle.length, "route")} of ${inTable.length} had requests in the ${age} since the agent began.`)),
      panel("Never hit", `No request in ${age}; a route that is used once a month looks the same.`, idle.length
        ? table([{ title: "Route" }, { title: "Matches" }, { title: "Hosts", class: "middle-only" }, { title: "To", class: "wide-only" }],
          idle.slice(0, 500).map((route) => h("tr", null,
            h("td", null, h("a", { href: `#route/${route.id}` }, wire(route.object)), " ", h("span", { class: "tag" }, wire(route.route))),
            h("td", null, wire(route.matches.map((match) => match.conditions).join("  or  "))),
            h("td", { class: "middle-only" }, wire(route.hosts.join(", "))),
            h("td", { class: "wide-only" }, wire(route.target)))))
        : empty("Every route had requests", "Nothing in the table is unused.")),
      panel("Cannot be reached, or not surely", "Shadowed, overlapping, refused or unattached, as the objects show.", reasons.length
        ? findingTable(reasons) : empty("No findings", "No route is hidden behind another one, and no object is refused.")),
      gone.length ? panel("Gone from the table", "Routes of earlier objects whose series are still kept.",
        table([{ title: "Route" }, { title: "Requests", class: "num" }, { title: "Last", class: "num" }],
          gone.map((route) => h("tr", null, h("td", null, wire(route.object), " ", h("span", { class: "tag" }, wire(route.route))),
            h("td", { class: "num" }, count(route.requests)), h("td", { class: "num" }, ago(route.lastRequestTime, link.now)))))) : null,
    ];
  },
};

/** The view of everything that lint finds. */
const findingsView = {
  title: "Findings",
  interval: 10_000,
  load() { return ask("api/v1/findings"); },
  draw({ counts, findings }) {
    return [
      h("div", { class: "head" }, title("Findings"),
        h("p", { class: "muted" }, `${counted(counts.error, "error")}, ${counted(counts.warning, "warning")}, ${counted(counts.note, "note")}; the same as `, h("code", null, "wingmirror routes check"), " prints.")),
      h("section", { class: "panel" }, findings.length ? findingTable(findings) : empty("Nothing to report", "The route objects do what they say.")),
    ];
  },
};
