"""Worker processes under a test's hand: spawned, killed, frozen, thawed, and always reaped."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
import time
import traceback
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, Final, Generic, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import Self

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")
_NOTHING_SENT: Final = object()


class WorkerDiedError(RuntimeError):
    """A worker process ended without a result; `exitcode` is minus the signal that killed it."""

    def __init__(self, name: str, *, exitcode: int | None) -> None:
        super().__init__(f"worker {name} died with exit code {exitcode} before it had a result")
        self.exitcode = exitcode


class WorkerHungError(TimeoutError):
    """A worker process had no result in time; it has been killed."""


class Worker(Generic[_Result]):
    """One spawned process that runs one function; get it from `Workers.spawn`."""

    def __init__(
        self, process: multiprocessing.process.BaseProcess, *, receiver: Connection
    ) -> None:
        self._process = process
        self._receiver = receiver
        self._outcome: Any = _NOTHING_SENT
        self.name = process.name
        assert process.pid is not None
        self.pid = process.pid
        """The process id."""
        self.is_settled = False
        """Whether the test knows how the worker ended: it took the result, or killed it."""

    def __repr__(self) -> str:
        return f"<Worker {self.name} pid={self.pid}>"

    @property
    def is_alive(self) -> bool:
        """Whether the process has not ended; a frozen one is alive."""
        return self._process.is_alive()

    def result(self, *, timeout: float = 60.0) -> _Result:
        """What the function returned; waits for it.

        Raises:
            WorkerHungError: There was no result within `timeout` seconds.
            WorkerDiedError: The process ended without one.
            BaseException: Whatever the function raised, with the worker's traceback as a note.
        """
        self.is_settled = True
        if self._outcome is _NOTHING_SENT:
            self._outcome = self._receive(timeout)
        is_error, value = self._outcome
        if is_error:
            raise value
        result: _Result = value
        return result

    def kill(self) -> None:
        """SIGKILL, and wait until the process is gone; a frozen one, too."""
        self.is_settled = True
        self._process.kill()
        self._process.join()

    def freeze(self) -> None:
        """SIGSTOP: the process does nothing until `thaw`; returns once it has stopped.

        Raises:
            WorkerDiedError: It has ended already.
        """
        self._signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def thaw(self) -> None:
        """SIGCONT: a frozen process goes on.

        Raises:
            WorkerDiedError: It has ended already.
        """
        self._signal(signal.SIGCONT)

    def reap(self) -> None:
        """Leave nothing behind: neither process nor pipe."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self._receiver.close()

    def _signal(self, number: signal.Signals) -> None:
        # Once reaped, the id may belong to another process; until then it cannot.
        if not self.is_alive:
            raise WorkerDiedError(self.name, exitcode=self._process.exitcode)
        os.kill(self.pid, number)

    def _receive(self, timeout: float) -> Any:
        if not wait([self._receiver], timeout):
            self.kill()
            raise WorkerHungError(
                f"{self.name} had no result after {timeout:.1f} s and was killed: "
                "it hangs, or is frozen, or needs a longer timeout"
            )
        try:
            return self._receiver.recv()
        except EOFError:
            self._process.join()
            raise WorkerDiedError(self.name, exitcode=self._process.exitcode) from None


class Workers:
    """All worker processes of one test.

    Guarantee: after `close` (or the `with` block) none of them is alive. Not guaranteed: that a
    worker sees anything of this process but the arguments given to it; it is spawned, and
    imports the module of its function anew.

    Example:
        >>> with Workers() as workers:
        ...     workers.map(divmod, [(7, 2), (9, 4)])
        [(3, 1), (2, 1)]
    """

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[Worker[Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def spawn(
        self,
        function: Callable[_Arguments, _Result],
        *args: _Arguments.args,
        **kwargs: _Arguments.kwargs,
    ) -> Worker[_Result]:
        """Run `function(*args, **kwargs)` in a new process; all of it must be picklable."""
        receiver, sender = self._context.Pipe(duplex=False)
        process = self._context.Process(
            target=_run,
            args=(sender, function, args, kwargs),
            name=f"worker-{len(self._workers)}",
            daemon=True,
        )
        with sender:
            try:
                process.start()
            except BaseException:
                receiver.close()
                raise
        worker: Worker[_Result] = Worker(process, receiver=receiver)
        self._workers.append(worker)
        return worker

    def map(
        self,
        function: Callable[..., _Result],
        arguments: Iterable[tuple[Any, ...]],
        *,
        timeout: float = 60.0,
    ) -> list[_Result]:
        """One process for each tuple of arguments, all at once; the results, in this order.

        If one fails, the others are killed.

        Args:
            function: What each runs.
            arguments: The positional arguments of each.
            timeout: Seconds for all of them together.

        Raises:
            WorkerHungError: Not all had a result within `timeout` seconds.
            WorkerDiedError: A process ended without one.
            BaseException: Whatever the function raised in one of them.
        """
        workers = [self.spawn(function, *each) for each in arguments]
        deadline = time.monotonic() + timeout
        try:
            return [worker.result(timeout=_until(deadline)) for worker in workers]
        except BaseException:
            for worker in workers:
                worker.kill()
            raise

    def close(self, *, grace: float = 5.0) -> None:
        """Reap every worker, and raise what nobody has looked at.

        Args:
            grace: Seconds given to workers whose result was not taken, and that were not killed.

        Raises:
            WorkerHungError: One of those was still running.
            WorkerDiedError: One of those died.
            BaseException: Whatever the function raised in one of those.
        """
        workers, self._workers = self._workers, []
        deadline = time.monotonic() + grace
        try:
            for worker in workers:
                if not worker.is_settled:
                    worker.result(timeout=_until(deadline))
        finally:
            for worker in workers:
                worker.reap()


def _until(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())


def _run(
    sender: Connection,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> None:
    threading.Thread(target=_die_with_parent, daemon=True).start()
    try:
        outcome = (False, function(*args, **kwargs))
    except BaseException as error:  # noqa: BLE001 - the test's process raises it
        trace = traceback.format_exc()
        error.add_note(f"in worker process {os.getpid()}:\n{trace}")
        outcome = (True, error)
    with sender, contextlib.suppress(BrokenPipeError):
        _send(sender, outcome=outcome)


def _send(sender: Connection, *, outcome: tuple[bool, Any]) -> None:
    try:
        data = pickle.dumps(outcome)
        pickle.loads(data)
    except Exception as error:  # noqa: BLE001 - whatever a class's own pickling raises
        text = f"a worker's result or exception cannot be pickled ({error!r}): {outcome[1]!r}"
        data = pickle.dumps((True, RuntimeError(text)))
    sender.send_bytes(data)


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
