"""How many files and connections the process may have open at once, and what to say where it has."""

import errno
import os
import resource

ADVICE = "raise it: LimitNOFILE= in the unit, or ulimit -n"


def most_files() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def ran_out(error: OSError) -> bool:
    """Whether something could not be opened only since so much is: nothing is wrong with the thing itself."""
    return error.errno in {errno.EMFILE, errno.ENFILE}


def is_exhausted() -> bool:
    """Whether no further file can be opened now."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        return ran_out(error)
    return False


def in_words() -> str:
    return f"feedd has as many files and connections open as it may ({most_files():,}): {ADVICE}"
