"use strict";
// How figures and foreign text are written.

/** Characters that are invisible, or that change how the text around them is drawn. */
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]/gu;

/** What stands for an invisible character: its picture for C0 and DEL, else its number. */
function pictured(character) {
  const code = character.codePointAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return "\u2421";
  return `⟨${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}

/** Text from the wire or from an object, with what is invisible in it made visible; as plain text. */
function shown(text) {
  return String(text).replace(INVISIBLE, pictured);
}

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** A count. */
function count(value) {
  return value === null || value === undefined ? "–" : whole.format(value);
}

/** A number with three significant digits. */
function figure(value) {
  if (value === 0) return "0";
  if (Math.abs(value) >= 1000) return whole.format(value);
  if (Math.abs(value) >= 100) return value.toFixed(0);
  if (Math.abs(value) >= 10) return value.toFixed(1);
  return value >= 0.01 ? value.toFixed(2) : "<0.01";
}

/** A rate; without one, a dash. */
function rate(value) {
  return value === null || value === undefined ? "–" : figure(value);
}

/** A share from 0 to 1, as a percentage that is 0 or 100 only when it is. */
function share(value) {
  if (value === null || value === undefined) return "–";
  const percent = value * 100;
  if (percent === 0) return "0 %";
  if (percent < 0.01) return "<0.01 %";
  if (percent > 99.99 && percent < 100) return ">99.99 %";
  return `${percent < 1 ? percent.toFixed(2) : percent < 99 ? percent.toFixed(1) : Number(percent.toFixed(2))}\u00a0%`;
}

/** A time in seconds. */
function seconds(value) {
  if (value === null || value === undefined) return "–";
  if (value < 0.001) return `${Math.round(value * 1e6)} µs`;
  if (value < 0.1) return `${(value * 1000).toFixed(1)} ms`;
  if (value < 1) return `${Math.round(value * 1000)} ms`;
  return value < 100 ? `${figure(value)} s` : span(value);
}

/** A long time in seconds, in its two largest units. */
function span(value) {
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = units.findIndex(([, size]) => value >= size);
  if (first < 0) return "0 s";
  const [name, size] = units[first];
  const rest = units[first + 1];
  const more = rest ? Math.floor((value % size) / rest[1]) : 0;
  return `${Math.floor(value / size)} ${name}${more ? ` ${more} ${rest[0]}` : ""}`;
}

/** Octets. */
function octets(value) {
  if (value === null || value === undefined) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let place = 0;
  while (value >= 1024 && place < units.length - 1) { value /= 1024; place += 1; }
  return `${place ? figure(value) : value} ${units[place]}`;
}

/** Whether times of day are those of the browser's place, or UTC. */
const zone = { isLocal: false };
try { zone.isLocal = localStorage.getItem("wingmirror-times") === "local"; } catch { /* Without storage it is asked for anew. */ }

/** An RFC 3339 time as date and time of day of the browser's place, in the same form as UTC. */
function localTime(time) {
  const moment = new Date(time), two = (value) => String(value).padStart(2, "0");
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}T${two(moment.getHours())}:${two(moment.getMinutes())}:${two(moment.getSeconds())}`;
}

/** The date of an RFC 3339 time. */
function day(time) {
  return (zone.isLocal ? localTime(time) : time).slice(0, 10);
}

/** The time of day of an RFC 3339 time. */
function clock(time) {
  return time ? (zone.isLocal ? localTime(time) : time).slice(11, 19) : "–";
}

/** A moment in UTC, and beside it what the clocks of the browser's place showed. */
function moments(time) {
  const local = localTime(time);
  return time.startsWith(local) ? time : `${time} (${local.replace("T", " ")} here)`;
}

/** How long before `now` a time was; both as RFC 3339. */
function ago(time, now) {
  if (!time) return "never";
  const past = (Date.parse(now) - Date.parse(time)) / 1000;
  if (!(past >= 1)) return "now";
  return `${span(Math.floor(past))} ago`;
}

/** A number and what it counts, in the singular or the plural. */
function counted(value, one, many = `${one}s`) {
  return `${count(value)} ${value === 1 ? one : many}`;
}
