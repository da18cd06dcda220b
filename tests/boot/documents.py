"""What README.md and docs/ show: their blocks of commands, and transcripts with what was said."""

import dataclasses
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@dataclasses.dataclass
class Block:
    document: str
    language: str
    text: str

    @property
    def name(self):
        """By which tests speak of it: its document and its first command, without the comment."""
        first = self.text.splitlines()[0].removeprefix("$ ")
        return f"{self.document}: {re.sub(r' +# .*', '', first)}"

    def commands(self):
        """Of a transcript each command with the lines that are shown of its output."""
        for part in re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            yield command, [line for line in shown.splitlines() if line != "…"]


def blocks():
    found = []
    for path in DOCUMENTS:
        for indent, language, text in re.findall(r"^( *)```(\w*)(?: \S+)?\n(.*?)^ *```$", path.read_text(), re.MULTILINE | re.DOTALL):
            found.append(Block(path.name, language, re.sub(f"^{indent}", "", text, flags=re.MULTILINE)))
    return found


def shell_blocks():
    """Those that a shell runs, by name: commands alone (sh), and transcripts (console)."""
    return {block.name: block for block in blocks() if block.language in ("sh", "console")}


def first_unsaid(shown, output):
    """The first of these lines that the output does not have in this order, or None."""
    said = iter(output)
    return next((line for line in shown if line not in said), None)
