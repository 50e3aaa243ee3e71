// Charts, as SVG. Each says in words what it shows; colour is never all there is.

/** A small curve of requests per second; where nobody looked there is a break. */
function sparkline(points, label) {
  const width = 120, height = 26;
  const most = Math.max(...points.map((point) => point ?? 0), 1e-9);
  const x = (place) => (place / Math.max(points.length - 1, 1)) * width;
  const y = (value) => height - 2 - (value / most) * (height - 5);
  const runs = [];
  points.forEach((point, place) => {
    if (point === null) return;
    if (place > 0 && points[place - 1] !== null && runs.length) runs.at(-1).push([x(place), y(point)]);
    else runs.push([[x(place), y(point)]]);
  });
  const path = (run) => run.map(([px, py], place) => `${place ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`).join("");
  return s("svg", { class: "spark", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": label },
    runs.map((run) => s("path", { class: "area", d: `${path(run)}L${run.at(-1)[0].toFixed(1)} ${height}L${run[0][0].toFixed(1)} ${height}Z` })),
    runs.map((run) => s("path", { class: "curve", d: path(run) })));
}

/** The frame of a chart over time: its marks on both axes. */
function timeFrame(timeline, rows, label) {
  const width = 640, height = 190, left = 54, bottom = 20, top = 6;
  const start = Date.parse(timeline[0].start), end = Date.parse(timeline.at(-1).end);
  const x = (time) => left + ((Date.parse(time) - start) / Math.max(end - start, 1)) * (width - left - 2);
  const chart = s("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  for (let mark = 0; mark <= 4; mark += 1) {
    const time = new Date(start + ((end - start) * mark) / 4).toISOString();
    const anchor = mark === 0 ? "start" : mark === 4 ? "end" : "middle";
    chart.append(s("text", { x: x(time), y: height - 5, "text-anchor": anchor }, end - start > 600_000 ? clock(time).slice(0, 5) : clock(time)));
  }
  for (const { position, text } of rows(top, height - bottom)) {
    chart.append(s("line", { class: "grid", x1: left, x2: width, y1: position, y2: position }));
    chart.append(s("text", { x: left - 5, y: position + 4, "text-anchor": "end" }, text));
  }
  return { chart, x, top, floor: height - bottom };
}

/** How long requests took, step by step: a column for each step, a row for each range of times, darker for more. */
function heatmap(timeline) {
  const cells = timeline.flatMap((point) => point.buckets.map(([lower, upper, requests]) => ({ point, lower, upper, requests })));
  if (cells.length === 0) return empty("No requests were timed", "There is a latency only where both request and response were seen.");
  const bounds = [...new Set(cells.flatMap((cell) => [cell.lower, cell.upper]))].filter((bound) => bound > 0).sort((a, b) => a - b);
  const step = Math.SQRT2;
  const lowest = Math.log2(Math.max(bounds[0] / step, 1e-6)), highest = Math.log2(bounds.at(-1) * step);
  const most = Math.max(...cells.map((cell) => cell.requests));
  const level = (requests) => Math.min(6, 1 + Math.floor((Math.log(requests) / Math.log(Math.max(most, 2))) * 5.999));
  const rows = (top, floor) => [1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100]
    .filter((mark) => Math.log2(mark) >= lowest && Math.log2(mark) <= highest)
    .map((mark) => ({ position: floor - ((Math.log2(mark) - lowest) / (highest - lowest)) * (floor - top), text: seconds(mark).replace(".0", "").replace(".00", "") }));
  const { chart, x, top, floor } = timeFrame(timeline, rows,
    `Latency over time, from ${seconds(bounds[0])} to ${seconds(bounds.at(-1))}, up to ${count(most)} requests in one cell`);
  const y = (bound) => floor - ((Math.log2(Math.max(bound, 2 ** lowest)) - lowest) / (highest - lowest)) * (floor - top);
  for (const { point, lower, upper, requests } of cells) {
    const left = x(point.start), above = y(upper);
    chart.append(s("rect", { class: `heat-${level(requests)}`, x: left, y: above, width: Math.max(x(point.end) - left - 0.6, 1), height: Math.max(y(lower) - above - 0.6, 1) },
      s("title", null, `${clock(point.start)}  ${seconds(lower)} – ${seconds(upper)}: ${counted(requests, "request")}`)));
  }
  return chart;
}

/** The classes of status in the order in which they are stacked. */
const CLASSES = [["success", "2xx"], ["redirection", "3xx"], ["informational", "1xx"], ["clientError", "4xx"], ["serverError", "5xx"], ["none", "no response"], ["unknown", "not seen"]];

/** How many requests of each class of status there were, step by step. */
function statusChart(timeline) {
  const most = Math.max(...timeline.map((point) => point.requestsPerSecond ?? 0));
  if (most === 0) return empty("No requests in this time");
  const rows = (top, floor) => [0.5, 1].map((part) => ({ position: floor - part * (floor - top), text: `${figure(most * part)}/s` }));
  const { chart, x, top, floor } = timeFrame(timeline, rows, `Requests per second by class of status, at most ${figure(most)} per second`);
  for (const point of timeline) {
    if (!point.windowRequests) continue;
    let base = floor;
    for (const [name, text] of CLASSES) {
      const requests = point.classes[CLASS_KEYS[name]] ?? 0;
      if (!requests) continue;
      const height = (requests / point.windowRequests) * (point.requestsPerSecond / most) * (floor - top);
      const left = x(point.start);
      base -= height;
      chart.append(s("rect", { class: `class-${name}`, x: left, y: base, width: Math.max(x(point.end) - left - 0.8, 1), height: Math.max(height, 0.8) },
        s("title", null, `${clock(point.start)}  ${text}: ${counted(requests, "request")}`)));
    }
  }
  return chart;
}

/** The names of the classes in the API. */
const CLASS_KEYS = { informational: "1xx", success: "2xx", redirection: "3xx", clientError: "4xx", serverError: "5xx", none: "none", unknown: "unknown" };

/** Which colour stands for which class, of those that occur. */
function statusLegend(timeline) {
  const present = CLASSES.filter(([name]) => timeline.some((point) => point.classes[CLASS_KEYS[name]]));
  return h("ul", { class: "legend" }, present.map(([name, text]) => h("li", null, h("i", { class: `class-${name}` }), text)));
}
