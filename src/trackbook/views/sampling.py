"""Curves as a screen needs them: few points that keep the extremes, and smoothed values.

numpy and the sampling library are imported where they are needed, so that the server starts
without them.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_LEAST = 16
# Of values that are not finite at most this share of the points is marks.
_ODD_SHARE = 8


def prepare() -> None:
    """Import what sampling needs: a fifth of a second that nobody should wait for."""
    with contextlib.suppress(ImportError):  # whoever draws is told
        import numpy  # noqa: F401
        import tsdownsample  # noqa: F401


def sample(
    steps: npt.NDArray[np.int64],
    times: npt.NDArray[np.float64],
    values: npt.NDArray[np.float64],
    width: int,
) -> npt.NDArray[np.int64]:
    """Positions of about ``width`` points that look like all of them, in the order logged.

    First and last point, the least and the greatest finite value are always among them, and so
    are the first and last of a stretch of NaN or infinite values, of which a few more are kept.
    ``steps`` and ``times`` say only how many points there are: points that go back in step or in
    time are kept like any other.
    """
    import numpy as np

    count = len(values)
    width = max(width, _LEAST)
    if not len(steps) == len(times) == count:
        raise ValueError(f"{len(steps)} steps, {len(times)} times and {count} values do not match")
    if count <= width:
        return np.arange(count)
    finite = np.isfinite(values)
    if finite.all():
        return np.unique(np.concatenate([_chosen(values, width), _ends(values)]))
    places = np.flatnonzero(finite)
    kept = [np.array([0, count - 1]), _odd(~finite, max(2, width // _ODD_SHARE))]
    if len(places):
        real = np.ascontiguousarray(values[places])
        kept += [places[_chosen(real, width)], places[_ends(real)]]
    return np.unique(np.concatenate(kept)).astype(np.int64)


def _chosen(values: npt.NDArray[np.float64], width: int) -> npt.NDArray[np.int64]:
    """MinMax-LTTB: the library's choice among the extremes of each bucket."""
    import numpy as np
    from tsdownsample import MinMaxLTTBDownsampler

    if len(values) <= width:
        return np.arange(len(values))
    # Areas of triangles between values near the limits of a float would overflow.
    scaled = np.ldexp(values, -int(np.frexp(np.abs(values).max())[1]))
    sampler: Any = MinMaxLTTBDownsampler
    chosen = sampler().downsample(scaled, n_out=width)
    return np.asarray(chosen, dtype=np.int64)


def _ends(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    import numpy as np

    return np.array([0, len(values) - 1, values.argmin(), values.argmax()], dtype=np.int64)


def _odd(odd: npt.NDArray[np.bool_], most: int) -> npt.NDArray[np.int64]:
    """The ends of each stretch that is not finite; evenly fewer where there are very many."""
    import numpy as np

    edges = np.diff(odd.astype(np.int8), prepend=0, append=0)
    ends = np.union1d(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1)
    if len(ends) > most:
        ends = ends[np.linspace(0, len(ends) - 1, most).astype(np.int64)]
    return ends.astype(np.int64)


def smooth(values: npt.NDArray[np.float64], weight: float) -> npt.NDArray[np.float64]:
    """The exponential moving average, without its bias towards the beginning.

    ``weight`` (0 to below 1) is how much of the average is kept at each point. What is not finite
    is left out: the average stands still there.
    """
    import numpy as np

    weight = min(max(weight, 0.0), 0.999)
    finite = np.isfinite(values)
    real = values[finite]
    if weight == 0.0 or len(real) == 0:
        return values
    average = _average(real, weight)
    counted = np.cumsum(finite)
    filled: npt.NDArray[np.float64] = average[np.maximum(counted - 1, 0)]
    filled[counted == 0] = np.nan
    return filled


def _average(values: npt.NDArray[np.float64], weight: float) -> npt.NDArray[np.float64]:
    """In blocks, all at once; only what one block hands to the next is reckoned in turn."""
    import numpy as np

    count = len(values)
    # Within a block the weights fall to a millionth, so that their reciprocals stay exact enough.
    size = max(1, min(int(np.log(1e-6) / np.log(weight)), 1024))
    padded = np.zeros(-(-count // size) * size)
    padded[:count] = values
    blocks = padded.reshape(-1, size)
    falling = weight ** np.arange(1, size + 1)
    with np.errstate(over="ignore", invalid="ignore"):
        own = np.cumsum(blocks * ((1 - weight) / falling), axis=1) * falling
        carried = np.empty(len(own))
        carry = 0.0
        for place, last in enumerate(own[:, -1].tolist()):
            carried[place] = carry
            carry = last + carry * falling[-1]
        whole = (own + carried[:, None] * falling).reshape(-1)[:count]
        average: npt.NDArray[np.float64] = whole / (1 - weight ** np.arange(1, count + 1))
    return average
