// What a machine can see of a drawn page: texts that are cut, and texts that cannot be read.
// It runs in the page, alone, and returns complaints.

export function complaints() {
  const found = new Set();
  const colour = (text) => {
    const [red, green, blue, alpha = 1] = text.match(/[\d.]+/g).map(Number);
    return { red, green, blue, alpha };
  };
  const over = (above, below) => {
    const mix = (part) => above[part] * above.alpha + below[part] * (1 - above.alpha);
    return { red: mix("red"), green: mix("green"), blue: mix("blue"), alpha: 1 };
  };
  const luminance = ({ red, green, blue }) => {
    const [r, g, b] = [red, green, blue].map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };

  // A gradient is as many backgrounds as it has colours.
  const backgrounds = (element) => {
    if (!element) return [colour("rgb(255, 255, 255)")];
    const { backgroundColor, backgroundImage } = getComputedStyle(element);
    const stops = backgroundImage.match(/rgba?\([^)]+\)/g) ?? [backgroundColor];
    return stops.flatMap((stop) => {
      const own = colour(stop);
      return own.alpha === 1 ? [own] : backgrounds(element.parentElement).map((below) => over(own, below));
    });
  };

  const clips = (element) => {
    const { overflowX, overflowY } = getComputedStyle(element);
    return overflowX !== "visible" || overflowY !== "visible";
  };

  const isCut = (box, element) => {
    for (let around = element; around; around = around.parentElement) {
      if (!clips(around) && !around.matches("[data-panel]")) continue;
      const limits = around.getBoundingClientRect();
      const isBeside = box.left < limits.left - 1 || box.right > limits.right + 1;
      const isScrolled = around.scrollHeight > around.clientHeight + 1 && getComputedStyle(around).overflowY !== "hidden";
      const isBelow = box.top < limits.top - 2 || box.bottom > limits.bottom + 2;
      if (isBeside || (isBelow && !isScrolled)) return true;
    }
    return false;
  };

  const walker = document.createTreeWalker(document.getElementById("root"), NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  let texts = 0;
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.data.trim();
    if (!text || !element.checkVisibility()) continue;
    texts += 1;
    range.selectNodeContents(walker.currentNode);
    const box = range.getBoundingClientRect();
    const place = `${element.closest("[data-panel]")?.dataset.panel ?? "page"}: "${text}"`;
    const style = getComputedStyle(element);
    // Where lines may be broken, a single long word is left as it is: Grafana breaks no words.
    const isLongWord = style.whiteSpace === "pre-line" && !/\s/.test(text);
    if (!isLongWord && isCut(box, element)) found.add(`${place} is cut`);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const ink = element.closest("svg") ? style.fill : style.color;
    const weakest = Math.min(...backgrounds(element).map((below) => contrast(over(colour(ink), below), below)));
    if (weakest < (isLarge ? 3 : 4.5)) found.add(`${place} has a contrast of ${weakest.toFixed(1)} at ${size.toFixed(0)} px`);
  }
  for (const table of document.querySelectorAll("[role=grid]")) {
    const panel = table.closest("[data-panel]").dataset.panel;
    if (table.scrollWidth > table.clientWidth + 1) found.add(`${panel}: columns are out of sight`);
    if (table.scrollHeight > table.clientHeight + 1) found.add(`${panel}: rows are out of sight`);
  }
  if (texts < 50) found.add(`only ${texts} texts are drawn`);
  return [...found];
}
