"""What tests/soak/siege does once a PostgreSQL server runs."""

import base64
import collections
import http.client
import itertools
import json
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

from watch import ROOT, SAMPLE_EVERY, build, draw, drift, settings, weigh

FAILED_ROWS = 100_000
TOKEN = "token-of-the-siege-of-32-letters"
PASSWORD = "scrape-for-the-siege"
# Of bcrypt with a cost of 12: each guess takes a core a quarter of a second.
HASH = r"$2b$12$abcdefghijklmnopqrstuuae7brlSRjRFjmTsrxTyshvlU13ZcfoK"
TABLES = """
CREATE TABLE documents (id bigint PRIMARY KEY, title text, original_filename text, file_path text, ai_model_version text);
CREATE TABLE processing_queue (id bigint PRIMARY KEY, document_id bigint NOT NULL, stage text NOT NULL, status text NOT NULL,
    attempts int NOT NULL DEFAULT 0, max_attempts int NOT NULL DEFAULT 3, error_message text, payload jsonb,
    created_at timestamptz NOT NULL, started_at timestamptz, completed_at timestamptz);
CREATE TABLE background_jobs (id bigint PRIMARY KEY, kind text, label text, state text, processed bigint, total bigint,
    started_at timestamptz, updated_at timestamptz, finished_at timestamptz, error text);
INSERT INTO documents SELECT n, 'Paper ' || n FROM generate_series(1, {rows}) n;
INSERT INTO processing_queue (id, document_id, stage, status, attempts, error_message, created_at, started_at, completed_at)
SELECT n, n, (ARRAY['stt', 'embed', 'summarize'])[n % 3 + 1], 'failed', 3,
       'Traceback of row ' || n || E'\n' || repeat('  in work' || E'\n', 60) || 'ValueError: no page ' || n % 40,
       now() - interval '1 day', now() - interval '1 hour', now() - n * interval '1 second'
FROM generate_series(1, {rows}) n;
VACUUM ANALYZE;
"""

# What is retried fails again.
WORKER = """
UPDATE processing_queue SET status = 'failed', attempts = 3, started_at = now(), completed_at = now(),
    error_message = 'ValueError: no page ' || id % 40 WHERE status = 'pending'
"""

LISTS = ["/", "/api/queue/failed?limit=300", "/api/queue/failed?stage=stt&text=Paper+77", "/api/queue/overview", "/?text=page+7"]


def main():
    server, minutes = sys.argv[1], float(sys.argv[2])
    if minutes < 2:
        sys.exit("siege: give it 2 minutes or more: a tenth of less is not one sample")
    into = ROOT / "target/soak"
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        faults = besiege(build(), server, minutes * 60, pathlib.Path(folder), into)
    sys.exit("\n".join(f"siege: {fault}" for fault in faults) or 0)


def besiege(binary, server, seconds, folder, into):
    """Returns what went wrong."""
    database = f"{server}/postgres"
    psql(database, TABLES.format(rows=FAILED_ROWS))
    psql(database, (ROOT / "deploy/roles.sql").read_text())
    psql(database, subprocess.run([binary, "indexes", "--database-url", database], check=True, capture_output=True, text=True).stdout)
    exporter, metrics, admin = serve(binary, server, folder)
    prometheus, api = scrape(metrics, folder)
    answers, stop = collections.Counter(), threading.Event()
    threads = [threading.Thread(target=ask, args=(stop, answers, *client)) for client in clients(metrics, admin)]
    threads.append(threading.Thread(target=work, args=(stop, database)))
    try:
        for thread in threads:
            thread.start()
        samples = watch(exporter.pid, seconds)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    faults = [*scrapes(api, seconds), *drift(samples)]
    for process in (prometheus, exporter):
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
    for (what, status), times in sorted(answers.items()):
        print(f"{what}: {times} × {status}")
    title = f"{seconds / 60:g} minutes under siege: 16 list, 16 guess, 4 retry, Prometheus scrapes every second"
    (into / "siege.svg").write_text(draw(title, samples))
    return faults


def psql(database, sql):
    subprocess.run(["psql", "-q", "-X", "-v", "ON_ERROR_STOP=1", database], input=sql, text=True, check=True, stdout=subprocess.DEVNULL)


def as_role(server, role):
    return server.replace("postgres@", f"{role}@") + "/postgres"


