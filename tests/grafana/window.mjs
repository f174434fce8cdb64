// What Grafana's code expects of a browser when it is loaded. It comes before everything else.

globalThis.window = globalThis;
globalThis.localStorage = {};
globalThis.location = new URL("http://localhost/");
globalThis.addEventListener = () => {};
Object.defineProperty(globalThis, "navigator", { value: { languages: ["en-US"] }, configurable: true });
