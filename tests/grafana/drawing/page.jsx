// A dashboard, drawn on Grafana's grid with the components that Grafana publishes.

import { ThemeContext } from "@grafana/data";
import { initPluginTranslations } from "@grafana/i18n";
import { GlobalStyles, PanelChrome } from "@grafana/ui";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";

import "./page.css";
import { absence, data, theme as themeOf } from "../panel.mjs";
import { connect } from "../prometheus.mjs";
import { Variables } from "../variables.mjs";
import { place } from "./grid.mjs";
import { Absence, CONTENT } from "./panels.jsx";

function Panel({ panel, title, style, size, ...content }) {
  const Content = content.absence && panel.type !== "stat" ? Absence : CONTENT[panel.type];
  return (
    <section style={style} data-panel={title}>
      <PanelChrome title={title} description={panel.description} {...size}>
        {(width, height) => <Content panel={panel} width={width} height={height} {...content} />}
      </PanelChrome>
    </section>
  );
}

function Header({ dashboard, variables }) {
  return (
    <header>
      <h1>{dashboard.title}</h1>
      {dashboard.templating.list.map(({ name, label, type }) => (
        <label key={name}>
          {label} <b>{type === "datasource" ? "Prometheus" : variables.replace(`\${${name}:text}`)}</b>
        </label>
      ))}
    </header>
  );
}

async function draw({ dashboard, prometheus, mode, clock }) {
  connect(prometheus);
  const theme = themeOf(mode);
  await initPluginTranslations("preview");
  await Promise.all([400, 500].map((weight) => document.fonts.load(`${weight} 14px Inter`)));
  const variables = await Variables.of(dashboard, clock);
  const { height, placed } = place(dashboard.panels, variables, document.documentElement.clientWidth);
  const drawn = placed.map(async ({ panel, variables, ...box }, key) => {
    const title = variables.replace(panel.title);
    if (panel.type === "row") return <h2 key={key} style={box.style}>{title}</h2>;
    const frames = await data(panel, variables, clock, theme);
    const content = { frames, variables, clock, theme, absence: absence(panel, frames) };
    return <Panel key={key} panel={panel} title={title} {...box} {...content} />;
  });
  const panels = await Promise.all(drawn);
  const page = (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <Header dashboard={dashboard} variables={variables} />
      <main style={{ height }}>{panels}</main>
    </ThemeContext.Provider>
  );
  flushSync(() => createRoot(document.getElementById("root")).render(page));
}

window.draw = draw;
