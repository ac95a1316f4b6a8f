"""What `sim.analysis.explain` found, in sentences and small tables: people read this, machines the JSON."""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from sim.report.lab_week import lab_week
from sim.report.places import outside_words, pool_title
from sim.report.prose import MOST_PAY, columns, printable_lines, readable, sentences, usd
from sim.scenario.quantities import format_money

Story = dict[str, Any]

PAY_PARTS = {
    "base": "base pay",
    "sign_on": "sign-on, a year",
    "grant": "grant, worth a year",
    "unvested": "unvested grants, worth a year",
    "counter": "counter-offer, worth a year",
    "raise": "raise of base pay",
}
TERMS = {
    "pay": "pay (alpha ln Y)",
    "culture": "culture of the unit",
    "compute": "compute per head",
    "standing": "standing of the lab",
    "leadership": "leader of the unit",
    "mission": "agreement with the mission",
    "ambition": "ambition of the lab",
    "title": "title",
    "ties": "colleagues known there",
    "tenure": "time already served",
    "slight": "feeling underpaid",
    "pool": "place outside the labs",
    "shaken": "colleagues who have just left",
    "counter_title": "title offered to stay",
    "attachment": "attachment",
    "moving_cost": "cost of moving",
    "taste": "personal taste",
}
LEFT = {
    "found": "to found a start-up",
    "academia": "for academia",
    "field": "and the field",
    "released": "because the lab let them go",
    "acquihire": "in an acqui-hire",
    "rival": "for a rival",
}
ELSEWHERE = {
    "founder": "are with a start-up of their own",
    "left_field": "are out of the field",
    "not_yet": "have not yet entered the market",
}


class Explanation(dict[str, Any]):
    """The machine form of an explanation; its text tells it to people."""

    def __str__(self) -> str:
        return tell(self)


def tell(story: Story) -> str:
    """The text of what `sim.analysis.explain.explain` found."""
    where = f"run {story['run']} of {story['scenario']}, seed {story['seed']}"
    if story["kind"] == "week":
        paragraphs = lab_week(story, where)
    elif story["kind"] == "offer":
        paragraphs = _offer(story, where)
    else:
        paragraphs = _biography(story, where)
    return printable_lines("\n\n".join(paragraphs))


# ---- a researcher


def _biography(story: Story, where: str) -> list[str]:
    number = story["researcher"]
    head = f"Researcher {number} ({where})\nTalent: {story['talent']:.2f} times the median."
    told: list[tuple[int, int, str]] = []
    for spell in story["spells"]:
        told += _spell(spell, number)
    employed = any(spell["origin"] == "opening" for spell in story["spells"])
    for place, time in enumerate(story["elsewhere"]):
        opening = time["start_week"] == 0 and place == 0 and not employed
        told.append((time["start_week"], 4, _elsewhere(time, story["former"] if opening else None, opening)))
    for choice in story["choices"]:
        told.append((choice["week"], 2, _choice(choice, story["offers"])))
    for offer in story["offers"]:
        if "decision" not in offer["stages"]:
            told.append((_last_week(offer), 1, sentences(_stages(offer), _unanswered(offer))))
        elif offer["outcome"] == "lapsed":
            told.append((offer["stages"]["decision"]["week"], 3, sentences(_came_to_nothing(offer))))
    apart = sorted(week for week, _, _ in told)  # weeks of what else there is to tell
    uninterested = [response for response in story["responses"] if not response["interested"]]
    for _, together in groupby(uninterested, lambda response: bisect(apart, response["week"] - 1)):
        told.append(_not_interested(list(together)))
    if not story["offers"]:
        told.append((10**6, 0, "No lab wrote them an offer."))
    told.append((10**6, 1, _at_the_end(story)))
    return [head, *(text for _, _, text in sorted(told, key=lambda entry: entry[:2]) if text)]


