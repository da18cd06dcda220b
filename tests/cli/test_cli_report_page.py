"""The page of --report boot.html, as a browser reads it."""

import html.parser
import json
import re
import xml.etree.ElementTree as ElementTree

import pytest

import launch

VOID = {"meta", "br", "wbr", "line", "rect", "circle"}
# What a bar says first: how long it took, or when it was.
LENGTH = re.compile(r"(at \d+\.\d\d s|under 1 ms|\d+ ms|\d+\.\d\d? s)( waiting| \([^)]+ waiting\))?(: |$|…)")


class Page(html.parser.HTMLParser):
    """Elements with their attributes, and the text within each; what does not nest is a failure."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open = []
        self.elements = []  # name, attributes, text
        self.feed(text)
        self.close()
        assert not self.open
        self.text = text

    def handle_starttag(self, tag, attrs):
        self.elements.append([tag, dict(attrs), ""])
        assert len(dict(attrs)) == len(attrs)
        if tag not in VOID:
            self.open.append(self.elements[-1])

    def handle_startendtag(self, tag, attrs):
        assert tag in VOID
        self.elements.append([tag, dict(attrs), ""])

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        for element in self.open:
            element[2] += data

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    def of(self, tag, **wanted):
        return [(attributes, text) for name, attributes, text in self.elements if name == tag and wanted.items() <= attributes.items()]

    def svgs(self):
        return [ElementTree.fromstring(svg) for svg in re.findall(r"<svg .*?</svg>", self.text, re.S)]

    def data(self):
        (script,) = self.of("script")
        assert script[0] == {"type": "application/json", "id": "report"}
        return json.loads(script[1])


def check(page):
    """Nothing is loaded, nothing runs, pictures are sound, and each bar tells its time. Gives what the bars say, by label."""
    assert page.of("meta", **{"http-equiv": "Content-Security-Policy"})[0][0]["content"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert not {name for name, _, _ in page.elements} & {"link", "img", "iframe", "object", "embed", "form", "base", "use", "image"}
    for name, attributes, _ in page.elements:
        assert not {"src", "srcset", "xlink:href", "data", "action"} & attributes.keys()
        assert not [attribute for attribute in attributes if attribute.startswith("on")]
        assert re.fullmatch(r"https://ipxe\.org/[0-9a-f]{8}", attributes.get("href", "https://ipxe.org/00000000")), name
    assert not re.search(r"url\(|@import", page.of("style")[0][1])
    bars = {}
    for svg in page.svgs():
        assert svg.tag == "svg" and re.fullmatch(r"0 0 960 \d+", svg.get("viewBox"))
        for group in svg.findall("g"):
            label, words = group.findall("text")
            title = group.find("title").text
            assert LENGTH.match(words.text), words.text
            assert words.text.removesuffix("…") in title
            assert group.find("rect") is not None or group.find("circle") is not None
            bars.setdefault(label.text, []).append(words.text)
    return bars


def explained(tmp_path, name):
    page, report = tmp_path / "boot.html", tmp_path / "boot.json"
    launch.launch("explain", launch.ROOT / f"tests/unit/data/boots/{name}.pcap", "--report", f"{report},{page}")
    page = Page(page.read_text())
    assert page.data() == json.loads(report.read_text())
    return page


def test_of_a_run_has_its_report_its_versions_and_its_command(tmp_path):
    page, report = tmp_path / "boot.html", tmp_path / "boot.json"
    result = launch.launch(
        *launch.BOOT, "--report", f"{report},{page}", "--vnc-password=hunter2", "--", "-object", "secret,id=s0,data=hunter3",
        env=launch.environment("not-found", GUEST_AGENT="0", BOOT_ORDER="network"),
    )
    assert result.returncode != 0
    page = Page(page.read_text())
    check(page)
    assert page.data() == json.loads(report.read_text())
    assert "hunter" not in page.text
    versions = page.data()["versions"]
    assert versions["qemu"] == "7.2.22 (fake)"
    assert versions["kernel"] == open("/proc/sys/kernel/osrelease").read().strip()
    assert f"vm-launch {versions['vm_launch']}\n" == launch.launch("--version").stdout
    (command,) = page.of("pre", **{"class": "command"})
    assert command[1] == page.data()["command"]
    assert command[1].startswith("BOOT_ORDER=network GUEST_AGENT=0 vm-launch --ipxe --accel tcg ")
    assert command[1].endswith("'--vnc-password=***' -- -object 'secret,id=s0,data=***'")
    for version in (versions["qemu"], versions["kernel"]):
        assert version in "".join(text for _, text in page.of("dd"))
    (console,) = page.of("pre", **{"class": "console"})
    assert console[1].strip().splitlines() == page.data()["boots"][0]["console"]
    assert "No bootable device." in console[1]


def test_of_a_machine_that_never_ran_tells_that_alone(tmp_path):
    page = tmp_path / "boot.html"
    assert launch.launch(*launch.BOOT, "--report", page, scenario="die-early").returncode == 4
    page = Page(page.read_text())
    check(page)
    assert page.of("p", **{"class": "sub"})[0][1] == "the machine never ran"
    assert not page.svgs() and not page.of("table") and not page.of("ul")


def test_its_command_can_be_copied_whatever_is_in_a_word(tmp_path):
    page = tmp_path / "boot.html"
    launch.launch(*launch.BOOT, "--report", page, "--", "-name", "two  words\n\tand lines")
    page = Page(page.read_text())
    (command,) = page.of("pre", **{"class": "command"})
    assert command[1] == page.data()["command"]
    assert command[1].endswith("-name 'two  words\n\tand lines'")


def test_its_console_is_text_whatever_the_guest_writes(open_folder):
    page, wrote = open_folder / "boot.html", open_folder / "console"
    lines = ["</pre></script><script>alert(1)</script>", "<!-- & \"quoted\" 'too' ]]>", "\x1b]0;title\x07\x1b[31mred\x1b[0m\x7f", "\u202egnp.exe", "\x9b31m"]
    wrote.write_bytes("\r\n".join(lines).encode() + b"\xff\r\n")
    launch.launch(*launch.BOOT, "--report", page, env=launch.environment("replay,poweroff", QEMU_FAKE_CONSOLE=str(wrote)))
    page = Page(page.read_text())
    check(page)
    (console,) = page.of("pre", **{"class": "console"})
    assert lines[0] in console[1] and lines[1] in console[1] and "red" in console[1]
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", console[1])


def test_of_a_fetch_that_failed(tmp_path):
    page = explained(tmp_path, "http404")
    bars = check(page)
    assert any("HTTP/1.1 404" in words for words in bars["nokernel"])
    assert "DHCP, iPXE" in bars


def test_of_dhcp_that_nobody_answers(tmp_path):
    page = explained(tmp_path, "nodhcp")
    (words,) = check(page)["DHCP, iPXE"]
    assert re.match(r"\d+\.\d+ s waiting: \d+ DISCOVERs?, no offer", words)


@pytest.mark.parametrize("name", ["normal", "wrongfile", "tftpclosed", "httprefused", "uefi-nodhcp"])
def test_of_other_boots(name, tmp_path):
    assert check(explained(tmp_path, name))
