// The bar chart, which Grafana does not publish: groups of bars, an axis of texts, a legend.

import { fieldReducers, FieldType, formattedValueToString, getFieldDisplayName, getFieldSeriesColor, reduceField } from "@grafana/data";
import { VizLegend } from "@grafana/ui";

const AXIS = { left: 56, bottom: 22 };
const LEGEND = 34;

export function BarChart({ panel, frames, width, height, theme }) {
  const [frame] = frames;
  const { xField, groupWidth, barWidth, legend } = panel.options;
  const name = (field) => getFieldDisplayName(field, frame, frames);
  const axis = frame.fields.find((field) => name(field) === xField);
  const series = frame.fields.filter(({ type }) => type === FieldType.number);
  const most = Math.max(1, ...series.flatMap(({ values }) => values));
  const plot = { width: width - AXIS.left, height: height - AXIS.bottom - LEGEND };
  const group = plot.width / axis.values.length;
  const bar = (group * groupWidth) / series.length;
  const top = (value) => plot.height * (1 - value / most);
  const every = Math.ceil(48 / group);
  const colour = (field) => getFieldSeriesColor(field, theme).color;
  return (
    <>
      <svg width={width} height={height - LEGEND} fill={theme.colors.text.primary}>
        {ticks(most).map((tick) => (
          <g key={tick}>
            <line x1={AXIS.left} x2={width} y1={top(tick)} y2={top(tick)} stroke={theme.colors.border.weak} />
            <text x={AXIS.left - 8} y={Math.max(10, top(tick) + 4)} textAnchor="end">{formattedValueToString(series[0].display(tick))}</text>
          </g>
        ))}
        {axis.values.map((value, index) => (
          <g key={index} transform={`translate(${AXIS.left + index * group} 0)`}>
            {index % every === 0 && <text x={group / 2} y={plot.height + 16} textAnchor="middle">{value}</text>}
            {series.map((field, which) => (
              <rect
                key={which}
                x={(group * (1 - groupWidth)) / 2 + which * bar}
                y={top(field.values[index])}
                width={bar * barWidth}
                height={plot.height - top(field.values[index])}
                fill={colour(field)}
                fillOpacity={field.config.custom.fillOpacity / 100}
              />
            ))}
          </g>
        ))}
        <text transform={`translate(12 ${plot.height / 2}) rotate(-90)`} textAnchor="middle">{series[0].config.custom.axisLabel}</text>
      </svg>
      <VizLegend
        displayMode={legend.displayMode}
        placement={legend.placement}
        items={series.map((field) => ({
          label: name(field),
          color: colour(field),
          yAxis: 1,
          getDisplayValues: () => legend.calcs.map((id) => total(field, id)),
        }))}
      />
    </>
  );
}

function total(field, id) {
  return { ...field.display(reduceField({ field, reducers: [id] })[id]), title: fieldReducers.get(id).name };
}

// Returns a few round numbers up to the highest bar.
function ticks(most) {
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 5, 10].find((factor) => factor * power >= rough) * power);
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, index) => index * step);
}