def _spell(spell: Story, number: int) -> list[tuple[int, int, str]]:
    """How a spell began and how it ended."""
    first, *later = spell["units"]
    at = spell["label"] + _in_unit(spell, first["unit"], first["leader"])
    if spell["origin"] == "opening":
        begun = f"When the simulation begins, researcher {number} is at {at}, since {spell['start']}."
    else:
        begun = f"They {'are back' if spell['returned'] else 'start'} at {at} in the week of {spell['start']}"
        begun += f"{_coming_from(spell)}."
    told = [(max(spell["start_week"], 0) if spell["origin"] != "opening" else -1, 5, sentences(begun))]
    for unit in later:
        led = f", led by {unit['leader']}" if unit["leader"] else ""
        moved = f"In the week of {unit['date']} they move to {spell['label']}'s unit {unit['unit']}{led}."
        told.append((unit["week"], 1, sentences(moved)))
    told += [_new_leader(spell, unit) for unit in spell["units"] if unit["leader_replaced"]]
    if spell["end"] is not None and spell["cause"] != "rival":  # a move is told by the choice
        reason = LEFT.get(spell["cause"], f"({readable(spell['cause'])})")
        to = f", to {spell['next']}" if spell["next"] else ""
        left = f"In the week of {spell['end']} they leave {spell['label']} {reason}{to}."
        told.append((spell["end_week"], 3, sentences(left)))
    return told


def _coming_from(spell: Story) -> str:
    """Where a spell's person came from, where that is a lab or a pool with a name."""
    place = spell["came_from"]
    if place is None or not (place["label"] or place["pool"]):
        return ""
    return f", from {place['label'] or pool_title(place['pool'])}"


def _new_leader(spell: Story, unit: Story) -> tuple[int, int, str]:
    when, replaced = unit["leader_replaced"], f"{unit['leader']} no longer leads"
    whom = spell["label"] if unit["unit"] == spell["lab"] else f"{spell['label']}'s unit {unit['unit']}"
    return int(when["week"]), 0, sentences(f"From the week of {when['date']} {replaced} {whom}.")


def _elsewhere(time: Story, former: Story | None, opening: bool) -> str:
    """A time outside the labs; `former` is the lab where they were before the simulation began with it."""
    if opening:
        before = f" They had been at {former['label']} before." if former else ""
        return sentences(f"When the simulation begins they {_what(time)}.{before}")
    return sentences(f"From the week of {time['start']} they {_what(time)}.")


def _what(time: Story) -> str:
    """What people do at a time when they are at no lab."""
    if time["place"] == "outside":
        return f"are {outside_words(time['pool'])}, where labs look for people"
    return ELSEWHERE.get(time["place"], readable(time["place"]))


def _at_the_end(story: Story) -> str:
    for spell in story["spells"]:
        if spell["end"] is None:
            last = spell["units"][-1]
            at = f"{spell['label']}{_in_unit(spell, last['unit'], last['leader_at_end'])}"
            return sentences(f"When the simulation ends they are at {at}.")
    places = [_what(time) for time in story["elsewhere"] if time["end"] is None]
    return sentences(f"When the simulation ends they {places[-1]}.") if places else ""


def _in_unit(spell: Story, unit: str, leader: str | None) -> str:
    """The unit and its leader, in brackets; nothing where there is but one unit, and nobody is named."""
    said = [] if unit == spell["lab"] else [unit]
    said += [f"led by {leader}"] if leader else []
    return f" ({', '.join(said)})" if said else ""


# ---- an offer


def _offer(story: Story, where: str) -> list[str]:
    offer = story["offers"][0]
    told = [f"Offer {offer['offer']} to researcher {offer['researcher']} ({where})"]
    if "decision" not in offer["stages"]:
        return [*told, sentences(_stages(offer), _unanswered(offer))]
    told += [_choice(choice, story["offers"]) for choice in story["choices"]]
    started = offer["stages"].get("start")
    if offer["outcome"] == "lapsed":
        told.append(sentences(_came_to_nothing(offer)))
    elif offer["outcome"] == "accepted":
        when = f"start in the week of {started['date']}" if started else "have not started by the end"
        told.append(f"They {when}.")
    return told


