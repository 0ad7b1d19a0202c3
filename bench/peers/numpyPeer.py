"""numpy and scipy at what the kernels do, in the forms that their users would write."""

import math

import numpy as np
import scipy.sparse
from scipy.special import ndtr, ndtri

from peer import ARRAYS, serve


def on_array(function):
    def prepare(parameters):
        values = ARRAYS[parameters["of"]]
        out = np.empty_like(values)
        return lambda: function(values, out=out)

    return prepare


def normals(parameters):
    generator = np.random.Generator(getattr(np.random, parameters["bits"])(1))
    out = np.empty(parameters["count"])
    return lambda: generator.standard_normal(out=out)


def raw_bits(parameters):
    bits = getattr(np.random, parameters["bits"])(1)
    return lambda: bits.random_raw(parameters["count"])


def black76(parameters):
    """Calls (and puts by parity) of strikes (rows) in scenarios (columns)."""
    move, forward, up = (ARRAYS[name] for name in ("logMove", "forward", "up"))
    strikes, moneyness, vol = (ARRAYS[name][:, None] for name in ("strike", "moneyness", "v0"))
    both = parameters["both"]

    def run():
        v = vol * up
        d1 = (move + moneyness) / v
        d1 += 0.5 * v
        call = forward * ndtr(d1)
        d1 -= v
        call -= strikes * ndtr(d1)
        if not both:
            return call
        return np.stack([call, call - (forward - strikes)], axis=1)

    return run


def tails(pnl, mass):
    """VaR and ES of each row, partitioned in place; a = mass, k = ceil(a)."""
    k = math.ceil(mass)
    pnl.partition(k - 1, axis=1)
    var = -pnl[:, k - 1]
    es = (-pnl[:, : k - 1].sum(axis=1) + (mass - (k - 1)) * var) / mass
    return np.stack([var, es], axis=1)


def tail_of_rows(parameters):
    rows = ARRAYS["rows"]
    copy = np.empty_like(rows)

    def run():
        copy[:] = rows
        return tails(copy, parameters["mass"])

    return run


def accounts(parameters):
    """Accounts x instruments times instruments x scenarios, then the tail of each account, so many accounts at a time."""
    cube, mass = ARRAYS["cube"], parameters["mass"]
    starts = ARRAYS["starts"].astype(np.int64)
    matrix = scipy.sparse.csr_matrix(
        (ARRAYS["sizes"], ARRAYS["instruments"].astype(np.int64), starts),
        shape=(len(starts) - 1, cube.shape[0]),
    )
    chunk = parameters["chunk"] or matrix.shape[0]
    dense = parameters["dense"]
    if dense:
        matrix = matrix.toarray()
        out = np.empty((chunk, cube.shape[1]))

    def run():
        results = []
        for start in range(0, matrix.shape[0], chunk):
            part = matrix[start : start + chunk]
            pnl = np.matmul(part, cube, out=out[: part.shape[0]]) if dense else part @ cube
            results.append(tails(pnl, mass))
        return np.concatenate(results)

    return run


serve(
    {
        "exp": on_array(np.exp),
        "log": on_array(np.log),
        "normalCdf": on_array(ndtr),
        "inverseNormalCdf": on_array(ndtri),
        "normals": normals,
        "bits": raw_bits,
        "black76": black76,
        "tails": tail_of_rows,
        "accounts": accounts,
    },
    lambda path, shape: np.fromfile(path).reshape(shape),
    lambda path, values: np.ascontiguousarray(values).tofile(path),
)
