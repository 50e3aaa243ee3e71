// One route in detail.

/** The windows of the past that can be looked at. */
const WINDOWS = [["10m", "10 min"], ["30m", "30 min"], ["2h", "2 h"]];

/** How grave a share is, as the figures show it. */
function figureKind(value) {
  return errorClass(value).replace("-text", "");
}

/** Figures of a route in a row. */
function routeFigures(route, now) {
  const known = knownFigures(route);
  const figures = [
    ["Requests per second", rate(route.requestsPerSecond ?? 0), "of the last minute"],
    ["Errors", share(known.errorShare), `${count(route.windowFailures)} of ${count(route.windowRequests - route.windowUnseen)}${route.windowUnseen ? `; ${count(route.windowUnseen)} not seen` : ""}`, figureKind(known.errorShare)],
    ["4xx", share(known.clientErrorShare), "answered with 4xx in the last minute", clientErrorClass(known.clientErrorShare).replace("-text", "")],
    ["p50", seconds(known.p50), "half are faster"],
    ["p95", seconds(known.p95), "1 in 20 is slower"],
    ["p99", seconds(known.p99), "1 in 100 is slower"],
    ["Requests", count(route.requests), "since the agent began"],
    ["Last request", ago(route.lastRequestTime, now), route.lastRequestTime ? clock(route.lastRequestTime) : ""],
  ];
  return h("dl", { class: "figures" }, figures.map(([name, value, note, kind]) =>
    h("div", { class: `figure ${kind ?? ""}` }, h("dt", null, name), h("dd", { class: "value" }, value), h("dd", { class: "note" }, note))));
}

/** Where a route sends requests. */
function destinationTable(route) {
  if (!route.destinations.length) return h("p", { class: "inside" }, wire(route.target));
  return [table([{ title: "Destination" }, { title: "Subset" }, { title: "Port", class: "num" }, { title: "Configured share", class: "num" }],
    route.destinations.map((destination) => h("tr", null,
      h("td", null, destination.invalid ? h("span", { class: "tag bad" }, "answered with status 500") : wire(destination.host)),
      h("td", null, destination.subset ? wire(destination.subset) : h("span", { class: "muted" }, "none")),
      h("td", { class: "num" }, String(destination.port)),
      h("td", { class: "num" }, share(destination.share))))),
  route.destinations.length > 1
    ? h("p", { class: "inside muted" }, "Which of them the gateway chose is not on the wire in front of it, so only the configured shares are known.")
    : null];
}

/** The routes that are asked before, and why they lost. */
function earlierPanel(hosts) {
  if (!hosts.length) return panel("Earlier rules", null, empty("No virtual host has this route", "It is in the table, but no host leads to it."));
  return panel("Earlier rules, and why they did not match", "In the order in which the gateway asks; the reasons are of this route's latest requests.",
    hosts.map((host) => h("div", null,
      h("p", { class: "inside" }, h("strong", null, wire(host.host)), ` on port ${host.ports.join(", ")}: `,
        host.position ? `${counted(host.position, "route")} before this one` : "the first to be asked",
        host.position && host.explained ? `; ${counted(host.explained, "request")} explained` : ""),
      host.earlier.length ? table(
        [{ title: "Route" }, { title: "Matches", class: "middle-only" }, { title: "Why it lost" }],
        host.earlier.map((earlier) => h("tr", null,
          h("td", null, h("a", { href: `#route/${earlier.id}` }, wire(earlier.place))),
          h("td", { class: "middle-only" }, wire(earlier.conditions)),
          h("td", null, earlier.lost.length
            ? h("ul", { class: "plain" }, earlier.lost.map((lost) => h("li", null, wire(lost.reason), h("span", { class: "muted" }, ` (${count(lost.requests)} of ${count(host.explained)})`))))
            : h("span", { class: "muted" }, "no recent request to judge by"))))) : null)));
}

/** A timeline as a table, for those whom a chart does not serve. */
function timelineTable(timeline) {
  return h("details", { class: "as-table" }, h("summary", null, "As a table"),
    table([{ title: "From" }, { title: "Requests", class: "num" }, ...CLASSES.map(([, text]) => ({ title: text, class: "num" })), { title: "p50", class: "num" }, { title: "p95", class: "num" }, { title: "p99", class: "num" }],
      timeline.map((point) => h("tr", null,
        h("td", null, clock(point.start)), h("td", { class: "num" }, count(point.windowRequests)),
        CLASSES.map(([name]) => h("td", { class: "num" }, count(point.classes[CLASS_KEYS[name]] ?? 0))),
        [point.p50, point.p95, point.p99].map((value) => h("td", { class: "num" }, seconds(value)))))));
}

