"""tests/rooms.txt, read: which rooms the house has and what each may use."""
import fnmatch

TOPS = ("lib", "exporter", "responder")


class Rooms:
    """ROOMS as read: who may use whom, the seams, and what a room must never call."""

    def __init__(self, path):
        self.allowed, self.seams, self.never, lists = {}, set(), {}, {}
        for line in open(path, encoding="utf-8"):
            words = [w for word in line.split("#")[0].split() for w in (lists[word[1:]] if word[0] == "@" else [word])]
            if words and words[0] == "seam":
                self.seams |= {(words[1], words[2], symbol) for symbol in words[3:]}
            elif words and words[0] == "never":
                self.never[words[1]] = words[2:]
            elif words[1:2] == ["="]:
                lists[words[0]] = words[2:]
            elif words:
                self.allowed[words[0]] = words[1:]
        self.names = sorted(self.allowed, key=len, reverse=True)

    def of(self, path):
        """The innermost room that a path stands in; None outside of the house.

        A room that may use others by a pattern is no room for folders below it that the list does not name.
        """
        def holds(name):
            below = path.removeprefix(name + "/")
            return below != path and not ("/" in below and any("*" in other for other in self.allowed[name]))

        return next(filter(holds, self.names), None)

    def may_use(self, room, other):
        return room == other or any(fnmatch.fnmatchcase(other, pattern) for pattern in self.allowed[room])
