// The agent itself: health, sources, configuration.

/** The view of the agent's health and configuration. */
const agentView = {
  title: "Agent",
  interval: 5000,
  async load() {
    const [status, configuration, timeline] = await Promise.all([ask("api/v1/status"), ask("api/v1/config"), ask("api/v1/timeline")]);
    return { status, configuration, timeline };
  },
  draw({ status, configuration, timeline }) {
    const { configuration: reloads, routes, requests, connections, sources, version, startTime } = status;
    const health = link.latest?.health;
    const facts = [
      ["capture", h("span", { class: !health || health.isPassing ? "good-text" : "bad-text" }, health ? wire(health.detail) : "–")],
      ["version", wire(version)],
      ["started", h("span", null, wire(moments(startTime)), " (", span((Date.parse(status.time) - Date.parse(startTime)) / 1000), " ago)")],
      ["routes", h("span", null, counted(routes.routes, "route"), ", generation ", count(routes.generation), ", Gateways ", wire(routes.gateways.join(", ") || "none"))],
      ["requests", h("span", null, count(requests.matched), " with a route, ", count(requests.unmatched), " without")],
      ["connections", h("span", null, count(connections.tracked), " tracked, ", count(connections.opened), " since the start")],
      ["reloads", h("span", { class: reloads.latestReloadSuccessful ? "" : "bad-text" },
        `${count(reloads.reloads)} accepted, ${count(reloads.rejectedReloads)} rejected${reloads.latestReloadSuccessful ? "" : "; the latest was rejected, what was in force stays"}`)],
      ["configuration", h("span", null, "read ", wire(reloads.readTime), ", SHA-256 ", h("code", null, wire(reloads.sha256.slice(0, 16))))],
    ];
    return [
      h("div", { class: "head" }, title("The agent"),
        status.links.grafana ? outerLink(status.links.grafana, "Grafana") : null, status.links.runbooks ? outerLink(status.links.runbooks, "Runbooks") : null),
      h("div", { class: "columns" },
        panel("Health", null, h("dl", { class: "fields inside" }, facts.map(([name, value]) => [h("dt", null, name), h("dd", null, value)]))),
        panel("Where packets come from", null, sourceTable(sources, truth.rates), sourceNotes(sources))),
      panel("What changed", "Routes, configuration, interfaces and mirroring since the start; the latest first.", changeTable(timeline.changes)),
      panel("Configuration in force", "Defaults included, secrets masked.", h("div", { class: "inside settings" }, described(configuration))),
    ];
  },
};

/** The changes, each with what exactly changed. */
function changeTable(changes) {
  if (!changes.length) return empty("Nothing has changed");
  const columns = [{ title: "Time" }, { title: "Change" }, { title: "Generation", class: "num", help: "Which table of routes was in force after the change; it counts from 1." }];
  return table(columns, changes.map((change) => h("tr", null,
    h("td", null, wire(`${day(change.time)} ${clock(change.time)}`)),
    h("td", null,
      h("span", { class: change.kind === "refused" ? "bad-text" : "" }, wire(change.text)),
      change.details.length ? h("ul", { class: "details" }, change.details.map((line) => h("li", null, wire(line)))) : null),
    h("td", { class: "num" }, change.generation === null ? "–" : count(change.generation)))));
}

/** The filters of sources, and why some deliver nothing. */
function sourceNotes(sources) {
  const filters = [...new Set(sources.map((source) => source.filter).filter(Boolean))];
  return [
    ...sources.filter((source) => source.problem).map((source) => h("p", { class: "inside bad-text" }, wire(source.problem))),
    filters.length ? h("p", { class: "inside muted" }, "Filter: ", wire(filters.join("; "))) : null,
  ];
}

/** The interfaces or savefiles, with what each delivered and lost. */
function sourceTable(sources, rates = new Map()) {
  const isLive = sources.some((source) => source.interface !== undefined);
  const columns = isLive
    ? [{ title: "Interface" }, { title: "Packets", class: "num" }, { title: "Per second", class: "num" }, { title: "Lost by kernel", class: "num" }, { title: "Lost by interface", class: "num middle-only" }, { title: "Ring", class: "num middle-only" }]
    : [{ title: "Pcap file" }, { title: "Pace" }, { title: "Packets", class: "num" }, { title: "Per second", class: "num" }];
  const lost = (value) => h("td", { class: `num ${value ? "bad-text" : ""}` }, count(value));
  return table(columns, sources.map((source) => {
    const perSecond = rates.get(source.interface ?? source.savefile);
    return isLive
      ? h("tr", null,
        h("td", null, wire(source.interface), " ", source.up ? null : h("span", { class: "tag bad" }, "down")),
        h("td", { class: "num" }, count(source.packets)),
        h("td", { class: "num" }, rate(perSecond)),
        lost(source.droppedByKernelBuffer),
        h("td", { class: `num middle-only ${source.droppedByInterface ? "bad-text" : ""}` }, count(source.droppedByInterface)),
        h("td", { class: "num middle-only" }, octets(source.ringBytes)))
      : h("tr", null,
        h("td", null, wire(source.savefile)), h("td", null, source.loop ? "in real time, again and again" : source.pace === "realtime" ? "in real time" : "as fast as it can be read"),
        h("td", { class: "num" }, count(source.packets)), h("td", { class: "num" }, rate(perSecond)));
  }));
}
