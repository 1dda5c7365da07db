// A chart: drawn as SVG, read with the pointer or the arrow keys, and as a table.

import { el, icon } from "/page/dom.js";

const SVG = icon("menu").namespaceURI;
const [HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [168, 46, 10, 10, 24];

function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** The largest value of an axis that reaches `most`, and its step: 1, 2 or 5 times a power of ten. */
export function scale(most, whole) {
  const rough = Math.max(most, whole ? 1 : 1e-9) / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const nice = [1, 2, 5, 10].find((n) => n * power >= rough) * power;
  const step = whole ? Math.max(1, Math.round(nice)) : nice;
  return { step, top: Math.max(step, Math.ceil(most / step - 1e-9) * step) };
}

const time = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

/**
 * A chart with a title. Series have `name`, `of(point)` and `kind` ("bar", "line", "soft"); `format` writes a value; `whole`
 * says that values are whole numbers. Returns the node and `show(points)`.
 */
export function chart({ title, series, format, whole = false, axis = format, empty }) {
  const drawing = svg("svg", { "aria-hidden": "true", focusable: "false" });
  const readout = el("p", { class: "readout" });
  const plot = el("div", { class: "plot", role: "slider", tabindex: "0", "aria-label": title, "aria-orientation": "horizontal" }, drawing);
  const rows = el("tbody");
  const headings = ["Time", ...series.map((one) => one.name)].map((name) => el("th", { scope: "col" }, name));
  const table = el("table", {}, el("caption", { class: "unseen" }, title), el("thead", {}, el("tr", {}, ...headings)), rows);
  const alternative = el("details", {}, el("summary", { "aria-label": `${title} as a table` }, "As a table"),
    el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${title}, table` }, table));
  const legend = series.length > 1 ? el("ul", { class: "legend" }, ...series.map((one) => el("li", { class: one.kind }, one.name))) : "";
  const node = el("section", { class: "chart", "aria-label": title }, el("div", { class: "chart-head" }, el("h3", {}, title), readout), plot, legend, alternative);
  let points = [];
  let at = -1;

  const value = (one, point) => { const v = one.of(point); return v === null || v === undefined ? "none" : format(v); };
  const words = (point) => `${time(point.at)}: ` + series.map((one) => (series.length > 1 ? `${one.name.toLowerCase()} ${value(one, point)}` : value(one, point))).join(", ");

  function draw() {
    const width = Math.max(240, plot.clientWidth || 320);
    drawing.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    drawing.setAttribute("height", HEIGHT);
    const all = points.flatMap((point) => series.map((one) => one.of(point) ?? 0));
    const most = Math.max(0, ...all);
    const { step, top } = scale(most, whole);
    const x = (n) => LEFT + ((width - LEFT - RIGHT) * (n + 0.5)) / Math.max(1, points.length);
    const y = (v) => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * v) / top;
    const parts = [];
    for (let v = 0; v <= (most ? top + step / 2 : 0); v += step) {
      parts.push(svg("line", { class: v ? "grid" : "base", x1: LEFT, x2: width - RIGHT, y1: y(v), y2: y(v) }));
      const label = svg("text", { class: "tick", x: LEFT - 7, y: y(v) + 4, "text-anchor": "end" });
      label.textContent = axis(v);
      parts.push(label);
    }
    const every = Math.ceil(points.length / Math.max(2, Math.floor(width / 95)));
    points.forEach((point, n) => {
      if (n % every !== Math.floor(every / 2)) return;
      const label = svg("text", { class: "tick", x: x(n), y: HEIGHT - 6, "text-anchor": "middle" });
      label.textContent = time(point.at);
      parts.push(label);
    });
    for (const one of series) parts.push(...(one.kind === "bar" ? bars(one, x, y, width) : line(one, x, y)));
    if (at >= 0 && points[at]) {
      parts.push(svg("line", { class: "cursor", x1: x(at), x2: x(at), y1: TOP, y2: HEIGHT - BOTTOM }));
      for (const one of series) {
        const v = one.of(points[at]);
        if (v !== null && v !== undefined) parts.push(svg("circle", { class: `dot ${one.kind}`, cx: x(at), cy: y(v), r: 3.5 }));
      }
    }
    if (!most && points.length) {
      const label = svg("text", { class: "none", x: (LEFT + width - RIGHT) / 2, y: (HEIGHT - BOTTOM + TOP) / 2 + 4, "text-anchor": "middle" });
      label.textContent = empty;
      parts.push(label);
    }
    drawing.replaceChildren(...parts);
  }

  function bars(one, x, y, width) {
    const broad = Math.max(1.5, ((width - LEFT - RIGHT) / points.length) * 0.7);
    return points.flatMap((point, n) => {
      const v = one.of(point);
      if (!v) return [];
      return [svg("rect", { class: "bar", x: x(n) - broad / 2, y: y(v), width: broad, height: Math.max(1, y(0) - y(v)), rx: Math.min(1.5, broad / 3) })];
    });
  }

  /** A line over the points that have a value; one that stands alone is a dot. */
  function line(one, x, y) {
    const runs = [[]];
    points.forEach((point, n) => {
      const v = one.of(point);
      if (v === null || v === undefined) { if (runs.at(-1).length) runs.push([]); } else runs.at(-1).push([x(n), y(v)]);
    });
    return runs.filter((run) => run.length).map((run) => (run.length === 1
      ? svg("circle", { class: `dot ${one.kind}`, cx: run[0][0], cy: run[0][1], r: 2 })
      : svg("path", { class: `line ${one.kind}`, d: "M" + run.map(([a, b]) => `${a.toFixed(1)} ${b.toFixed(1)}`).join("L") })));
  }

  function point(n) {
    at = Math.max(-1, Math.min(points.length - 1, n));
    const here = points[at < 0 ? points.length - 1 : at];
    readout.textContent = here ? (at < 0 ? series.map((one) => value(one, here)).join(", ") : words(here)) : "";
    readout.classList.toggle("exact", at >= 0);
    if (here) {
      plot.setAttribute("aria-valuenow", at < 0 ? points.length - 1 : at);
      plot.setAttribute("aria-valuetext", words(here));
    }
    draw();
  }

  plot.addEventListener("pointermove", (event) => {
    const box = plot.getBoundingClientRect();
    const share = (event.clientX - box.left - LEFT) / (box.width - LEFT - RIGHT);
    point(share < 0 ? 0 : Math.floor(share * points.length));
  });
  plot.addEventListener("pointerleave", () => point(-1));
  plot.addEventListener("blur", () => point(-1));
  plot.addEventListener("keydown", (event) => {
    const here = at < 0 ? points.length - 1 : at;
    const next = { ArrowLeft: here - 1, ArrowDown: here - 1, ArrowRight: here + 1, ArrowUp: here + 1, Home: 0, End: points.length - 1, PageUp: here + 10, PageDown: here - 10 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    point(Math.max(0, next));
  });
  new ResizeObserver(draw).observe(plot);
  return {
    node,
    show(given) {
      points = given;
      plot.setAttribute("aria-valuemin", 0);
      plot.setAttribute("aria-valuemax", points.length - 1);
      const cells = (one) => el("tr", {}, el("th", { scope: "row" }, time(one.at)), ...series.map((s) => el("td", {}, value(s, one))));
      rows.replaceChildren(...points.map(cells).reverse());
      point(at);
    },
  };
}
