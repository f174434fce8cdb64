"""What both soaks watch: the process's memory and descriptors, over time."""

import os
import pathlib
import re
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SAMPLE_EVERY = 10
MOST_GROWTH = 1.10


def build():
    subprocess.run(["cargo", "build", "--release", "--locked"], cwd=ROOT, check=True)
    return ROOT / "target/release/queueboard-exporter"


def settings():
    """Returns the environment without what would configure an exporter."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("QUEUEBOARD_", "DATABASE_"))}


def weigh(pid):
    """Returns resident and anonymous memory in KiB, descriptors and threads."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    number = lambda name: int(re.search(rf"^{name}:\s+(\d+)", status, re.M)[1])
    return number("VmRSS"), number("RssAnon"), len(os.listdir(f"/proc/{pid}/fd")), number("Threads")


def drift(samples):
    tenth = len(samples) // 10
    middle = lambda part, column: statistics.median(sample[column] for sample in part)
    for column, most in [("resident_kib", MOST_GROWTH), ("descriptors", 1)]:
        before, after = middle(samples[tenth : 2 * tenth], column), middle(samples[-tenth:], column)
        print(f"{column}: median {before:g} in the second tenth, {after:g} in the last")
        if after > before * most:
            yield f"{column} grew from {before:g} to {after:g}"


def draw(title, samples):
    """Returns a plot of memory and descriptors over time."""
    minutes = [sample["seconds"] / 60 for sample in samples]
    return "\n".join([
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 430" font-family="sans-serif" font-size="13">',
        '<rect width="800" height="430" fill="#fff"/>',
        f'<text x="70" y="28" font-size="16">{title}</text>',
        *panel(50, "resident memory, MiB", minutes, [sample["resident_kib"] / 1024 for sample in samples], "#1f60c4"),
        *panel(225, "open descriptors", minutes, [sample["descriptors"] for sample in samples], "#b45f06"),
        '<text x="430" y="420" text-anchor="middle">time, minutes</text>',
        "</svg>\n",
    ])


def panel(top, name, xs, ys, colour, left=70, width=710, height=140):
    right, bottom = round_up(max(xs)), round_up(max(ys) * 1.1)
    x = lambda value: round(left + width * value / right, 1)
    y = lambda value: round(top + height * (1 - value / bottom), 1)
    for value in (bottom * part / 4 for part in range(5)):
        yield f'<path d="M{left} {y(value)}h{width}" stroke="#ddd"/>'
        yield f'<text x="{left - 8}" y="{y(value) + 4}" text-anchor="end">{value:g}</text>'
    for value in (right * part / 6 for part in range(7)):
        yield f'<text x="{x(value)}" y="{top + height + 18}" text-anchor="middle">{value:g}</text>'
    yield f'<text transform="translate(18 {top + height / 2}) rotate(-90)" text-anchor="middle">{name}</text>'
    points = " ".join(f"{x(a)},{y(b)}" for a, b in zip(xs, ys, strict=True))
    yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'


def round_up(value):
    """Returns the next round number that four and six parts of an axis divide well."""
    return next(step for power in range(6) for step in (12 * 10**power / 10, 2.4 * 10**power, 4.8 * 10**power, 6 * 10**power) if step >= value)
