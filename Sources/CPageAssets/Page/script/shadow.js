// Shadow traffic: what is sent, and what the answers say.

const VERDICT_KINDS = { pass: "good", fail: "bad", inconclusive: "warn" };
/** What is to be looked at comes first. */
const VERDICT_ORDER = ["fail", "different", "inconclusive", "pass"];
const LATENCY_WORDS = { higher: "slower", lower: "faster", similar: "as fast", unknown: "not judged: too few pairs, too busy an agent, or slower for too short a time" };

/** Counts by reason, as words. */
function reasonCounts(counts) {
  const entries = Object.entries(counts ?? {}).filter(([, value]) => value > 0);
  return entries.length ? entries.map(([reason, value]) => h("span", { class: "tag" }, `${reason} ${count(value)}`)).flatMap((tag) => [tag, " "]) : "–";
}

/** The lanes: what became of the requests that each policy looked at. */
function lanePanel(lanes) {
  return panel("What is sent", "Looked at = not eligible + not sampled + dropped + waiting + sent; answered and failed are parts of sent.", lanes.length
    ? table([{ title: "Policy", class: "tight" }, { title: "Target", class: "tight" }, { title: "Looked at", class: "num middle-only" }, { title: "Not eligible", class: "middle-only" }, { title: "Not sampled", class: "num middle-only" }, { title: "Dropped" }, { title: "Waiting", class: "num middle-only" }, { title: "Sent", class: "num" }, { title: "Answered", class: "num roomy" }, { title: "Failed", class: "middle-only" }, { title: "Share", class: "num middle-only" }],
      lanes.map((lane) => h("tr", { class: lane.active === false ? "idle" : "" },
        h("td", { class: "tight" }, wire(lane.policy)),
        h("td", { class: "tight" }, wire(lane.target), lane.baseline ? [" ", h("span", { class: "tag" }, "baseline")] : null),
        h("td", { class: "num middle-only" }, count(lane.considered)),
        h("td", { class: "middle-only" }, reasonCounts(lane.filtered)),
        h("td", { class: "num middle-only" }, count(lane.notSampled)),
        h("td", null, reasonCounts(lane.dropped)),
        h("td", { class: "num middle-only" }, count(lane.queued)),
        h("td", { class: "num" }, count(lane.sent)),
        h("td", { class: "num roomy" }, count(lane.answered)),
        h("td", { class: "middle-only" }, reasonCounts(lane.failed)),
        h("td", { class: "num middle-only", title: `asked for: ${share(lane.configuredRatio)}` }, share(lane.samplingRatio)))), { class: "lanes" })
    : empty("No policy has looked at a request yet"));
}

/** The targets and their state. */
function targetPanel(targets) {
  if (!targets.length) return null;
  return panel("Targets", null, table(
    [{ title: "Target", class: "tight" }, { title: "Reached at", class: "middle-only" }, { title: "Breaker" }, { title: "Let through", class: "num" }, { title: "Waiting", class: "num middle-only" }, { title: "Sent", class: "num" }],
    targets.map((target) => h("tr", { class: target.active ? "" : "idle" },
      h("td", { class: "tight" }, wire(target.target)), h("td", { class: "middle-only" }, wire(target.reach)),
      h("td", null, target.breakerOpen ? h("span", { class: "tag bad" }, "open") : h("span", { class: "tag good" }, "closed")),
      h("td", { class: "num" }, share(Math.min(target.rampShare, target.backOffShare))),
      h("td", { class: "num middle-only" }, octets(target.queuedBytes)), h("td", { class: "num" }, octets(target.sentBytes))))));
}

/** One example of a difference, and the line that repeats it. */
function example(entry) {
  return h("li", null,
    h("p", null, h("strong", null, wire(entry.method)), " production ", h("strong", null, String(entry.productionStatus ?? "–")), ", shadow ", h("strong", null, wire(String(entry.candidate)))),
    entry.differences?.length ? table([{ title: "Where" }, { title: "How" }, { title: "Production" }, { title: "Shadow" }],
      entry.differences.map((difference) => h("tr", null, h("td", null, wire(difference.place)), h("td", null, wire(difference.kind)), h("td", null, wire(difference.production)), h("td", null, wire(difference.candidate))))) : null,
    entry.curl ? command(entry.curl) : null);
}

/** A moment, without its fraction of a second. */
function moment(given) {
  const time = new Date(given).toISOString();
  return `${day(time)} ${clock(time)}`;
}

/** Since when a verdict counts, when it was first said, what the last hours say, and how much it still takes. */
function verdictTimes(verdict) {
  const parts = [`Counted since ${moment(verdict.since)}`];
  if (verdict.lasting) parts.push(`first said ${moment(verdict.lasting.time)}${verdict.lasting.lastSeen ? `, last seen ${moment(verdict.lasting.lastSeen)}` : ""}`);
  if (verdict.recent && Date.parse(verdict.recent.since) > Date.parse(verdict.since) + 60e3) parts.push(`since ${moment(verdict.recent.since)} alone: ${verdict.recent.verdict}`);
  if (verdict.breaker?.openings) parts.push(`breaker opened ${counted(verdict.breaker.openings, "time")}${verdict.breaker.open ? ", open now" : ""}`);
  if (verdict.pairsNeeded) parts.push(`needs about ${count(verdict.pairsNeeded)} more pairs`);
  return parts.join("; ");
}

