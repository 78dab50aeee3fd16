"""Compilation of the few kernels that walk arrays; for the modules of this package."""

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., object])


def compiled(kernel: Kernel) -> Kernel:
    """Compile a kernel to machine code, kept on disk where a folder can be written.

    Numba keeps compiled code beside the module, else in the user's cache folder, and raises when neither
    can be written (a wheel installed by an administrator, run by an account without a home). The kernel
    is then compiled anew in each process: slower by some seconds, never an error.
    """
    try:
        return cast("Kernel", numba.njit(cache=True)(kernel))
    except RuntimeError:
        return cast("Kernel", numba.njit(kernel))
