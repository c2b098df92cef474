"""One run of the engine's program: the child process, what it was told, and what it says."""

from __future__ import annotations

import http.client
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import urlsplit

from moa.errors import EngineError
from moa.local import engine_process
from moa.local.processors import physical_cores
from moa.local.pulse import PATIENCE_SECONDS, Pulse, activity

HOW_TO_INSTALL = "pip install 'mixture-of-agents[local]'"
"""The command that adds the engine to an environment."""

_KEPT_LOG_LINES = 200
_STOP_SECONDS = 10.0
_POST_SECONDS = 60.0
_LOADING_CHECK_SECONDS = 5.0
_IDLE_LOADING_SECONDS = 60.0  # a child that loads and does nothing at all for so long is hung
_KILLED = -9  # SIGKILL, which Windows does not name
_PATIENT_THREADS = {"OMP_WAIT_POLICY": "PASSIVE"}
# By default the engine's threads spin while they wait for one another. As soon as anything else runs on the machine,
# another engine for instance, they spin away the time of those that they wait for: measured 20 to 200 times slower.
_LOG_PREFIX = re.compile(r"^[\d.]+ ([A-Z]) +")  # time since the start, then the severity


class Child:
    """A child process that loads one model and serves it. Thread-safe.

    Args:
        name: the model's, for messages.
        model: the GGUF file; of a model in several files, the first.
        context: tokens that each slot can take.
        slots: requests that are answered at the same time.
        embeds: whether it turns texts into vectors, in place of answering them.
        adapters: LoRA files that are loaded beside the model. None is applied unless a request says so.
        gpu: what `engine_process` is told about GPUs.
        keep: an existing folder, of this user alone, into which slots can be saved.
    """

    def __init__(
        self,
        name: str,
        model: Path,
        context: int,
        slots: int,
        *,
        embeds: bool = False,
        adapters: tuple[Path, ...] = (),
        gpu: Mapping[str, Any] | None = None,
        keep: Path | None = None,
    ) -> None:
        self.name = name
        self.adapters = adapters
        self.address = ""
        """Base URL of its server, once the model is loaded."""
        self.device = ""
        """What the model runs on: `CPU`, or the name of a GPU."""
        self.gpu_bytes = 0
        """What of it is in the memory of GPUs, by the estimate it was placed by."""
        self.secret = secrets.token_urlsafe(32)
        """What every request must carry as its API key."""
        self._order = {
            "name": name,
            "model": str(model),
            "context": context,
            "slots": slots,
            "embeds": embeds,
            "adapters": list(map(str, adapters)),
            "threads": physical_cores(),
            "gpu": dict(gpu or {}),
            "keep": str(keep) if keep else None,
            "secret": self.secret,
            "parent": os.getpid(),
        }
        self._log: deque[str] = deque(maxlen=_KEPT_LOG_LINES)
        self._answer: Future[bytes] = Future()
        self._silent = ""
        self._pulse = Pulse(name, self._ask, self._fell_silent)
        born: Future[subprocess.Popen[bytes]] = Future()
        # Linux ends a child that asked for it (PR_SET_PDEATHSIG) together with the *thread* that started it, so that
        # must be a thread that lasts: the one that listens to the child.
        self._keeper = threading.Thread(target=self._keep, args=(born,), name=f"engine of {name}", daemon=True)
        self._keeper.start()
        try:
            self._process = born.result()
        except OSError as error:
            self._pulse.stop()
            raise EngineError(f"The local engine could not be started: {error.strerror or error}.") from error
        threading.Thread(target=self._listen, name=f"answers of {name}", daemon=True).start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it could take a request now."""
        return bool(self.address) and self._process.poll() is None

    def working(self) -> AbstractContextManager[None]:
        """Say that a request is under way. Only then is it noticed, and the child ended, if it hangs."""
        return self._pulse.working()

    def wait_until_loaded(self) -> None:
        """Return once the model is loaded. Blocks.

        Raises:
            EngineError: the engine is not installed, or could not load the model.
        """
        line = self._first_line()
        answer: dict[str, Any] = json.loads(line) if line.endswith(b"\n") else {}
        if "address" in answer:
            self.address, self.device, self.gpu_bytes = answer["address"], answer["device"], answer["gpu_bytes"]
            return
        code = self._process.wait()
        self._keeper.join(_STOP_SECONDS)  # then the log is complete
        if "missing" in answer:
            raise EngineError(f"Local models need an engine that is not installed. Install it: {HOW_TO_INSTALL}")
        how = "" if answer else f" It {self._silent or _ending(code)}."
        beside = "".join(f" with {adapter}" for adapter in self.adapters)
        said = "" if self._silent else self._said(self._errors(answer.get("error", "")))
        raise EngineError(f"The local engine could not load {self.name} ({self._order['model']}){beside}.{how}{said}")

    def post(self, path: str, body: Mapping[str, Any], *, seconds: float = _POST_SECONDS) -> dict[str, Any]:
        """Ask something of its server other than a chat, and return the answer. Blocks, no longer than so many seconds.

        Raises:
            EngineError: it refused, or did not answer.
        """
        connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=seconds)
        headers = {"content-type": "application/json", "authorization": f"Bearer {self.secret}"}
        try:
            connection.request("POST", path, json.dumps(body), headers)
            with connection.getresponse() as response:
                said = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise EngineError(f"The local engine of {self.name} did not answer {path}: {error}") from error
        finally:
            connection.close()
        if response.status != http.HTTPStatus.OK:
            raise EngineError(
                f"The local engine of {self.name} refused {path}: {said[:200].decode('utf-8', 'replace')}"
            )
        return cast("dict[str, Any]", json.loads(said))

    def end(self, within_seconds: float) -> EngineError | None:
        """Return what became of the child if it ends within some seconds, and None if it runs on. Blocks."""
        try:
            code = self._process.wait(within_seconds)
        except subprocess.TimeoutExpired:
            return None
        said = "" if code == _KILLED else self._said(self._end_of_log())  # the killed say no last words
        error = EngineError(
            f"The local engine of {self.name} {self._silent or _ending(code)}. Ask again: it starts anew by itself. "
            f"If that happens again, memory may be short: try a smaller model.{said}"
        )
        error.retryable = True
        return error

    def stop(self) -> None:
        """End the child. Requests under way fail."""
        if self._process.poll() is None:
            self._process.kill()
        self._keeper.join(_STOP_SECONDS)

    def _keep(self, born: Future[subprocess.Popen[bytes]]) -> None:
        """Start the child, tell it what to load, and listen to its log as long as it lives."""
        try:
            process = subprocess.Popen(  # noqa: S603  (our own interpreter and program)
                # -P: the folder of the script is full of modules whose names mean something else elsewhere.
                [sys.executable, "-P", engine_process.__file__],
                env={**_PATIENT_THREADS, **os.environ},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            born.set_exception(error)
            return
        orders, log = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stderr)
        with suppress(BrokenPipeError):  # it is dead already, and its log says why
            orders.write(json.dumps(self._order).encode() + b"\n")
            orders.flush()
        born.set_result(process)
        with log:
            for line in log:
                self._log.append(line.decode("utf-8", "replace").rstrip())
        process.wait()
        self._pulse.stop()
        with suppress(BrokenPipeError):
            orders.close()

    def _listen(self) -> None:
        """Read what the child answers: one line when it has loaded the model or cannot, then its signs of life."""
        with cast("IO[bytes]", self._process.stdout) as answers:
            self._answer.set_result(answers.readline())
            while answers.read(1):
                self._pulse.answered()

    def _first_line(self) -> bytes:
        """Wait for the answer to the order, as long as the child does anything."""
        idle, before = 0.0, activity(self.pid)
        while True:
            try:
                return self._answer.result(_LOADING_CHECK_SECONDS)
            except TimeoutError:
                now = activity(self.pid)
                idle = idle + _LOADING_CHECK_SECONDS if now and now == before else 0.0
                before = now
            if idle >= _IDLE_LOADING_SECONDS:
                self._fell_silent(_IDLE_LOADING_SECONDS)

    def _ask(self) -> None:
        """Ask for a sign of life."""
        with suppress(OSError, ValueError):  # it has ended, and so has its pipe
            orders = cast("IO[bytes]", self._process.stdin)
            orders.write(b"?")
            orders.flush()

    def _fell_silent(self, seconds: float = PATIENCE_SECONDS) -> None:
        self._silent = f"hung: it gave no sign of life for {seconds:.0f} s, so it was ended"
        self._process.kill()

    def _said(self, lines: list[str]) -> str:
        words = [_LOG_PREFIX.sub("", line) for line in lines if line]
        return f" It said: {' | '.join(words)}" if words else ""

    def _errors(self, told: str) -> list[str]:
        """Return the first errors in its log: the later ones only follow from them. Else its end, and what it told."""
        errors = [line for line in self._log if (found := _LOG_PREFIX.match(line)) and found[1] == "E"]
        return errors[:2] or [*self._end_of_log(), told]

    def _end_of_log(self) -> list[str]:
        return list(self._log)[-3:]


def _ending(code: int) -> str:
    """Say how a process ended."""
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was killed ({signal.Signals(-code).name})"
    except ValueError:
        return f"was killed (signal {-code})"
