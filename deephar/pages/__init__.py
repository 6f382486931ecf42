"""Pages that people look at: one HTML file each, which asks nothing of any network.

page      text, tables, curves, pictures and poses that turn with the mouse
markdown  the Markdown of reports, on such a page
"""

from deephar.pages.markdown import add_markdown
from deephar.pages.page import STATIC, Page

__all__ = ["STATIC", "Page", "add_markdown"]
