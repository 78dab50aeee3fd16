"""The ``resilience`` command: run a study, list single points of failure, show the example."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple, cast

import typer

from gracethd.cli import counting, progress, run_command, today

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from gracethd.network import Network
    from gracethd.routes import Routes
    from resilience.parameters import Parameters
    from resilience.study import Study

app = typer.Typer(
    name="resilience",
    help="Single points of failure, flood losses and hardening plan of an FTTH network.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Folder = Annotated[Path, typer.Option("-o", "--output", help="Folder for the results.")]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object.")]


def main() -> None:
    """Run the command; exit codes are those of `gracethd.cli.run_command`."""
    sys.exit(run_command(app))


@app.command()
def run(
    study: Annotated[Path, typer.Argument(help="The study's TOML file.")],
    output: Folder = Path("resultats"),
    as_json: Json = False,
    scheduler: Annotated[
        str | None,
        typer.Option(help="Draw on this Dask cluster (tcp://...), on a trusted network only."),
    ] = None,
) -> None:
    """Run everything that a study names, from deliveries to plan and report.

    Example: resilience run etude.toml -o resultats
    """
    from resilience.study import load_study

    _run(load_study(study), output, as_json=as_json, scheduler=scheduler)


@app.command()
def init(
    inventory: Annotated[list[str], typer.Argument(help="A stored inventory, or deliveries (folders, zip).")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The new study.")] = Path("etude.toml"),
) -> None:
    """Write a first study of an inventory: it runs as it is, and shows as comments what else it may say.

    Example: resilience init livraisons/*.zip -o etude.toml
    """
    from resilience.new_study import check_new, write_study

    check_new(inventory, output)
    read = _read_inventory(inventory, progress())
    write_study(inventory, read.routes, output, day=today())
    typer.echo(f"étude : {output} ; ensuite : resilience run {output} -o resultats")


@app.command()
def demo(output: Folder = Path("resultats"), as_json: Json = False) -> None:
    """Run the example study: a synthetic network in the Aa valley, invented floods.

    Example: resilience demo -o resultats
    """
    from resilience.demo import example_folder
    from resilience.study import load_study

    with example_folder() as folder:
        _run(load_study(folder / "etude.toml"), output, as_json=as_json)


@app.command()
def spof(  # noqa: PLR0913, PLR0917 - one argument an option
    inventory: Annotated[
        list[str],
        typer.Argument(help="A stored inventory, deliveries (folders, zip), or one study (.toml)."),
    ],
    min_prises: Annotated[
        int, typer.Option(min=0, help="Leave out of the list what cuts fewer prises.")
    ] = 10,
    kind: Annotated[
        str | None, typer.Option(help="Only this kind: cable, cheminement, ebp, noeud, ouvrage...")
    ] = None,
    segment: Annotated[str | None, typer.Option(help="Only collecte, transport, distribution...")] = None,
    commune: Annotated[
        str | None, typer.Option(help="Only objects of this commune (INSEE code; needs a study).")
    ] = None,
    asset: Annotated[
        str | None, typer.Option(help="Explain one object, as cable:CB012, instead of listing all.")
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Only sums by commune that may be published (needs a study).")
    ] = False,
    as_json: Json = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="Where to write: a folder, or a .gpkg, .xlsx, .csv or .parquet file."
        ),
    ] = None,
) -> None:
    """List the single points of failure: what each object cuts when it fails alone.

    A study in place of the deliveries gives its tables too: communes, subscribers, sensitive sites, groups.

    Example: resilience spof livraisons/*.zip -o spof.csv
    """
    from gracethd.report import prises_line
    from resilience.explain import explain
    from resilience.outputs.explain_files import check_explanation_destination, write_explanation
    from resilience.outputs.spof_files import SpofList, check_destination, write_spof
    from resilience.public import check_public_destination, public_sums
    from resilience.spof import collapse
    from resilience.spof import spof as table_of
    from resilience.spof_list import Filters, caveats, chosen, describe, summary

    filters = Filters(kind, segment, commune, min_prises)
    filters.check(asset=asset, public=public)
    if output is not None:
        check = check_public_destination if public else check_destination
        (check if asset is None else check_explanation_destination)(output)
    say = progress()
    read = _read_inventory(inventory, say)
    say("pertes de chaque objet (la première fois, compilation des calculs : jusqu'à 30 s)")
    full = table_of(read.network, read.routes, read.tables, on_date=today())
    if public:
        _tell_public(public_sums(read.routes, full, read.tables), "objets tus", output, as_json=as_json)
        return
    if asset is not None:
        told = explain(read.network, read.routes, full, asset, read.tables)
        if output is not None:
            write_explanation(told, output, day=today(), recipient=read.recipient)
        facts = {"objects": told.objects, "prises": told.prises}
        _tell({"asset": told.label, "lines": told.lines, **facts}, told.lines, as_json=as_json)
        return
    rows = chosen(full, filters, communes=read.tables.get("communes"))
    listed = collapse(rows, min_prises=min_prises, drops=segment == "raccordement")
    traced = prises_line(read.routes.prises)
    if output is not None:
        say("écriture")
        found = SpofList(
            read.network, read.routes, read.tables, full, rows, listed, min_prises,
            notes=[traced, *filters.words()], parameters=read.parameters,
        )  # fmt: skip
        write_spof(found, output, day=today(), recipient=read.recipient)
    said = [traced, *filters.words(), *caveats(full, read.routes), describe(listed)]
    _tell(summary(read.routes, full, listed, filters), said, as_json=as_json)


@app.command()
def scenario(
    study: Annotated[Path, typer.Argument(help="The study's TOML file.")],
    name: Annotated[
        str | None, typer.Argument(help="Of a scenario of the study; all of them without it.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(help="Tell the situation at this time: 6h, 30min, 2j; else the worst."),
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Folder for the results.")] = None,
    as_json: Json = False,
) -> None:
    """Play a crisis: what is down, for whom, for how long, and in which order it is repaired.

    Without a name every scenario of the study is played, and they are compared.

    Example: resilience scenario etude.toml incendie_nro --at 6h -o crise
    """
    from resilience.crisis import play
    from resilience.crisis.organisation import dependences
    from resilience.crisis.play import scenario_named
    from resilience.crisis.rising import rising_waters
    from resilience.hazards import on_day
    from resilience.outputs.ground_map import can_draw
    from resilience.outputs.scenario_files import (
        rising_lines,
        scenario_lines,
        write_scenario,
        write_scenarios,
    )
    from resilience.outputs.scenario_pictures import NO_PICTURES
    from resilience.sections import hours_of
    from resilience.study import load_study

    at_h = None if at is None else hours_of(at, "--at")
    told = load_study(study)
    names = list(told.scenarios) if name is None and told.scenarios else [name or ""]
    for one in names:
        scenario_named(told, one)
    say = progress()
    read = _read_inventory([str(study)], say)
    played = [
        play(
            told,
            one,
            read.network,
            read.routes,
            read.tables,
            day=today(),
            owners=read.owners,
            at_h=at_h,
            say=say,
        )
        for one in names
    ]
    rising = rising_waters(
        on_day(told.hazards, today()) if name is None else (), read.network, read.routes, read.tables,
        told.parameters, wet_from_m=told.loss.wet_from_m,
    )  # fmt: skip
    if output is not None:
        if not can_draw():
            say(NO_PICTURES)
        communes = cast("gpd.GeoDataFrame | None", read.tables.get("communes"))
        if name is None:
            supplies = dependences(read.network, read.routes, read.tables, told.parameters)
            write_scenarios(
                played, supplies, rising, output, day=today(), recipient=told.recipient, communes=communes,
                ways=read.network.lines,
            )  # fmt: skip
        else:
            write_scenario(
                played[0], output, day=today(), recipient=told.recipient, communes=communes,
                ways=read.network.lines,
            )  # fmt: skip
    if as_json:
        from gracethd.outputs.tables import plain

        facts = [{"scenario": one.scenario.name, **one.summary} for one in played]
        told_json = facts if name is None else played[0].summary
        typer.echo(json.dumps(plain(told_json), ensure_ascii=False, sort_keys=True))
        return
    for crisis in played:
        for line in scenario_lines(crisis)[: None if name is not None else 4]:
            typer.echo(line)
    for line in rising_lines(rising):
        typer.echo(line)


@app.command()
def plan(
    study: Annotated[Path, typer.Argument(help="The study's TOML file.")],
    budget: Annotated[
        float | None, typer.Option(min=0, help="Euros before VAT, instead of the study's total.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="Folder for the results, as of run; with --public a .csv or .parquet."
        ),
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Only works and euros by commune that may be published.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Choose works under a budget: what it buys, what it avoids, what more or less money would.

    Example: resilience plan etude.toml --budget 5000000
    """
    from resilience.outputs.plan_lines import plan_lines
    from resilience.public import check_public_destination, public_plan
    from resilience.run import analyse
    from resilience.study import load_study

    told = load_study(study).with_budget(budget)
    if public and output is not None:
        check_public_destination(output)
    results = analyse(told, day=today(), say=progress(), count=counting())
    assert results.plan is not None
    if public:
        sums = public_plan(results.plan.plan, results.tables.get("communes"))
        _tell_public(sums, "mesures tues", output, as_json=as_json)
        return
    if output is not None:
        from resilience.outputs.folder import write_results

        write_results(results, output)
    chosen = results.plan.plan.drop(columns="geometry").to_dict("records")
    facts = {**results.plan.summary, "plan": chosen, "frontier": results.plan.frontier.to_dict("records")}
    _tell(facts, plan_lines(results.plan), as_json=as_json)


class _Read(NamedTuple):
    """An inventory that has been read and traced, with the tables of its study."""

    network: "Network"
    routes: "Routes"
    tables: "dict[str, pd.DataFrame]"
    parameters: "Parameters"
    recipient: str
    owners: "pd.DataFrame | None" = None


def _tell(facts: Mapping[str, object], lines: Sequence[str], *, as_json: bool) -> None:
    """Print one JSON object, or lines for people."""
    from gracethd.outputs.tables import plain

    if as_json:
        typer.echo(json.dumps(plain(dict(facts)), ensure_ascii=False, sort_keys=True))
        return
    for line in lines:
        typer.echo(line)


def _tell_public(sums: "pd.DataFrame", withheld: str, output: Path | None, *, as_json: bool) -> None:
    """Write sums that may be published where asked, and print them with what they leave out."""
    from resilience.public import write_public

    if output is not None:
        write_public(sums, output)
    n_withheld = sums.attrs["withheld"]
    text = f"{sums.to_string(index=False)}\n{withheld} (effectif ou prépondérance) : {n_withheld}"
    _tell({"sums": sums, "withheld": n_withheld}, [text], as_json=as_json)


def _read_inventory(sources: list[str], say: Callable[[str], None]) -> _Read:
    """Read deliveries, or those that a study names with its tables."""
    from gracethd.level0_file import is_level0
    from gracethd.network import build_network
    from gracethd.reading import read
    from gracethd.routes import trace_routes
    from gracethd.stock.lengths import asset_owners
    from resilience.parameters import default_parameters
    from resilience.study import load_study
    from resilience.tables import load_tables

    is_study = len(sources) == 1 and sources[0].endswith(".toml") and not is_level0(sources[0])
    study = load_study(sources[0]) if is_study else None
    say("lecture des livraisons")
    inventory = read(sources if study is None else study.inventory, tell=counting())
    tables = {} if study is None else load_tables(study, crs=inventory.crs)
    say("réseau et routes")
    network = build_network(inventory)
    routes = trace_routes(inventory, network, feeds=tables.get("feeds"))
    if study is None:
        return _Read(network, routes, tables, default_parameters(), "")
    rules = [rule for one in study.scenarios.values() for rule in one.failures]
    owners = asset_owners(inventory) if any(rule.owner for rule in rules) else None
    return _Read(network, routes, tables, study.parameters, study.recipient, owners)


def _run(study: "Study", output: Path, *, as_json: bool, scheduler: str | None = None) -> None:
    say = progress()
    say("chargement (la première fois, compilation des calculs : jusqu'à 30 s)")
    from resilience.outputs.folder import write_results
    from resilience.results import headlines
    from resilience.run import analyse

    results = analyse(study, day=today(), say=say, count=counting(), scheduler=scheduler)
    summary = write_results(results, output)
    _tell(summary, [*headlines(results), f"résultats : {output}"], as_json=as_json)
