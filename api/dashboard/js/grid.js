/** Grid: cards of equal size in as many columns as fit; only those near the screen exist. */

const CARD_PX = { width: 304, height: 172, gap: 12 };
const SCALES = [1.9, 1.5, 1.2]; // few patients on a wall screen: the largest at which all of them fit
const WALL_PX = 1800;
const HEAD_PX = 190; // bar, title and footer
const AHEAD_ROWS = 2;

export class Grid {
  /** @param {(key: string) => {root: HTMLElement, update: (entry: object) => void, close: () => void}} make */
  constructor(host, make) {
    Object.assign(this, { host, make, cards: new Map(), entries: [] });
    this.place = () => this.layOut();
    window.addEventListener("scroll", this.place, { passive: true });
    this.observer = new ResizeObserver(this.place);
    this.observer.observe(host);
  }

  show(entries) {
    this.entries = entries;
    this.layOut();
  }

  measure() {
    const room = window.innerHeight - HEAD_PX;
    const fits = (scale) => {
      const { columns, stepY } = this.measureAt(scale);
      return window.innerWidth >= WALL_PX && columns > 1 && Math.ceil(this.entries.length / columns) * stepY <= room;
    };
    return this.measureAt(SCALES.find(fits) ?? 1);
  }

  measureAt(scale) {
    const width = this.host.clientWidth;
    const { gap } = CARD_PX;
    const columns = Math.max(1, Math.floor((width + gap) / (CARD_PX.width * scale + gap)));
    const size = { width: (width - gap * (columns - 1)) / columns, height: CARD_PX.height * scale };
    return { scale, columns, ...size, stepX: size.width + gap, stepY: size.height + gap };
  }

  layOut() {
    const measure = this.measure();
    this.host.style.setProperty("--scale", String(measure.scale));
    const rows = Math.ceil(this.entries.length / measure.columns);
    this.host.style.height = `${Math.max(0, rows * measure.stepY - CARD_PX.gap)}px`;
    const top = -this.host.getBoundingClientRect().top;
    const firstRow = Math.max(0, Math.floor(top / measure.stepY) - AHEAD_ROWS);
    const endRow = Math.ceil((top + window.innerHeight) / measure.stepY) + AHEAD_ROWS;
    this.render(measure, firstRow * measure.columns, endRow * measure.columns);
  }

  render(measure, first, end) {
    const shown = this.entries.slice(first, end);
    const keys = new Set(shown.map((entry) => entry.item.device_id));
    for (const [key, card] of this.cards) if (!keys.has(key)) this.drop(key, card);
    const focused = document.activeElement;
    shown.forEach((entry, offset) => this.put(entry, first + offset, measure, this.host.children[offset]));
    if (focused !== document.activeElement && this.host.contains(focused)) focused.focus({ preventScroll: true });
    this.onShown?.(shown);
  }

  put(entry, position, measure, standing) {
    const key = entry.item.device_id;
    const card = this.cards.get(key) ?? this.make(key);
    this.cards.set(key, card);
    if (card.root !== standing) this.host.insertBefore(card.root, standing ?? null);
    this.settle(card.root, position, measure);
    card.update(entry);
  }

  settle(root, position, measure) {
    const x = (position % measure.columns) * measure.stepX;
    const y = Math.floor(position / measure.columns) * measure.stepY;
    const spot = `${x} ${y} ${measure.width} ${measure.height} ${this.entries.length}`;
    if (root.dataset.spot === spot) return;
    root.dataset.spot = spot;
    root.style.transform = `translate(${x}px, ${y}px)`;
    root.style.width = `${measure.width}px`;
    root.style.height = `${measure.height}px`;
    root.setAttribute("aria-setsize", String(this.entries.length));
    root.setAttribute("aria-posinset", String(position + 1));
  }

  drop(key, card) {
    card.close();
    card.root.remove();
    this.cards.delete(key);
  }

  close() {
    window.removeEventListener("scroll", this.place);
    this.observer.disconnect();
    for (const [key, card] of this.cards) this.drop(key, card);
  }
}
