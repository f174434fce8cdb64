#!/usr/bin/env python3
"""Simulates ten lives of a pipeline and writes what became of their rows.

Only numpy is needed.  Everything is seeded: the same command writes the same files.

    python3 tests/eta/simulate.py FOLDER [--seeds 3] [--life NAME ...]

writes for each life and seed `NAME.SEED.rows.csv.gz`, the attempts of the rows of the slow stage, and
`NAME.SEED.moments.csv.gz`, what was true at every five minutes of four days.  The lives that are kept:

    python3 tests/eta/simulate.py tests/eta/lives --seeds 10 --life slow
    python3 tests/eta/simulate.py tests/eta/lives --seeds 1 --life sole_asleep --days 1
    python3 tests/eta/simulate.py tests/eta/lives/watched --seeds 1 --life crash --days 1

THE MODEL.  Two stages in series: A (fast, GPU) feeds B (slow, `summarize`): what A completes is
what arrives at B.  A stage has servers; a server has a mean service time (lognormal, shape sigma),
and periods in which it is away: `drain` (it finishes what it holds: a laptop that goes to sleep) or
`kill` (it holds a `processing` row until it comes back, and the row then waits again: a crash).
Rows are served by (created_at, id).  An attempt fails with p_fail (at once pending again, created_at
kept, at the head of the line); poison rows always fail; after 3 attempts a row is `failed`.

THE FILES.  Times are whole seconds since the first midnight, rounded up, so that at a whole second
the same has happened.  `rows`: row, created, started, ended,
outcome (0 completed, 1 failed, 2 ended by a crash), one line an attempt, one without an attempt where
a row had none; ended is empty where it never ended.  `moments`: at, pending and processing rows, and
the seconds until the last of the rows pending then was finished (done; completed, or failed for good)
and until nothing was pending (empty); `inf` where that lies beyond the simulation.
"""

import argparse
import gzip
import heapq
import io
import pathlib

import numpy as np

H = 3600.0
DAY = 24 * H
STEP = 300.0      # a moment every five minutes
DAYS = 9          # simulated
HISTORY_DAYS = 3  # before the first moment
EVAL_DAYS = 4     # of moments; two days of outcome follow


class Server:
    """mean: seconds a row takes; away: [(from, to, 'drain' | 'kill')], sorted, disjoint."""

    def __init__(self, mean, away=()):
        self.mean, self.away = mean, list(away)


class Trace:
    """What happened in a stage.  Per row: created, finish (inf: never), failed.  Per attempt:
    a_row, a_start, a_end (inf: still at it), a_out (0 completed, 1 failed, 2 aborted by a crash)."""

    def __init__(self, created, a_row, a_start, a_end, a_out, finish, failed, until):
        self.created = np.asarray(created)
        self.a_row, self.a_out = np.asarray(a_row, int), np.asarray(a_out, int)
        self.a_start, self.a_end = np.asarray(a_start), np.asarray(a_end)
        self.finish, self.failed = np.asarray(finish), np.asarray(failed, bool)
        self.until = until


