// The inside of each type of panel.

import { FieldType, getDisplayValueAlignmentFactors } from "@grafana/data";
import { BigValue, TimeSeries, VizRepeater } from "@grafana/ui";
import { TableNG } from "@grafana/ui/unstable";

import { stats } from "../panel.mjs";
import { BarChart } from "./bars.jsx";
import { StateTimeline } from "./states.jsx";

export function Absence({ absence, width, height }) {
  return <div className="absence" style={{ width, height }}>{absence}</div>;
}

function Stat({ panel, frames, variables, theme, width, height }) {
  const { orientation, text, textMode, colorMode, graphMode, justifyMode, wideLayout } = panel.options;
  const value = ({ value, width, height, count, alignmentFactors }) => (
    <BigValue
      value={value.display}
      disableWideLayout={!wideLayout}
      {...{ width, height, count, alignmentFactors, theme, text, textMode, colorMode, graphMode, justifyMode }}
    />
  );
  return (
    <VizRepeater
      autoGrid
      itemSpacing={3}
      source={frames}
      getValues={() => stats(panel, frames, variables, theme)}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={value}
      renderCounter={0}
      {...{ orientation, width, height }}
    />
  );
}

function Table({ panel, frames, clock, width, height }) {
  const { sortBy, cellHeight, showHeader } = panel.options;
  return (
    <TableNG
      data={frames[0]}
      noHeader={!showHeader}
      fieldConfig={panel.fieldConfig}
      noValue={panel.fieldConfig.defaults.noValue}
      structureRev={1}
      timeRange={range(clock)}
      {...{ width, height, sortBy, cellHeight }}
    />
  );
}

// What the panel of Grafana's server adds where a dashboard says nothing.
const LINES = {
  axisPlacement: "auto",
  axisColorMode: "text",
  scaleDistribution: { type: "linear" },
  hideFrom: { tooltip: false, viz: false, legend: false },
  lineStyle: { fill: "solid" },
  pointSize: 5,
};

function Lines({ panel, frames, clock, theme, width, height }) {
  for (const field of frames.flatMap((frame) => frame.fields)) {
    if (field.type === FieldType.number) field.config.custom = { ...LINES, ...field.config.custom };
  }
  return (
    <TimeSeries
      frames={frames}
      legend={panel.options.legend}
      timeRange={range(clock)}
      timeZone="browser"
      structureRev={1}
      {...{ theme, width, height }}
    />
  );
}

function range({ start, now }) {
  const [from, to] = [start, now].map((seconds) => Object.assign(new Date(seconds * 1000), { valueOf: () => seconds * 1000 }));
  return { from, to, raw: { from, to } };
}

export const CONTENT = {
  stat: Stat,
  table: Table,
  timeseries: Lines,
  barchart: BarChart,
  "state-timeline": StateTimeline,
};
