"""The list of what is linked in: that it is SPDX 2.3, by that specification's words, and that it names what the program holds."""

import gzip
import hashlib
import json
import re

import pytest

DOC = "share/doc/vm-launch"


@pytest.fixture(scope="module")
def sbom(packages):
    return json.loads(packages.sbom.read_text())


def debian_packages(sbom):
    return [package for package in sbom["packages"] if package["SPDXID"].startswith("SPDXRef-deb-")]


def test_the_document_has_what_the_specification_requires(sbom):
    """Chapter 6: each field that is mandatory, and the form that it has."""
    assert (sbom["spdxVersion"], sbom["dataLicense"], sbom["SPDXID"]) == ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT")
    assert re.fullmatch(r"https://spdx\.org/spdxdocs/vm-launch-[\w.-]+", sbom["documentNamespace"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", sbom["creationInfo"]["created"])
    assert all(re.match("(Tool|Person|Organization): ", creator) for creator in sbom["creationInfo"]["creators"])


def test_each_package_has_what_the_specification_requires(sbom):
    """Chapter 7."""
    names = [package["SPDXID"] for package in sbom["packages"]]
    assert len(set(names)) == len(names)
    for package in sbom["packages"]:
        assert re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", package["SPDXID"])
        assert package["name"] and package["versionInfo"] and package["downloadLocation"] == "NOASSERTION"
        assert package["filesAnalyzed"] is False and "packageVerificationCode" not in package
    for package in debian_packages(sbom):
        [reference] = package["externalRefs"]
        assert re.fullmatch(r"pkg:deb/debian/[a-z0-9.%B-]+@[\w.%:~-]+\?arch=\w+&distro=debian-1[23]", reference["referenceLocator"])


def test_every_licence_is_known_or_its_text_is_there(sbom):
    """Chapter 10, and the identifiers of the list at https://spdx.org/licenses that are used here."""
    known = {"MIT", "BSL-1.0", "BSD-2-Clause", "BSD-3-Clause", "Zlib", "Apache-2.0", "LGPL-2.1-only", "LGPL-2.1-or-later",
             "GPL-2.0-only WITH Linux-syscall-note", "GPL-3.0-or-later WITH GCC-exception-3.1"}  # fmt: skip
    texts = {info["licenseId"]: info["extractedText"] for info in sbom["hasExtractedLicensingInfos"]}
    used = {package["licenseDeclared"] for package in sbom["packages"]}
    assert used - known == set(texts)
    for licence, text in texts.items():
        assert re.fullmatch(r"LicenseRef-[A-Za-z0-9.-]+", licence) and len(text) > 500


def test_relations_are_of_what_the_document_has(sbom):
    """Chapter 11: the document describes the program, and every package is in it."""
    ids = {"SPDXRef-DOCUMENT", *(package["SPDXID"] for package in sbom["packages"])}
    described, *linked = sbom["relationships"]
    assert (described["spdxElementId"], described["relationshipType"]) == ("SPDXRef-DOCUMENT", "DESCRIBES")
    assert {relation["spdxElementId"] for relation in linked} == {described["relatedSpdxElement"]}
    assert {relation["relationshipType"] for relation in linked} == {"STATIC_LINK"}
    assert ids - {relation["relatedSpdxElement"] for relation in linked} == {"SPDXRef-DOCUMENT", "SPDXRef-vm-launch"}


def test_it_names_what_the_program_holds(sbom, tar_tree, deb_tree, packages):
    how = {relation["relatedSpdxElement"].removeprefix("SPDXRef-deb-"): relation.get("comment") for relation in sbom["relationships"]}
    by_archive = {name for name, comment in how.items() if comment == "of its archives and objects"}
    by_headers = {name for name, comment in how.items() if comment == "by its headers alone"}
    libraries = ("libnl-3-dev", "libnl-route-3-dev", "libcap-ng-dev", "libarchive-dev", "libre2-dev", "zlib1g-dev", "libpcap0.8-dev")
    for name in ("libc6-dev", r"libstdc---\d+-dev", r"libgcc-\d+-dev", *libraries):
        assert any(re.fullmatch(name, one) for one in by_archive), name
    assert {"libfmt-dev", "nlohmann-json3-dev"} <= by_headers
    assert not (by_archive | by_headers) & {"catch2", "libseccomp-dev", "cmake"}, "tests and the build's own programs are not in it"
    [program] = [package for package in sbom["packages"] if package["name"] == "vm-launch"]
    for binary in (tar_tree / "bin/vm-launch", deb_tree / "usr/bin/vm-launch"):
        assert program["checksums"] == [{"algorithm": "SHA256", "checksumValue": hashlib.sha256(binary.read_bytes()).hexdigest()}]
    assert (tar_tree / DOC / "vm-launch.spdx.json").read_bytes() == packages.sbom.read_bytes()


def test_the_notices_are_of_each_package(sbom, tar_tree):
    notices = gzip.decompress((tar_tree / DOC / "NOTICES.gz").read_bytes()).decode()
    for package in debian_packages(sbom):
        assert f"{package['name']} {package['versionInfo']}" in notices
    assert "Boost Software License" in notices
    for licence in ("LGPL-2.1", "GPL-3"):  # of the C library and of the compiler's, by name in their copyright files
        assert f"\n/usr/share/common-licenses/{licence}\n" in notices
    assert "Version 2.1, February 1999" in notices