def simulate_stage(created, servers, rng, sigma=0.6, p_fail=0.02, p_poison=0.003, until=DAYS * DAY):
    """Serves rows by (created_at, id); see the module's docstring for the rules."""
    created = np.sort(np.asarray(created))
    n = len(created)
    need = int(n * 1.15) + 4000
    noise = np.exp(rng.normal(-sigma * sigma / 2, sigma, need)).tolist()   # mean 1
    luck = rng.random(need).tolist()
    poison = (rng.random(n) < p_poison).tolist()
    arrive = created.tolist()
    attempts = [0] * n
    finish = [np.inf] * n
    failed = [False] * n
    a_row, a_start, a_end, a_out = [], [], [], []
    waiting_new, head_new = [], 0           # indexes in order of arrival
    again = []                              # heap of retried rows: they are older, so first
    idle = list(range(len(servers)))        # servers that are there and free
    away = [False] * len(servers)
    holds = [-1] * len(servers)             # attempt in hand
    events = []                             # (time, seq, kind, server, attempt)
    seq = 0
    for s, server in enumerate(servers):
        for start, end, mode in server.away:
            events.append((start, seq, mode, s, -1)); seq += 1
            events.append((end, seq, "back", s, -1)); seq += 1
    heapq.heapify(events)
    void = set()
    used = 0
    i = 0

    def dispatch(now):
        nonlocal head_new, used, seq
        while idle and (again or head_new < len(waiting_new)):
            if again and (head_new >= len(waiting_new) or again[0] < waiting_new[head_new]):
                row = heapq.heappop(again)
            else:
                row = waiting_new[head_new]; head_new += 1
            s = idle.pop(0)
            took = servers[s].mean * noise[used % need]
            a = len(a_row)
            a_row.append(row); a_start.append(now); a_end.append(np.inf); a_out.append(2)
            holds[s] = a
            heapq.heappush(events, (now + took, seq, "end", s, a)); seq += 1
            used += 1

    while True:
        t_arrive = arrive[i] if i < n else np.inf
        t_event = events[0][0] if events else np.inf
        now = min(t_arrive, t_event)
        if now > until:
            break
        if t_arrive <= t_event:
            waiting_new.append(i); i += 1
            if idle:
                dispatch(now)
            continue
        _, _, kind, s, a = heapq.heappop(events)
        if kind == "end":
            if a in void:               # its server died under it
                continue
            row = a_row[a]
            a_end[a] = now
            holds[s] = -1
            attempts[row] += 1
            if poison[row] or luck[a % need] < p_fail:
                a_out[a] = 1
                if attempts[row] < 3:
                    heapq.heappush(again, row)
                else:
                    failed[row], finish[row] = True, now
            else:
                a_out[a] = 0
                finish[row] = now
            if not away[s]:
                idle.append(s)
            dispatch(now)
        elif kind == "back":
            away[s] = False
            if holds[s] in void:                        # the crash's orphan is found now
                a_end[holds[s]] = now
                heapq.heappush(again, a_row[holds[s]])
                holds[s] = -1
            if holds[s] < 0:
                idle.append(s)
            dispatch(now)
        else:
            away[s] = True
            if s in idle:
                idle.remove(s)
            elif kind == "kill" and holds[s] >= 0:
                void.add(holds[s])
    return Trace(created, a_row, a_start, a_end, a_out, finish, failed, until)


def poisson(rng, rate, until=DAYS * DAY):
    """Arrivals at rate(t) an hour (a number or a function of seconds), by thinning."""
    if not callable(rate):
        k = rng.poisson(rate / H * until)
        return np.sort(rng.random(k) * until)
    grid = np.arange(0, until, 300.0)
    top = max(rate(t) for t in grid)
    t = np.sort(rng.random(rng.poisson(top / H * until)) * until)
    return t[rng.random(len(t)) * top < np.array([rate(x) for x in t])] if len(t) else t


def batches(rng, when, sizes, spread=300.0):
    """Imports: `sizes` rows each, within `spread` seconds of `when`."""
    return np.concatenate([w + rng.random(int(k)) * spread for w, k in zip(when, sizes)] or [np.array([])])


def nights(rng, share=1.0, jitter=0.5):
    """Asleep from about 00 h to about 08 h, on a share of the nights."""
    return [((d + x) * DAY, (d + y) * DAY + 8 * H, "drain")
            for d, x, y, z in zip(range(1, DAYS + 1), rng.uniform(-jitter, jitter, DAYS) * H / DAY,
                                  rng.uniform(-jitter, jitter, DAYS) * H / DAY, rng.random(DAYS)) if z < share]


def gpu(rng, mean=6.0, n=4):
    return [Server(mean) for _ in range(n)]


def pool(night=(), away=()):
    """macmini: 2 x 40 s (180 an hour); macbook: 3 x 30 s (360 an hour).  night: macbook only."""
    return [Server(40.0, away) for _ in range(2)] + [Server(30.0, list(night) or away) for _ in range(3)]


def office(mean, swing=0.9, peak=14):
    return lambda t: mean * (1 + swing * np.cos(2 * np.pi * (t / DAY - peak / 24)))


