"""What a study hands out: its report put into sheets, layers and one page.

The files themselves are written by `gracethd.outputs`; here their content is composed.
"""
