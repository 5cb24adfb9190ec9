"""One thread for small matrix products.

The matrices of a fit are so small that a second thread gains nothing, and on a machine that is
busy, or beside the spinning threads of torch, BLAS threads wait for each other: a fit of 10 ms
takes 300.
"""

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController

__all__ = ["one_thread"]


def one_thread() -> AbstractContextManager[None]:
    """While it lasts, numpy and scipy compute matrix products on one thread."""
    limiter: AbstractContextManager[None] = _controller().limit(limits=1, user_api="blas")
    return limiter


@cache
def _controller() -> ThreadpoolController:
    """Finding the libraries takes milliseconds, so it is done once."""
    return ThreadpoolController()
