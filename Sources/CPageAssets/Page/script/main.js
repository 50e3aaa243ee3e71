// The views, and the address that says which one is shown.

const VIEWS = { routes: routesView, route: routeView, unmatched: unmatchedView, exchanges: exchangesView, shadow: shadowView, coverage: coverageView, findings: findingsView, agent: agentView };

const shownView = { name: null, address: null, data: null, text: null, timer: null, request: 0, wasOpened: false, titleIsDue: false };

/** The view, the id and the parameters that the address names. */
function readAddress() {
  const [path, query] = location.hash.slice(1).split("?");
  const [name, id] = path.split("/");
  return { name: Object.hasOwn(VIEWS, name) ? name : "routes", id, parameters: new URLSearchParams(query ?? "") };
}

/** Whether somebody is reading or writing what a fresh drawing would take away. */
function isHeld(view) {
  const main = document.getElementById("main");
  const selection = getSelection();
  return (view.opens?.size > 0 && view.holdsStill !== false)
    || (main.contains(document.activeElement) && document.activeElement.closest("tbody, form, details") !== null)
    || (!selection.isCollapsed && main.contains(selection.anchorNode));
}

/** Shows the view that the address names. */
function openView() {
  const { name } = readAddress();
  const isAnother = shownView.name !== name || shownView.address !== location.hash;
  shownView.name = name;
  shownView.address = location.hash;
  shownView.text = null;
  document.body.dataset.view = name;
  document.title = `${VIEWS[name].title} – Wingmirror`;
  for (const tab of document.querySelectorAll(".views a")) {
    const isCurrent = tab.dataset.view === name || (tab.dataset.view === "routes" && name === "route");
    if (isCurrent) tab.setAttribute("aria-current", "page"); else tab.removeAttribute("aria-current");
  }
  showTab();
  // By whichever request draws it: one that an event overtakes does not.
  shownView.titleIsDue ||= isAnother && shownView.wasOpened;
  shownView.wasOpened = true;
  refresh(true);
}

/** Brings the tab of the view into sight, where the tabs are wider than the screen. */
function showTab() {
  const tab = document.querySelector(".views a[aria-current]"), bar = tab?.parentElement;
  if (!tab || bar.scrollWidth <= bar.clientWidth) return;
  const start = tab.offsetLeft - bar.offsetLeft;
  if (start < bar.scrollLeft) bar.scrollLeft = start;
  else if (start + tab.offsetWidth > bar.scrollLeft + bar.clientWidth) bar.scrollLeft = start + tab.offsetWidth - bar.clientWidth;
}

/** Asks for what the view shows and draws it; unless asked by somebody, only when that takes nothing away from them. */
async function refresh(isAsked) {
  const { name, id, parameters } = readAddress();
  const view = VIEWS[name];
  clearTimeout(shownView.timer);
  const request = ++shownView.request;
  const main = document.getElementById("main");
  const address = location.hash;
  isAsked ||= main.ariaBusy === "true";  // What was asked for is still to be drawn, by whichever request is the last.
  if (isAsked) main.ariaBusy = "true";
  try {
    const data = await view.load(parameters, id);
    if (request !== shownView.request) return;
    const text = view.isLive ? null : JSON.stringify({ ...data, time: undefined });
    if (isAsked || (!view.isLive && text !== shownView.text && !isHeld(view))) {
      const place = isAsked ? null : scrollY;
      drawInstead(main, view.draw(data ?? {}));
      if (place !== null) scrollTo({ top: place });
      shownView.text = text;
    }
  } catch (error) {
    if (request !== shownView.request) return;
    if (isAsked) drawInstead(main, title(view.title), h("section", { class: "panel" }, empty("This could not be shown", wire(error.message))));
  }
  if (isAsked) { main.ariaBusy = null; main.dataset.address = address; }
  if (view.interval && !document.hidden) shownView.timer = setTimeout(tick, view.interval);
}

