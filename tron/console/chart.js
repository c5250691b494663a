// `Chart`: a line of the last minutes, which says whether something moves.

import { svg } from './dom.js';
import { count } from './format.js';

const WIDTH = 120;

/** A chart of calls a second, and of failures below them. */
export class Chart {
  constructor(label, { height = 24, points = 60 } = {}) {
    Object.assign(this, { height, points });
    this.all = svg('path', { class: 'calls' });
    this.failed = svg('path', { class: 'failures' });
    this.title = svg('title');
    this.element = svg('svg', {
      class: 'chart', viewBox: `0 0 ${WIDTH} ${height}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label,
    }, this.title, svg('path', { class: 'ground', d: `M0,${height - 0.5}H${WIDTH}` }), this.all, this.failed);
  }

  /** Shows them; what its upper edge stands for. */
  update(history) {
    const shown = history.slice(-this.points);
    const top = Math.max(1, ...shown.map(({ rate }) => rate));
    this.all.setAttribute('d', this.area(shown.map(({ rate }) => rate / top)));
    this.failed.setAttribute('d', this.area(shown.map(({ failures }) => failures / top)));
    this.title.textContent = `up to ${count(top)} a second`;
    return top;
  }

  // The newest value is at the right edge; what is not known yet is left empty.
  area(shares) {
    if (shares.length < 2 || shares.every((share) => share === 0)) return '';
    const x = (index) => WIDTH - (shares.length - 1 - index) * WIDTH / (this.points - 1);
    const y = (share) => this.height - 1 - share * (this.height - 3);
    const line = shares.map((share, index) => `${x(index).toFixed(1)},${y(share).toFixed(1)}`).join('L');
    return `M${x(0).toFixed(1)},${this.height}L${line}L${WIDTH},${this.height}Z`;
  }
}
