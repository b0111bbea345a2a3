"""Numbers that torch computes, read without making a device wait.

A number on the CPU is read at once. One on a GPU is copied there, in its stream; the copies are
brought over together, some steps later.
"""

from __future__ import annotations

from typing import Any

import torch

# So many numbers wait on a device until they are brought over together.
BATCH = 32


class Late:
    """A number that is still on a device; ``value`` is None until it was read."""

    __slots__ = ("tensor", "value")

    def __init__(self, tensor: Any) -> None:
        self.tensor = tensor
        self.value: float | None = None


Number = float | Late


def take(tensor: Any) -> Number | None:
    """The number a tensor holds now, without its graph; None where it is no one real number."""
    if type(tensor) not in _KINDS or _elsewhere() or tensor.numel() != 1 or tensor.is_complex():
        return None
    if tensor.is_cpu:
        return float(tensor.item())
    if tensor.is_meta or (tensor.is_cuda and torch.cuda.is_current_stream_capturing()):
        return None
    # A copy, since the user may change the tensor in place before it is read.
    return Late(tensor.detach().reshape(()).clone())


_KINDS = (torch.Tensor, torch.nn.Parameter)


def _elsewhere() -> bool:
    """Whether tensors stand for something else now: transforms, tracing, a mode that watches."""
    return bool(
        torch._C._are_functorch_transforms_active()
        or torch._C._len_torch_dispatch_stack()
        or torch._C._get_tracing_state() is not None
    )


def add(number: Number, other: Number) -> Number:
    """The sum of two numbers; on a device it is computed there."""
    if isinstance(number, float) and isinstance(other, float):
        return number + other
    if isinstance(number, Late) and isinstance(other, Late) and _one_place(number, other):
        with torch.no_grad():
            return Late(number.tensor.double() + other.tensor)
    return _read(number) + _read(other)  # rare: one on the CPU, one on a device


def _one_place(one: Late, other: Late) -> bool:
    return bool(
        one.tensor is not None
        and other.tensor is not None
        and one.tensor.device == other.tensor.device
        and one.tensor.device.type == "cuda"
    )


def _read(number: Number) -> float:
    if isinstance(number, float):
        return number
    return number.value if number.value is not None else float(number.tensor.item())


class Readback:
    """Brings numbers over from their device in batches."""

    def __init__(self) -> None:
        self._waiting: list[Late] = []
        self._under_way: list[tuple[list[Late], Any, Any]] = []

    def expect(self, number: Late) -> None:
        """Have the number read some steps later."""
        self._waiting.append(number)
        if len(self._waiting) >= BATCH:
            self.poll()

    def poll(self) -> None:
        """Take what has arrived, and send for what waits; the device is not waited for."""
        if len(self._waiting) >= BATCH:
            self._send()
        while self._under_way:
            numbers, copy, event = self._under_way[0]
            if event is not None and not event.query():
                return
            self._under_way.pop(0)
            for number, value in zip(numbers, copy.tolist(), strict=True):
                number.value, number.tensor = float(value), None

    def finish(self) -> None:
        """Take everything; this waits for the device."""
        self._send()
        for _, _, event in self._under_way:
            if event is not None:
                event.synchronize()
        self.poll()

    def _send(self) -> None:
        places: dict[tuple[Any, Any], list[Late]] = {}
        for number in self._waiting:
            places.setdefault((number.tensor.device, number.tensor.dtype), []).append(number)
        self._waiting = []
        with torch.no_grad():
            for (device, _), numbers in places.items():
                together = torch.stack([number.tensor for number in numbers])
                copy = together.to("cpu", non_blocking=device.type == "cuda")
                event = None
                if device.type == "cuda":
                    event = torch.cuda.Event()
                    event.record(torch.cuda.current_stream(device))
                self._under_way.append((numbers, copy, event))
