"""One run from start to verdict."""

from __future__ import annotations

import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from persidict import BackendError
from persidict_sync.record import RecordCodec
from scenarios.board import Board
from scenarios.disruptions import Disruptions, Plan
from scenarios.duels import Duels
from scenarios.fleet import Fleet
from scenarios.ground import DROPPED_SHARE, Ground, prepare
from scenarios.heats import make_heats, walk_of
from scenarios.history import History
from scenarios.journal import Event, read_journal
from scenarios.options import Options
from scenarios.race import Course, Race
from scenarios.report import Report
from scenarios.run_history import history_of_run
from scenarios.scenario import Audit, Evidence, Finding, Scenario
from scenarios.screen import Line, Screen, Span
from scenarios.stores import parse_store
from scenarios.tally import tally
from scenarios.words import many
from scenarios.worker import Orders


class Run:
    """One run of one scenario.

    Args:
        scenario: What is run.
        options: How.
        screen: Where it is shown.
        clock: What the patience with silent workers is measured with.
    """

    def __init__(
        self,
        scenario: Scenario,
        options: Options,
        *,
        screen: Screen,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._scenario = scenario
        self._options = options
        self._screen = screen
        self._clock = clock
        self._name = f"{scenario.name}-{options.seed}-{uuid.uuid4().hex[:8]}"
        self._workers = [f"w{number}" for number in range(1, options.workers + 1)]
        digits = len(str(options.tasks))
        self._tasks = [f"task-{number:0{digits}}" for number in range(1, options.tasks + 1)]
        size = scenario.heat_size(options)
        self._heats = make_heats(self._tasks, size=size, seed=options.seed)
        self._store = parse_store(options.store)
        self._shown_store = options.store if isinstance(self._store, str) else self._store.url
        self._course = Course()

    def report(self) -> Report:
        """Run, audit, and say what came of it; Ctrl-C ends the workers and is reported, too.

        Raises:
            UnusableStoreError: The store cannot be used.
            OSError: The folder for the logs cannot be made.
        """
        folder = self._make_folder()
        is_kept = self._options.logs is not None
        try:
            report = self._run(folder)
            is_kept = is_kept or (report.verdict == "fail" and not self._options.unsafe)
            return report.kept_in(folder) if is_kept else report
        except KeyboardInterrupt:
            return Report(
                scenario=self._scenario.name,
                options=self._options,
                store=self._shown_store,
                course=self._course,
                audit=None,
            )
        finally:
            if not is_kept:
                shutil.rmtree(folder)

    def _run(self, folder: Path) -> Report:
        began = time.monotonic()
        with prepare(self._store, seed=self._options.seed, prefix=self._name) as ground:
            self._screen.say(self._introduction(ground))
            self._race(ground, folder=folder)
            raced = time.monotonic()
            return self._audit(ground, folder=folder).timed(
                setup=raced - began - self._course.seconds,
                race=self._course.seconds,
                audit=time.monotonic() - raced,
            )

    def _race(self, ground: Ground, *, folder: Path) -> None:
        options = self._options
        sizes = [len(heat) for heat in self._heats]
        with Fleet(
            patience=options.patience, clock=self._clock, is_store_locked=ground.is_locked
        ) as fleet:
            race = Race(
                fleet,
                board=Board(
                    self._screen,
                    workers=self._workers,
                    tasks=options.tasks,
                    counted=self._scenario.counted,
                ),
                disruptions=Disruptions(Plan.draw(seed=options.seed, sizes=sizes)),
                duels=Duels(
                    self._duels_over() if options.unsafe else (),
                    seed=options.seed,
                    racers=self._scenario.racers(options),
                ),
                count_dropped=ground.dropped_so_far,
                course=self._course,
                frozen_seconds=self._scenario.frozen_seconds,
            )
            for worker in self._workers:
                orders = self._orders(worker, ground=ground, folder=folder)
                fleet.start(self._scenario.program, orders=orders)
            race.run()

    def _duels_over(self) -> Sequence[str]:
        over = self._scenario.duels_over
        return self._heats[0] if over is None else over

    def _orders(self, worker: str, *, ground: Ground, folder: Path) -> Orders:
        seed = self._options.seed
        return Orders(
            name=worker,
            seed=f"{worker} in {seed}",
            address=ground.address,
            heats=walk_of(self._heats, worker=worker, seed=seed),
            journal=folder / f"{worker}.jsonl",
            unsafe=self._options.unsafe,
            dropped_share=ground.share_dropped_by_worker,
        )

    def _audit(self, ground: Ground, *, folder: Path) -> Report:
        logs = {
            worker: read_journal(folder / f"{worker}.jsonl", worker=worker)
            for worker in self._workers
        }
        events = [*chain.from_iterable(logs.values())]
        return Report(
            scenario=self._scenario.name,
            options=self._options,
            store=self._shown_store,
            prefix=ground.address.prefix,
            course=self._course,
            audit=self._judge(ground, logs=logs),
            requests=tally(events),
            counts_http=ground.is_s3,
            calls_are=self._scenario.calls_are,
            history=self._history(logs) if self._is_history_wanted else None,
            drops=ground.drops(events) if ground.dropped_by != "nobody" else None,
        )

    @property
    def _is_history_wanted(self) -> bool:
        return self._options.history is not None or self._options.report is not None

    def _history(self, logs: Mapping[str, Sequence[Event]]) -> History:
        options = self._options
        return history_of_run(
            logs,
            course=self._course,
            scenario=self._scenario.name,
            seed=options.seed,
            workers=options.workers,
            tasks=options.tasks,
            store=self._shown_store,
            unsafe=options.unsafe,
        )

    def _judge(self, ground: Ground, *, logs: Mapping[str, Sequence[Event]]) -> Audit:
        try:
            store = ground.address.open()
            bucket = {"/".join(key): value for key, value in store.items()}
            records = {
                "/".join(key): record for key, record in store.with_codec(RecordCodec()).items()
            }
        except BackendError as error:
            return Audit([Finding("the bucket can be read", "no", [str(error)])])
        return self._scenario.audit(
            Evidence(
                tasks=self._tasks,
                bucket=bucket,
                records=records,
                logs=logs,
                course=self._course,
            )
        )

    def _make_folder(self) -> Path:
        if self._options.logs is None:
            return Path(tempfile.mkdtemp(prefix="scenarios-"))
        folder = self._options.logs / self._name
        folder.mkdir(parents=True)
        return folder

    def _introduction(self, ground: Ground) -> Iterator[Line]:
        options = self._options
        size = (
            f"{many(options.workers, 'worker process')}, {many(options.tasks, 'task')}, "
            f"seed {options.seed}"
        )
        yield [Span(f"  {self._scenario.name}  ", "bold"), Span(size)]
        yield [Span(f"  {_where(ground)}", "dim")]
        yield []
        if options.unsafe:
            yield [Span(f"  {self._scenario.unsafe_story}", "yellow")]
        else:
            yield [Span(f"  {self._scenario.story}")]
        yield [Span(f"  {self._scenario.strikes}")]
        yield [Span(f"  {_about_drops(ground)}")]
        yield []


def _where(ground: Ground) -> str:
    if ground.control is not None:
        return f"embedded S3 server at {ground.control.endpoint_url}"
    return ground.address.url


def _about_drops(ground: Ground) -> str:
    if ground.dropped_by == "nobody":
        return "lost answers cannot be injected on this store."
    by = "server" if ground.dropped_by == "server" else "workers' own network layer"
    return f"{DROPPED_SHARE:.0%} of the answers to writes are dropped by the {by}."