def serve(binary, server, folder):
    """Returns the exporter, and the ports of both listeners."""
    (folder / "web.yml").write_text(f"basic_auth_users:\n  prometheus: {HASH}\n")
    command = [
        binary,
        f"--database-url={as_role(server, 'queueboard_reader')}",
        f"--admin.database-url={as_role(server, 'queueboard_operator')}",
        "--web.listen-address=127.0.0.1:0",
        "--admin.listen-address=127.0.0.1:0",
        f"--web.config.file={folder}/web.yml",
    ]
    log = (ROOT / "target/soak/siege.log").open("w")
    exporter = subprocess.Popen(command, env=settings() | {"QUEUEBOARD_ADMIN_TOKEN": TOKEN}, stderr=log)
    ports = []
    while len(ports) < 2:
        time.sleep(0.1)
        ports = re.findall(r"serving \w+ .*address=127\.0\.0\.1:(\d+)", pathlib.Path(log.name).read_text())
    return exporter, *map(int, ports)


def scrape(port, folder):
    """Returns a Prometheus that scrapes every second, and where it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        own = free.getsockname()[1]
    (folder / "prometheus.yml").write_text(f"""
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: queueboard
    basic_auth: {{username: prometheus, password: {PASSWORD}}}
    static_configs: [{{targets: ['127.0.0.1:{port}']}}]
""")
    command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{own}"]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL), f"http://127.0.0.1:{own}/api/v1/query?query="


def clients(metrics, admin):
    """Yields what each does: its name, its address, the pause between two requests, and the requests."""
    right = {"Authorization": f"Bearer {TOKEN}"}
    for n in range(16):
        lists = [(admin, "GET", path, right, None) for path in LISTS]
        yield "list", f"127.3.0.{n + 1}", 0.05, itertools.cycle(lists[n % len(LISTS) :] + lists[: n % len(LISTS)])
    for n in range(8):
        yield "guess a token", f"127.3.1.{n + 1}", 0.05, guesses(admin, "Bearer {}".format)
        yield "guess a password", f"127.3.2.{n + 1}", 0.05, guesses(metrics, basic)
    body = json.dumps({"filter": {}, "limit": 10})
    for n in range(4):
        request = (admin, "POST", "/api/queue/retry", right | {"Content-Type": "application/json"}, body)
        yield "retry", f"127.3.3.{n + 1}", 0.5, itertools.repeat(request)


def guesses(port, credentials):
    for n in itertools.count():
        yield port, "GET", "/metrics", {"Authorization": credentials(f"guess {n}")}, None


def basic(password):
    return "Basic " + base64.b64encode(f"prometheus:{password}".encode()).decode()


def ask(stop, answers, what, source, pause, requests):
    """Sends the requests one after the other, each over a connection of its own."""
    for port, method, path, headers, body in requests:
        if stop.wait(pause):
            return
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=(source, 0))
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
            answers[what, answer.status] += 1
        except (OSError, http.client.HTTPException) as fault:
            answers[what, type(fault).__name__] += 1
        finally:
            connection.close()


def work(stop, database):
    while not stop.wait(1):
        psql(database, WORKER)


def watch(pid, seconds):
    begin, samples = time.monotonic(), []
    while time.monotonic() - begin < seconds:
        time.sleep(SAMPLE_EVERY)
        resident, _, descriptors, _ = weigh(pid)
        samples.append({"seconds": round(time.monotonic() - begin), "resident_kib": resident, "descriptors": descriptors})
    return samples


def scrapes(api, seconds):
    """Says what Prometheus saw, and yields what of it is wrong."""
    window = f"[{round(seconds)}s]"
    number = lambda expression: float(query(api, expression)[0]["value"][1])
    scraped = number(f"count_over_time(up{window})")
    failed = scraped - number(f"sum_over_time(up{window})")
    slowest, usual = (number(f"quantile_over_time({q}, scrape_duration_seconds{window})") for q in (1, 0.5))
    print(f"{scraped:g} scrapes, {failed:g} failed; they took {usual * 1000:.0f} ms in the median and {slowest * 1000:.0f} ms at the most")
    if failed or scraped < seconds - 2:
        yield f"of {seconds:g} scrapes {scraped:g} came and {failed:g} failed"
    for series in query(api, f"count_over_time(queueboard_collector_success{window}) - sum_over_time(queueboard_collector_success{window}) > 0"):
        print(f"the collector {series['metric']['collector']} had no time in {series['value'][1]} of them")


def query(api, expression):
    with urllib.request.urlopen(api + urllib.parse.quote(expression)) as answer:
        return json.load(answer)["data"]["result"]


if __name__ == "__main__":
    main()
