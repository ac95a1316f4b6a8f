"""The last door: whatever goes wrong is said in one message, without a traceback."""

# ruff: noqa: I001
from __future__ import annotations

import io
import sys
import warnings
from typing import Any

from typer import Abort, Exit
from typer.exceptions import TyperException

# in the order in which `talentsim --help` names the commands
from sim.cli import running, comparing, explaining, scenarios, checking, page  # noqa: F401
from sim.cli.progress import Stopped
from sim.cli.options import BAD_INPUT, DONE, FAILED, INTERRUPTED, InputError, cli, say


def parse_and_run(arguments: list[str] | None) -> int:
    """Run the command line; returns the exit code. Only an interrupt is raised."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that the terminal cannot write is no failure
            stream.reconfigure(errors="backslashreplace")
    try:
        with warnings.catch_warnings():
            _tell_cautions()
            code = cli(arguments, standalone_mode=False, prog_name="talentsim")
        if code == INTERRUPTED:  # the parser has made an exit code of the interrupt
            raise KeyboardInterrupt
        return code if isinstance(code, int) else DONE
    except Exit as leave:
        return leave.exit_code
    except Abort:
        raise KeyboardInterrupt from None
    except TyperException as error:
        words = error.format_message() if hasattr(error, "format_message") else str(error)
        say(f"{words} (talentsim --help tells more)")
        return BAD_INPUT
    except BrokenPipeError:
        return DONE
    except Exception as error:  # people see a sentence, never a traceback
        return _explain(error)


def _tell_cautions() -> None:
    """From now on a warning about a scenario is a line for people, without a place in our code."""
    others = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if category.__name__ == "ScenarioWarning":  # its module is not read before a scenario is
            say(f"warning: {message}")
        else:
            others(message, category, *where, **more)

    warnings.showwarning = show


def _explain(error: Exception) -> int:
    """Say what went wrong, and whose fault it is."""
    from sim.scenario.errors import ScenarioError

    if isinstance(error, Stopped):
        say(str(error))
        return error.code
    bad_input: tuple[type[Exception], ...] = (InputError, ScenarioError)
    if "sim.experiments.manifest" in sys.modules:
        from sim.experiments.folder import AllFailed
        from sim.experiments.manifest import ResultError
        from sim.system.lock import WorkError
        from sim.system.executors import ExecutorError
        from sim.system.tables import TableError

        bad_input = (*bad_input, ResultError, WorkError, TableError)
        if isinstance(error, AllFailed | ExecutorError):
            say(str(error))
            return FAILED
    if isinstance(error, bad_input):
        say(str(error))
        return BAD_INPUT
    if isinstance(error, OSError):
        say(f"{error.filename or 'input or output'}: {error.strerror or error}")
        return BAD_INPUT
    say(f"the run failed: {type(error).__name__}: {error}")
    return FAILED
