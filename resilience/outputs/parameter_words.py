"""The parameter set in the reader's words: what each value is, its unit and its source in French."""

from functools import cache
from importlib.resources import files

import pandas as pd

from gracethd.outputs.labels import Language
from resilience.parameters import default_parameters


@cache
def french_words() -> pd.DataFrame:
    """Give what ``parameters_fr.csv`` says of the shipped parameters: libelle, unit and source, by name."""
    with (files(__package__) / "parameters_fr.csv").open(encoding="utf-8") as stream:
        return pd.read_csv(stream, dtype=str, keep_default_na=False).set_index("name")


def described_parameters(table: pd.DataFrame, language: Language) -> pd.DataFrame:
    """Give the parameter set as a reader of that language sees it.

    Parameters
    ----------
    table : DataFrame
        `Parameters.table`: name, unit, low, central, high, source.
    language : "fr" or "en"

    Returns
    -------
    DataFrame
        In French a column ``libelle`` after the name; unit and source in French, except the source of a
        value that the study replaced, which stays as the study words it. In English the table as it is.
    """
    if language != "fr":
        return table
    words = french_words().reindex(table["name"]).set_axis(table.index)
    shipped = default_parameters().table.set_index("name")["source"].reindex(table["name"])
    is_shipped = (table["source"].to_numpy() == shipped.to_numpy()) & words["source"].notna()
    described = table.assign(
        unit=words["unit"].fillna(table["unit"]),
        source=table["source"].mask(is_shipped, words["source"]),
    )
    described.insert(1, "libelle", words["libelle"].fillna(""))
    return described