def _not_interested(responses: Sequence[Story]) -> tuple[int, int, str]:
    """Approaches that led to no interviews, and what it would have taken, of several by the nearest."""
    first, last = responses[0], responses[-1]
    near = max(responses, key=lambda response: float(response["gap"] + response["slack"]))
    needed, known = usd(near["needed_pay_usd_per_year"]), usd(near["known_pay_usd_per_year"])
    taken = f"have had to be known for {needed} a year, not {known}."
    if first is last:
        told = f"{near['label']} approached them in the week of {near['date']}, and they did not go to "
        return int(first["week"]), 1, sentences(f"{told}interviews: to interest them it would {taken}")
    often = Counter(response["label"] for response in responses)
    *others, final = (label if n == 1 else f"{label} ({n} times)" for label, n in often.items())
    labs = f"{', '.join(others)} and {final}" if others else final
    told = f"From the week of {first['date']} to that of {last['date']} they were approached by {labs}, and "
    nearest = f"Nearest was {near['label']} in the week of {near['date']}, which would {taken}"
    return int(first["week"]), 1, sentences(f"{told}went to no interviews.", nearest)


def _stages(offer: Story) -> str:
    """An offer until it lay before its researcher."""
    stages, label = offer["stages"], offer["label"]
    how = "" if offer["campaign"] is None else f", in its campaign {offer['campaign']}"
    if offer["earlier"]:
        how += ", once more"
    if offer["inviter"] is not None:
        how += f", after researcher {offer['inviter']} had gone there and asked them to follow"
    how += ", and interviewed them" if "interview" in stages else ", without interviews"
    contact = stages["contact"]["date"]
    if "offer" not in stages:
        return f"{label} approached them in the week of {contact}{how}."
    terms = _package(offer)
    written = stages["offer"]["date"]
    if contact == written:
        return f"In the week of {written} {label} approached them{how}, and offered {terms}."
    return (
        f"{label} approached them in the week of {contact}{how}; in the week of {written} it offered {terms}."
    )


def _package(offer: Story) -> str:
    """What was offered."""
    parts = f"base {format_money(offer['base_cents_per_year'])} a year, "
    parts += f"sign-on {format_money(offer['sign_on_cents'])}, "
    parts += f"grant {format_money(offer['grant_cents'])} over {offer['vesting_years']:g} years"
    unit = "" if offer["unit"] == offer["lab"] else f" for its unit {offer['unit']}"
    return f"{format_money(offer['package_cents'])} ({parts}){unit}"


def _unanswered(offer: Story) -> str:
    if "offer" not in offer["stages"]:
        return "No offer was ever written."
    if offer["open_at_end"]:
        return "The offer was still open when the simulation ended."
    return "The offer lapsed before it was decided."


def _came_to_nothing(offer: Story) -> str:
    return f"The offer of {offer['label']} came to nothing all the same: it lapsed before they could start."


def _last_week(offer: Story) -> int:
    return max(int(stage["week"]) for stage in offer["stages"].values())


# ---- a choice


def _choice(choice: Story, offers: Sequence[Story]) -> str:
    """A choice: the offers, the answer of the incumbent, who won and by how much, and the table."""
    stay, going = choice["options"][0], choice["options"][1:]
    own = [offer for offer in offers if _decided_in(offer, choice)]
    late = any(offer["stages"]["offer"]["week"] < choice["week"] for offer in own)
    told = [_stages(offer) for offer in own]
    prose = sentences(*told, _answer(stay), _decision(choice, stay, going, late), _tipping(stay, going))
    return f"{prose}\n\n{_terms_table(choice['options'])}"


def _decided_in(offer: Story, choice: Story) -> bool:
    decision = offer["stages"].get("decision")
    return decision is not None and decision["week"] == choice["week"]