def life(name, rng):
    """Returns (arrivals at A, servers of A, servers of B, sigma, extra)."""
    days = np.arange(DAYS)
    if name == "trickle":            # 75 % load, nothing special
        return poisson(rng, 405), gpu(rng), pool(), 0.6
    if name == "burst":              # an import of 5,000 at about 22:00 every night
        when = days * DAY + 22 * H + rng.uniform(-0.5, 0.5, DAYS) * H
        return np.concatenate([poisson(rng, 60), batches(rng, when, [5000] * DAYS)]), gpu(rng), pool(), 0.6
    if name == "diurnal":            # 80 % load on average, 150 % at 14:00
        return poisson(rng, office(432)), gpu(rng), pool(), 0.6
    if name == "pool_asleep":        # the macbook sleeps 00-08 h and leaves a third of the pool
        return poisson(rng, 300), gpu(rng), pool(nights(rng)), 0.6
    if name == "crash":              # 2,500 rows in the morning; all of B dies for 40 min in the middle
        when = days * DAY + 9 * H + rng.uniform(-1, 1, DAYS) * H
        down = [(w + g, w + g + 2400, "kill") for w, g in zip(when, rng.uniform(1.5, 4, DAYS) * H)]
        return (np.concatenate([poisson(rng, 100), batches(rng, when, [2500] * DAYS)]),
                gpu(rng), pool(away=down), 0.6)
    if name == "heavy_series":       # lognormal sigma 1.6 (cv 3.5), random imports, A hardly faster than B
        when = np.sort(rng.random(rng.poisson(6 * DAYS)) * DAYS * DAY)
        sizes = np.maximum(1, rng.lognormal(np.log(700), 0.9, len(when)))
        return batches(rng, when, sizes), gpu(rng, 24.0, 4), pool(), 1.6
    if name == "near_critical":      # 97 % load
        return poisson(rng, 524), gpu(rng), pool(), 0.6
    if name == "sole_asleep":        # the stage's only machine sleeps 00-08 h: rows are deferred to 08 h
        night = nights(rng)
        return poisson(rng, office(180, 0.5)), gpu(rng), [Server(30.0, night) for _ in range(3)], 0.6
    if name == "slow":               # deep_summary: one worker, 10 min a row, 25 to 45 rows at a time
        when = np.concatenate([days * DAY + 10 * H, days * DAY + 20 * H]) + rng.uniform(-1, 1, 2 * DAYS) * H
        return batches(rng, when, rng.integers(25, 46, 2 * DAYS), 1800.0), gpu(rng), [Server(600.0)], 1.0
    if name == "mixed":              # all of it: office hours, night imports, sleep, crashes, heavy tails
        when = days * DAY + 22 * H + rng.uniform(-1, 1, DAYS) * H
        sizes = rng.integers(500, 3500, DAYS)
        day2 = np.sort(rng.random(rng.poisson(2 * DAYS)) * DAYS * DAY)
        at = np.sort(rng.random(3) * (DAYS - 1) * DAY + DAY / 2)
        down = [(x, x + 2400, "kill") for i, x in enumerate(at) if i == 0 or x > at[i - 1] + H]
        arrivals = np.concatenate([poisson(rng, office(150, 0.8)), batches(rng, when, sizes),
                                   batches(rng, day2, np.maximum(1, rng.lognormal(np.log(300), 0.8, len(day2))), 1200.0)])
        return arrivals, gpu(rng), pool(nights(rng, 0.75, 1.0), down), 1.2   # crashes hit the macmini
    raise SystemExit(f"no life {name}")


LIVES = ["trickle", "burst", "diurnal", "pool_asleep", "crash", "heavy_series",
             "near_critical", "sole_asleep", "slow", "mixed"]


def simulate(name, seed):
    """Returns the traces of A and of B."""
    rng = np.random.default_rng([LIVES.index(name), seed])
    arrivals, servers_a, servers_b, sigma = life(name, rng)
    arrivals = arrivals[arrivals < DAYS * DAY]
    a = simulate_stage(arrivals, servers_a, rng, sigma)
    b = simulate_stage(np.sort(a.finish[(~a.failed) & (a.finish < np.inf)]), servers_b, rng, sigma)
    return a, b


