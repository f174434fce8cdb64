// What a panel shows, by Grafana's code: its data, transformed, with units, mappings and colours.

import {
  applyFieldOverrides,
  cacheFieldDisplayNames,
  createTheme,
  displayNameOverrideProcessor,
  FieldConfigOptionsRegistry,
  getFieldDisplayValues,
  identityOverrideProcessor,
  standardTransformers,
  standardTransformersRegistry,
  transformDataFrame,
} from "@grafana/data";
import { lastValueFrom } from "rxjs";

import { frames } from "./prometheus.mjs";

standardTransformersRegistry.setInit(() => {
  const byId = new Map(Object.values(standardTransformers).map((known) => [known.id, known]));
  return [...byId.values()].map((known) => ({ id: known.id, name: known.name, transformation: async () => known }));
});

// The properties of a field that a panel may set. In Grafana's server each panel registers them.
const STANDARD = ["unit", "min", "max", "decimals", "noValue", "color", "thresholds", "mappings", "links", "displayName"];

function properties(panel) {
  const { defaults, overrides } = panel.fieldConfig;
  const custom = Object.keys(defaults.custom ?? {}).map((name) => `custom.${name}`);
  const overridden = overrides.flatMap((override) => override.properties.map((property) => property.id));
  return new FieldConfigOptionsRegistry(() =>
    [...new Set([...STANDARD, ...custom, ...overridden])].map((id) => ({
      id,
      path: id.replace(/^custom\./, ""),
      name: id,
      isCustom: id.startsWith("custom."),
      process: id === "displayName" ? displayNameOverrideProcessor : identityOverrideProcessor,
      shouldApply: () => true,
    })),
  );
}

export function theme(mode) {
  return createTheme({ colors: { mode } });
}

// Returns a panel's frames as its visualisation gets them.
export async function data(panel, variables, clock, theme) {
  const raw = await frames(panel, variables, clock);
  const context = { interpolate: variables.replace };
  const transformed = await lastValueFrom(transformDataFrame(panel.transformations ?? [], raw, context));
  const configured = applyFieldOverrides({
    data: transformed,
    fieldConfig: panel.fieldConfig,
    fieldConfigRegistry: properties(panel),
    replaceVariables: variables.replace,
    timeZone: "browser",
    theme,
  });
  cacheFieldDisplayNames(configured);
  return configured;
}

// Returns the values of a stat.
export function stats(panel, data, variables, theme) {
  return getFieldDisplayValues({
    data,
    fieldConfig: panel.fieldConfig,
    reduceOptions: panel.options.reduceOptions,
    replaceVariables: variables.replace,
    timeZone: "browser",
    theme,
  });
}

// Returns what stands there instead when there is nothing to show.
export function absence(panel, data) {
  return data.every((frame) => frame.length === 0) ? (panel.fieldConfig.defaults.noValue ?? "No data") : undefined;
}
