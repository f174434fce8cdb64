// Grafana's grid: 24 columns; a row is 30 pixels high, and 8 lie between.

const COLUMNS = 24;
const ROW = 30;
const GAP = 8;
const MARGIN = 16;

// Returns each panel, as often as it is repeated, with its place on a page so wide.
export function place(panels, variables, pageWidth) {
  const width = pageWidth - 2 * MARGIN;
  // How many rows the panels so far take beyond what they were given.
  let grown = 0;
  let bottom = 0;
  const placed = panels.flatMap((panel) => {
    const { x, y, w, h } = panel.gridPos;
    const each = variables.repeated(panel);
    const across = Math.min(each.length, panel.repeat ? panel.maxPerRow : 1);
    const top = y + grown;
    grown += (Math.ceil(each.length / across) - 1) * h;
    bottom = Math.max(bottom, y + grown + h);
    return each.map((variables, index) => {
      const part = w / across;
      const left = x + (index % across) * part;
      const down = top + Math.floor(index / across) * h;
      return { panel, variables, ...box(left, down, part, h, width) };
    });
  });
  return { placed, height: pixels(bottom) };
}

function box(x, y, w, h, width) {
  const column = (width + GAP) / COLUMNS;
  return {
    style: { left: x * column, top: y * (ROW + GAP) },
    size: { width: w * column - GAP, height: pixels(h) },
  };
}

const pixels = (rows) => rows * (ROW + GAP) - GAP;
