"""A server from its first moment to its last: socket, signals, files that change, keys that are revoked, the end."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

import uvicorn

from moa.errors import MoaError, UsageError
from moa.server.application import application
from moa.server.offers import Offers
from moa.server.patience import PatientProtocol
from moa.server.refusal import Refusal
from moa.waiting import in_thread

if TYPE_CHECKING:
    from moa.server.files import AgentFiles
    from moa.server.house import House

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_LOOK_SECONDS = 1.0
"""How often files of agents and keys are looked at."""
_GRACE_SECONDS = 5.0
"""What is broken off at the end gets so long to say so."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens, and how long it takes to stop."""

    host: str = "127.0.0.1"
    port: int = 8000
    drain_seconds: float = 30.0
    """What requests under way may still take once the server is told to stop."""

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether a host name or address to listen at means this machine's own loopback."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def insist_on_keys(address: Address, *, keyed: bool) -> None:
    """See that nobody opens a server to others by accident.

    Raises:
        UsageError: others can reach it, and it asks for no key.
    """
    if not keyed and not address.loopback:
        raise UsageError(
            f"At {address.host} others could reach this server, and it would ask nobody for a key. Make one first: "
            "moa keys add NAME. Or listen on this machine only: --host 127.0.0.1"
        )


class Serving(uvicorn.Server):
    """Runs a house. The first signal lets requests under way finish; the second one ends them.

    Args:
        house: what to serve.
        address: where.
        files: what its mixtures were loaded from; None looks at no files.
        on_started: called with the URL when the server listens.
    """

    def __init__(
        self,
        house: House,
        address: Address,
        files: AgentFiles | None = None,
        *,
        on_started: Callable[[str], None] | None = None,
    ) -> None:
        config = uvicorn.Config(
            application(house),
            host=address.host,
            port=address.port,
            http=PatientProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=round(_GRACE_SECONDS),
            backlog=2048,
        )
        super().__init__(config)
        self.house, self.address, self.files = house, address, files
        self.on_started = on_started
        self.stopping: asyncio.Task[None] | None = None
        self._chores: asyncio.Task[None] | None = None
        self._socket: socket.socket | None = None

    def bind(self) -> socket.socket:
        """Take the port.

        Raises:
            UsageError: it cannot be had.
        """
        host, port = self.address.host.strip("[]"), self.address.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, port))
        except OSError as error:
            listening.close()
            raise UsageError(
                f"The server cannot listen at {host}, port {port}: {error.strerror}. Choose another port, for example: "
                f"--port {port + 1}"
            ) from error
        listening.setblocking(False)  # noqa: FBT003
        self._socket = listening
        return listening

    async def run_here(self) -> None:
        """Serve until told to stop."""
        listening = self._socket or self.bind()
        try:
            await self.serve(sockets=[listening])
        finally:
            for task in (self._chores, self.stopping):
                if task:
                    task.cancel()
            listening.close()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say so."""
        await super().startup(sockets)
        if self._socket and self.started and self.on_started:
            host, port, *_ = self._socket.getsockname()
            self.on_started(f"http://{f'[{host}]' if ':' in host else host}:{port}")
        self._chores = asyncio.get_running_loop().create_task(self._do_chores())

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take signals as this server means them; uvicorn would close the door at once."""
        loop = asyncio.get_running_loop()
        taken = []
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                loop.add_signal_handler(number, self.stop)
                taken.append(number)
            except (NotImplementedError, RuntimeError, ValueError):  # not the main thread, or Windows
                continue
        try:
            yield
        finally:
            for number in taken:
                loop.remove_signal_handler(number)

    def stop(self) -> None:
        """Stop: let what is under way finish; if called again, end it."""
        if self.stopping is None:
            self.stopping = asyncio.get_running_loop().create_task(self._drain())
        else:
            self._break_off()
            self.should_exit = True

    async def _drain(self) -> None:
        """Answer what is under way while new requests are refused, for so long as is allowed."""
        self.house.lobby.draining = True
        for exchange in [each for each in self.house.open if each.follows]:
            exchange.break_off(_stopped())
        if not await self.house.lobby.drained(self.address.drain_seconds):
            self._break_off()
            await self.house.lobby.drained(_GRACE_SECONDS)
        self.should_exit = True

    def _break_off(self) -> None:
        for exchange in list(self.house.open):
            exchange.break_off(_stopped())

    async def _do_chores(self) -> None:
        """Look at files and keys from time to time."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Take over what has changed of files and keys."""
        house = self.house
        try:
            gone = house.tenants.refresh()
        except MoaError as error:
            house.figures.problem("keys", str(error))
            gone = []
        for exchange in [each for each in house.open if each.tenant in gone]:
            told = "This key was revoked."
            exchange.break_off(Refusal(401, told, kind="authentication_error", code="invalid_api_key"))
        if self.files and self.files.changed():
            await self._reload(self.files)

    async def _reload(self, files: AgentFiles) -> None:
        """Load the files again; if they are broken, what was there stays, and that is said."""
        house = self.house
        try:
            mixtures = await in_thread(files.load)
        except MoaError as error:
            files.pass_over()
            house.reload_problem = str(error)
            house.figures.problem("reload", f"The agents were not loaded again, the old ones go on: {error}")
            return
        for name, mixture in mixtures.items():
            before = house.offers.mixtures.get(name)
            if before is not None and mixture.feedback is None:
                mixture.feedback = before.feedback
        house.offers = Offers(mixtures)
        house.reload_problem = ""
        house.figures.said("The agents were loaded again.", mixtures=list(mixtures))


def _stopped() -> Refusal:
    told = "The server stopped before the answer was complete. Ask again."
    return Refusal(503, told, kind="server_error", code="draining", retry_after=5)
