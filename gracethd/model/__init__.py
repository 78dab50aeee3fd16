"""The GraceTHD data model as tables: attributes, keys, value lists and personal data, for each version.

The facts come from the public GraceTHD documents, dbt-grace-thd and ToolboxTelecom (see NOTICE); the
files beside this module are the only place where they stand. List labels are not carried, codes are.
"""

from functools import cache
from importlib.resources import files
from typing import Literal, get_args

import pandas as pd

Version = Literal["2.0.1", "2.0.2", "3.0.1", "3.1"]
VERSIONS: tuple[Version, ...] = get_args(Version)

PERSONAL: dict[str, tuple[str, ...]] = {
    "t_organisme": ("or_mail", "or_telfixe", "or_comment"),
    "t_suf": ("sf_prop", "sf_resid", "sf_local", "sf_comment"),
    "t_local": (
        "lc_prop", "lc_gest", "lc_user", "lc_etiquet", "lc_codeext", "lc_idmajic", "lc_local", "lc_comment",
    ),
    "t_ebp": ("bp_etiquet", "bp_codeext"),
}  # fmt: skip
"""Attributes about persons: in t_local of premises only, in t_ebp of PTO and DTI only."""

PERSONAL_WITHOUT_SIREN = (
    "or_nom", "or_nometab", "or_ad_code", "or_nomvoie", "or_numero", "or_rep", "or_local", "or_postal",
    "or_commune",
)  # fmt: skip
"""Attributes of t_organisme that name a natural person where or_siren and or_siret are both empty."""


@cache
def attributes(version: Version) -> pd.DataFrame:
    """Give the attributes of one version of the model, one row each, in the order of its documents.

    Parameters
    ----------
    version : {"2.0.1", "2.0.2", "3.0.1", "3.1"}

    Returns
    -------
    DataFrame
        Columns of text: table, attribute, type, length, mandatory, primary_key ("yes" or empty),
        foreign_key ("table.attribute" or empty), value_list, meaning, geometry_type, alias10, then
        fill_<phase> (2.0.x) or container_C1..C4 (3.x). Empty means not applicable.

    Examples
    --------
    >>> attributes("3.0.1").query("table == 't_cable'").attribute.iloc[0][:3]
    'cb_'
    """
    path = files(__name__) / f"attributes-{version}.csv"
    with path.open(encoding="utf-8") as stream:
        return pd.read_csv(stream, dtype=str, keep_default_na=False)


@cache
def value_lists(version: Version) -> pd.DataFrame:
    """Give the closed lists of one version: columns ``list`` and ``code``, both text.

    Examples
    --------
    >>> "NRO" in set(value_lists("2.0.1").query("list == 'l_site_type_log'").code)
    True
    """
    path = files(__name__) / f"lists-{version}.csv"
    with path.open(encoding="utf-8") as stream:
        return pd.read_csv(stream, dtype=str, keep_default_na=False)


@cache
def table_columns(version: Version) -> dict[str, tuple[str, ...]]:
    """Give the attribute names of each table of one version, geometry excluded, in model order."""
    model = attributes(version)
    plain = model[model["geometry_type"] == ""]
    return {str(table): tuple(group) for table, group in plain.groupby("table", sort=False)["attribute"]}
