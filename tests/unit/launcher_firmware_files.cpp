// QEMU's firmware descriptors, in folders made up for the test.
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "launcher/host/firmware_files.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

using nlohmann::json;
using test::Folder;

json descriptor(const std::string& description) {
    return {{"description", description},
            {"interface-types", {"uefi"}},
            {"mapping",
             {{"device", "flash"},
              {"executable", {{"filename", "/fw/CODE.fd"}, {"format", "raw"}}},
              {"nvram-template", {{"filename", "/fw/VARS.fd"}, {"format", "qcow2"}}}}},
            {"targets", {{{"architecture", "x86_64"}, {"machines", {"pc-i440fx-*", "pc-q35-*"}}}}},
            {"features", {"acpi-s3", "verbose-dynamic"}},
            {"tags", json::array()}};
}

std::vector<std::string> descriptions(const std::vector<UefiFirmware>& all) {
    std::vector<std::string> names;
    for (const UefiFirmware& firmware : all) {
        names.push_back(firmware.description);
    }
    return names;
}

std::vector<std::string> found_in(const std::vector<std::filesystem::path>& folders) {
    return descriptions(read_firmware_descriptors(folders));
}

TEST_CASE("a descriptor of UEFI in split flash") {
    const auto firmware = parse_firmware_descriptor("/d/60.json", descriptor("OVMF").dump());
    REQUIRE(firmware);
    CHECK(*firmware == UefiFirmware{"/d/60.json",
                                    "OVMF",
                                    "/fw/CODE.fd",
                                    "raw",
                                    "/fw/VARS.fd",
                                    "qcow2",
                                    {{"x86_64", {"pc-i440fx-*", "pc-q35-*"}}},
                                    {"acpi-s3", "verbose-dynamic"}});
    CHECK(firmware->has("acpi-s3"));
    CHECK_FALSE(firmware->has("requires-smm"));
}

TEST_CASE("a mode of split may be spelled out; other modes need other options") {
    json made = descriptor("x");
    made["mapping"]["mode"] = "split";
    CHECK(parse_firmware_descriptor("/x", made.dump()));
    for (const char* mode : {"combined", "stateless"}) {
        made["mapping"]["mode"] = mode;
        CHECK_FALSE(parse_firmware_descriptor("/x", made.dump()));
    }
}

TEST_CASE("descriptors of something else, or damaged ones, are passed over") {
    json bios = descriptor("x");
    bios["interface-types"] = {"bios"};
    CHECK_FALSE(parse_firmware_descriptor("/x", bios.dump()));
    json memory = descriptor("x");
    memory["mapping"] = {{"device", "memory"}, {"filename", "/fw/x"}};
    CHECK_FALSE(parse_firmware_descriptor("/x", memory.dump()));
    for (const char* key : {"interface-types", "mapping", "targets", "features"}) {
        CAPTURE(key);
        json without = descriptor("x");
        without.erase(key);
        CHECK_FALSE(parse_firmware_descriptor("/x", without.dump()));
        json wrong = descriptor("x");
        wrong[key] = 7;
        CHECK_FALSE(parse_firmware_descriptor("/x", wrong.dump()));
    }
    for (const char* text : {"", "{", "[]", "null", "\"x\"", "\xff\xfe"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_firmware_descriptor("/x", text));
    }
}

TEST_CASE("every broken piece of a descriptor is passed over, wherever it is cut") {
    const std::string whole = descriptor("x").dump();
    for (std::size_t length = 0; length < whole.size(); ++length) {
        CHECK_FALSE(parse_firmware_descriptor("/x", whole.substr(0, length)));
    }
}

