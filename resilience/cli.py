"""The ``resilience`` command: run a study, list single points of failure, show the example."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gracethd.cli import Inventory, progress, run_command, today

if TYPE_CHECKING:
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
) -> None:
    """Run everything that a study names, from deliveries to plan and report.

    Example: resilience run etude.toml -o resultats
    """
    from resilience.study import load_study

    _run(load_study(study), output, as_json=as_json)


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
def spof(
    inventory: Inventory,
    min_prises: Annotated[
        int, typer.Option(min=0, help="Leave out of the list what cuts fewer prises.")
    ] = 10,
    kind: Annotated[
        str | None, typer.Option(help="Only this kind: cable, cheminement, ebp, noeud...")
    ] = None,
    segment: Annotated[str | None, typer.Option(help="Only collecte, transport, distribution...")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where to write the list: .csv, .parquet or .gpkg.")
    ] = None,
) -> None:
    """List the single points of failure of deliveries or a store: what each object cuts when it fails alone.

    Example: resilience spof livraisons/*.zip -o spof.csv
    """
    from gracethd.network import build_network
    from gracethd.reading import read
    from gracethd.report import prises_line
    from gracethd.routes import trace_routes
    from resilience.spof import collapse
    from resilience.spof import spof as table_of
    from resilience.spof_list import chosen, describe, write_list

    say = progress()
    say("lecture des livraisons")
    whole = read(inventory)
    say("réseau et routes")
    network = build_network(whole)
    routes = trace_routes(whole, network)
    say("pertes de chaque objet")
    full = table_of(network, routes, {})
    rows = chosen(full, kind=kind, segment=segment)
    listed = collapse(rows, min_prises=min_prises, drops=segment == "raccordement")
    if output is not None:
        write_list(rows, listed, output, day=today())
    typer.echo(prises_line(routes.prises))
    typer.echo(describe(listed))


def _run(study: "Study", output: Path, *, as_json: bool) -> None:
    say = progress()
    say("chargement (la première fois, compilation des calculs : jusqu'à 30 s)")
    from resilience.outputs.folder import write_results
    from resilience.results import headlines
    from resilience.run import analyse

    results = analyse(study, day=today(), say=say)
    summary = write_results(results, output)
    if as_json:
        from gracethd.outputs.tables import plain

        typer.echo(json.dumps(plain(summary), ensure_ascii=False, sort_keys=True))
        return
    for line in headlines(results):
        typer.echo(line)
    typer.echo(f"résultats : {output}")
