/** Figures: numbers and moments as people read them; "--" is what can't be measured. */

export const NOTHING = "--";

export function figure(value, digits = 0) {
  return value === null || value === undefined || Number.isNaN(value) ? NOTHING : value.toFixed(digits).replace("-", "\u2212");
}

/** A signed level: +0.05, −0.12. */
export function signed(value, digits = 2) {
  const text = figure(value, digits);
  return text === NOTHING || value < 0 ? text : `+${text}`;
}

export function age(seconds) {
  if (!Number.isFinite(seconds)) return "never";
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86400)} d`;
}

export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

export function clock(ms, seconds = true) {
  return new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: seconds ? "2-digit" : undefined, hour12: false });
}

export function day(ms) {
  return new Date(ms).toLocaleDateString([], { day: "numeric", month: "short" });
}

export function dayAndClock(ms) {
  return `${new Date(ms).toLocaleDateString([], { dateStyle: "medium" })}, ${clock(ms)}`;
}

/** Milliseconds of a moment given as ISO text or as microseconds. */
export function moment(value) {
  return typeof value === "number" ? value / 1000 : Date.parse(value);
}

export function bytes(count) {
  if (!count) return "";
  return count < 1e6 ? `${Math.ceil(count / 1e3)} kB` : `${(count / 1e6).toFixed(1)} MB`;
}
