"""What a page shows of the outputs of cells: one form of each, safe, without scripts, and with nothing from elsewhere.

Outputs are data of a program that may be anybody's. Here they become text, tables, pictures and formulas that can do
nothing to a reader's browser; notebooks keep them as they came.
"""

from d2lbuild.rendering.outputs.display import Displayed, OutputSettings, displayed

__all__ = ["Displayed", "OutputSettings", "displayed"]
