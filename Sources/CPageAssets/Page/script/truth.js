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

/** From these shares on, requests without a route are a warning and an alarm; those of the alert UnmatchedShareHigh. */
const NOTABLE_UNMATCHED = 0.05, ALARMING_UNMATCHED = 0.2;

/** Whether nearly all answers to requests were not seen: the few that were are no sample of them. */
function isHardlySeen(requests, unseen) {
  return requests > 0 && requests - unseen <= 0.1 * requests;
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
    this.showChange(status);
    this.showUnmatched(changes.unmatchedMost, unmatched, visibility.requestsPerSecond);
    const requests = visibility.requestsPerSecond * visibility.windowSeconds;
    this.showServed(changes.unmatchedAnswers.served, unmatched * visibility.windowSeconds, requests);
    this.showWorst("truth-failing", "failures", (route) => route.errorShare, requests);
    this.showWorst("truth-refused", "4xx", (route) => route.clientErrorShare, requests);
    this.showVerdicts(status.verdicts);
    put(document.getElementById("truth-line"), this.traffic(visibility, changes));
    put(document.getElementById("truth-note"), this.sentence(visibility, changes));
    document.getElementById("truth-note").classList.toggle("warn-text", !this.isWhole(visibility, changes));
    const kind = (isBad, isWarn) => (isBad ? "bad" : isWarn ? "warn" : "");
    this.figures([
      ["requests", "Requests", `${rate(visibility.requestsPerSecond)}/s`, sparkline(visibility.trend, "requests per second of ten minutes"), ""],
      ["unmatched", "Without a route", `${rate(unmatched)}/s`, `${count(status.requests.unmatched)} since the start`, kind(unmatched >= ALARMING_UNMATCHED * (visibility.requestsPerSecond || Infinity), unmatched > 0)],
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

  /** Answers of the last minute whose requests were not seen, and their share of all that was seen. */
  answersAlone(visibility) {
    const answers = visibility.now.answersAlone, requests = visibility.requestsPerSecond * visibility.windowSeconds;
    return { answers, share: answers ? answers / (answers + requests) : 0 };
  },

  /** Why nothing comes from interfaces that are to be captured on, a sentence each. */
  problems(status) {
    return status.sources.map((source) => source.problem).filter(Boolean).map(shown);
  },

  /** One sentence that says what the traffic does. */
  traffic(visibility, changes) {
    const ended = changes.status.capture?.ended;
    if (!visibility.sinceStart.packets) {
      if (ended) return "The pcap file holds no packets.";
      const problems = this.problems(changes.status);
      return problems.length ? `Nothing is captured: ${problems.join("; ")}.` : "No packets have arrived yet. Is the capture where the gateway's traffic is?";
    }
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
    const alone = this.answersAlone(visibility).answers;
    if (!requests && alone) return `No requests ${of}, and ${counted(alone, "answer")} whose requests were not seen.`;
    if (!requests) return elsewhere ? `No requests to the ports of a Gateway ${of}; ${passing}` : `No requests ${of}.`;
    // Whether a request failed is not known where its answer was not seen, whether a route took it or none did.
    const answers = changes.unmatchedAnswers;
    const unseen = sum((route) => route.windowUnseen) + answers.unseen, known = requests - unseen;
    const parts = [];
    if (!isHardlySeen(requests, unseen)) {
      const failed = (sum((route) => route.windowFailures) + answers.failures) / known, refused = sum((route) => route.windowClientErrors) / known;
      parts.push(failed ? `${share(failed)} failed` : "none failed");
      if (refused) parts.push(`${share(refused)} answered 4xx by a route`);
    } else {
      parts.push(known > 0.5 ? "how nearly all of them were answered was not seen" : "how they were answered was not seen");
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
    element.hidden = !most || unmatched < NOTABLE_UNMATCHED * (requests || unmatched);
    if (element.hidden) return;
    const isAlarming = unmatched >= ALARMING_UNMATCHED * (requests || unmatched);
    element.classList.toggle("bad-text", isAlarming);
    element.classList.toggle("warn-text", !isAlarming);
    const kind = `${most.method ?? ""} ${hostAndPath(most.host, most.path)}`.trim();
    const part = `${most.shareOfAll ? `, ${share(most.shareOfAll)} of all` : ""}, since ${clock(most.firstTime)}`;
    // The rule without the change that it would take, which the list of kinds has.
    const nearest = most.nearest?.replaceAll("`", "").split(", if ")[0];
    const text = [kind, part, nearest].join("\n");
    if (element.dataset.text === text) return;
    element.dataset.text = text;
    fill(element, "No route takes ", h("a", { href: "#unmatched" }, wire(kind)), part,
      nearest ? ["; nearest is ", h("a", { href: `#route/${most.nearestRouteId}` }, wire(nearest))] : null, ".");
  },

  /** Says that the gateway has routes which the objects lack: it answers what none takes with 404 itself, and never with 2xx. */
  showServed(served, unmatched, requests) {
    const element = document.getElementById("truth-served");
    element.hidden = served <= 0.05 * unmatched || served < 0.005 * requests;
    if (element.hidden) return;
    const all = counted(Math.max(Math.round(unmatched), served), "request");
    put(element, `${count(served)} of ${all} without a route answered 2xx, so the gateway has routes that these objects lack.`);
  },

  /** Says that answers of targets were found to be worse. */
  showVerdicts(verdicts) {
    const element = document.getElementById("truth-shadow");
    const fails = verdicts?.fail ?? 0;
    element.hidden = !fails;
    if (!fails) return;
    const all = Object.values(verdicts).reduce((sum, value) => sum + value, 0);
    const text = `${count(fails)} of ${counted(all, "verdict")} ${fails === 1 ? "is" : "are"} FAIL`;
    if (element.textContent !== `Shadow traffic: ${text}.`) fill(element, "Shadow traffic: ", h("a", { href: "#shadow" }, text), ".");
  },

  /** Names the route that has the most requests of a kind in the last minute, while they are a share worth a word. */
  showWorst(id, kind, shareOf, requests) {
    const element = document.getElementById(id);
    let worst = null, most = 0, sum = 0;
    for (const route of routes.byID.values()) {
      const part = isHardlySeen(route.windowRequests, route.windowUnseen) ? 0 : route.windowRequests * shareOf(route) || 0;
      sum += part;
      if (part > most) { worst = route; most = part; }
    }
    element.hidden = !worst || sum < 0.05 * requests;
    if (element.hidden) return;
    const words = [`Most ${kind}: `, `${shown(worst.object)} ${shown(worst.route)}`, `, ${share(shareOf(worst))} of its requests.`];
    if (element.textContent !== words.join("")) fill(element, words[0], h("a", { href: `#route/${worst.id}` }, wire(words[1])), words[2]);
  },

  /** Says what changed last, for an hour: a change of the traffic may have begun there. */
  showChange(status) {
    const place = document.getElementById("truth-change");
    const isRecent = (change) => change && change.kind !== "started" && Date.parse(status.time) - Date.parse(change.time) < 3600_000;
    const { latestChange: change, latestRoutesChange: earlier } = status;
    const isRefused = !status.routes.latestReloadSuccessful || !status.configuration.latestReloadSuccessful;
    place.hidden = !isRecent(change) && !(isRefused && change?.kind === "refused");
    place.classList.toggle("warn-text", isRefused);
    const key = `${change?.time} ${earlier?.time} ${zone.isLocal}`;
    if (place.hidden || place.dataset.time === key) return;
    place.dataset.time = key;
    const reason = change.kind === "refused" && change.details.length ? [": ", wire(change.details[0])] : null;
    // What broke the traffic may be the routes that came before what is the latest.
    const before = isRecent(earlier) && earlier.time !== change.time ? [`; at ${clock(earlier.time)} `, wire(earlier.text)] : null;
    fill(place, `Latest change at ${clock(change.time)}: `, wire(change.text), reason, before, ". ", h("a", { href: "#agent" }, "All changes"));
  },

  /** Whether what is shown is all there was. */
  isWhole(visibility, changes) {
    const now = visibility.now;
    return changes.health.isPassing && !now.lostPackets && !now.gaps && this.unreadable(visibility).share <= 0.01
      && this.unseenShare(visibility) <= 0.01 && this.answersAlone(visibility).share <= 0.01 && !this.problems(changes.status).length
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
    const alone = this.answersAlone(visibility);
    if (alone.share > 0.01) parts.push(`${counted(alone.answers, "answer")} came without ${alone.answers === 1 ? "its request" : "their requests"}`);
    parts.push(...this.problems(changes.status));
    const { capture } = changes.status;
    const ended = capture?.ended && capture.firstPacketTime
      ? `The pcap file has been read; its packets are of ${span((Date.parse(capture.latestPacketTime) - Date.parse(capture.firstPacketTime)) / 1000)} until ${clock(capture.latestPacketTime)}. ` : "";
    const notices = (changes.status.gatewayNotices ?? []).map((notice) => ` ${shown(notice[0].toUpperCase() + notice.slice(1))}.`).join("");
    if (!parts.length) return `${ended}No packets were lost, and the connections can be read.${notices}`;
    const isHalf = unseen > 0.5 || alone.share > 0.5;
    return `${ended}Not everything was seen: ${parts.join(", ")}${isHalf ? "; is one direction filtered out?" : "."}${notices}`;
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
    const filters = [...new Set(status.sources.map((source) => source.filter).filter(Boolean))];
    if (filters.length) others.unshift(["filter", wire(filters.join("; "))]);
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
