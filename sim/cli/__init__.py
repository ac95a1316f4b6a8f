"""The command line: `talentsim COMMAND ...`, and `python -m sim COMMAND ...`.

Exit codes: 0 done, 1 the run failed or a check fell short, 2 bad input; 130 interrupted, 143 and 129
ended by SIGTERM and SIGHUP. Heavy imports wait until a command needs them; nothing is imported before an
interrupt can be answered.

In: the words of a command.
Out: what is printed, the folders written, and an exit code.
"""

from __future__ import annotations

import sys
from contextlib import suppress

from sim.system.interrupts import ending

_INTERRUPTED = 130  # options.INTERRUPTED, which is imported later


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code and never raises."""
    with ending(kept=arguments is None) as endings:  # a process of our own has nothing to do afterwards
        try:
            from sim.cli.door import parse_and_run

            code = parse_and_run(arguments)
        except KeyboardInterrupt:
            with suppress(OSError):  # a terminal that hung up hears nothing
                sys.stderr.write("talentsim: interrupted; nothing was written\n")
                sys.stderr.flush()
            return endings.code
        finally:
            # An interrupt within exec() of text, as dataclasses do on import, is remembered by CPython even
            # if it was caught, and ends the process by a signal instead of our exit code; this clears it.
            exec("")
        return endings.code if code == _INTERRUPTED else code