/** A link to the route's dashboard, where the configuration says where Grafana is. */
function dashboardLink(route) {
  const base = link.latest?.status.links.grafana;
  if (!base) return null;
  const [namespace, name] = route.object.split("/");
  const variables = new URLSearchParams({ "var-namespace": namespace, "var-virtualservice": name, "var-route": route.route });
  return outerLink(`${base.replace(/\/$/, "")}/d/wingmirror-route-detail?${variables}`, "Dashboard");
}

/** The view of one route. */
const routeView = {
  title: "Route",
  interval: 5000,
  opens: new Set(),
  filters: new Map(),

  async load(address, id) {
    const window = WINDOWS.some(([key]) => key === address.get("window")) ? address.get("window") : "10m";
    if (this.id !== id) this.opens.clear();
    this.id = id;
    return { id, window, ...(await ask(`api/v1/routes?route=${encodeURIComponent(id)}&window=${window}`)) };
  },

  draw(data) {
    const { route, timeline } = data;
    document.title = `${shown(route.object)} ${shown(route.route)} – Wingmirror`;
    const isBusy = timeline.some((point) => point.windowRequests);
    const quiet = empty("No requests in this time", route.requests ? `The last one was ${ago(route.lastRequestTime, link.now)}.` : "None since the agent began.");
    const failing = data.failing?.length ? panel("What fails", "Kinds of requests answered with 4xx, 5xx or not at all, of a sample; the most frequent first.", groupTable(data.failing, this.opens)) : null;
    // Who comes for failures finds them before the charts.
    const isFailing = route.errorShare >= 0.05 || route.clientErrorShare >= 0.05;
    const exchanges = [...new Map([...data.failed, ...data.recent].map((exchange) => [exchange.number, exchange])).values()].sort((a, b) => b.number - a.number).slice(0, 50);
    return [
      h("div", null,
        h("div", { class: "crumb" }, h("a", { href: "#routes" }, "Routes"), " / ", wire(route.kind), " / ", wire(route.gateway)),
        h("div", { class: "head" }, title(""), h("span", { class: "tag" }, wire(route.route)), dashboardLink(route))),
      routeFigures(route, link.now),
      isFailing ? failing : null,
      h("div", { class: "controls" }, h("span", { class: "muted" }, "Look back"),
        h("nav", { class: "segments", "aria-label": "How far back" }, WINDOWS.map(([key, text]) =>
          h("a", { href: `#route/${data.id}?window=${key}`, "aria-current": key === data.window ? "true" : undefined }, text)))),
      h("div", { class: "columns" },
        panel("Latency", "the stronger the colour, the more requests", h("div", { class: "inside" }, isBusy ? heatmap(timeline) : quiet), isBusy ? timelineTable(timeline) : null),
        panel("Requests by status", null, h("div", { class: "inside" }, isBusy ? [statusChart(timeline), statusLegend(timeline)] : quiet.cloneNode(true)))),
      h("div", { class: "columns" },
        panel("What it matches", null,
          table([{ title: "Rule", class: "num tight" }, { title: "Match", class: "num tight" }, { title: "Conditions" }],
            route.matches.map((match) => h("tr", null, h("td", { class: "num" }, String(match.rule)), h("td", { class: "num" }, match.match === null ? "–" : String(match.match)), h("td", null, wire(match.conditions))))),
          h("p", { class: "inside muted" }, "Object ", wire(`${route.kind} ${route.object}`), route.delegate ? [", the rule is of delegate ", wire(route.delegate)] : null,
            ". Hosts ", wire(route.hosts.join(", ") || "none"), route.hostCount > route.hosts.length ? ` and ${count(route.hostCount - route.hosts.length)} more` : "", ".")),
        panel("Destinations", null, destinationTable(route))),
      isFailing ? null : failing,
      earlierPanel(data.hosts),
      data.findings.length ? panel("Findings about it", null, findingList(data.findings, this.filters)) : null,
      panel("Recent requests", "A sample, and failures; without credentials.", exchanges.length
        ? exchangeTable(exchanges, { showsRoute: false, opens: this.opens })
        : empty("None kept yet", "A request of each route is kept at least every ten seconds when it has requests.")),
    ].map((part, place) => {
      if (place === 0) part.querySelector("h1").append(wire(route.object));
      return part;
    });
  },
};
