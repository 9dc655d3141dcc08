"""Everything on the page that has words in it, and how to say them in another language."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from msvsr.ui.texts import Language, say

__all__ = ["Choices", "Words"]

Retell = Callable[[Language], Any]
Choices = Callable[[Language], list[tuple[str, str]]]
"""What can be chosen: what is shown, and what it means."""


@dataclass(kw_only=True)
class Words:
    """Everything on the page that has words in it.

    Attributes:
        components: The parts of the page, in order.
        retell: How each of them is told in a language.
    """

    components: list[Any] = field(default_factory=list)
    retell: list[Retell] = field(default_factory=list)

    def add(self, component: Any, retell: Retell) -> Any:  # noqa: ANN401
        """Remember how a component is to be told again, and give it back."""
        self.components.append(component)
        self.retell.append(retell)
        return component

    def label(self, component: Any, key: str) -> Any:  # noqa: ANN401
        """Remember a component that has a label."""
        return self.add(component, lambda language: gr.update(label=say(key, language)))

    def hinted(self, component: Any, key: str, info: str) -> Any:  # noqa: ANN401
        """Remember a component that has a label and a line that explains it."""
        return self.add(
            component,
            lambda language: gr.update(label=say(key, language), info=say(info, language)),
        )

    def choices(self, component: Any, key: str, make: Choices) -> Any:  # noqa: ANN401
        """Remember a component that has a label, and words in its choices."""
        return self.add(
            component,
            lambda language: gr.update(label=say(key, language), choices=make(language)),
        )

    def hinted_choices(self, component: Any, key: str, info: str, make: Choices) -> Any:  # noqa: ANN401
        """Remember a component that has all three."""
        return self.add(
            component,
            lambda language: gr.update(
                label=say(key, language), info=say(info, language), choices=make(language)
            ),
        )

    def title(self, key: str) -> Any:  # noqa: ANN401
        """A heading of a card."""
        return self.add(
            gr.HTML(_heading(key, "en"), elem_classes="card-title"),
            lambda language: _heading(key, language),
        )


def _heading(key: str, language: Language) -> str:
    return f"<h2>{say(key, language)}</h2>"
