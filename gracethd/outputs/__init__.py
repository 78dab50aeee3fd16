"""Writers that both commands use: tables, styled GeoPackages, workbooks; the words that they show.

One writer a format. A later output adds columns (``columns.csv``), sheets or layers, never a writer. Every
file appears whole or not at all, is readable by its owner only, carries DIFFUSION RESTREINTE and is the
same to the byte for the same content and date.
"""
