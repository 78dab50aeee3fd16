"""The ``gracethd`` command: check, import and export deliveries, say what they hold, make synthetic ones."""

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, get_args

import typer

app = typer.Typer(
    name="gracethd",
    help="Read, check and count GraceTHD deliveries (shapefile+CSV, versions 2.0.x and 3.x).",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)

Deliveries = Annotated[
    list[str],
    typer.Argument(
        help="Folders, zip archives, databases or postgresql://user@host/base?schema=NAME, as many as needed."
    ),
]
Inventory = Annotated[
    list[str], typer.Argument(help="A store made by gracethd import, or deliveries as check takes them.")
]


def main() -> None:
    """Run the command; see `run_command` for exit codes."""
    sys.exit(run_command(app))


def run_command(command: Callable[..., object]) -> int:
    """Run a Typer command and give its exit code.

    Returns
    -------
    int
        0; 1 where findings reach ``--fail-on``; 2 where the input cannot be used (one message on stderr,
        nothing written); 130 when interrupted.
    """
    from gracethd.errors import GraceTHDError

    try:
        command(standalone_mode=True)
    except GraceTHDError as error:
        typer.echo(f"error: {error}", err=True)
        return 2
    except KeyboardInterrupt:
        typer.echo("interrupted: nothing was left half written", err=True)
        return 130
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return 0


@app.command()
def info(
    inventory: Inventory,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as one JSON object.")] = False,
) -> None:
    """Say what deliveries or a store hold: prises, how far they can be traced, assets by kind.

    Example: gracethd info livraisons/*.zip
    """
    from gracethd.network import build_network
    from gracethd.reading import read
    from gracethd.report import describe
    from gracethd.routes import trace_routes

    whole = read(inventory, tell=counting())
    network = build_network(whole)
    routes = trace_routes(whole, network)
    if as_json:
        typer.echo(json.dumps(routes.counts, ensure_ascii=False, sort_keys=True))
        return
    typer.echo(describe(whole, network, routes))


@app.command("import")
def import_(
    deliveries: Deliveries,
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            help="The store: a folder (name.parquet), a .gpkg or postgresql://user@host/base?schema=NAME.",
        ),
    ],
    keep_personal: Annotated[
        bool,
        typer.Option(
            "--keep-personal",
            help="Keep names, phones, mails and comments about persons in the store, apart.",
        ),
    ] = False,
) -> None:
    """Merge deliveries into one store, which every command takes in their place and opens much faster.

    What an interrupted import had read is kept beside the store until the same import is run again.

    Example: gracethd import livraisons/*.zip -o inventaire.parquet
    """
    from gracethd.deliveries import kept_in
    from gracethd.reading import read, read_whole, read_with_personal
    from gracethd.report import describe_tables
    from gracethd.store import check_destination, refuse_stores, store_name, work_folder, write_store

    say = progress()
    refuse_stores(deliveries)
    check_destination(output)
    say("lecture des livraisons")
    with kept_in(
        work_folder(output),
        read_with_personal if keep_personal else read_whole,
        say=lambda words: typer.echo(words, err=True),
        options="keep-personal" if keep_personal else "",
    ) as reader:
        inventory = read(deliveries, reader=reader, tell=counting(), carried=True)
        say("écriture")
        write_store(inventory, output, day=today())
    typer.echo(describe_tables(inventory))
    if keep_personal:
        typer.echo(f"données personnelles gardées à part : {len(inventory.personal)} valeurs")
    typer.echo(f"inventaire : {store_name(output)}")


@app.command()
def export(
    inventory: Inventory,
    version: Annotated[str, typer.Option(help="Of GraceTHD: 2.0.1 or 3.0.1.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The delivery: a folder, .zip or .gpkg.")],
    pseudonymise: Annotated[
        bool, typer.Option("--pseudonymise", help="Other codes and places, no label: for support.")
    ] = False,
) -> None:
    """Write a delivery in one version of GraceTHD, and say what that version cannot hold.

    Example: gracethd export inventaire.parquet --version 3.0.1 -o livraison.zip
    """
    from gracethd import export as exporting
    from gracethd.deliveries.write import WrittenVersion, write_delivery
    from gracethd.errors import GraceTHDError
    from gracethd.reading import read
    from gracethd.report import describe_findings

    versions = {name: name for name in get_args(WrittenVersion)}
    if version not in versions:
        raise GraceTHDError(f"--version {version!r} cannot be written; choose one of {', '.join(versions)}")
    say = progress()
    say("lecture")
    whole = read(inventory, tell=counting(), carried=not pseudonymise)
    say("migration")
    whole = exporting.pseudonymise(whole) if pseudonymise else whole
    migrated, findings = exporting.as_version(whole, versions[version])
    say("écriture")
    write_delivery(exporting.delivered_tables(migrated, versions[version]), versions[version], output)
    typer.echo(describe_findings(findings))
    typer.echo(f"livraison {version} : {output}")


