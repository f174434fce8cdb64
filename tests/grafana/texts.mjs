// Prints what a person reads on dashboards: texts.mjs PROMETHEUS-URL SECONDS DASHBOARD…

import "./window.mjs";

import { colorManipulator, fieldReducers, FieldType, formattedValueToString, getFieldDisplayName, reduceField } from "@grafana/data";
import { readFileSync } from "node:fs";

import * as panels from "./panel.mjs";
import { connect } from "./prometheus.mjs";
import { Variables } from "./variables.mjs";

const [url, seconds, ...files] = process.argv.slice(2);
const now = Number(seconds);
const STEP = 1800;
const clock = { now, start: now - STEP, step: STEP, rateInterval: `${STEP + 15}s` };
const theme = panels.theme("dark");

// "Today" is the day that is shown.
Date.now = () => now * 1000;
connect(url);

const NAMES = ["green", "semi-dark-green", "dark-orange", "red", "blue", "text", "transparent"];
const hex = (colour) => colorManipulator.asHexString(colour).toLowerCase();
// Grafana's colours by their names; the dashboards' own, on which white or black can be read.
const COLOURS = new Map([
  ...NAMES.map((name) => [hex(theme.visualization.getColorByName(name)), name]),
  ["#2e7d32", "green"],
  ["#ffb357", "orange"],
  ["#c4162a", "red"],
  ["#1f60c4", "blue"],
  ["#5f6778", "grey"],
  ["#8f3bb8", "purple"],
]);

// The colour of a value, unless it is that of all the text.
function colour({ color }) {
  const name = COLOURS.get(hex(color)) ?? color;
  return name === "text" || name === "transparent" ? "" : ` (${name})`;
}

const text = (field, value) => formattedValueToString(field.display(value));
const numbers = (frames) =>
  frames.flatMap((frame) =>
    frame.fields
      .filter((field) => field.type === FieldType.number)
      .map((field) => ({ field, name: getFieldDisplayName(field, frame, frames) })),
  );

// Each of these returns lines.
const READ = {
  stat(panel, data, variables) {
    const values = panels.stats(panel, data, variables, theme).map(({ display }) => display);
    const { textMode } = panel.options;
    const isNamed = textMode === "value_and_name" || (textMode === "auto" && values.length > 1);
    return values.map((value) => {
      const name = isNamed && value.title ? `${value.title}: ` : "";
      return name + formattedValueToString(value) + colour(value);
    });
  },

  table(panel, data) {
    const [frame] = data;
    const columns = frame.fields.map((field) => ({ field, name: getFieldDisplayName(field, frame, data) }));
    const cell = ({ field }, row) => {
      const shown = field.display(field.values[row]);
      const { type } = field.config.custom?.cellOptions ?? {};
      const look = type?.startsWith("color-") ? colour(shown) : type === "gauge" ? ` [${bar(shown)}]` : "";
      return formattedValueToString(shown) + look;
    };
    const rows = sorted(columns, frame.length, panel.options.sortBy).map((row) => columns.map((column) => cell(column, row)));
    return [columns.map((column) => column.name), ...rows].map((cells) => cells.join(" | "));
  },

  barchart(panel, data) {
    const [frame] = data;
    const axis = frame.fields.find((field) => getFieldDisplayName(field, frame, data) === panel.options.xField);
    const series = numbers(data);
    const bars = axis.values.map((value, row) => {
      const heights = series.map(({ field, name }) => `${name} ${text(field, field.values[row])}`);
      return `${text(axis, value)}: ${heights.join(", ")}`;
    });
    const legend = series.map(({ field, name }) => [name, ...panel.options.legend.calcs.map((id) => total(field, id))].join(" "));
    return [`legend: ${legend.join(", ")}`, ...bars];
  },

  timeseries: (panel, data) => histories(data, () => ""),
  "state-timeline": (panel, data) => histories(data, colour),
};

function histories(data, ending) {
  return numbers(data).map(({ field, name }) => {
    const moments = field.values.map((value) => {
      const shown = field.display(value);
      return value === null ? "gap" : formattedValueToString(shown) + ending(shown);
    });
    return `${name}: ${moments.join(" → ")}`;
  });
}

function total(field, id) {
  const { name } = fieldReducers.get(id);
  return `(${name} ${text(field, reduceField({ field, reducers: [id] })[id])})`;
}

// A gauge in a cell, its length as Grafana draws it.
function bar({ percent = 0 }) {
  const length = Math.round(10 * Math.min(1, Math.max(0, percent)));
  return "#".repeat(length).padEnd(10, ".");
}

// Rows in the order in which the table shows them.
function sorted(columns, length, by) {
  const keys = by.map(({ displayName, desc }) => ({ ...columns.find(({ name }) => name === displayName), desc }));
  const compare = (one, other) => (typeof one === "number" ? one - other : String(one).localeCompare(String(other)));
  return Array.from({ length }, (_, row) => row).sort((one, other) => {
    for (const { field, desc } of keys) {
      const order = compare(field.values[one], field.values[other]);
      if (order) return desc ? -order : order;
    }
    return one - other;
  });
}

const lines = [];
for (const file of files) {
  const dashboard = JSON.parse(readFileSync(file, "utf8"));
  const variables = await Variables.of(dashboard, clock);
  lines.push("", `# ${dashboard.title}`);
  for (const panel of dashboard.panels) {
    if (panel.type === "row") {
      lines.push("", `## ${variables.replace(panel.title)}`);
      continue;
    }
    for (const its of variables.repeated(panel)) {
      const data = await panels.data(panel, its, clock, theme);
      const absence = panel.type !== "stat" && panels.absence(panel, data);
      const read = absence ? [absence] : READ[panel.type](panel, data, its);
      const title = its.replace(panel.title);
      lines.push(...(read.length === 1 ? [`${title}: ${read[0]}`] : [title, ...read.map((line) => `    ${line}`)]));
    }
  }
}
console.log(lines.join("\n"));
