"""The translation units of the lint: each is several source files, whose headers are read once. clang-tidy looks whole at a translation
unit's own file alone, so that they are copied into it.

joined.py join FILE SOURCE…   writes FILE
joined.py make BUILD ROOM…    writes BUILD/joined/*.cpp, each for one of BUILD's unity sources of these rooms, and the commands that
                              compile them, and the sources themselves
joined.py name                copies standard input, with every place in a joined file as the place in the source that it came from
"""

import json
import pathlib
import re
import sys

# Its line also begins a new list of includes for readability-duplicate-include.
MARK = "#undef VML_NEXT_FILE  // "
PLACE = re.compile(r"(/[^:\s]+/joined/[^:\s]+\.cpp):(\d+)")


def join(joined, sources):
    joined.write_text("".join(f"{MARK}{source}\n{source.read_text()}" for source in sources))


def sources_of(build, compiled):
    if not compiled.is_relative_to(build):
        return [compiled]  # one with options of its own
    return [pathlib.Path(name) for name in re.findall(r'^#include "(.*)"$', compiled.read_text(), re.MULTILINE)]


def make(build, rooms):
    project = build.parent.parent
    commands = []
    for entry in json.loads((build / "compile_commands.json").read_text()):
        compiled = pathlib.Path(entry["file"])
        sources = sources_of(build, compiled)
        if not sources or sources[0].relative_to(project).parts[0] not in rooms:
            continue
        joined = build / "joined" / f"{len(commands)}-{sources[0].parent.name}.cpp"
        join(joined, sources)
        commands += [
            {**entry, "file": str(file), "command": entry["command"].replace(str(compiled), str(file))}
            for file in (joined, *sources)
        ]
    (build / "joined/compile_commands.json").write_text(json.dumps(commands, indent=1))


def places_of(joined):
    """For each line of the file, from the first on: its source and its line there."""
    places, source, number = [], joined, 0
    for line in pathlib.Path(joined).read_text().splitlines():
        number += 1
        if line.startswith(MARK):
            source, number = line.removeprefix(MARK), 0
        places.append(f"{source}:{number}")
    return places


def name():
    known = {}

    def original(place):
        if place[1] not in known:
            known[place[1]] = places_of(place[1])
        return known[place[1]][int(place[2]) - 1]

    for line in sys.stdin:
        print(PLACE.sub(original, line), end="", flush=True)


def main():
    match sys.argv[1:]:
        case ["join", joined, *sources]:
            join(pathlib.Path(joined), map(pathlib.Path, sources))
        case ["make", build, *rooms]:
            make(pathlib.Path(build), rooms)
        case ["name"]:
            name()
        case _:
            sys.exit(__doc__)


main()
