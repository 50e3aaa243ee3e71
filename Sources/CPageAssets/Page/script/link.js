// The connection to the agent: what it tells by itself, and what is asked of it.

/** After so many seconds without an event the page says that it is stale, and then that the agent is lost. */
const STALE_AFTER = 4, LOST_AFTER = 12;

/** Asks for a document; an answer that is none becomes an error with its sentence. */
async function fetchJSON(address, options) {
  const answer = await fetch(address, { cache: "no-store", ...options });
  if (!answer.ok) throw Object.assign(new Error((await answer.text()).trim() || `the agent answered ${answer.status}`), { status: answer.status });
  return answer.json();
}

/** Asks for a document of the API. */
function ask(address) {
  return fetchJSON(address);
}

const link = {
  source: null,
  latest: null,
  heardAt: 0,
  sequence: null,
  isPaused: false,
  isFetching: false,
  waiting: [],

  /** The latest packet of a savefile, and when it came; its packets are of another time than the present. */
  packet: null,

  /** The present, on the clock of the capture. */
  get now() {
    const time = this.latest?.time;
    if (!time || !this.packet) return time ?? new Date().toISOString();
    return new Date(Date.parse(this.packet.time) + Date.parse(time) - Date.parse(this.packet.cameAt)).toISOString();
  },

  /** Notes the clock of a savefile. */
  noteClock(changes) {
    const isLive = changes.status.sources.some((source) => source.interface !== undefined || source.loop);
    const time = changes.visibility.latestPacketTime;
    if (isLive || !time) this.packet = null;
    else if (this.packet?.time !== time) this.packet = { time, cameAt: changes.time };
  },

  /** Listens; the browser connects again by itself unless the agent refuses. */
  open() {
    this.source?.close();
    this.source = new EventSource("api/v1/events");
    this.source.addEventListener("open", () => { this.sequence = null; });
    this.source.addEventListener("changes", (event) => this.heard(JSON.parse(event.data)));
    this.source.addEventListener("error", () => {
      if (this.source.readyState === EventSource.CLOSED) setTimeout(() => this.open(), 5000);
    });
  },

  close() {
    this.source?.close();
    this.source = null;
  },

  /** An event has come. */
  heard(changes) {
    this.heardAt = performance.now();
    if (!this.isPaused) this.apply(changes);
    this.showState();
  },

  /** Takes over what an event says, or first the whole list where events have been missed. */
  async apply(changes) {
    const isFirst = this.latest === null;
    this.latest = changes;
    this.noteClock(changes);
    const follows = this.sequence !== null && changes.sequence === this.sequence + 1;
    this.sequence = changes.sequence;
    if (this.isFetching) { this.waiting.push(changes); return; }
    if (!routes.update(changes) || !follows || !routes.isComplete) await this.fetchRoutes();
    truth.show(changes);
    showChanges(changes);
    if (isFirst) drawAgain();
  },

  /** Asks for the whole list; events that come meanwhile are applied to it. */
  async fetchRoutes() {
    this.isFetching = true;
    try {
      routes.take(await ask("api/v1/routes"));
      for (const changes of this.waiting) routes.update(changes);
    } catch { /* The state of the link says that the agent does not answer. */ }
    this.waiting = [];
    this.isFetching = false;
  },

  /** Stops showing what comes, or goes on. */
  pause(isPaused) {
    this.isPaused = isPaused;
    const button = document.getElementById("pause");
    button.setAttribute("aria-pressed", String(isPaused));
    put(button, isPaused ? "Resume" : "Pause");
    if (!isPaused) { this.sequence = null; refresh(true); }
    this.pausedAt = this.latest?.time;
    this.showState();
  },

  /** Says whether what is shown is of now; called every second, as silence brings no event. */
  showState() {
    const silence = this.heardAt ? (performance.now() - this.heardAt) / 1000 : null;
    const state = silence === null ? (performance.now() > LOST_AFTER * 1000 ? "lost" : "waiting")
      : silence > LOST_AFTER ? "lost" : silence > STALE_AFTER ? "stale" : this.isPaused ? "paused" : this.latest?.status.capture?.ended ? "ended" : "live";
    const text = { waiting: "connecting", live: "live", ended: "pcap file read", paused: "paused", stale: "stale", lost: "connection lost" }[state];
    if (document.body.dataset.link !== state) document.body.dataset.link = state;
    put(document.getElementById("link-state"), text);
    const banner = document.getElementById("banner");
    banner.hidden = !["stale", "lost", "paused"].includes(state);
    banner.classList.toggle("calm", state === "paused");
    if (state === "paused") put(banner, `Paused at ${clock(this.pausedAt)}. The agent goes on; resume to catch up.`);
    else if (state === "stale") put(banner, "No word from the agent for some seconds. The figures are getting old.");
    else if (state === "lost") put(banner, this.latest ? `The agent does not answer. What is shown is of ${clock(this.latest.time)}; trying again.` : "The agent does not answer; trying again.");
  },
};
