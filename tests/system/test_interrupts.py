"""Ctrl-C is held back where it would leave something half done."""

import io
import os
import signal
from pathlib import Path

import pytest

from sim.scenario import dumping
from sim.system.interrupts import ENDINGS, ending, interrupts

on_posix = pytest.mark.skipif(os.name == "nt", reason="sends itself an interrupt")


@on_posix
def test_an_interrupt_waits_for_the_end_of_the_block_or_is_dropped(tmp_path: Path) -> None:
    done = tmp_path / "done"
    with pytest.raises(KeyboardInterrupt), interrupts(held=True):
        os.kill(os.getpid(), signal.SIGINT)
        done.touch()
    assert done.exists()
    with interrupts(held=False):
        os.kill(os.getpid(), signal.SIGINT)


@on_posix
def test_an_interrupt_held_back_goes_to_whoever_handles_interrupts() -> None:
    """A server's own handler ends it in its own way."""
    told: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: told.append(number))
    try:
        with interrupts(held=True):
            os.kill(os.getpid(), signal.SIGINT)
            assert told == []
        assert told == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, before)


@on_posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whatever_ends_a_process_is_an_interrupt_the_first_time_and_nothing_later(
    number: signal.Signals,
) -> None:
    with ending() as endings:
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
        for later in ENDINGS:
            os.kill(os.getpid(), later)
        assert endings.code == 128 + number
    assert signal.getsignal(signal.SIGTERM) != endings


@on_posix
def test_a_signal_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ending() as endings:
            os.kill(os.getpid(), signal.SIGHUP)
        assert not endings.came
    finally:
        signal.signal(signal.SIGHUP, before)


@on_posix
def test_a_scenario_interrupted_while_it_is_written_prints_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted(io.StringIO):
        def write(self, text: str) -> int:
            os.kill(os.getpid(), signal.SIGINT)
            return super().write(text)

    monkeypatch.setattr(dumping.io, "StringIO", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        dumping.to_yaml({"name": "assumption"})
    assert capsys.readouterr().out == ""
