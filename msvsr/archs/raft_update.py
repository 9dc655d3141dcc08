"""RAFT's recurrent unit: it looks at correlation and flow, and says how the flow should change."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

__all__ = ["PreparedContext", "UpdateBlock"]


class PreparedContext(NamedTuple):
    """One gated pass with what stays the same in all iterations already computed."""

    gate_weight: torch.Tensor  # of the update and the reset gate, for state and motion
    gate_context: torch.Tensor  # what the context adds to these
    state_weight: torch.Tensor  # of the proposed state
    state_context: torch.Tensor
    padding: tuple[int, int]


class UpdateBlock(nn.Module):
    """The recurrent unit with what feeds it and what reads it.

    Args:
        small: Take the small network's form: no mask, one gated pass of 3 x 3.
        correlation_channels: Channels of the correlation windows.
        hidden_channels: Channels of the state.
        context_channels: Channels of the context.

    Source: Teed and Deng, "RAFT: Recurrent All-Pairs Field Transforms for Optical Flow", ECCV 2020;
        parameter names as in princeton-vl/RAFT (BSD-3-Clause).
    """

    def __init__(
        self, *, small: bool, correlation_channels: int, hidden_channels: int, context_channels: int
    ) -> None:
        super().__init__()
        self.encoder = _MotionEncoder(correlation_channels, small=small)
        self.gru = _GatedUnit(
            hidden_channels, context_channels, self.encoder.out_channels, separable=not small
        )
        self.flow_head = _FlowHead(hidden_channels, 128 if small else 256)
        self.mask: nn.Sequential | None = None
        if not small:
            self.mask = nn.Sequential(
                nn.Conv2d(hidden_channels, 256, 3, padding=1),
                nn.ReLU(inplace=True),
                nn.Conv2d(256, 64 * 9, 1),
            )

    def prepare(self, context: torch.Tensor) -> list[PreparedContext]:
        """Compute the context's share of the gates, which no iteration changes.

        Args:
            context: ``(n, context_channels, h, w)``.

        Returns:
            What `forward` needs of the context.
        """
        return self.gru.prepare(context)

    def forward(
        self,
        hidden: torch.Tensor,
        context: Sequence[PreparedContext],
        correlation: torch.Tensor,
        flow: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Go one iteration on.

        Args:
            hidden: State, ``(n, hidden_channels, h, w)``.
            context: From `prepare`.
            correlation: Windows of correlation, ``(n, correlation_channels, h, w)``.
            flow: The flow so far in pixels of this size, ``(n, 2, h, w)``.

        Returns:
            The next state and the change of the flow.
        """
        hidden = self.gru(hidden, context, self.encoder(correlation, flow))
        return hidden, self.flow_head(hidden)

    def upsampling_mask(self, hidden: torch.Tensor) -> torch.Tensor | None:
        """Weigh the neighbours for upsampling: ``(n, 576, h, w)``, or None in the small network."""
        return None if self.mask is None else 0.25 * self.mask(hidden)


class _MotionEncoder(nn.Module):
    """Features of the motion so far; the flow itself is the last two channels."""

    def __init__(self, correlation_channels: int, *, small: bool) -> None:
        super().__init__()
        seen, flow_wide, flow_narrow, self.out_channels = (
            (96, 64, 32, 82) if small else (192, 128, 64, 128)
        )
        self.convc1 = nn.Conv2d(correlation_channels, 96 if small else 256, 1)
        self.convc2 = None if small else nn.Conv2d(256, seen, 3, padding=1)
        self.convf1 = nn.Conv2d(2, flow_wide, 7, padding=3)
        self.convf2 = nn.Conv2d(flow_wide, flow_narrow, 3, padding=1)
        self.conv = nn.Conv2d(seen + flow_narrow, self.out_channels - 2, 3, padding=1)

    def forward(self, correlation: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
        seen = torch.relu(self.convc1(correlation))
        if self.convc2 is not None:
            seen = torch.relu(self.convc2(seen))
        moved = torch.relu(self.convf2(torch.relu(self.convf1(flow))))
        motion = torch.relu(self.conv(torch.cat((seen, moved), dim=1)))
        return torch.cat((motion, flow.to(motion.dtype)), dim=1)


class _GatedUnit(nn.Module):
    """A convolutional GRU: one pass of 3 x 3, or a horizontal and a vertical one."""

    def __init__(
        self, hidden_channels: int, context_channels: int, motion_channels: int, *, separable: bool
    ) -> None:
        super().__init__()
        self._split = [hidden_channels, context_channels, motion_channels]
        self._kernels = {"1": (1, 5), "2": (5, 1)} if separable else {"": (3, 3)}
        for suffix, kernel in self._kernels.items():
            for gate in ("convz", "convr", "convq"):
                conv = nn.Conv2d(sum(self._split), hidden_channels, kernel)
                self.add_module(gate + suffix, conv)

    def prepare(self, context: torch.Tensor) -> list[PreparedContext]:
        return [
            PreparedContext(
                *self._prepare_convs(("convz" + suffix, "convr" + suffix), context, padding),
                *self._prepare_convs(("convq" + suffix,), context, padding),
                padding,
            )
            for suffix, (height, width) in self._kernels.items()
            for padding in [(height // 2, width // 2)]
        ]

    def forward(
        self, hidden: torch.Tensor, context: Sequence[PreparedContext], motion: torch.Tensor
    ) -> torch.Tensor:
        for prepared in context:
            hidden = _gated_pass(hidden, prepared, motion)
        return hidden

    def _prepare_convs(
        self, names: Sequence[str], context: torch.Tensor, padding: tuple[int, int]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Weights of some convolutions for state and motion, and what the context gives."""
        weight = torch.cat([self.get_parameter(name + ".weight") for name in names])
        bias = torch.cat([self.get_parameter(name + ".bias") for name in names])
        for_state, for_context, for_motion = torch.split(weight, self._split, dim=1)
        return (
            torch.cat((for_state, for_motion), dim=1),
            F.conv2d(context, for_context, bias, padding=padding),
        )


class _FlowHead(nn.Module):
    """The change of the flow that a state asks for."""

    def __init__(self, hidden_channels: int, wide: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(hidden_channels, wide, 3, padding=1)
        self.conv2 = nn.Conv2d(wide, 2, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv2(torch.relu(self.conv1(x)))  # type: ignore[no-any-return]


def _gated_pass(
    hidden: torch.Tensor, prepared: PreparedContext, motion: torch.Tensor
) -> torch.Tensor:
    seen = torch.cat((hidden, motion), dim=1)
    gates = F.conv2d(seen, prepared.gate_weight, padding=prepared.padding)
    update, reset = torch.sigmoid(gates + prepared.gate_context).chunk(2, dim=1)
    seen = torch.cat((reset * hidden, motion), dim=1)
    proposed = F.conv2d(seen, prepared.state_weight, padding=prepared.padding)
    proposed = torch.tanh(proposed + prepared.state_context)
    return hidden + update * (proposed - hidden)
