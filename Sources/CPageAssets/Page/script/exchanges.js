// Exchanges that the agent kept to be looked at.

const CALL_STATUSES = [
  "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
  "UNAUTHENTICATED",
];

/** The status of a gRPC call with its name. */
function callStatus(status) {
  return `gRPC ${status} ${CALL_STATUSES[status] ?? ""}`.trim();
}

/** A status with its colour and, for none, a word. */
function statusTag(exchange) {
  const status = exchange.response?.status;
  if (!exchange.isAnswerSeen) return h("span", { class: "tag", title: "The capture has not how it was answered." }, "not seen");
  if (!status && exchange.errorType === "client_closed") return h("span", { class: "tag warn" }, "client left");
  if (!status) return h("span", { class: "tag bad" }, "no response");
  const call = exchange.grpcStatus;
  const isBad = status >= 500 || call > 0;
  const kind = isBad ? "bad-text" : status >= 400 ? "warn-text" : "";
  if (call == null) return h("span", { class: `status ${kind}` }, String(status));
  const name = callStatus(call), number = `gRPC ${call}`;
  // On a phone the number is enough, and leaves room for the path.
  const wide = (text) => h("span", { class: "middle-only" }, text);
  return h("span", { class: `status ${kind}`, title: name }, wide(`${status} · `), number, wide(name.slice(number.length)));
}

/** What was asked for: method, authority and target. */
function requestLine(exchange) {
  const request = exchange.request;
  if (!request) return h("span", { class: "muted" }, "its headers were not kept");
  return [h("strong", null, wire(request.method)), " ", wire(hostAndPath(request.authority ?? "", request.target))];
}

/** A message's fields, as sent, without credentials. */
function fieldList(name, message) {
  if (!message?.fields) return null;
  return h("div", null,
    h("p", { class: "muted fields-title" }, `${name} headers`),
    h("dl", { class: "fields", "aria-label": `${name} headers` }, message.fields.map(([field, value]) => [
      h("dt", null, wire(field)),
      h("dd", null, value === "[redacted]" ? h("span", { class: "tag" }, "redacted") : wire(value)),
    ])),
    message.fieldsCut ? h("p", { class: "muted" }, "There were more headers; the rest was not kept.") : null);
}

/** The id of the trace that a request belongs to, of W3C Trace Context or B3; `null` without one. */
function traceID(request) {
  const value = (name) => request?.fields?.find(([field]) => field.toLowerCase() === name)?.[1] ?? "";
  const found = /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(value("traceparent")) ?? /^([0-9a-f]{16,32})(?:-|$)/i.exec(value("b3") || value("x-b3-traceid"));
  return found?.[1] ?? null;
}

/** A link to a request's trace, where the request names one and the configuration says where traces are. */
function traceLink(request) {
  const template = link.latest?.status.links.trace, id = traceID(request);
  return template && id ? h("p", null, outerLink(template.replace("{trace}", id), `Trace ${id}`)) : null;
}

/** A query as HTTP archives list it. */
function queryString(target) {
  const mark = target.indexOf("?");
  return mark < 0 ? [] : [...new URLSearchParams(target.slice(mark + 1))].map(([name, value]) => ({ name, value }));
}

/** Exchanges as an HTTP archive 1.2, without credentials and content; those whose head was not kept are left out. */
function archive(exchanges) {
  const headers = (message) => (message?.fields ?? []).filter(([name]) => !name.startsWith(":"))
    .map(([name, value]) => ({ name, value, ...(message.octetsEscaped ? { _octetsEscaped: true } : {}) }));
  const targetOf = ({ target, octetsEscaped }) => (octetsEscaped ? target.replace(/\\x([0-9a-f]{2})|\\\\/gi, (_, digits) => (digits ? `%${digits}` : "%5C")) : target);
  const entries = exchanges.filter((exchange) => exchange.request).reverse().map((exchange) => {
    const { request, response, timing } = exchange;
    const whole = (timing.brokenOffSeconds ?? timing.durationSeconds ?? timing.unansweredSeconds ?? 0) * 1000, wait = Math.min((timing.responseFirstByteSeconds ?? timing.unansweredSeconds ?? 0) * 1000, whole);
    const type = headers(response).find(({ name }) => name.toLowerCase() === "content-type")?.value ?? "";
    return {
      startedDateTime: exchange.startTime, time: whole,
      request: {
        method: request.method, url: request.target.startsWith("/") ? `${request.scheme}://${request.authority ?? exchange.server}${targetOf(request)}` : targetOf(request),
        httpVersion: exchange.protocol, cookies: [], headers: headers(request), queryString: queryString(targetOf(request)), headersSize: -1, bodySize: request.contentBytes,
      },
      response: {
        status: response?.status ?? 0, statusText: "", httpVersion: exchange.protocol, cookies: [], headers: headers(response),
        content: { size: response?.contentBytes ?? 0, mimeType: type }, redirectURL: headers(response).find(({ name }) => name.toLowerCase() === "location")?.value ?? "",
        headersSize: -1, bodySize: response?.contentBytes ?? -1,
      },
      cache: {}, timings: { send: 0, wait, receive: whole - wait }, connection: String(exchange.connection), _integrity: exchange.integrity,
    };
  });
  return { log: { version: "1.2", creator: { name: "Wingmirror", version: link.latest?.status.version ?? "" }, entries } };
}

