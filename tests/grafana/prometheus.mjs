// Asks Prometheus, and makes of its answers what Grafana's data source makes of them.

import { createDataFrame, FieldType } from "@grafana/data";

const server = { url: "" };

// Says which Prometheus is asked.
export function connect(url) {
  server.url = url;
}

export async function ask(path, parameters) {
  const answer = await fetch(`${server.url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
  const body = await answer.json();
  if (body.status !== "success") throw new Error(`${path} ${JSON.stringify(parameters)}: ${body.error}`);
  return body.data;
}

// Runs every target of a panel; returns frames as they are before any transformation.
export async function frames(panel, variables, clock) {
  const answers = await Promise.all(
    panel.targets.map(async (target) => ({ target, series: await run(target, variables, clock) })),
  );
  return answers.flatMap(({ target, series }) => {
    if (target.format === "table") return [table(target, series, answers.length > 1)];
    return series.map((one) => line(target, one));
  });
}

async function run(target, variables, clock) {
  const query = variables.replace(target.expr);
  const { now, start, step } = clock;
  const { result } = target.range
    ? await ask("query_range", { query, start, end: now, step })
    : await ask("query", { query, time: now });
  return result.map(({ metric, values, value }) => ({
    labels: metric,
    points: onGrid(values ?? [value], target.range && clock).map(([at, number]) => [at * 1000, number]),
  }));
}

// A step without a sample is a gap in the line, not a shorter line.
function onGrid(samples, clock) {
  const known = samples.map(([at, text]) => [at, Number(text)]);
  if (!clock) return known;
  const values = new Map(known);
  const steps = Math.floor((clock.now - clock.start) / clock.step);
  return Array.from({ length: steps + 1 }, (_, index) => {
    const at = clock.start + index * clock.step;
    return [at, values.get(at) ?? null];
  });
}

function line({ refId, legendFormat }, { labels, points }) {
  const name = legendFormat.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, label) => labels[label] ?? "");
  return createDataFrame({
    refId,
    fields: [
      { name: "Time", type: FieldType.time, values: points.map(([at]) => at) },
      {
        name: "Value",
        type: FieldType.number,
        labels,
        config: { displayNameFromDS: name },
        values: points.map(([, value]) => value),
      },
    ],
  });
}

function table({ refId }, series, isOneOfSeveral) {
  if (!series.length) return createDataFrame({ refId, fields: [] });
  const labels = [...new Set(series.flatMap((one) => Object.keys(one.labels).sort()))];
  return createDataFrame({
    refId,
    fields: [
      { name: "Time", type: FieldType.time, values: series.map((one) => one.points[0][0]) },
      ...labels.map((name) => ({
        name,
        type: FieldType.string,
        values: series.map((one) => one.labels[name] ?? ""),
      })),
      {
        name: isOneOfSeveral ? `Value #${refId}` : "Value",
        type: FieldType.number,
        values: series.map((one) => one.points[0][1]),
      },
    ],
  });
}
