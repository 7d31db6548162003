"""What a model costs, from prices.toml. A model that is not in the table is "unpriced": calls and tokens hold it."""

import tomllib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from workflows.errors import NeedsOwner

TABLE = Path(__file__).with_name("prices.toml")
_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPrice:
    """Money per million tokens, in the table's currency."""

    input: Decimal
    output: Decimal

    def cost(self, input_tokens: int, output_tokens: int) -> Decimal:
        return (self.input * input_tokens + self.output * output_tokens) / _MILLION


@dataclass(frozen=True, slots=True)
class Prices:
    """A table of prices: model name to price; the longest name that begins the asked one counts."""

    currency: str
    models: dict[str, TokenPrice]

    @classmethod
    def load(cls, path: Path = TABLE) -> "Prices":
        """Read the table that ships with Deskhand (or another of the same shape)."""
        table = tomllib.loads(path.read_text())
        models = {
            name: TokenPrice(input=Decimal(row["input"]), output=Decimal(row["output"]))
            for name, row in table["models"].items()
        }
        return cls(table["currency"], models)

    def of(self, model: str, currency: str) -> TokenPrice | None:
        """The model's price, None when there is none.

        Raises:
            NeedsOwner: the model has a price, but the cap is in another currency and could not hold it.
        """
        plain = model.rpartition("/")[2].lower()  # gateways write "openai/gpt-..."
        names = [name for name in self.models if plain == name or plain.startswith(f"{name}-20")]  # dated snapshots
        if not names:
            return None
        if currency != self.currency:
            problem = f"The setting model.daily_cost is in {currency}, but {model} is priced in {self.currency}."
            raise NeedsOwner(problem, f'Write the cap in {self.currency}, like daily_cost = "2.00 {self.currency}".')
        return self.models[max(names, key=len)]
