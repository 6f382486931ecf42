"""Pages that people look at: one HTML file each, which asks nothing of any network.

page   text, tables, curves, pictures and poses that turn with the mouse
"""

from deephar.pages.page import STATIC, Page

__all__ = ["STATIC", "Page"]
