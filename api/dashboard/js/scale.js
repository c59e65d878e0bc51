/** Scale: how many CSS pixels make a millimetre on this screen; 96/25.4 unless it was calibrated. */

const KEY = "leadwire.px_per_mm";
export const CSS_PX_PER_MM = 96 / 25.4;
const CARD_MM = 85.6; // ISO/IEC 7810 ID-1, a bank card

export function pxPerMm() {
  const kept = Number(localStorage.getItem(KEY));
  return kept >= 2 && kept <= 12 ? kept : CSS_PX_PER_MM;
}

/** Opens the dialog; `onChange` is called at every change. */
export function calibrate(onChange) {
  const dialog = document.getElementById("calibrate");
  const range = document.getElementById("calibrate-range");
  const show = () => {
    document.getElementById("calibrate-bar").style.width = `${pxPerMm() * CARD_MM}px`;
    document.getElementById("calibrate-value").textContent = `${pxPerMm().toFixed(2)} px per mm`;
    range.value = pxPerMm();
  };
  const set = (value) => {
    if (value === null) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, String(value));
    show();
    onChange();
  };
  range.oninput = () => set(range.valueAsNumber);
  document.getElementById("calibrate-reset").onclick = () => set(null);
  show();
  dialog.showModal();
}
