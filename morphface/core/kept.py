"""Values that were made before, kept so that they are not made again."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import wraps
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

__all__ = ["Kept", "once_each"]

_Owner = TypeVar("_Owner")
_Made = TypeVar("_Made")

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


class Kept(Generic[_Key, _Value]):
    """At most so many values by key; a copy in another process begins with none.

    Args:
        most: how many are kept: those that were asked for last.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[_Key, _Value] = OrderedDict()

    def __getstate__(self) -> dict[str, object]:
        return self.__dict__ | {"_values": OrderedDict()}

    def get(self, key: _Key, make: Callable[[], _Value]) -> _Value:
        """The value of a key, made if it is not there.

        Args:
            key: of the value.
            make: makes it.
        """
        if key in self._values:
            self._values.move_to_end(key)
            return self._values[key]
        made = self._values[key] = make()
        if len(self._values) > self._most:
            self._values.popitem(last=False)
        return made


def once_each(function: Callable[[_Owner], _Made]) -> Callable[[_Owner], _Made]:
    """A function that is computed once for each object, and kept for as long as that lives.

    Args:
        function: of one object that is never changed, such as a model.
    """
    kept: WeakKeyDictionary[_Owner, _Made] = WeakKeyDictionary()

    @wraps(function)
    def ask(owner: _Owner) -> _Made:
        if owner not in kept:
            kept[owner] = function(owner)
        return kept[owner]

    return ask
