// Which route takes a request, and why the earlier ones do not.

/** Asks for an explanation and shows it. */
async function explained(question) {
  try {
    const answer = await fetchJSON("api/v1/explain", { method: "POST", body: JSON.stringify(question) });
    return explanation(answer);
  } catch (error) {
    return h("p", { class: "bad-text" }, wire(error.message));
  }
}

const OUTCOMES = {
  no_route: "No route takes it: the gateway answers 404.",
  https_redirect: "The gateway redirects it to https before it asks any route.",
  rejected: "The gateway refuses it before it asks any route.",
  no_listener: "No HTTP is routed where it arrives.",
};

/** An answer of the explainer, as steps. */
function explanation(answer) {
  const steps = [];
  const pods = answer.podPorts.join(" or ");
  const server = pods === `${answer.serverPort}` ? "" : `, the Gateway server's port ${answer.serverPort}`;
  steps.push(pods ? `It arrives at the pod's port ${pods}${server}.` : `Nothing listens on port ${answer.serverPort}.`);
  if (answer.hostLookedUp) {
    steps.push(answer.host
      ? h("span", null, "Its host ", wire(answer.hostLookedUp), answer.host === answer.hostLookedUp ? " is a virtual host." : [" is covered by ", wire(answer.host), "."])
      : h("span", null, "No virtual host has or covers ", wire(answer.hostLookedUp), "."));
    for (const lost of answer.lostHosts) steps.push(h("span", { class: "muted" }, wire(lost), " covers it too, but is less specific and never asked."));
  }
  for (const considered of answer.considered) {
    const place = h("a", { href: `#route/${considered.id}` }, wire(considered.place));
    steps.push(considered.failed
      ? h("span", null, place, " does not: ", wire(considered.failed), ".")
      : h("span", null, place, " ", h("span", { class: "took" }, "takes it"), " (", wire(considered.conditions), ")."));
  }
  const isRouted = answer.outcome === "route";
  const word = answer.why ?? answer.reason;
  if (!isRouted) steps.push(h("span", { class: "warn-text" }, OUTCOMES[answer.outcome] ?? answer.outcome, word ? ` (${word})` : ""));
  for (const cause of answer.causes) steps.push(h("span", null, "Why: ", wire(cause), "."));
  if (answer.nearest) steps.push(h("span", null, "Nearest rule: ", wire(answer.nearest.replaceAll("`", "")), "."));
  if (answer.doubt) steps.push(h("span", { class: "warn-text" }, "Not certain: ", wire(answer.doubt), "."));
  if (answer.conditional) steps.push(h("span", { class: "warn-text" }, "This is not certain: a condition looks at what the request does not show."));
  return h("div", { class: "explanation" },
    h("ol", { class: "steps" }, steps.map((step) => h("li", null, step))),
    h("details", { class: "muted" }, h("summary", null, "As the command line tells it"), h("pre", { class: "command" }, wire(answer.text.join("\n")))));
}

/** A form that describes a request to be explained. */
function explainForm() {
  const place = h("div", { "aria-live": "polite" });
  const method = h("input", { type: "text", value: "GET", size: "8", required: true, name: "method", autocomplete: "off" });
  const url = h("input", { type: "text", placeholder: "http://shop.example.com/products/1", required: true, name: "url", autocomplete: "off", spellcheck: "false" });
  const port = h("input", { type: "number", min: "1", max: "65535", placeholder: "of the URL", name: "port" });
  const fields = h("textarea", { rows: "2", placeholder: "x-user: 7", name: "fields", spellcheck: "false" });
  const form = h("form", { class: "form", id: "explain-form", onsubmit: async (event) => {
    event.preventDefault();
    const query = new URLSearchParams();
    const parts = [["method", method.value.trim()], ["url", url.value.trim()], ["port", port.value],
      ...fields.value.split("\n").map((line) => ["header", line.trim()])];
    const text = parts.filter(([, value]) => value).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
    try {
      fill(place, explanation(await ask(`api/v1/explain?${text}`)));
    } catch (error) {
      fill(place, h("p", { class: "bad-text" }, wire(error.message)));
    }
  } },
    h("label", null, "Method", method),
    h("label", { class: "address" }, "URL", url),
    h("label", null, "Server port", port),
    h("label", { class: "wide" }, "Headers, one a line", fields),
    h("p", { class: "wide" }, h("button", { type: "submit" }, "Explain")));
  return panel("Explain a request", "Which route would take it, and why the earlier ones would not.", h("div", { class: "inside" }, form, place));
}

