// The table of routes, live. Rows are made once and then only written to, so that focus and selection stay.

/** The routes by id, as the agent told them last. */
const routes = {
  byID: new Map(),
  generation: null,
  isComplete: false,

  /** Takes the whole list. */
  take(list) {
    this.byID = new Map(list.routes.map((route, place) => [route.id, { ...route, place }]));
    this.generation = list.generation;
    this.isComplete = true;
  },

  /** Takes what has changed; routes that the list does not have are asked for with the next one. */
  update(changes) {
    let isUnknown = changes.generation !== this.generation;
    for (const change of changes.routes) {
      const route = this.byID.get(change.id);
      if (route) Object.assign(route, change);
      else isUnknown = true;
    }
    return !isUnknown;
  },
};

/** Routes beyond so many are not drawn: nobody reads them, and a filter finds them. */
const DRAWN_ROUTES = 250;

/** The object and the rule, and what it matches. */
const ROUTE_COLUMNS = [
  { key: "route", title: "Route", isText: true, value: (route) => `${route.object} ${String(route.matches[0]?.rule ?? "").padStart(4, "0")} ${route.route}` },
  { key: "target", title: "To", class: "wide-only", isText: true, value: (route) => route.target },
  { key: "rate", title: "Req/s", class: "num", help: "Requests per second in the last minute.", value: (route) => route.requestsPerSecond ?? 0 },
  { key: "errors", title: "Errors", class: "num", help: "Share of the last minute's requests that failed: answered with 5xx or a failing gRPC status, cut short, or not answered. Requests that clients gave up are no errors, and answers that were not captured are left out.", value: (route) => route.errorShare },
  { key: "client", title: "4xx", class: "num roomy", help: "Share of the last minute's requests that were answered with 4xx.", value: (route) => route.clientErrorShare },
  { key: "server", title: "5xx", class: "num middle-only", help: "Share of the last minute's requests that were answered with 5xx.", value: (route) => route.serverErrorShare },
  { key: "p50", title: "p50", class: "num middle-only", help: "Half of the last minute's requests took no longer, from their first byte to the last of the response.", value: (route) => route.p50 },
  { key: "p95", title: "p95", class: "num", help: "19 of 20 of the last minute's requests took no longer.", value: (route) => route.p95 },
  { key: "p99", title: "p99", class: "num middle-only", help: "99 of 100 of the last minute's requests took no longer.", value: (route) => route.p99 },
  { key: "trend", title: "Ten minutes", class: "tight middle-only", help: "Requests per second in the last ten minutes." },
  { key: "requests", title: "Requests", class: "num wide-only", help: "Requests since the agent began.", value: (route) => route.requests },
  { key: "last", title: "Last", class: "num wide-only", help: "When the latest request began.", value: (route) => route.lastRequestTime },
];

/** What a search looks through. */
function searchText(route) {
  return [route.object, route.kind, route.delegate, route.route, route.gateway, route.target, ...route.hosts, ...route.matches.map((match) => match.conditions)].join("\n").toLowerCase();
}

/** Shares and times of a route; none where nearly all its answers were not seen. */
function knownFigures(route) {
  return isHardlySeen(route.windowRequests, route.windowUnseen) ? {} : route;
}

/** How grave a share of errors is. */
function errorClass(value) {
  return value === null || value === undefined || value === 0 ? "" : value >= 0.05 ? "bad-text" : "warn-text";
}

/** How grave a share of 4xx is: what clients did is no alarm. */
function clientErrorClass(value) {
  return value >= 0.05 ? "warn-text" : "";
}

/** A row of the table, and how it is written to. */
function routeRow(route) {
  const matches = route.matches.map((match) => match.conditions).join("  or  ") || (route.inTable ? "any request" : "no longer in the table");
  const cell = (column) => h("td", { class: ROUTE_COLUMNS.find(({ key }) => key === column).class });
  const cells = Object.fromEntries(["rate", "errors", "client", "server", "p50", "p95", "p99", "trend", "requests", "last"].map((key) => [key, cell(key)]));
  const row = h("tr", { class: "open-row", "data-route": route.id },
    h("th", { scope: "row" },
      h("div", { class: "route-name" },
        h("a", { href: `#route/${route.id}` }, wire(route.object)),
        h("span", { class: "tag" }, wire(route.route)),
        route.kind && route.kind !== "VirtualService" ? h("span", { class: "tag" }, route.kind) : null),
      h("div", { class: "route-match", title: shown(matches) }, wire(matches))),
    h("td", { class: "wide-only route-target" }, wire(route.target.replaceAll(" %", "\u00a0%"))),
    Object.values(cells));
  let drawnTrend = null;
  const write = (now) => {
    const isIdle = !route.windowRequests;
    row.classList.toggle("idle", isIdle);
    put(cells.rate, rate(route.requestsPerSecond ?? 0));
    const known = knownFigures(route);
    put(cells.errors, share(known.errorShare));
    cells.errors.className = `num ${errorClass(known.errorShare)}`;
    put(cells.client, share(known.clientErrorShare));
    cells.client.className = `num roomy ${clientErrorClass(known.clientErrorShare)}`;
    put(cells.server, share(known.serverErrorShare));
    cells.server.className = `num middle-only ${errorClass(known.serverErrorShare)}`;
    put(cells.p50, seconds(known.p50));
    put(cells.p95, seconds(known.p95));
    put(cells.p99, seconds(known.p99));
    put(cells.requests, count(route.requests));
    put(cells.last, ago(route.lastRequestTime, now));
    if (route.trend !== drawnTrend) {
      drawnTrend = route.trend;
      fill(cells.trend, drawnTrend?.some((point) => point) ? sparkline(drawnTrend, `requests per second of ten minutes, now ${rate(route.requestsPerSecond)}`) : null);
    }
  };
  return { row, write };
}

