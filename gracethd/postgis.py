"""PostgreSQL databases as they are named and spoken to: addresses, connections, statements, whole tables.

A schema is named in an address as ``postgresql://user@host/database?schema=NAME``, and is `SCHEMA` where none
is. Names are quoted as identifiers, values are never put into a statement, and no message tells a user or a
password.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeGuard
from urllib.parse import parse_qsl, quote, urlencode

import pyarrow as pa
import pyarrow.csv as pc

from gracethd.errors import GraceTHDError, SourceError

if TYPE_CHECKING:
    import psycopg

SCHEMA = "gracethd"
"""The schema of an address that names none."""

_CONNECT_S = 10
_WIDEST_ROW_BYTES = 256 << 20


def is_address(source: object) -> TypeGuard[str]:
    """Tell whether a source is the address of a database and not a path.

    Examples
    --------
    >>> is_address("postgresql://me@localhost/reseau"), is_address("inventaire.gpkg")
    (True, False)
    """
    return isinstance(source, str) and source.startswith(("postgresql://", "postgres://"))


def shown(address: str) -> str:
    """Give an address as messages show it: without user, password and options, with the schema it names.

    Whatever stands before the last ``@`` is left out: a password may hold any character.

    Examples
    --------
    >>> shown("postgresql://me:secret@db.example:5433/reseau?sslmode=require&schema=nord")
    'postgresql://db.example:5433/reseau?schema=nord'
    >>> shown("postgresql://me:sec/re?t@localhost/reseau")
    'postgresql://localhost/reseau'
    """
    place, _, options = address.partition("://")[2].rpartition("@")[2].partition("?")
    schema = dict(parse_qsl(options)).get("schema")
    return f"postgresql://{place.partition('#')[0]}" + (f"?schema={quote(schema)}" if schema else "")


def split_schema(address: str) -> tuple[str, str]:
    """Give the address that libpq knows, and the schema.

    Examples
    --------
    >>> split_schema("postgresql://me@localhost/reseau?schema=nord&sslmode=require")
    ('postgresql://me@localhost/reseau?sslmode=require', 'nord')
    >>> split_schema("postgresql://me@localhost/reseau")
    ('postgresql://me@localhost/reseau', 'gracethd')

    Raises
    ------
    SourceError
        The address names several schemas, or an empty one.
    """
    place, _, options = address.partition("?")
    pairs = parse_qsl(options, keep_blank_values=True)
    schemas = [value for name, value in pairs if name == "schema"]
    if not schemas:
        return address, SCHEMA
    if len(schemas) > 1 or not schemas[0] or "\0" in schemas[0]:
        raise SourceError(
            f"{shown(address)}: name one schema, as postgresql://user@host/database?schema=NAME"
        )
    others = urlencode([pair for pair in pairs if pair[0] != "schema"], quote_via=quote)
    return (f"{place}?{others}" if others else place), schemas[0]


@contextmanager
def connected(address: str, *, read_only: bool = False) -> Iterator["psycopg.Connection"]:
    """Open a connection whose block is one transaction; what fails is told without a credential.

    Parameters
    ----------
    address : str
    read_only : bool
        One state of the database is seen throughout, and nothing in it (a view that calls a function) can
        change anything.

    Raises
    ------
    SourceError
        The database cannot be reached, or refuses; `GraceTHDError` where psycopg is not installed.
    """
    try:
        import psycopg
    except ImportError as error:
        raise GraceTHDError(
            "postgresql:// needs psycopg: pip install 'gracethd[postgis]' brings it"
        ) from error
    try:
        base = split_schema(address)[0]
        with psycopg.connect(base, connect_timeout=_CONNECT_S, client_encoding="UTF8") as connection:
            if read_only:
                connection.read_only = True
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            yield connection
    except psycopg.OperationalError as error:
        raise SourceError(
            f"{shown(address)}: the database cannot be reached or refuses; check address, user and rights"
        ) from error
    except psycopg.Error as error:
        state = error.diag.message_primary or type(error).__name__
        raise SourceError(f"{shown(address)}: the database refuses: {state}") from error


def sql(text: str, *names: str, literals: tuple[str, ...] = ()) -> "psycopg.sql.Composed":
    """Compose a statement: every name is quoted as an identifier, every literal as a text."""
    from psycopg import sql as composing

    filled = text.replace("%s", "{}") if literals else text
    parts = [*map(composing.Identifier, names), *map(composing.Literal, literals)]
    return composing.SQL(filled).format(*parts)


def comma(parts: "Sequence[psycopg.sql.Composed]") -> "psycopg.sql.Composed":
    """Put parts of a statement one after the other, commas between."""
    from psycopg import sql as composing

    return composing.SQL(", ").join(parts)


def copied(
    cursor: "psycopg.Cursor", query: "psycopg.sql.Composed", types: Mapping[str, pa.DataType], where: str
) -> tuple[pa.Table, bytes]:
    """Give the rows of a query, typed, and the bytes that the server sent.

    Parameters
    ----------
    cursor : Cursor
    query : Composed
    types : mapping of str to DataType
        Of each of its columns.
    where : str
        What an error names.
    """
    text = io.BytesIO()
    with cursor.copy(sql("COPY (") + query + sql(") TO STDOUT (FORMAT csv, HEADER)")) as copy:
        for block in copy:
            text.write(block)
    sent = text.getvalue()
    try:
        table = pc.read_csv(
            io.BytesIO(sent),
            # a polygon may fill more than a block, and a row must not
            read_options=pc.ReadOptions(block_size=min(max(len(sent), 1 << 20), _WIDEST_ROW_BYTES)),
            parse_options=pc.ParseOptions(newlines_in_values=True),
            convert_options=pc.ConvertOptions(
                column_types=dict(types), null_values=[""], strings_can_be_null=True,
                quoted_strings_can_be_null=False, true_values=["t"], false_values=["f"],
            ),
        )  # fmt: skip
    except pa.ArrowException as error:
        raise SourceError(
            f"{where}: its rows cannot be read; is one of them longer than {_WIDEST_ROW_BYTES >> 20} MiB?"
        ) from error
    return table, sent
