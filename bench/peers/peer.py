"""What both peers share: requests line by line on stdin, answers line by line on stdout, data in files of raw doubles."""

import json
import statistics
import sys
import time

ARRAYS = {}


def best_and_median(run, milliseconds):
    run()
    seconds = []
    end = time.perf_counter() + milliseconds / 1000
    while len(seconds) < 2 or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return {"best": min(seconds), "median": statistics.median(seconds)}


def serve(computations, load, save):
    """computations: name -> function(parameters) that prepares and returns what is to be timed."""
    for line in sys.stdin:
        request = json.loads(line)
        answer = {}
        try:
            if request["do"] == "load":
                ARRAYS[request["name"]] = load(request["path"], request["shape"])
            else:
                run = computations[request["what"]](request["parameters"])
                if request["do"] == "time":
                    answer = best_and_median(run, request["milliseconds"])
                else:
                    save(request["path"], run())
        except Exception as error:  # the other side must hear of it, whatever it is
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