def _answer(stay: Story) -> str:
    """What the incumbent did."""
    if stay["label"] is None:
        return ""
    parts = []
    if stay["counter_cents"] > 0:
        parts.append(f"a retention package of {format_money(stay['counter_cents'])}")
    if stay["raised_base_cents_per_week"] is not None:
        parts.append(f"base pay raised by {usd(stay['pay_parts_usd_per_year']['raise'])} a year")
    if stay["terms"].get("counter_title", 0) > 0:
        parts.append("a higher title")
    if not parts:
        return f"{stay['label']} made no counter-offer."
    return f"{stay['label']} learned of it and answered with {' and '.join(parts)}."


def _staying(stay: Story) -> str:
    return f"staying at {stay['label']}" if stay["label"] else f"staying {outside_words(stay['pool'])}"


def _decision(choice: Story, stay: Story, going: Sequence[Story], late: bool) -> str:
    """The option that won, and by how much; the week where it is not that of the offer."""
    margin, when = f"{choice['margin']:.2f} utils", f" in the week of {choice['date']}" if late else ""
    if choice["winner"] == "stay":
        best = max(going, key=lambda option: float(option["utility"]))
        other = "the offer" if len(going) == 1 else f"the best offer, that of {best['label']}"
        return f"They stayed{when}: {_staying(stay)} was worth {margin} more than {other}."
    rivals = [option for option in choice["options"] if not option["wins"]]
    best = max(rivals, key=lambda option: float(option["utility"]))
    other = _staying(stay) if best is stay else f"the offer of {best['label']}"
    return f"They chose {choice['winner_label']}{when}: its offer was worth {margin} more than {other}."


def _tipping(stay: Story, going: Sequence[Story]) -> str:
    """What pay would have tipped the choice."""
    if stay["wins"]:
        best = max(going, key=lambda option: float(option["utility"]))
        return _needed(f"To win them {best['label']}", best, "a package")
    winner = next(option for option in going if option["wins"])
    package, told = winner["tipping_package_usd"], ""
    if package is not None and package <= 0:
        told = "The offer would have won even without its package."
    elif package is not None:
        told = f"The offer would have won as long as its package was above {usd(package)}."
    keeper = f"To keep them {stay['label']}" if stay["label"] else ""
    return f"{told} {_needed(keeper, stay, 'a retention package') if keeper else ''}".strip()


def _needed(who: str, option: Story, package: str) -> str:
    pay, sum_needed = option["tipping_pay_usd_per_year"], option["tipping_package_usd"]
    if pay is None or pay > MOST_PAY:
        return f"{who} could have paid whatever it liked: no pay that exists would have been enough."
    given = "" if sum_needed is None else f", that is {package} of {usd(sum_needed)}"
    return f"{who} would have needed pay worth {usd(pay)} a year{given}."


def _terms_table(options: Sequence[Story]) -> str:
    """What each option was made of: pay in USD a year, then the terms in utils and their sum."""
    rows = [("", *("stay" if option["option"] == "stay" else option["label"] for option in options))]
    for name in _names(options, "pay_parts_usd_per_year"):
        parts = [option["pay_parts_usd_per_year"].get(name, 0.0) for option in options]
        if any(parts):
            rows.append((f"  {PAY_PARTS.get(name, readable(name))}", *(usd(p) if p else "" for p in parts)))
    pay = [usd(option["pay_usd_per_year"]) for option in options]
    rows.append(("what pay is worth a year, Y", *pay))
    for name in _names(options, "terms"):
        terms = [option["terms"].get(name, 0.0) for option in options]
        if any(terms):
            rows.append((TERMS.get(name, readable(name)), *(f"{t:+.3f}" if t else "" for t in terms)))
    rows.append(("utility, in utils", *(f"{option['utility']:+.3f}" for option in options)))
    return columns(rows)


def _names(options: Iterable[Story], key: str) -> list[str]:
    """Names of all options' parts, in the order in which they are first met; taste and the like last."""
    names = list(dict.fromkeys(name for option in options for name in option[key]))
    known = list(PAY_PARTS if key.startswith("pay") else TERMS)
    return sorted(names, key=lambda name: known.index(name) if name in known else len(known) - 1.5)