const REASONS = {
  no_host: "no virtual host has the name",
  no_match: "the host has no rule that fits",
  https_redirect: "redirected to https before any rule",
  rejected: "refused before any rule is asked",
  no_listener: "nothing routes HTTP on the port",
  conditional: "the rule depends on what the wire does not show",
  no_gateway: "no Gateway selects the workload",
  unknown_fields: "headers that decide were not captured (HTTP/2)",
  unknown_server_name: "the host name in the TLS handshake decides, and was not captured",
};

/** Rows of kinds of requests: what was asked for, how often, by whom, since when; each opens to an example. */
function groupTable(groups, opens, { isUnmatched = false, step = 10 } = {}) {
  const columns = [
    { title: "Request", help: "Host and path; * stands for identifiers." },
    { title: "Share", class: "num middle-only", help: "Share of all in this list." },
    { title: "Requests", class: "num", help: "Reckoned from a sample of up to 20 requests per second." },
    { title: "Status", class: "tight middle-only" },
    { title: "Mostly from", class: "wide-only" },
    { title: "Since", class: "tight", help: "When the first of them was seen; the latest below." },
    { title: "Ten minutes", class: "tight middle-only" },
  ];
  const rows = groups.flatMap((group) => {
    const id = `group-${group.reason ?? ""}-${group.status}-${group.grpcStatus ?? ""}-${group.method}-${group.host}${group.path}`;
    const inner = h("tr", { class: "inner", hidden: !opens.has(id) }, h("td", { colspan: columns.length }));
    const open = () => {
      if (!inner.firstChild.firstChild) inner.firstChild.append(h("p", { class: "muted" }, "The latest of them:"), exchangeDetail(group.example));
      inner.hidden = false;
    };
    if (opens.has(id)) open();
    const button = h("button", { type: "button", class: "quiet opener", "aria-expanded": String(!inner.hidden), onclick: () => {
      if (inner.hidden) { open(); opens.add(id); } else { inner.hidden = true; opens.delete(id); }
      button.setAttribute("aria-expanded", String(!inner.hidden));
    } }, h("strong", null, wire(group.method ?? "")), " ", group.path ? wire(hostAndPath(group.host, group.path)) : h("span", { class: "muted" }, "headers not kept: too few among too many"));
    const most = (text, kind) => (text ? h("div", null, text.value === null ? h("span", { class: "muted" }, `many ${kind}`) : wire(text.value), text.share < 0.95 ? h("span", { class: "muted" }, ` ${share(text.share)}`) : null) : null);
    const exact = group.requestsAtLeast < group.requests ? `${count(group.requestsAtLeast)} to ${count(group.requests)}` : `≈ ${count(group.requests)}`;
    return [h("tr", { class: "open-row" },
      h("td", null, button,
        isUnmatched ? h("div", { class: "muted" }, h("span", { class: "tag warn" }, group.reason), " ", REASONS[group.reason] ?? "") : null,
        group.nearest ? h("div", null, "Nearest rule: ", h("a", { href: `#route/${group.nearestRouteId}` }, wire(group.nearest.replaceAll("`", "")))) : null),
      h("td", { class: "num middle-only" }, share(group.share)),
      h("td", { class: "num" }, exact),
      h("td", { class: "tight middle-only" }, !group.status ? "none" : group.grpcStatus == null ? String(group.status) : callStatus(group.grpcStatus)),
      h("td", { class: "wide-only from" }, most(group.client, "clients"), most(group.userAgent, "user agents")),
      h("td", { class: "tight" }, h("div", { title: group.firstTime }, clock(group.firstTime)), h("div", { class: "muted", title: group.lastTime }, clock(group.lastTime))),
      h("td", { class: "tight middle-only" }, group.trend.some((point) => point) ? sparkline(group.trend, `requests per second in steps of ${step} seconds`) : null)), inner];
  });
  return table(columns, rows, { class: "groups" });
}

