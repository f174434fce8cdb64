// The variables of a dashboard: their values as Prometheus has them, "All" chosen where it can be.

import { ask } from "./prometheus.mjs";

// Of a machine that no query found; the words are Grafana's.
const NOTHING = { value: "", text: "None" };

export class Variables {
  #values;

  constructor(values) {
    this.#values = values;
  }

  static async of(dashboard, clock) {
    const found = new Variables({ __rate_interval: [{ value: clock.rateInterval, text: "" }] });
    for (const variable of dashboard.templating.list) {
      found.#values[variable.name] = await options(variable, found, clock);
    }
    return found;
  }

  // Returns a panel's variables for each time that it is repeated.
  repeated(panel) {
    if (!panel.repeat) return [this];
    const values = this.#values[panel.repeat];
    const each = values.some((option) => option.all) ? values.filter((option) => !option.all) : values;
    return (each.length ? each : [NOTHING]).map(
      (option) => new Variables({ ...this.#values, [panel.repeat]: [option] }),
    );
  }

  // Puts values into a text: `$name`, `${name}`, `${name:format}`. Others are left as they are.
  replace = (text) =>
    text.replace(/\$(?:(\w+)|\{(\w+)(?::(\w+))?\})/g, (whole, plain, braced, format) => {
      const chosen = this.#values[plain ?? braced]?.[0];
      if (!chosen) return whole;
      return format === "text" ? chosen.text : format === "percentencode" ? encodeURIComponent(chosen.value) : chosen.value;
    });
}

async function options(variable, before, clock) {
  if (variable.type !== "query") {
    const value = variable.current.value ?? "";
    return [{ value, text: value }];
  }
  const texts = await results(before.replace(variable.query.query), clock);
  const found = texts.map((text) => option(text, variable.regex)).filter(Boolean);
  // Otherwise they are in the order in which the query answers them.
  if (variable.sort) found.sort((one, other) => one.text.localeCompare(other.text));
  if (variable.includeAll) found.unshift({ value: variable.allValue, text: "All", all: true });
  return found.length ? found : [NOTHING];
}

async function results(query, clock) {
  const [, name, argument] = query.match(/^(\w+)\((.+)\)$/s);
  if (name === "label_values") {
    const [, selector, label] = argument.match(/^(.+), (\w+)$/s);
    const answer = await ask(`label/${label}/values`, { "match[]": selector, start: clock.start, end: clock.now });
    return answer;
  }
  const { result } = await ask("query", { query: argument, time: clock.now });
  return result.map(({ metric: { __name__, ...labels } }) => {
    const pairs = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
    return `${__name__}{${pairs.join(",")}}`;
  });
}

// A pattern with groups finds a value and its text in different places of one result.
function option(result, regex) {
  if (!regex) return { value: result, text: result };
  const [, pattern, flags] = regex.match(/^\/(.+)\/(\w*)$/s);
  const groups = [...result.matchAll(new RegExp(pattern, flags))].map((match) => match.groups);
  const value = groups.find((group) => group.value)?.value;
  const text = groups.find((group) => group.text)?.text;
  return (value || text) && { value: value ?? text, text: text ?? value };
}