/** Draws parts in place of what is shown; the title takes the focus where a view was opened, or the title before had it. */
function drawInstead(main, ...parts) {
  const isDue = shownView.titleIsDue || main.querySelector("h1")?.matches(":focus");
  shownView.titleIsDue = false;
  fill(main, ...parts);
  if (isDue) main.querySelector("h1")?.focus({ preventScroll: true });
}

/** The first event has come: a view that was drawn without it, and its links, is drawn again. */
function drawAgain() {
  shownView.text = null;
  refresh(false);
}

/** Draws the view again, unless everything stands still. */
function tick() {
  if (link.isPaused) shownView.timer = setTimeout(tick, VIEWS[shownView.name].interval);
  else refresh(false);
}

/** An event has come: live views and the counts on the tabs follow at once. */
function showChanges(changes) {
  if (shownView.name && VIEWS[shownView.name].isLive && routesView.body?.isConnected) VIEWS[shownView.name].changed();
  const now = mistakenRate(changes.unmatchedPerSecond) > 0;
  // Beside the view's own figures there are no younger ones.
  if (shownView.name !== "unmatched") tabCount("unmatched", changes.status.requests.unmatched, now ? "warn" : "");
  tabCount("shadow", changes.status.verdicts?.fail ?? 0, "bad");
  const { status, generation } = changes;
  const key = [generation, status.routes.rejectedReloads, status.routes.reloads, status.configuration.rejectedReloads, status.configuration.reloads, ...status.gatewayNotices].join(" ");
  if (findingCount.key !== key) countFindings(key);
}

/** The number beside the name of a tab. */
function tabCount(view, value, kind) {
  const tab = document.querySelector(`.views a[data-view="${view}"]`);
  let badge = tab.querySelector(".count");
  if (!badge) tab.append(badge = h("span", { class: "count" }));
  badge.hidden = !value;
  badge.className = `count ${kind}`;
  if (badge.textContent.length !== count(value).length) requestAnimationFrame(showTab);
  put(badge, count(value));
}

const findingCount = { key: null };

/** Counts the findings, once for each table and whatever else they are about. */
async function countFindings(key) {
  findingCount.key = key;
  try {
    const { counts } = await ask("api/v1/findings");
    tabCount("findings", counts.error + counts.warning, counts.error ? "bad" : "warn");
  } catch { findingCount.key = null; }
}

addEventListener("hashchange", openView);
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  if (event.key === "p") link.pause(!link.isPaused);
  if (event.key === "/" && document.getElementById("filter")) { event.preventDefault(); document.getElementById("filter").focus(); }
});
// A page that nobody sees listens to nothing, and costs the agent nothing.
addEventListener("visibilitychange", () => {
  if (document.hidden) { link.close(); clearTimeout(shownView.timer); } else { link.open(); link.sequence = null; refresh(false); }
});
// As an address it would be that of a view.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("main").focus();
});
document.getElementById("pause").addEventListener("click", () => link.pause(!link.isPaused));
document.getElementById("truth-more").addEventListener("toggle", () => {
  if (truth.latest) truth.showDetail(truth.latest.visibility, truth.latest.status);
});
/** Says in which zone times are, and what the button does. */
function showZone() {
  put(document.getElementById("zone-name"), zone.isLocal ? `Times are local (${Intl.DateTimeFormat().resolvedOptions().timeZone})` : "Times are UTC");
  put(document.getElementById("zone"), zone.isLocal ? "Show UTC" : "Show local time");
}
document.getElementById("zone").addEventListener("click", () => {
  zone.isLocal = !zone.isLocal;
  try { localStorage.setItem("wingmirror-times", zone.isLocal ? "local" : "UTC"); } catch { /* It holds until the page is left. */ }
  showZone();
  refresh(true);
});
showZone();
put(document.getElementById("agent-name"), location.host);
setInterval(() => link.showState(), 1000);
link.open();
openView();