/** The classes of status that requests got, with how many where there are several. */
function answerClasses(entry) {
  const classes = Object.entries(entry.answers ?? {});
  const isOdd = (name) => name === "2xx" && ["no_host", "no_match", "no_gateway"].includes(entry.reason);
  return classes.flatMap(([name, requests]) => [h("span", { class: `tag ${isOdd(name) ? "bad" : ""}` }, classes.length > 1 ? `${name} ${count(requests)}` : name), " "]);
}

/** The view of requests that no route took. */
const unmatchedView = {
  title: "Unmatched requests",
  interval: 3000,
  opens: new Set(),
  form: null,
  load() { return ask("api/v1/unmatched"); },
  draw(data) {
    this.form ??= explainForm();
    const sum = (isWanted) => data.reasons.reduce((all, entry) => all + (isWanted(entry.reason) ? entry.requests : 0), 0);
    const isBeside = (reason) => reason === ELSEWHERE || reason === REDIRECTED;
    const total = sum((reason) => !isBeside(reason)), beside = sum(isBeside);
    tabCount("unmatched", total, mistakenRate(data.unmatchedPerSecond) > 0 ? "warn" : "");
    // What is reckoned from a sample may be ahead of what is counted.
    const groups = (data.groups ?? []).map((group) => {
      const counted = sum((reason) => reason === group.reason);
      return { ...group, requests: Math.min(group.requests, counted), requestsAtLeast: Math.min(group.requestsAtLeast, counted) };
    });
    return [
      h("div", { class: "head" }, title("Requests that no route took"), h("p", { class: "muted" },
        `${counted(total, "request")} since the agent began${beside ? `; beside them ${count(beside)} that need none` : ""}`)),
      h("section", { class: "panel" }, data.reasons.length
        ? table(
          [{ title: "Reason" }, { title: "Gateway", class: "middle-only" }, { title: "Answered", class: "middle-only", help: "Classes of status. Envoy answers a request without a route with 404 itself; a 2xx says that the gateway has a route which these objects lack." }, { title: "Requests", class: "num" }, { title: "Now, per second", class: "num" }],
          data.reasons.map((entry) => h("tr", null,
            h("td", null, h("span", { class: "tag warn" }, entry.reason), " ", REASONS[entry.reason] ?? ""),
            h("td", { class: "middle-only" }, entry.gateway ? wire(entry.gateway) : h("span", { class: "muted" }, "none")),
            h("td", { class: "middle-only" }, answerClasses(entry)),
            h("td", { class: "num" }, count(entry.requests)),
            h("td", { class: "num" }, rate(data.unmatchedPerSecond[entry.reason] ?? 0)))))
        : empty("Every request had a route", "Requests for unknown hosts or paths would be counted here, with the reason.")),
      groups.length ? panel("What is asked for", "Kinds of requests, the most frequent first; open one to see an example and to explain it.", groupTable(groups, this.opens, { isUnmatched: true, step: data.trendStepSeconds })) : null,
      this.form,
      data.recent.length ? panel("Recent requests", "A sample; open one to see its headers and to explain it.", exchangeTable(data.recent.slice(0, 25), { opens: this.opens, showsRoute: true })) : null,
    ];
  },
};