/** Hands a file to the browser to be saved. */
function save(blob, name) {
  const address = URL.createObjectURL(blob);
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}

/** A button that saves the requests that are shown. */
function saveArchiveButton(exchanges) {
  return h("button", { type: "button", class: "save-archive", onclick: () =>
    save(new Blob([JSON.stringify(archive(exchanges), null, 1)], { type: "application/json" }), "requests.har") }, "Save these as HAR");
}

/** All that is known of an exchange. */
function exchangeDetail(exchange) {
  const facts = {
    "started": moments(exchange.startTime),
    "client": exchange.client,
    "server": exchange.server,
    "connection": String(exchange.connection),
    "protocol": exchange.protocol,
    "first byte after": seconds(exchange.timing.responseFirstByteSeconds),
    ...(exchange.timing.unansweredSeconds == null
      ? { "took": seconds(exchange.timing.durationSeconds) } : { "waited in vain for": seconds(exchange.timing.unansweredSeconds) }),
    ...(exchange.timing.brokenOffSeconds == null ? {} : { "broken off after": seconds(exchange.timing.brokenOffSeconds) }),
    "request body": octets(exchange.request?.contentBytes),
    "response body": octets(exchange.response?.contentBytes),
    ...(exchange.grpcMessages ? {
      "gRPC status": exchange.grpcStatus == null ? "not seen" : callStatus(exchange.grpcStatus).slice(5),
      "gRPC messages": `${exchange.grpcMessages.request ?? "?"} sent, ${exchange.grpcMessages.response ?? "?"} received`,
    } : {}),
    "not seen whole": exchange.integrity.join(", ") || "–",
  };
  return h("div", null,
    h("div", { class: "columns" },
      h("dl", { class: "fields" }, Object.entries(facts).map(([name, value]) => [h("dt", null, name), h("dd", null, wire(value))])),
      fieldList("Request", exchange.request),
      fieldList("Response", exchange.response)),
    traceLink(exchange.request),
    exchange.request ? explainButton(exchange) : null,
    packetsPart(exchange),
    exchange.request?.authority ? h("details", null, h("summary", null, "As a curl command"), command(curlCommand(exchange.request))) : null);
}

/** The bytes of a text; of a message with escapes, those that they stand for. */
function bytesOf(text, isEscaped) {
  const encoded = (part) => [...new TextEncoder().encode(part)];
  if (!isEscaped) return encoded(text);
  const parts = text.match(/\\x[0-9a-f]{2}|\\\\|[^\\]+/gi) ?? [];
  return parts.flatMap((part) => (part[0] !== "\\" ? encoded(part) : part[1] === "\\" ? [0x5c] : [parseInt(part.slice(2), 16)]));
}

/** A text without escapes; bytes that are no UTF-8 are replaced. */
function withoutEscapes(text, isEscaped) {
  return isEscaped ? new TextDecoder().decode(Uint8Array.from(bytesOf(text, true))) : text;
}