/** What the answers of one target on one route say. */
function verdictPanel(verdict, opens) {
  const key = `${verdict.policy}/${verdict.target}/${verdict.virtualServiceNamespace}/${verdict.virtualService}/${verdict.route}`;
  const details = (name, ...content) => h("details", {
    class: "inside", open: opens.has(`${key} ${name}`),
    ontoggle: (event) => { if (event.target.open) opens.add(`${key} ${name}`); else opens.delete(`${key} ${name}`); },
  }, h("summary", null, name), ...content);
  const kind = VERDICT_KINDS[verdict.verdict] ?? "warn";
  const examples = verdict.examples ?? [], places = verdict.places ?? [];
  return h("section", { class: "panel" },
    h("header", null,
      h("span", { class: `tag ${kind}` }, wire(verdict.verdict)),
      h("h2", null, wire(verdict.target), " on ", wire(verdict.virtualService ? `${verdict.virtualServiceNamespace}/${verdict.virtualService} ${verdict.route}` : "no route")),
      h("p", null, `policy ${shown(verdict.policy)}`, verdict.explanation ? `: ${shown(verdict.explanation)}` : null,
        verdict.remedy ? `. To do: ${shown(verdict.remedy)}.` : null),
      verdict.since ? h("p", { class: "muted" }, verdictTimes(verdict)) : null),
    h("dl", { class: "figures" }, [
      ["Compared", count(verdict.pairs), `${share(verdict.coverage)} of ${count(verdict.sampled)} sampled`],
      ["Target failed alone", count(verdict.errors?.worse ?? 0), `reference failed alone: ${count(verdict.errors?.better ?? 0)}`],
      ["Worse", count(verdict.worsePairs ?? 0), `of ${counted(Math.round(verdict.votes ?? 0), "vote")}`],
      ["Better", count(verdict.betterPairs ?? 0), "the reference differs"],
      ["Excess", share(Math.max(verdict.excess?.ratio ?? 0, 0)), `passes up to ${share(verdict.margin)}`],
      ["Noise", share(verdict.noise?.floor), `${counted(verdict.noise?.pairs ?? 0, "pair")} of one version`],
      verdict.latency ? ["Latency", `× ${figure(verdict.latency.ratio)}`, LATENCY_WORDS[verdict.latency.classification] ?? shown(verdict.latency.classification)] : null,
    ].filter(Boolean).map(([name, value, note]) => h("div", { class: "figure" }, h("dt", null, name), h("dd", { class: "value" }, value), h("dd", { class: "note" }, note)))),
    places.length ? details(`Where answers differ (${places.length})`,
      table([{ title: "Where" }, { title: "How" }, { title: "Worse", class: "num" }, { title: "Better", class: "num" }, { title: "" }],
        places.map((place) => h("tr", null, h("td", null, wire(place.place)), h("td", null, wire(place.kinds.join(", "))), h("td", { class: "num" }, count(place.worse)), h("td", { class: "num" }, count(place.better)),
          h("td", null, place.fails ? h("span", { class: "tag bad" }, 2 * place.repeats > place.worse ? "fails: not new each time" : "fails") : place.volatile ? h("span", { class: "tag" }, "varies by itself") : null))))) : null,
    examples.length ? details(`Examples (${examples.length})`, h("ol", null, examples.map(example))) : null);
}

/** The view of shadow traffic. */
const shadowView = {
  title: "Shadow traffic",
  interval: 5000,
  opens: new Set(),
  get holdsStill() { return false; },
  load() { return ask("api/v1/mirror").then((mirror) => ({ mirror })); },
  draw({ mirror }) {
    if (!mirror) {
      return [title("Shadow traffic"), h("section", { class: "panel" },
        empty("Mirroring is off", "Nothing is sent anywhere. It takes two switches: ", h("code", null, "mirror.enabled"), " and a policy with a target. ",
          h("code", null, "wingmirror mirror plan"), " says what a policy would send."))];
    }
    const isPaused = mirror.paused;
    const say = h("span", { role: "status", class: "muted" });
    const button = h("button", { type: "button", onclick: async () => {
      button.disabled = true;
      try {
        const answer = await fetch(isPaused ? "-/mirror/resume" : "-/mirror/pause", { method: "POST", headers: { "X-Wingmirror-Request": "page" } });
        put(say, shown((await answer.text()).trim()));
      } catch { put(say, "The agent did not answer."); }
      button.disabled = false;
      refresh(true);
    } }, isPaused ? "Resume sending" : "Pause sending");
    return [
      h("div", { class: "head" }, title("Shadow traffic"),
        h("span", { class: `tag ${isPaused ? "warn" : "good"}` }, isPaused ? wire(`paused: ${mirror.pauseReason}`) : "sending"), button, say,
        h("p", { class: "muted" }, `${octets(mirror.heldBytes)} of ${octets(mirror.budgetBytes)} held`, mirror.markedRequests ? `; ${counted(mirror.markedRequests, "request")} arrived that were shadow traffic already` : ""),
        mirror.warnings?.length ? h("ul", { class: "plain warn-text" }, mirror.warnings.map((warning) => h("li", null, wire(warning)))) : null),
      ...(mirror.verdicts.length ? mirror.verdicts.toSorted((a, b) => VERDICT_ORDER.indexOf(a.verdict) - VERDICT_ORDER.indexOf(b.verdict)).map((verdict) => verdictPanel(verdict, this.opens))
        : [h("section", { class: "panel" }, empty("No verdicts yet", "They appear when answers of a target have been compared with production's."))]),
      lanePanel(mirror.lanes),
      targetPanel(mirror.targets),
    ];
  },
};
