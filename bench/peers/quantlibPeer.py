"""QuantLib's blackFormula, called from Python: an option a call, as its Python users have it."""

import array

import QuantLib

from peer import ARRAYS, serve


def load(path, shape):
    values = array.array("d")
    with open(path, "rb") as file:
        values.frombytes(file.read())
    return values


def save(path, values):
    with open(path, "wb") as file:
        array.array("d", values).tofile(file)


def black76(parameters):
    """The calls of the first strikes in the first scenarios."""
    forwards, ups = ARRAYS["forward"], ARRAYS["up"]
    strikes, vols = ARRAYS["strike"], ARRAYS["v0"]
    scenarios = range(parameters["scenarios"])
    formula, call = QuantLib.blackFormula, QuantLib.Option.Call

    def run():
        return [formula(call, k, forwards[s], v * ups[s]) for k, v in zip(strikes, vols) for s in scenarios]

    return run


serve({"black76": black76}, load, save)