/** A word of a POSIX shell, which reads it as exactly this text; what is not printable ASCII is written as bytes in octal. */
function shellWord(escaped, isEscaped = false) {
  const text = withoutEscapes(escaped, isEscaped);
  if (/^[\w\-./:=@%+,]+$/.test(text)) return text;
  if (/^[ -~]*$/.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  const word = bytesOf(escaped, isEscaped).map((byte) => (byte < 0x20 || byte > 0x7e
    ? `\\${byte.toString(8).padStart(3, "0")}` : byte === 0x27 || byte === 0x5c ? `\\${String.fromCharCode(byte)}` : String.fromCharCode(byte)));
  return `$'${word.join("")}'`;
}

/** A command that sends a request again, without its content and without what is hidden here. */
function curlCommand(request) {
  const left = new Set(["host", "content-length", "transfer-encoding", "connection"]);
  // The target goes as it is: brackets are none of curl's, and `/a/../b` is another path than `/b`.
  const words = ["curl", "-sS", "--globoff", "--path-as-is", ...(request.method === "HEAD" ? ["--head"] : request.method === "GET" ? [] : ["-X", shellWord(request.method)])];
  const sent = request.fields.filter(([name]) => !left.has(name.toLowerCase()) && !name.startsWith(":"));
  if (sent.some(([name]) => name.toLowerCase() === "accept-encoding")) words.push("--compressed");
  const isEscaped = request.octetsEscaped === true;
  for (const [name, value] of sent) if (value !== "[redacted]") words.push("-H", shellWord(value === "" ? `${name};` : `${name}: ${value}`, isEscaped));
  // What curl adds of itself is left out where the client sent none; of a head that was cut that is not known.
  const added = request.fieldsCut ? [] : ["User-Agent", "Accept"].filter((name) => !sent.some(([other]) => other.toLowerCase() === name.toLowerCase()));
  for (const name of added) words.push("-H", `${name}:`);
  // A target in another form is the client's own word, which is not to be taken for an option or for another server. A number sign
  // in one begins no fragment, and bytes that are no text belong in no URL.
  const isPlain = request.target.startsWith("/") && !request.target.includes("#") && !isEscaped;
  if (!isPlain) words.push("--request-target", shellWord(request.target, isEscaped));
  words.push("--url", shellWord(`${request.scheme}://${request.authority}${isPlain ? request.target : "/"}`, isEscaped));
  const missing = sent.filter(([, value]) => value === "[redacted]").map(([name]) => shown(name));
  if (request.contentBytes) missing.push(`its body of ${counted(request.contentBytes, "byte")}`);
  return words.join(" ") + (missing.length ? `  # without ${missing.join(", ")}` : "");
}

/** A button that explains which route takes the request of an exchange. */
function explainButton(exchange) {
  const place = h("div", { "aria-live": "polite" });
  const request = exchange.request;
  const question = {
    method: request.method, authority: request.authority, path: withoutEscapes(request.target, request.octetsEscaped),
    headers: request.fields.filter(([name]) => name.toLowerCase() !== "host")
      .map(([name, value]) => ({ name, value: withoutEscapes(value, request.octetsEscaped) })),
    port: exchange.serverPort, scheme: request.scheme, ...(exchange.tls?.sni ? { sni: exchange.tls.sni } : {}),
  };
  const button = h("button", { type: "button", class: "explain", onclick: async () => {
    button.disabled = true;
    fill(place, await explained(question));
    button.disabled = false;
  } }, "Explain this request");
  return h("div", null, h("p", null, button), place);
}

/** A way to save the packets of an exchange's connection, or why there is none. */
function packetsPart(exchange) {
  const status = link.latest?.status;
  if (!status) return null;
  return status.keptPackets ? savePacketsButton(exchange) : h("p", { class: "muted" },
    "The connection's packets cannot be saved: this agent keeps none (", h("code", null, "capture.keep.bytes"), " is 0 in its configuration).");
}

/** A button that saves the packets of an exchange's connection, as far as the agent still keeps them. */
function savePacketsButton(exchange) {
  const place = h("p", { "aria-live": "polite" });
  const button = h("button", { type: "button", class: "save-packets", onclick: async () => {
    button.disabled = true;
    try {
      const answer = await fetch(`api/v1/packets?connection=${exchange.connection}`, { cache: "no-store" });
      if (!answer.ok) throw new Error((await answer.text()).trim() || `the agent answered ${answer.status}`);
      save(await answer.blob(), `connection-${exchange.connection}.pcap`);
      fill(place, h("span", { class: "muted" }, answer.headers.get("wingmirror-note") ?? "saved"));
    } catch (error) {
      fill(place, h("span", { class: "warn-text" }, error.message));
    }
    button.disabled = false;
  } }, "Save the connection's packets (pcap)");
  return h("div", null, h("p", null, button), place);
}

/** Rows of exchanges, each of which opens to all that is known of it. */
function exchangeTable(exchanges, { showsRoute = true, opens = new Set() } = {}) {
  const columns = [
    { title: "Time", class: "tight" }, { title: "Status", class: "tight" }, { title: "Request" },
    { title: "Took", class: "num tight" }, { title: "Client", class: "wide-only tight" },
    ...(showsRoute ? [{ title: "Route", class: "middle-only" }] : []),
    { title: "Seen", class: "wide-only tight" },
  ];
  const rows = exchanges.flatMap((exchange) => {
    const id = `exchange-${exchange.number}`;
    const inner = h("tr", { class: "inner", id, hidden: !opens.has(exchange.number) }, h("td", { colspan: columns.length }));
    const open = () => {
      if (!inner.firstChild.firstChild) inner.firstChild.append(exchangeDetail(exchange));
      inner.hidden = false;
    };
    if (opens.has(exchange.number)) open();
    const button = h("button", { type: "button", class: "quiet opener", title: exchange.startTime, "aria-expanded": String(!inner.hidden), "aria-controls": id, onclick: () => {
      if (inner.hidden) { open(); opens.add(exchange.number); } else { inner.hidden = true; opens.delete(exchange.number); }
      button.setAttribute("aria-expanded", String(!inner.hidden));
    } }, clock(exchange.startTime));
    const route = exchange.route;
    return [h("tr", { class: "open-row" },
      h("td", { class: "tight" }, button),
      h("td", null, statusTag(exchange)),
      h("td", null, h("div", { class: "request-line" }, requestLine(exchange))),
      h("td", { class: "num" }, seconds(exchange.timing.brokenOffSeconds ?? exchange.timing.durationSeconds ?? exchange.timing.unansweredSeconds)),
      h("td", { class: "wide-only tight" }, wire(exchange.client.slice(0, exchange.client.lastIndexOf(":")))),
      showsRoute ? h("td", { class: "middle-only" }, route ? routeLink(route) : h("span", { class: "tag warn" }, exchange.reason)) : null,
      h("td", { class: "wide-only tight" }, exchange.integrity.length ? h("span", { class: "tag warn" }, wire(exchange.integrity.join(", "))) : h("span", { class: "muted" }, "whole"))), inner];
  });
  return table(columns, rows);
}

/** A link to the detail of a route, if the table still has it. */
function routeLink(route) {
  const object = wire(route.virtualService ?? route.httpRoute ?? route.grpcRoute ?? route.tlsRoute ?? route.ingress ?? "");
  return [route.id ? h("a", { href: `#route/${route.id}` }, object) : object, " ", h("span", { class: "tag" }, wire(route.label))];
}

/** The view of all exchanges that were kept. */
const exchangesView = {
  title: "Requests",
  interval: 3000,
  opens: new Set(),
  async load(address) {
    const kind = address.get("kind") ?? "all", status = address.get("status") ?? "";
    const conditions = ["host", "path", "client", "method", "slower"].filter((name) => address.get(name)).map((name) => `&${name}=${encodeURIComponent(address.get(name))}`).join("");
    const query = `kind=${encodeURIComponent(kind)}&limit=100${status ? `&status=${encodeURIComponent(status)}` : ""}${conditions}`;
    const found = { kind, status, address };
    try {
      return { ...found, ...(await ask(`api/v1/exchanges?${query}`)) };
    } catch (error) {
      // What a condition lacks is said below the form, which stays to be mended.
      if (error.status !== 400) throw error;
      return { ...found, exchanges: [], refusal: error.message };
    }
  },

  /** The address with other conditions. */
  link(address, changes) {
    const next = new URLSearchParams(address);
    for (const [name, value] of Object.entries(changes)) { if (value) next.set(name, value); else next.delete(name); }
    return `#exchanges?${next}`;
  },

  /** A form of conditions, which the address holds. */
  conditions(address) {
    const places = [["host", "Host"], ["path", "Path begins with"], ["method", "Method"], ["client", "Client or prefix"], ["slower", "Slower than 1s"]];
    const inputs = places.map(([name, text]) => h("input", { type: "search", id: name === "host" ? "filter" : undefined, name, placeholder: text, "aria-label": text, value: address.get(name) ?? "", autocomplete: "off", spellcheck: "false" }));
    return h("form", { class: "controls", onsubmit: (event) => {
      event.preventDefault();
      location.hash = this.link(address, Object.fromEntries(inputs.map((input) => [input.name, input.value.trim()])));
    } }, inputs, h("button", { type: "submit" }, "Show"));
  },

  draw(data) {
    const kinds = [["all", "All"], ["failed", "Failed"], ["unmatched", "Unmatched"], ["routed", "Routed"]];
    const statuses = [["", "Any"], ["2xx", "2xx"], ["3xx", "3xx"], ["4xx", "4xx"], ["5xx", "5xx"], ["none", "no response"], ["unknown", "not seen"]];
    return [
      h("div", { class: "head" }, title("Recent requests"),
        h("p", { class: "muted" }, "A sample: some of each route, and failures as far as there are not too many. Credentials are not shown.")),
      h("nav", { class: "segments", "aria-label": "Kinds" }, kinds.map(([kind, text]) =>
        h("a", { href: this.link(data.address, { kind }), "aria-current": kind === data.kind ? "true" : undefined }, text))),
      h("nav", { class: "segments", "aria-label": "Statuses" }, statuses.map(([status, text]) =>
        h("a", { href: this.link(data.address, { status }), "aria-current": status === data.status ? "true" : undefined }, text))),
      this.conditions(data.address),
      data.refusal ? h("p", { class: "bad-text", role: "alert" }, wire(data.refusal)) : null,
      data.exchanges.some((exchange) => exchange.request) ? h("p", null, saveArchiveButton(data.exchanges)) : null,
      data.refusal ? null : h("section", { class: "panel" }, data.exchanges.length
        ? exchangeTable(data.exchanges, { opens: this.opens })
        : empty("Nothing to show", "Requests appear here a moment after the gateway has answered them, if they meet the conditions above.")),
    ];
  },
};
