"""The settings of whoever has a language model write words; none of them has to be set."""

import re
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

NAME = re.compile(r"[a-z0-9_]+/[A-Za-z0-9_.:/@-]{1,100}")
PRICE = re.compile(r"[0-9]{1,12}/[0-9]{1,12}")


class ModelSettings(BaseModel):
    """Which model is asked, where, with which key, and what may be spent on it in a day."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    model: str = Field(default="", validation_alias="INTERLOCK_MODEL")
    model_key: SecretStr | None = Field(default=None, validation_alias="INTERLOCK_MODEL_KEY")
    model_base_url: str = Field(default="", validation_alias="INTERLOCK_MODEL_BASE_URL")
    # Micro-units of money: for a million tokens in and out, and for a day.
    model_price: str = Field(default="", validation_alias="INTERLOCK_MODEL_PRICE")
    model_budget: int | None = Field(default=None, validation_alias="INTERLOCK_MODEL_BUDGET", ge=0)

    # Whether the facts of each run that ended go to it by themselves.
    model_summaries: bool = Field(default=True, validation_alias="INTERLOCK_MODEL_SUMMARIES")

    @field_validator("model")
    @classmethod
    def _names_its_provider(cls, name: str) -> str:
        if name and NAME.fullmatch(name) is None:
            raise ValueError("write provider/model, as litellm names it, for example openai/gpt-5")
        return name

    @field_validator("model_base_url")
    @classmethod
    def _is_a_web_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and not (parts.scheme in {"http", "https"} and parts.hostname):
            raise ValueError("write https://host/path, or http:// for a model on this machine")
        if parts.username is not None or parts.password is not None:
            raise ValueError("leave the password out; INTERLOCK_MODEL_KEY is for it")
        return url

    @field_validator("model_price")
    @classmethod
    def _is_two_numbers(cls, price: str) -> str:
        if price and PRICE.fullmatch(price) is None:
            raise ValueError(
                "write IN/OUT, micro-units for a million tokens, like 1250000/10000000"
            )
        return price

    @property
    def tells_stories(self) -> bool:
        """Whether the model is to tell what a run came to."""
        return bool(self.model) and self.model_summaries

    @model_validator(mode="after")
    def _can_count(self) -> "ModelSettings":
        if self.model and not (self.model_price and self.model_budget is not None):
            raise ValueError(
                "INTERLOCK_MODEL needs INTERLOCK_MODEL_PRICE and INTERLOCK_MODEL_BUDGET"
            )
        return self
