"""Errors that end a command with exit code 2: the input cannot be used, and the message says what to do."""


class GraceTHDError(ValueError):
    """Input that cannot be used; the message names the file, table, code or attribute, and the cure."""


class SourceError(GraceTHDError):
    """A path, archive or file that cannot be read or that is not safe to read."""


class CRSError(GraceTHDError):
    """A coordinate reference system that is missing, geographic, or not the expected one."""


class LevelError(GraceTHDError):
    """No level of use can be reached with the tables that are there (DESIGN D16)."""