@app.command()
def check(
    deliveries: Deliveries,
    container: Annotated[str | None, typer.Option(help="Filling grid of GraceTHD 3: C1 to C4.")] = None,
    phase: Annotated[str | None, typer.Option(help="Filling grid of GraceTHD 2: PRE to MCO.")] = None,
    fail_on: Annotated[
        str, typer.Option(help="Exit 1 from this severity: bloquant|majeur|mineur|info.")
    ] = "bloquant",
    rules: Annotated[
        Path | None, typer.Option(help="TOML that changes severities and thresholds, or leaves rules out.")
    ] = None,
    level0: Annotated[
        Path | None,
        typer.Option(
            help="TOML of an IPE or of PM zones, whose prises by PM are held against those delivered."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="Where to write the findings: .csv, .gpkg, .xlsx, .json or .html."
        ),
    ] = None,
    recipient: Annotated[str, typer.Option(help="For whom the file is; written into it.")] = "",
) -> None:
    """Check deliveries against the GraceTHD model and the rules of the trade; never stops at the first fault.

    Example: gracethd check livraisons/PM7.zip -o constats.csv
    """
    from gracethd.check import Settings, check_paths, exceeds, load_settings, summary
    from gracethd.check.write import check_suffix, write_findings
    from gracethd.findings import severity
    from gracethd.level0_file import read_level0
    from gracethd.store import refuse_stores

    threshold = severity(fail_on)
    refuse_stores(deliveries)
    if output is not None:
        check_suffix(output)
    settings = Settings() if rules is None else load_settings(rules)
    told = None if level0 is None else read_level0(level0)
    say = progress()
    say("lecture et contrôles")
    checked = check_paths(
        deliveries, container=container, phase=phase, settings=settings, level0=told, tell=counting()
    )
    findings = checked.findings
    if output is not None:
        write_findings(
            findings, output, day=today(), settings=settings, recipient=recipient,
            deliveries=checked.deliveries,
        )  # fmt: skip
    typer.echo(summary(findings).to_string(index=False) if len(findings) else "no finding")
    if exceeds(findings, threshold):
        raise typer.Exit(1)


@app.command()
def routes(
    inventory: Inventory,
    prise: Annotated[str | None, typer.Option(help="Print the routes of this prise only.")] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="Hops to .parquet or .csv; hops, plans, occupancy and mounting to .xlsx, .gpkg or a folder.",
        ),
    ] = None,
) -> None:
    """Trace the optical route of every prise, hop by hop, and draw up the plans of boxes and drawers.

    Example: gracethd routes livraisons/*.zip -o routes.parquet
    """
    from dataclasses import replace

    from gracethd.network import build_network
    from gracethd.reading import read
    from gracethd.routes import optical_routes
    from gracethd.routes.telling import of_prise, summary_line, tell
    from gracethd.routes.write import check_output, write_routes

    if output is not None:
        check_output(output)
    say = progress()
    say("lecture")
    whole = read(inventory, tell=counting())
    say("réseau")
    network = build_network(whole)
    say("routes")
    optical = optical_routes(whole, network)
    if prise is not None:
        optical = replace(optical, hops=of_prise(optical.hops, prise))
    if output is not None:
        say("écriture")
        write_routes(whole, network, optical, output, day=today())
    typer.echo(tell(optical.hops) if prise is not None else summary_line(optical.hops))


@app.command()
def report(
    inventory: Inventory,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for tables, workbook and page.")],
    communes: Annotated[
        Path | None,
        typer.Option(
            help="Limits of communes, a .gpkg with a field code_insee: kilometres and findings by it."
        ),
    ] = None,
    recipient: Annotated[str, typer.Option(help="For whom the files are; written into each.")] = "",
) -> None:
    """Write the état des lieux: kilometres by mounting, owner and class of cable, prises, quality, one map.

    Example: gracethd report livraisons/*.zip -o etat
    """
    from gracethd.network import build_network
    from gracethd.reading import read
    from gracethd.routes import trace_routes
    from gracethd.stock import read_communes, write_stock

    say = progress()
    say("lecture")
    whole = read(inventory, tell=counting())
    limits = None if communes is None else read_communes(communes, whole.crs)
    say("réseau")
    network = build_network(whole)
    routes = trace_routes(whole, network)
    say("tables")
    write_stock(whole, network, routes, output, day=today(), recipient=recipient, communes=limits)
    typer.echo(f"état des lieux : {output}")


@app.command()
def synth(
    area: Annotated[Path | None, typer.Argument(help="An area in TOML; see data/exemple/area.toml.")] = None,
    prises: Annotated[int | None, typer.Option(min=1, help="Invent an area of this many prises.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    faults: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of rows to spoil, fault by fault.")
    ] = 0.0,
    version: Annotated[str, typer.Option(help="With --prises: 2.0.1, 3.0.1 or mixed.")] = "mixed",
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the deliveries.")] = Path(
        "synthese"
    ),
) -> None:
    """Make a synthetic network: deliveries by zone, roads, and the list of the faults put in.

    Example: gracethd synth --prises 20000 --faults 0.002 -o synthese
    """
    from gracethd.errors import GraceTHDError
    from gracethd.synth import random_area, read_area, synthesise, write_synth
    from gracethd.synth.area import AreaVersion

    if (area is None) == (prises is None):
        raise GraceTHDError("give either an area file or --prises N")
    versions = {name: name for name in get_args(AreaVersion)}
    if version not in versions:
        raise GraceTHDError(f"--version {version!r} does not exist; choose one of {', '.join(versions)}")
    if area is not None:
        place = read_area(area)
    else:
        place = random_area(prises or 1, seed=seed, version=versions[version])
    network = synthesise(place, seed=seed, faults=faults)
    write_synth(network, output)
    typer.echo(f"{len(list((output / 'livraisons').glob('*.zip')))} livraisons : {output}")


def progress() -> Callable[[str], None]:
    """Tell stages on a terminal; say nothing in a pipe."""
    if not sys.stderr.isatty():
        return lambda _: None
    return lambda stage: typer.echo(f"… {stage}", err=True)


def counting() -> Callable[[int, int], None]:
    """Count deliveries on one line of a terminal as they are read; say nothing in a pipe."""
    if not sys.stderr.isatty():
        return lambda _done, _all: None

    def count(done: int, every: int) -> None:
        if every > 1:
            typer.echo(f"\r  {done}/{every} livraisons", err=True, nl=done == every)

    return count


def today() -> date:
    """Give the date of the results: SOURCE_DATE_EPOCH where it is set, so that a run can be repeated."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    return (datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)).date()
