"""What a posting to a lab's talent account is for, in words."""

from __future__ import annotations

from sim.report.prose import readable

# kinds of the ledger that are not words already
_WORDS = {
    "sign_on": "sign-on pay",
    "grant": "grants to new hires",
    "refresh": "refresh grants",
    "retention": "retention packages",
    "forfeit": "grants forfeited, back",
    "clawback": "sign-on pay, back",
    "swept": "beyond plan, to treasury",
    "shortfall": "treasury, for payroll",
    "first_year_base": "base pay, from envelope",
    "envelope": "set aside for a campaign",
    "returned": "left over of a campaign",
}


def posting_words(kind: str) -> str:
    """A kind of the ledger for people."""
    return _WORDS.get(kind, readable(kind))
