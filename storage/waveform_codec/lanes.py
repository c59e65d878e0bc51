"""Eight leads side by side: what numba has no words for, said to LLVM itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

LANES: Final = 8
"""Predicted as vectors. LLVM keeps to one lead at a time in a loop over them: 10 ns a sample, where these take 0.9."""

ORDER: Final = 8
"""The prediction weighs so many of the last differences."""

ROWS: Final = 3 * ORDER + 1
"""Rows of LANES int32 that a prediction carries on: weights, differences and their signs (newest first), the sample."""

CHUNK: Final = 256
"""Samples of a lane between two looks at whether its bits have ended; a multiple of LANES."""

FIRST_WEIGHT: Final = 2048
STEP: Final = 16
_SHIFT: Final = 12
_HALF: Final = 1 << (_SHIFT - 1)
_LOWEST, _HIGHEST = -32768, 32767
_INT64: Final = ir.IntType(64)
_WIDE: Final = ir.VectorType(ir.IntType(32), LANES)
_NARROW: Final = ir.VectorType(ir.IntType(16), LANES)
_ZIPPED: Final = [
    ir.Constant(_WIDE, [i + from_second for i in half for from_second in (0, LANES)])
    for half in (range(LANES // 2), range(LANES // 2, LANES))
]
"""Which of two vectors' elements, in turn, make their lower halves and their upper halves zipped."""