TEST_CASE("files are read in order of their names, over all folders") {
    const Folder first;
    const Folder second;
    first.write("60-b.json", descriptor("b").dump());
    second.write("40-a.json", descriptor("a").dump());
    second.write("70-c.json", descriptor("c").dump());
    CHECK(found_in({first.path(), second.path()}) == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("a file hides one of the same name in a later folder") {
    const Folder strong;
    const Folder weak;
    strong.write("50-x.json", descriptor("strong").dump());
    weak.write("50-x.json", descriptor("weak").dump());
    CHECK(found_in({strong.path(), weak.path()}) == std::vector<std::string>{"strong"});
    CHECK(found_in({weak.path(), strong.path()}) == std::vector<std::string>{"weak"});
}

TEST_CASE("an empty file hides without replacing, and so does a damaged one") {
    const Folder strong;
    const Folder weak;
    strong.write("50-x.json", "");
    strong.write("60-y.json", "{");
    weak.write("50-x.json", descriptor("x").dump());
    weak.write("60-y.json", descriptor("y").dump());
    weak.write("70-z.json", descriptor("z").dump());
    CHECK(found_in({strong.path(), weak.path()}) == std::vector<std::string>{"z"});
}

TEST_CASE("what is no file of JSON is not read, and a folder that is not there holds nothing") {
    const Folder folder;
    folder.write("60-x.json", descriptor("x").dump());
    folder.write("README", descriptor("readme").dump());
    folder.write("x.json.bak", descriptor("backup").dump());
    folder.write("folder.json/inside", "");
    std::filesystem::create_symlink("/nowhere", folder.path() / "10-dangling.json");
    CHECK(found_in({"/does/not/exist", folder.path()}) == std::vector<std::string>{"x"});
}

TEST_CASE("the user's folder comes before those of the system") {
    using Paths = std::vector<std::filesystem::path>;
    CHECK(firmware_folders("/home/u/.config") ==
          Paths{"/home/u/.config/qemu/firmware", "/etc/qemu/firmware", "/usr/share/qemu/firmware"});
    CHECK(firmware_folders("") == Paths{"/etc/qemu/firmware", "/usr/share/qemu/firmware"});
}

UefiFirmware made(std::string description, std::string architecture, std::vector<std::string> machines,
                  std::vector<std::string> features = {}) {
    UefiFirmware firmware;
    firmware.description = std::move(description);
    firmware.targets = {{std::move(architecture), std::move(machines)}};
    firmware.features = std::move(features);
    return firmware;
}

std::string chosen(const std::vector<UefiFirmware>& all, Arch arch, std::string_view machine) {
    const auto firmware = choose_uefi(all, arch, machine);
    return firmware ? firmware->description : "none";
}

TEST_CASE("machines are matched by glob, short names as the newest version") {
    const std::vector<UefiFirmware> all{made("q35", "x86_64", {"pc-q35-*"}),
                                        made("pc", "x86_64", {"pc-i440fx-*"}),
                                        made("virt", "aarch64", {"virt-*"})};
    CHECK(chosen(all, Arch::x86_64, "q35") == "q35");
    CHECK(chosen(all, Arch::x86_64, "pc-q35-7.2") == "q35");
    CHECK(chosen(all, Arch::x86_64, "pc") == "pc");
    CHECK(chosen(all, Arch::x86_64, "pc-i440fx-7.2") == "pc");
    CHECK(chosen(all, Arch::aarch64, "virt") == "virt");
    CHECK(chosen(all, Arch::aarch64, "virt-7.2") == "virt");
    CHECK(chosen(all, Arch::x86_64, "virt") == "none");
    CHECK(chosen(all, Arch::aarch64, "q35") == "none");
    CHECK(chosen({}, Arch::x86_64, "q35") == "none");
}

TEST_CASE("firmware that needs SMM or comes with keys is not plain UEFI") {
    const std::vector<UefiFirmware> all{
        made("keys", "x86_64", {"pc-q35-*"}, {"enrolled-keys", "requires-smm"}),
        made("smm", "x86_64", {"pc-q35-*"}, {"requires-smm"}),
        made("only keys", "x86_64", {"pc-q35-*"}, {"enrolled-keys"})};
    CHECK(chosen(all, Arch::x86_64, "q35") == "none");
}

TEST_CASE("firmware without Secure Boot comes before one that could have it, which will do") {
    const UefiFirmware could = made("could", "x86_64", {"pc-q35-*"}, {"secure-boot"});
    const UefiFirmware plain = made("plain", "x86_64", {"pc-q35-*"}, {"acpi-s3"});
    const UefiFirmware later = made("later", "x86_64", {"pc-q35-*"});
    CHECK(chosen({could, plain, later}, Arch::x86_64, "q35") == "plain");
    CHECK(chosen({could}, Arch::x86_64, "q35") == "could");
    CHECK(chosen({could, made("other", "aarch64", {"virt-*"})}, Arch::x86_64, "q35") == "could");
}

TEST_CASE("a descriptor whose files are not there is of no use") {
    const Folder folder;
    const auto file = [&](const char* name, bool exists) {
        return exists ? folder.write(name, "x") : folder.path() / "missing" / name;
    };
    std::vector<UefiFirmware> all(4);
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i].description = std::to_string(i);
        all[i].code = file("code", (i & 1U) != 0);
        all[i].vars_template = file("vars", (i & 2U) != 0);
    }
    CHECK(descriptions(installed(all)) == std::vector<std::string>{"3"});
}

TEST_CASE("any target of a firmware will do") {
    UefiFirmware both = made("both", "aarch64", {"virt-*"});
    both.targets.emplace_back("x86_64", std::vector<std::string>{"microvm", "pc-q35-*"});
    CHECK(chosen({both}, Arch::x86_64, "q35") == "both");
    CHECK(chosen({both}, Arch::aarch64, "virt") == "both");
    CHECK(chosen({both}, Arch::x86_64, "pc") == "none");
}

}  // namespace
}  // namespace vml
