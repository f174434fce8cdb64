// The state timeline, which Grafana does not publish: a strip for each series, equal states in one.

import { FieldType, formattedValueToString, getFieldDisplayName } from "@grafana/data";
import { VizLegend } from "@grafana/ui";

const LEGEND = 34;

export function StateTimeline({ panel, frames, width, height, theme }) {
  const rows = frames.map((frame) => {
    const field = frame.fields.find(({ type }) => type === FieldType.number);
    return { name: getFieldDisplayName(field, frame, frames), field };
  });
  const { displayMode, placement } = panel.options.legend;
  return (
    <>
      <div className="strips" style={{ width, height: height - LEGEND }}>
        {rows.map(({ name, field }) => (
          <Strip key={name} name={name} field={field} theme={theme} />
        ))}
      </div>
      <VizLegend displayMode={displayMode} placement={placement} items={states(rows)} />
    </>
  );
}

function Strip({ name, field, theme }) {
  const share = (steps) => `${(100 * steps) / field.values.length}%`;
  return (
    <>
      <span>{name}</span>
      <div>
        {runs(field.values).map(({ value, start, length }) => {
          const shown = field.display(value);
          const place = { left: share(start), width: share(length) };
          const ink = theme.colors.getContrastText(shown.color);
          // Too narrow for a text, as Grafana judges it.
          const isNarrow = length < field.values.length / 12;
          return (
            <div key={start} style={{ ...place, background: shown.color, color: ink }}>
              {isNarrow ? "" : formattedValueToString(shown)}
            </div>
          );
        })}
      </div>
    </>
  );
}

function runs(values) {
  const found = [];
  values.forEach((value, start) => {
    const last = found.at(-1);
    if (value !== null && last?.value === value && last.start + last.length === start) last.length += 1;
    else if (value !== null) found.push({ value, start, length: 1 });
  });
  return found;
}

function states(rows) {
  const shown = rows.flatMap(({ field }) => field.values.filter((value) => value !== null).map((value) => field.display(value)));
  const byText = new Map(shown.map((state) => [formattedValueToString(state), state.color]));
  return [...byText].map(([label, color]) => ({ label, color, yAxis: 1 }));
}