/** The view of all routes. */
const routesView = {
  title: "Routes",
  isLive: true,
  rows: new Map(),
  order: { key: "rate", isDescending: true },
  filter: "",

  async load(address) {
    const key = address.get("sort");
    this.order = ROUTE_COLUMNS.some((column) => column.key === key && column.value)
      ? { key, isDescending: address.get("order") !== "up" }
      : { key: "rate", isDescending: true };
    this.filter = address.get("filter") ?? "";
    if (!routes.isComplete) routes.take(await ask("api/v1/routes"));
  },

  draw() {
    this.rows = new Map();
    this.body = h("tbody");
    this.note = h("p", { class: "muted", "aria-live": "polite" });
    this.headRow = h("tr");
    this.search = h("input", {
      type: "search", id: "filter", class: "grow", placeholder: "Filter by object, host, path, destination", value: this.filter,
      "aria-label": "Filter routes", autocomplete: "off", spellcheck: "false",
      oninput: () => { this.filter = this.search.value; this.remember(); this.arrange(true); },
    });
    this.blank = h("div", { hidden: true });
    this.arrange(true);
    return [
      h("div", { class: "head" }, title("Routes"), this.note),
      h("div", { class: "controls" }, this.search),
      h("section", { class: "panel" },
        scroller("Routes", h("table", { class: "routes", "aria-label": "Routes" }, h("thead", null, this.headRow), this.body)),
        this.blank),
    ];
  },

  /** Writes the order and the filter into the address, without a step back for each letter. */
  remember() {
    const address = new URLSearchParams();
    if (this.order.key !== "rate" || !this.order.isDescending) {
      address.set("sort", this.order.key);
      if (!this.order.isDescending) address.set("order", "up");
    }
    if (this.filter) address.set("filter", this.filter);
    const text = address.toString();
    history.replaceState(null, "", `#routes${text ? `?${text}` : ""}`);
  },

  sort(key, isDescending) {
    this.order = { key, isDescending };
    this.remember();
    this.arrange(true);
    this.headRow.querySelector(`button[data-key="${key}"]`)?.focus();
  },

  /** Whether somebody is about to click or reads a row, which must then not jump away. */
  get isHeld() {
    return this.body.matches(":hover") || this.body.contains(document.activeElement);
  },

  /** Puts the rows in order, and writes to them. */
  arrange(isAsked) {
    const column = ROUTE_COLUMNS.find(({ key }) => key === this.order.key);
    const words = this.filter.toLowerCase().split(/\s+/).filter(Boolean);
    const all = [...routes.byID.values()];
    const found = words.length ? all.filter((route) => { const text = searchText(route); return words.every((word) => text.includes(word)); }) : all;
    if (isAsked || !this.isHeld) {
      const drawn = sorted(found, column, this.order.isDescending).slice(0, DRAWN_ROUTES);
      for (const id of this.rows.keys()) if (!routes.byID.has(id)) this.rows.delete(id);
      const rows = drawn.map((route) => {
        if (this.rows.get(route.id)?.route !== route) this.rows.set(route.id, { route, ...routeRow(route) });
        return this.rows.get(route.id).row;
      });
      if (rows.length !== this.body.children.length || rows.some((row, place) => this.body.children[place] !== row)) this.body.replaceChildren(...rows);
    }
    if (isAsked) fill(this.headRow, ROUTE_COLUMNS.map((each) => sortHead(each, this.order, (key, isDescending) => this.sort(key, isDescending))));
    const now = link.now;
    for (const row of this.body.children) this.rows.get(row.dataset.route)?.write(now);
    this.tell(all, found);
  },

  tell(all, found) {
    const busy = all.filter((route) => route.windowRequests).length;
    const parts = [`${counted(all.length, "route")}, ${busy} with requests in the last minute`];
    if (found.length < all.length) parts.push(`${found.length} fit the filter`);
    if (found.length > DRAWN_ROUTES) parts.push(`the first ${DRAWN_ROUTES} are shown`);
    put(this.note, `${parts.join("; ")}.`);
    this.blank.hidden = found.length > 0;
    if (found.length) return;
    fill(this.blank, all.length
      ? empty("No route fits the filter", h("button", { type: "button", class: "quiet", onclick: () => { this.search.value = this.filter = ""; this.remember(); this.arrange(true); } }, "Show all of them"))
      : empty("The table has no routes", "The agent was given no route objects, or none that make a route. See ", h("a", { href: "#findings" }, "the findings"), ", and routes.files in the ", h("a", { href: "#agent" }, "configuration"), "."));
  },

  /** Something has changed. */
  changed() { this.arrange(false); },
};
