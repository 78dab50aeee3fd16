"""Files that a study hands out: tables, styled GeoPackages, workbooks, one page, one summary.

One writer a format. A later chapter adds columns (``labels.csv``), sheets or page sections, never a writer.
Every file appears whole or not at all, is readable by its owner only, carries DIFFUSION RESTREINTE and is
the same to the byte for the same content and date.
"""
