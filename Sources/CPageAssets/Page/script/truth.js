// What the gateway's traffic does now, and how much of it is seen: what was lost on the way to the agent, and what it cannot read.

/** Connections for which it is usual that they leave HTTP behind; they are no fault of what is seen. */
const USUALLY_OPAQUE = new Set(["upgraded", "tunnel"]);

/** Reasons for which no route was missing: what passes by to a port on which no Gateway listens, and redirects to HTTPS. */
const ELSEWHERE = "no_listener", REDIRECTED = "https_redirect";

/** The sum of rates by reason, of those that are wanted. */
function sumOf(perSecond, isWanted) {
  return Object.entries(perSecond).reduce((sum, [reason, value]) => (isWanted(reason) ? sum + value : sum), 0);
}

/** Requests per second for which a route was missing. */
function mistakenRate(perSecond) {
  return sumOf(perSecond, (reason) => reason !== ELSEWHERE && reason !== REDIRECTED);
}

const truth = {
  /** The packets of each source at the event before, for their rates. */
  before: null,
  rates: new Map(),

  /** Shows what an event says. */
  show(changes) {
    const { visibility, status } = changes;
    const now = visibility.now, ever = visibility.sinceStart;
    const lost = now.lostShare ?? 0, lostEver = ever.lostShare ?? 0;
    const opaque = this.unreadable(visibility).share;
    const unmatched = mistakenRate(changes.unmatchedPerSecond);
    this.noteRates(status.sources, changes.time);
    this.showChange(status.latestChange);
    this.showUnmatched(changes.unmatchedMost, unmatched, visibility.requestsPerSecond);
    const requests = visibility.requestsPerSecond * visibility.windowSeconds;
    this.showWorst("truth-failing", "failures", (route) => route.errorShare, requests);
    this.showWorst("truth-refused", "4xx", (route) => route.clientErrorShare, requests);
    put(document.getElementById("truth-line"), this.traffic(visibility, changes));
    put(document.getElementById("truth-note"), this.sentence(visibility, changes));
    document.getElementById("truth-note").classList.toggle("warn-text", !this.isWhole(visibility, changes));
    const kind = (isBad, isWarn) => (isBad ? "bad" : isWarn ? "warn" : "");
    this.figures([
      ["requests", "Requests", `${rate(visibility.requestsPerSecond)}/s`, sparkline(visibility.trend, "requests per second of ten minutes"), ""],
      ["unmatched", "Without a route", `${rate(unmatched)}/s`, `${count(status.requests.unmatched)} since the start`, kind(false, unmatched > 0)],
      ["packets", "Packets", `${rate(visibility.packetsPerSecond)}/s`, `${count(ever.packets)} since the start`, kind(!changes.health.isPassing, false)],
      ["lost", "Packets lost", share(now.lostShare ?? (ever.packets ? 0 : null)), `${count(now.lostPackets)} now, ${count(ever.lostPackets)} since the start`, kind(lost > 0.001, lost > 0 || lostEver > 0.001)],
      ["gaps", "Gaps in streams", count(now.gaps), `${octets(now.gapOctets)} now, ${count(ever.gaps)} since the start`, kind(false, now.gaps > 0)],
      ["opaque", "Cannot be read", share(ever.connections ? opaque : null), `${count(this.unreadable(visibility).connections)} of ${counted(ever.connections, "connection")}`, kind(opaque > 0.5, opaque > 0.1)],
      ["unseen", "Answers not seen", share(visibility.answersNotSeenShare), `${count(visibility.answersNotSeen)} now`, kind(this.unseenShare(visibility) > 0.5, this.unseenShare(visibility) > 0.01)],
      ["cut", "Cut packets", count(now.truncatedPackets), `${count(ever.truncatedPackets)} since the start`, kind(false, now.truncatedPackets > 0)],
    ]);
    if (document.getElementById("truth-more").open) this.showDetail(visibility, status);
    this.latest = { visibility, status };
  },

  /** Connections that cannot be read though they might be expected to be, and their share. */
  unreadable(visibility) {
    const connections = visibility.opaque.filter((entry) => !USUALLY_OPAQUE.has(entry.reason)).reduce((sum, entry) => sum + entry.connections, 0);
    return { connections, share: visibility.sinceStart.connections ? connections / visibility.sinceStart.connections : 0 };
  },

  /** The share of requests whose answers were not seen. */
  unseenShare(visibility) {
    return visibility.answersNotSeenShare ?? 0;
  },

  /** One sentence that says what the traffic does. */
  traffic(visibility, changes) {
    const ended = changes.status.capture?.ended;
    if (!visibility.sinceStart.packets) return ended ? "The pcap file holds no packets." : "No packets have arrived yet. Is the capture where the gateway's traffic is?";
    const all = [...routes.byID.values()];
    const sum = (value) => all.reduce((total, route) => total + (value(route) || 0), 0);
    const seconds = visibility.windowSeconds, perSecond = changes.unmatchedPerSecond;
    const unmatched = mistakenRate(perSecond) * seconds, redirected = (perSecond[REDIRECTED] ?? 0) * seconds;
    const requests = sum((route) => route.windowRequests) + unmatched + redirected;
    const elsewhere = (perSecond[ELSEWHERE] ?? 0) * seconds;
    const absence = changes.status.routes.notice;
    const last = seconds < 59 && seconds > 0 ? counted(Math.round(seconds), "second") : "minute";
    const of = ended ? `of the last ${last} of the pcap file` : `in the last ${last}`;
    const passing = elsewhere ? `${rate(elsewhere / seconds)} per second went to ports on which no Gateway listens.` : "";
    if (absence) return `The agent has no routes: ${shown(absence)}. ${rate(visibility.requestsPerSecond)} requests per second ${of}.`;
    if (!requests) return elsewhere ? `No requests to the ports of a Gateway ${of}; ${passing}` : `No requests ${of}.`;
    // Whether a request failed is not known where its answer was not seen.
    const known = requests - sum((route) => route.windowUnseen);
    const parts = [];
    if (known > 0) {
      const failed = sum((route) => route.windowFailures) / known, refused = sum((route) => route.windowClientErrors) / known;
      parts.push(failed ? `${share(failed)} failed` : "none failed");
      if (refused) parts.push(`${share(refused)} answered 4xx by a route`);
    } else {
      parts.push("how they were answered was not seen");
    }
    parts.push(unmatched ? `${share(unmatched / requests)} taken by no route` : "none without a route");
    if (redirected) parts.push(`${share(redirected / requests)} redirected to HTTPS`);
    const isExplained = (changes.status.gatewayNotices ?? []).length > 0;
    return `${rate(visibility.requestsPerSecond)} requests per second ${of}: ${parts.join(", ")}.${passing && !isExplained ? ` Beside them, ${passing}` : ""}`;
  },

  /** Names the kind of requests that most of those without a route are, while they are a share worth a word. */
  showUnmatched(most, unmatched, requests) {
    const element = document.getElementById("truth-unmatched");
    // A scanner's few requests are no news.
    element.hidden = !most || unmatched < 0.05 * (requests || unmatched);
    if (element.hidden) return;
    const kind = `${most.method ?? ""} ${hostAndPath(most.host, most.path)}`.trim();
    const part = most.share < 0.995 ? `${share(most.share)} of what no route takes is ` : "What no route takes is ";
    if (element.dataset.text === part + kind + most.firstTime) return;
    element.dataset.text = part + kind + most.firstTime;
    fill(element, part, h("a", { href: "#unmatched" }, wire(kind)), `, since ${clock(most.firstTime)}.`);
  },

  /** Names the route that has the most requests of a kind in the last minute, while they are a share worth a word. */
  showWorst(id, kind, shareOf, requests) {
    const element = document.getElementById(id);
    let worst = null, most = 0, sum = 0;
    for (const route of routes.byID.values()) {
      const part = route.windowRequests * shareOf(route) || 0;
      sum += part;
      if (part > most) { worst = route; most = part; }
    }
    element.hidden = !worst || sum < 0.05 * requests;
    if (element.hidden) return;
    const words = [`Most ${kind}: `, `${shown(worst.object)} ${shown(worst.route)}`, `, ${share(shareOf(worst))} of its requests.`];
    if (element.textContent !== words.join("")) fill(element, words[0], h("a", { href: `#route/${worst.id}` }, wire(words[1])), words[2]);
  },

  /** Says what changed last, for an hour: a change of the traffic may have begun there. */
  showChange(change) {
    const place = document.getElementById("truth-change");
    const isRecent = change && change.kind !== "started" && Date.now() - Date.parse(change.time) < 3600_000;
    place.hidden = !isRecent;
    if (!isRecent || place.dataset.time === change.time) return;
    place.dataset.time = change.time;
    fill(place, `Latest change at ${clock(change.time)}: `, wire(change.text), ". ", h("a", { href: "#agent" }, "All changes"));
  },

  /** Whether what is shown is all there was. */
  isWhole(visibility, changes) {
    const now = visibility.now;
    return changes.health.isPassing && !now.lostPackets && !now.gaps && this.unreadable(visibility).share <= 0.01
      && this.unseenShare(visibility) <= 0.01
      && !(changes.status.gatewayNotices ?? []).length;
  },

  /** One sentence that says whether to believe the figures. */
  sentence(visibility, changes) {
    const now = visibility.now, ever = visibility.sinceStart;
    if (!changes.health.isPassing) return `The capture makes no progress: ${shown(changes.health.detail)}. What is shown is of before.`;
    if (!ever.packets) return "";
    const parts = [];
    if (now.lostPackets) parts.push(`${share(now.lostShare)} of the packets of the last minute were lost`);
    if (now.gaps) parts.push(`${counted(now.gaps, "gap")} in streams`);
    const unreadable = this.unreadable(visibility).share;
    if (unreadable > 0.01) parts.push(`${share(unreadable)} of the connections cannot be read`);
    const unseen = this.unseenShare(visibility);
    if (unseen > 0.01) parts.push(`the answers to ${share(unseen)} of the requests were not seen`);
    const { capture } = changes.status;
    const ended = capture?.ended && capture.firstPacketTime
      ? `The pcap file has been read; its packets are of ${span((Date.parse(capture.latestPacketTime) - Date.parse(capture.firstPacketTime)) / 1000)} until ${clock(capture.latestPacketTime)}. ` : "";
    const notices = (changes.status.gatewayNotices ?? []).map((notice) => ` ${shown(notice)}.`).join("");
    if (!parts.length) return `${ended}No packets were lost, and the connections can be read.${notices}`;
    return `${ended}Not everything was seen: ${parts.join(", ")}.${notices}`;
  },

  /** Shows figures, making their places the first time. */
  figures(entries) {
    const list = document.getElementById("truth-figures");
    for (const [key, name, value, note, kind] of entries) {
      let place = list.querySelector(`[data-figure="${key}"]`);
      if (!place) {
        place = h("div", { "data-figure": key }, h("dt", null, name), h("dd", { class: "value" }), h("dd", { class: "note" }));
        list.append(place);
      }
      place.className = `figure ${kind}`;
      put(place.children[1], value);
      if (note instanceof Node) fill(place.children[2], note); else put(place.children[2], note);
    }
  },

  /** Takes down how many packets each source delivered in a second. */
  noteRates(sources, time) {
    const names = (source) => source.interface ?? source.savefile;
    if (this.before && time !== this.before.time) {
      const elapsed = (Date.parse(time) - Date.parse(this.before.time)) / 1000;
      this.rates = new Map(sources.map((source) => [names(source), Math.max(source.packets - (this.before.packets.get(names(source)) ?? source.packets), 0) / elapsed]));
    }
    if (time !== this.before?.time) this.before = { time, packets: new Map(sources.map((source) => [names(source), source.packets])) };
  },

  /** Shows the sources, and the connections that cannot be read. */
  showDetail(visibility, status) {
    const reasons = {
      tls: "TLS, and decryption is off: set tls.keyLog to the gateway's key log", tls_no_key: "TLS without keys in the key log, or they came later than tls.patience",
      tls_wrong_keys: "TLS that the keys of the key log do not fit", tls_midstream: "TLS whose handshake was not captured: it clears as clients reconnect",
      tls_unsupported_cipher: "TLS with a cipher suite that is not read", tls_lost: "TLS that could not be read on after a gap", tls_handshake: "TLS that ended in its handshake",
      unreadable: "was HTTP, and could not be read on", midstream: "begun before the capture", unknown: "no protocol that is known", upgraded: "left HTTP by an upgrade, such as WebSocket", tunnel: "left HTTP by CONNECT",
    };
    const others = [
      ["TLS decryption", status.tls.decryption ? `on, ${count(status.tls.decryptedConnections)} of ${counted(status.tls.connections, "connection")}${status.tls.problem ? `; key log: ${status.tls.problem}` : ""}` : "off"],
      ["connections joined midstream", count(visibility.midstreamConnections)], ["connections given up for want of room", count(visibility.evictedConnections)],
      ["packets not understood", count(visibility.undecodedPackets)], ["streams that could not be read on", count(visibility.unreadableStreams)],
      ["bytes skipped in search of a message", octets(visibility.skippedOctets)], ["requests waiting for a response", count(visibility.pendingExchanges)],
    ];
    if (visibility.splitPackets) others.push(["packets in tunnels, whose two directions different workers may have read: set capture.workers to 1", count(visibility.splitPackets)]);
    fill(document.getElementById("truth-detail"), h("div", { class: "columns" },
      h("section", { class: "panel" }, sourceTable(status.sources, this.rates)),
      h("section", { class: "panel" }, visibility.opaque.length
        ? table([{ title: "Cannot be read because" }, { title: "Connections", class: "num" }, { title: "Bytes", class: "num" }],
          visibility.opaque.map((entry) => h("tr", null, h("td", null, reasons[entry.reason] ?? entry.reason), h("td", { class: "num" }, count(entry.connections)), h("td", { class: "num" }, octets(entry.octets)))))
        : empty("Every connection can be read")),
      h("dl", { class: "fields" }, others.map(([name, value]) => [h("dt", null, name), h("dd", null, value)]))));
  },
};
