//! The page that a person finds at the metrics listener.

/// Returns the landing page; the path is the operator's own word and escaped all the same.
pub fn page(telemetry_path: &str) -> String {
    let path = escape(telemetry_path);
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>Queueboard exporter</title>\n\
         <style>body{{font-family:system-ui,sans-serif;margin:3rem auto;max-width:36rem;padding:0 1rem;\
         color-scheme:light dark}}</style>\n</head>\n<body>\n<h1>Queueboard exporter</h1>\n\
         <p>A work queue in numbers, for Prometheus. Version {version}.</p>\n<ul>\n\
         <li><a href=\"{path}\">Metrics</a></li>\n\
         <li><a href=\"/-/healthy\">Health</a>: this process serves</li>\n\
         <li><a href=\"/-/ready\">Readiness</a>: its configuration is loaded</li>\n\
         </ul>\n</body>\n</html>\n"
    )
}

fn escape(text: &str) -> String {
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    text.replace('"', "&quot;")
}
