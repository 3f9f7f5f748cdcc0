// Times in the reader's zone, ages in few characters, and the difference to the server's clock.
const renderedAt = Date.parse(document.documentElement.dataset.now ?? "");

// How far this browser's clock is ahead of the server's, in ms. Load time counts as skew: < 1 s.
const skew = Number.isNaN(renderedAt) ? 0 : Date.now() - renderedAt;

export const serverNow = () => Date.now() - skew;

const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };

export function clock(moment, { ms = false } = {}) {
  const today = new Date(serverNow()).toDateString() === moment.toDateString();
  const day = today ? {} : { year: "numeric", month: "short", day: "numeric" };
  const fraction = ms ? { fractionalSecondDigits: 3 } : {};
  return moment.toLocaleString("en-GB", { ...day, ...CLOCK, ...fraction });
}

export function age(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}