def waits(tr):
    """Every time that a row waited: from, to (inf: still), row."""
    order = np.lexsort((tr.a_start, tr.a_row))
    row, start, end = tr.a_row[order], tr.a_start[order], tr.a_end[order]
    first = np.full(len(tr.created), np.inf)
    np.minimum.at(first, tr.a_row, tr.a_start)
    followed = np.append(row[1:] == row[:-1], False) if len(row) else np.array([], bool)
    opens = end[followed]                       # an attempt that is followed by another
    closes = start[1:][followed[:-1]] if len(row) else start
    tail = (~followed) & (tr.a_out[order] > 0) & ~tr.failed[row] & (end < np.inf)  # it waits at the end
    return (np.concatenate([tr.created, opens, end[tail]]),
            np.concatenate([first, closes, np.full(tail.sum(), np.inf)]),
            np.concatenate([np.arange(len(tr.created)), row[followed], row[tail]]))


def truths(tr, t):
    """What was true at the moments t: pending, processing, done, empty."""
    since, until, rows = waits(tr)
    at = lambda times: np.searchsorted(np.sort(times), t, side="right")
    pending = at(since) - at(until)
    processing = at(tr.a_start) - at(tr.a_end)
    lo, hi = np.searchsorted(t, since, side="left"), np.searchsorted(t, until, side="left")
    n = np.maximum(hi - lo, 0)
    index = np.repeat(lo - np.concatenate([[0], np.cumsum(n)[:-1]]), n) + np.arange(n.sum())
    done = np.full(len(t), -np.inf)
    np.maximum.at(done, index, np.repeat(tr.finish[rows], n))
    times = np.concatenate([since, until])
    step = np.concatenate([np.ones(len(since)), -np.ones(len(until))])
    keep = times <= tr.until
    times, step = times[keep], step[keep]
    order = np.lexsort((-step, times))
    times, level = times[order], np.cumsum(step[order])
    nought = np.append(times[level == 0], np.inf)
    empty = nought[np.searchsorted(nought, t, side="left")] - t
    return pending, processing, np.where(pending > 0, done - t, 0.0), np.where(pending > 0, empty, 0.0)


def write_rows(tr, until, f):
    when = lambda x: f"{np.ceil(x):.0f}" if x < np.inf else ""
    f.write("row,created,started,ended,outcome\n")
    begun = tr.a_start <= until
    for a in np.flatnonzero(begun)[np.lexsort((tr.a_start[begun], tr.a_row[begun]))]:
        row = tr.a_row[a]
        f.write(f"{row},{when(tr.created[row])},{when(tr.a_start[a])},{when(tr.a_end[a])},{tr.a_out[a]}\n")
    for row in np.setdiff1d(np.flatnonzero(tr.created <= until), tr.a_row[begun]):
        f.write(f"{row},{when(tr.created[row])},,,\n")


def write_moments(tr, t, f):
    f.write("at,pending,processing,done,empty\n")
    for line in zip(t, *truths(tr, t)):
        f.write("%.0f,%d,%d,%.0f,%.0f\n" % line)


def compressed(path):
    """A file of text; it does not hold when it was made."""
    return io.TextIOWrapper(gzip.GzipFile(path, "wb", mtime=0))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--life", nargs="*", choices=LIVES, default=LIVES)
    parser.add_argument("--days", type=int, default=EVAL_DAYS, help="days of moments")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    t = np.arange(HISTORY_DAYS * DAY, (HISTORY_DAYS + args.days) * DAY, STEP)
    for name in args.life:
        for seed in range(args.seeds):
            _, b = simulate(name, seed)
            with compressed(args.folder / f"{name}.{seed}.moments.csv.gz") as f:
                write_moments(b, t, f)
            with compressed(args.folder / f"{name}.{seed}.rows.csv.gz") as f:
                write_rows(b, t[-1], f)


if __name__ == "__main__":
    main()