def _bits_at(_typing: Any, data: Any, position: Any) -> Any:
    """At least 57 bits of uint8 `data` from bit `position` on, the first the lowest; reads 8 bytes, unasked."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        byte = builder.lshr(args[1], ir.Constant(_INT64, 3))
        place = builder.gep(_data(context, builder, signature.args[0], args[0]), [byte])
        word = builder.load(builder.bitcast(place, _INT64.as_pointer()))
        word.align = 1
        return builder.lshr(word, builder.and_(args[1], ir.Constant(_INT64, 7)))

    return types.uint64(data, types.int64), build


def _bit_length(_typing: Any, _number: Any) -> Any:
    """How many bits a uint32 takes; 0 takes none."""

    def build(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        zeros = builder.ctlz(args[0], ir.Constant(ir.IntType(1), 0))
        return builder.zext(builder.sub(ir.Constant(ir.IntType(32), 32), zeros), _INT64)

    return types.int64(types.uint32), build


def _synthesise(_typing: Any, carried: Any, residuals: Any, samples: Any, _count: Any) -> Any:
    """Turn `count` rows of int32 `residuals` into rows of int16 `samples`; `carried` is int32, ROWS rows, moved on."""
    return types.void(carried, residuals, samples, types.int64), _loop(_restore)


def _analyse(_typing: Any, carried: Any, residuals: Any, samples: Any, _count: Any) -> Any:
    """Turn `count` rows of int16 `samples` into rows of int32 `residuals`; `carried` as in `synthesise`."""
    return types.void(carried, residuals, samples, types.int64), _loop(_miss)


def _turn(_typing: Any, samples: Any, columns: Any, _row: Any) -> Any:
    """Turn LANES rows of int16 `samples` from `row` on: a lane's own side by side, CHUNK for a lane, in `columns`."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        rows, turned = (_data(context, builder, kind, arg) for kind, arg in zip(signature.args, args[:2], strict=False))
        held = [_load(builder, rows, _next(builder, args[2], i), _NARROW) for i in range(LANES)]
        for _ in range(3):  # zipping the halves three times turns 8 x 8
            pairs = zip(held[: LANES // 2], held[LANES // 2 :], strict=True)
            held = [builder.shuffle_vector(a, b, zipped) for a, b in pairs for zipped in _ZIPPED]
        tile = builder.udiv(args[2], ir.Constant(_INT64, LANES))
        for lane, column in enumerate(held):
            _store(builder, column, turned, _next(builder, tile, lane * (CHUNK // LANES)))
        return context.get_dummy_value()

    return types.void(samples, columns, types.int64), build


def _next(builder: Any, row: Any, more: int) -> Any:
    return builder.add(row, ir.Constant(_INT64, more))


# Inside a kernel they are called without the first argument, which their type does not tell.
bits_at: Any = intrinsic(_bits_at)
bit_length: Any = intrinsic(_bit_length)
synthesise: Any = intrinsic(_synthesise)
analyse: Any = intrinsic(_analyse)
turn: Any = intrinsic(_turn)


@dataclass(frozen=True, slots=True)
class _Step:
    """A step of all lanes: where the rows are, the number of this one, and what is predicted for it."""

    builder: Any
    residuals: Any
    samples: Any
    row: Any
    predicted: Any


def _restore(step: _Step) -> tuple[Any, Any]:
    """The residuals that stand there, and the samples they make, which are stored."""
    residual = _load(step.builder, step.residuals, step.row, _WIDE)
    cut = step.builder.trunc(step.builder.add(step.predicted, residual), _NARROW)
    _store(step.builder, cut, step.samples, step.row)
    return residual, step.builder.sext(cut, _WIDE)


def _miss(step: _Step) -> tuple[Any, Any]:
    """The residuals of the samples that stand there, which are stored, and the samples."""
    sample = step.builder.sext(_load(step.builder, step.samples, step.row, _NARROW), _WIDE)
    residual = step.builder.sub(sample, step.predicted)
    _store(step.builder, residual, step.residuals, step.row)
    return residual, sample


def _loop(either: Callable[[_Step], tuple[Any, Any]]) -> Callable[[Any, Any, Any, Any], Any]:
    """The code of `count` steps, at least one; the carried rows stay in registers from step to step."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        places = [_data(context, builder, kind, arg) for kind, arg in zip(signature.args[:3], args[:3], strict=True)]
        carried, residuals, samples = places
        before = [_load(builder, carried, ir.Constant(_INT64, i), _WIDE) for i in range(ROWS)]
        entry, body, done = builder.block, builder.append_basic_block("step"), builder.append_basic_block("done")
        builder.branch(body)
        builder.position_at_end(body)
        row = builder.phi(_INT64)
        held = [builder.phi(_WIDE) for _ in before]
        step = _Step(builder, residuals, samples, row, _predicted(builder, held))
        after = _moved_on(builder, held, *either(step))
        following = builder.add(row, ir.Constant(_INT64, 1))
        for phi, first, then in zip([row, *held], [ir.Constant(_INT64, 0), *before], [following, *after], strict=True):
            phi.add_incoming(first, entry)
            phi.add_incoming(then, body)
        builder.cbranch(builder.icmp_signed("<", following, args[3]), body, done)
        builder.position_at_end(done)
        for i, value in enumerate(after):
            _store(builder, value, carried, ir.Constant(_INT64, i))
        return context.get_dummy_value()

    return build


def _predicted(builder: Any, held: list[Any]) -> Any:
    """The sample before, and the weighed differences; int32 that wraps, cut to what a sample can be."""
    weights, differences, last = held[:ORDER], held[ORDER : 2 * ORDER], held[-1]
    total = _all(_HALF)
    for weight, difference in reversed(list(zip(weights, differences, strict=True))):  # the newest is known last
        total = builder.add(total, builder.mul(weight, difference))
    there = builder.add(last, builder.ashr(total, _all(_SHIFT)))
    there = builder.select(builder.icmp_signed(">", there, _all(_HIGHEST)), _all(_HIGHEST), there)
    return builder.select(builder.icmp_signed("<", there, _all(_LOWEST)), _all(_LOWEST), there)


def _moved_on(builder: Any, held: list[Any], residual: Any, sample: Any) -> list[Any]:
    """What is carried to the next step: each weight moves by STEP where residual and difference have signs."""
    weights, differences, signs, last = held[:ORDER], held[ORDER : 2 * ORDER], held[2 * ORDER : -1], held[-1]
    step = builder.mul(_sign(builder, residual), _all(STEP))
    moved = [builder.add(weight, builder.mul(step, sign)) for weight, sign in zip(weights, signs, strict=True)]
    newest = builder.sub(sample, last)
    return [*moved, newest, *differences[:-1], _sign(builder, newest), *signs[:-1], sample]


def _sign(builder: Any, value: Any) -> Any:
    above, below = builder.icmp_signed(">", value, _all(0)), builder.icmp_signed("<", value, _all(0))
    return builder.sub(builder.zext(above, _WIDE), builder.zext(below, _WIDE))


def _all(number: int) -> Any:
    return ir.Constant(_WIDE, [number] * LANES)


def _data(context: Any, builder: Any, kind: Any, array: Any) -> Any:
    return context.make_array(kind)(context, builder, array).data


def _place(builder: Any, rows: Any, row: Any, kind: Any) -> Any:
    first = builder.gep(rows, [builder.mul(row, ir.Constant(_INT64, LANES))])
    return builder.bitcast(first, kind.as_pointer())


def _load(builder: Any, rows: Any, row: Any, kind: Any) -> Any:
    value = builder.load(_place(builder, rows, row, kind))
    value.align = kind.element.width // 8  # numpy promises no more than an element's own
    return value


def _store(builder: Any, value: Any, rows: Any, row: Any) -> None:
    builder.store(value, _place(builder, rows, row, value.type)).align = value.type.element.width // 8
