"""What every part of a scenario is made of: frozen sections, their fields, and the kinds of numbers."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from sim.scenario.quantities import MAX_PERSON_CENTS, Money, MoneyRate, Years

# limits leave room for what nobody has tried, and none for numbers whose products leave the floating range
Factor = Annotated[float, Field(ge=0, le=1000)]
Positive = Annotated[float, Field(ge=1e-6, le=1e6)]
Weight = Annotated[float, Field(ge=-100, le=100)]  # in utils
Amount = Annotated[float, Field(ge=0, le=100)]  # in utils, or of a spread in utils
Elasticity = Annotated[float, Field(ge=0.1, le=20)]
Ratio = Annotated[float, Field(ge=0.001, le=1000)]
Exponent = Annotated[float, Field(ge=0, le=5)]
Spread = Annotated[float, Field(ge=0, le=5)]  # of a logarithm
Span = Annotated[Years, Field(ge=1 / 12, le=50)]  # a month at least, since grants vest monthly
PayFactor = Annotated[float, Field(ge=0.01, le=100)]
Slope = Annotated[float, Field(ge=-10, le=10)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Title = Annotated[int, Field(ge=0, le=2)]
Pay = Annotated[
    MoneyRate, Field(ge=100, le=MAX_PERSON_CENTS)
]  # at least a dollar a year: pay has a logarithm
PersonRate = Annotated[MoneyRate, Field(le=MAX_PERSON_CENTS)]
Package = Annotated[Money, Field(le=MAX_PERSON_CENTS)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Person = Annotated[str, Field(min_length=1, max_length=60)]


def parameter(default: Any, meaning: str, *, symbol: str = "", source: str = "assumption") -> Any:
    """A schema field whose meaning, symbol and source travel with it into docs and JSON Schema."""
    return Field(default, description=meaning, json_schema_extra={"symbol": symbol, "source": source})


class Section(BaseModel):
    """Base of every part of a scenario: frozen, unknown keys refused, defaults checked too."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)


class Mission(Section):
    """A point in the space of missions; a researcher has one too, drawn from a standard normal."""

    openness: Weight = parameter(0.0, "publishing and open weights")
    safety: Weight = parameter(0.0, "safety of AI as an aim")
    product: Weight = parameter(0.0, "products in many hands")
