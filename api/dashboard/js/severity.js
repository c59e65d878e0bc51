/** Severity: how urgently a label wants a look. The first rule that fits decides. */

const RULES = [
  ["critical", /\bventricular (fibrillation|tachycardia|flutter)|asystole|\bpause\b|complete (heart )?block|third.degree/i],
  ["warning", /atrial (fibrillation|flutter)|supraventricular tachycardia|idioventricular|second.degree|bigeminy|trigeminy|^st /i],
  ["advisory", /bradycardia|tachycardia|irregular|premature|ectopic|couplet|block|prolonged|wide/i],
  ["technical", /unreadable|noise|artefact|artifact|lead.? off/i],
  ["normal", /normal|sinus|paced/i],
];
const RANKS = { critical: 0, warning: 1, advisory: 2, technical: 3, unknown: 4, normal: 5, lost: 6 };
const EXTREME = { low: 40, high: 140 }; // beats per minute: an advisory rate label becomes a warning
const SURE = 60; // per cent

export function levelOf(label, rate, lost = false) {
  if (lost) return "lost";
  const level = RULES.find(([, pattern]) => pattern.test(label ?? ""))?.[0] ?? "unknown";
  const extreme = rate !== null && rate !== undefined && (rate < EXTREME.low || rate > EXTREME.high);
  return extreme && ["advisory", "normal", "unknown"].includes(level) ? "warning" : level;
}

export function rankOf(level) {
  return RANKS[level];
}

export function isAlarm(level) {
  return RANKS[level] <= RANKS.technical;
}

export function isSure(confidence) {
  return confidence >= SURE;
}
