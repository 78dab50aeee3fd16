"""How many examples a property draws: what the test asks for in `.ci/run`, more at night, fewer elsewhere."""

import os

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ci")
_TIMES = {"ci": 1.0, "night": 25.0, "versions": 0.2}


def draws(number: int) -> int:
    """Give the number of examples under the profile of this run, at least one.

    ``versions`` is for other versions of Python and of the dependencies: what is drawn is judged by ``ci``.
    """
    return max(1, round(number * _TIMES[PROFILE]))
