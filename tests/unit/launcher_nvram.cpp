// UEFI's variables that are kept: which firmware may use them again, and what they say of Secure Boot.
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include <fcntl.h>

#include "launcher/host/data_files.h"
#include "launcher/plan/make_plan.h"
#include "launcher/start/kept_files.h"
#include "launcher/vm/description.h"
#include "launcher/vm/nvram_store.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

using test::contains;
using test::Folder;
using test::folder_of;
using test::made_up_host;
using test::text_in;
using test::text_of;
using test::Words;

constexpr std::uint64_t store_size = 540672;

UefiFirmware secure_firmware() {
    UefiFirmware firmware = test::uefi_firmware("x86_64", "pc-q35-*");
    firmware.code = "/usr/share/OVMF/OVMF_CODE_4M.ms.fd";
    firmware.vars_template = "/usr/share/OVMF/OVMF_VARS_4M.ms.fd";
    firmware.features = {"enrolled-keys", "requires-smm", "secure-boot"};
    return firmware;
}

StoreFacts store(bool with_key, std::uint64_t size = store_size) {
    return {.size = size, .content = rom::VariableStore{.platform_key = with_key}};
}

// A host with a data folder; `secure`: the machine gets the firmware with Secure Boot.
HostFacts host(bool secure, std::optional<StoreFacts> kept, std::optional<std::string> origin = {}) {
    HostFacts facts = made_up_host();
    facts.uefi.push_back(secure_firmware());
    facts.swtpm = "/usr/bin/swtpm";
    facts.nvram_template = store(secure);
    facts.data = test::data_folder();
    facts.data->nvram = std::move(kept);
    facts.data->nvram_origin = std::move(origin);
    return facts;
}

Words flags(bool secure, Words more = {}) {
    more.insert(more.end(),
                {"--blank-disk", "--boot-order=hd", secure ? "--firmware=secure" : "--firmware=uefi"});
    return more;
}

std::string refused(bool secure, const HostFacts& facts) {
    const auto faults = test::faults_of(flags(secure), facts);
    CHECK(faults.front().code == ExitCode::host);
    return text_of(faults);
}

NvramSpec taken(bool secure, const HostFacts& facts, Words more = {}) {
    return test::spec_of(flags(secure, std::move(more)), facts).nvram;
}

std::string uefi_origin() {
    return to_text(origin_of_store(test::uefi_firmware("x86_64", "pc-q35-*"), Arch::x86_64, std::nullopt));
}
std::string secure_origin() {
    return to_text(origin_of_store(secure_firmware(), Arch::x86_64, std::nullopt));
}

TEST_CASE("variables are used again by the firmware that they were made for") {
    const NvramSpec fresh = taken(true, host(true, std::nullopt));
    CHECK(fresh == NvramSpec{"/srv/data/vm/nvram.fd", false, secure_origin(), true});
    const NvramSpec again = taken(true, host(true, store(true), secure_origin()));
    CHECK(again == NvramSpec{"/srv/data/vm/nvram.fd", false, "", true});
    CHECK(taken(false, host(false, store(false), uefi_origin())).secure_boot == false);
}

TEST_CASE("variables of other firmware are refused, with both named and what to do") {
    const std::string text = refused(true, host(true, store(true), uefi_origin()));
    CHECK(contains(text, "cannot use the UEFI variables in /srv/data/vm/nvram.fd"));
    CHECK(contains(text, "/usr/share/edk2/x86_64_VARS.fd"));
    CHECK(contains(text, "/usr/share/OVMF/OVMF_VARS_4M.ms.fd"));
    CHECK(contains(text, "--reset-nvram"));
    const std::string arm =
        to_text(origin_of_store(test::uefi_firmware("x86_64", "q"), Arch::aarch64, std::nullopt));
    CHECK(contains(refused(false, host(false, store(false), arm)), "it was made for aarch64"));
    CHECK(contains(refused(false, host(false, store(true), secure_origin())), "it was made for x86_64"));
    CHECK(
        contains(refused(false, host(false, store(false), R"({"format": "vm-launch-nvram", "version": 2})")),
                 "newer vm-launch"));
}

// nvram.json of the same firmware elsewhere.
std::string origin_elsewhere(const std::filesystem::path& vars_template, const std::string& digest = "") {
    UefiFirmware firmware = test::uefi_firmware("x86_64", "pc-q35-*");
    firmware.code = "/opt/firmware/code.fd";
    firmware.vars_template = vars_template;
    return to_text(origin_of_store(firmware, Arch::x86_64, StoreFacts{.digest = digest}));
}

TEST_CASE("the same firmware under another path has its variables again, and is written down") {
    HostFacts facts = host(false, store(false), origin_elsewhere("/opt/firmware/mine.fd", "fnv1a64:1"));
    facts.nvram_template->digest = "fnv1a64:1";
    CHECK(taken(false, facts).origin == to_text(origin_of_store(test::uefi_firmware("x86_64", "pc-q35-*"),
                                                                Arch::x86_64, facts.nvram_template)));
    facts.data->nvram_origin = taken(false, facts).origin;
    CHECK(taken(false, facts).origin.empty());
    facts.nvram_template->digest = "fnv1a64:2";  // a package's update
    CHECK(contains(taken(false, facts).origin, "fnv1a64:2"));
    facts.data->nvram_origin = origin_elsewhere("/opt/firmware/mine.fd", "fnv1a64:1");
    CHECK(contains(refused(false, facts), "/opt/firmware/mine.fd"));
    facts.data->nvram_origin = origin_elsewhere("/opt/firmware/mine.fd");
    CHECK(contains(refused(false, facts), "/opt/firmware/mine.fd"));
}

TEST_CASE("a template of the same name elsewhere is the same firmware, if its variables are of one kind") {
    const std::string origin = origin_elsewhere("/opt/firmware/x86_64_VARS.fd", "fnv1a64:1");
    CHECK_FALSE(taken(false, host(false, store(false), origin)).origin.empty());
    CHECK(contains(refused(false, host(false, store(true), origin)), "keys are enrolled"));
    CHECK(contains(refused(false, host(false, store(false, 131072), origin)), "it has 131072 bytes"));
}

TEST_CASE("a template's digest is of its content alone") {
    const Folder folder;
    UefiFirmware firmware = test::uefi_firmware("x86_64", "pc-q35-*");
    firmware.vars_format = "raw";
    const auto digest_of = [&](const std::filesystem::path& file) {
        firmware.vars_template = file;
        return look_at_template(firmware).value().digest;
    };
    const std::string first = digest_of(folder.write("a.fd", "variables"));
    CHECK(first == digest_of(folder.write("b.fd", "variables")));
    CHECK(first != digest_of(folder.write("c.fd", "variablez")));
}

TEST_CASE("variables without a word of where they came from are told by size and content") {
    CHECK(contains(refused(true, host(true, store(false))), "without Secure Boot"));
    CHECK(contains(refused(false, host(false, store(true))), "with Secure Boot"));
    CHECK(contains(refused(false, host(false, store(false, 131072))), "it has 131072 bytes"));
    CHECK(contains(refused(false, host(false, store(false, 0))), "it has 0 bytes"));
    HostFacts garbage = host(false, store(false));
    garbage.data->nvram->content = "it is no variable store of UEFI";
    CHECK(contains(refused(false, garbage), "it is no variable store of UEFI"));
    CHECK(taken(false, host(false, store(false))).origin == uefi_origin());
    CHECK(taken(true, host(true, store(true), "{garbage")).origin == secure_origin());
    HostFacts unreadable = host(false, StoreFacts{.open_error = EACCES});
    CHECK(contains(refused(false, unreadable), "Permission denied"));
}

TEST_CASE("--firmware secure is not carried out where the variables say that Secure Boot is off") {
    HostFacts facts = host(true, store(true), secure_origin());
    facts.data->nvram->content = rom::VariableStore{.platform_key = true, .secure_boot_enable = false};
    CHECK(contains(refused(true, facts), "Secure Boot is off in them"));
    facts = host(true, std::nullopt);
    facts.nvram_template = store(false);
    CHECK(contains(refused(true, facts), "there is no Secure Boot"));
}

TEST_CASE("--reset-nvram makes them anew, and says so where there is nothing to reset") {
    const HostFacts facts = host(true, store(false), uefi_origin());
    CHECK(taken(true, facts, {"--reset-nvram"}) ==
          NvramSpec{"/srv/data/vm/nvram.fd", true, secure_origin(), true});
    const auto tells = [](const HostFacts& on) {
        const auto notes = test::spec_of(flags(true, {"--reset-nvram"}), on).notes;
        return std::any_of(notes.begin(), notes.end(), [](const std::string& note) {
            return contains(note, "take it away after this start");
        });
    };
    CHECK(tells(facts));
    CHECK_FALSE(tells(host(true, std::nullopt)));  // the first start: nothing is lost
    const VmSpec legacy = test::spec_of({"--reset-nvram", "--blank-disk"}, facts);
    REQUIRE_FALSE(legacy.notes.empty());
    CHECK(contains(legacy.notes.front(), "--reset-nvram has no effect"));
}

TEST_CASE("variables that were kept and are not used are told of") {
    const auto notes = [](const Words& words, const HostFacts& facts) {
        std::string text;
        for (const std::string& note : test::spec_of(words, facts).notes) {
            text += note + "\n";
        }
        return text;
    };
    const HostFacts facts = host(false, store(false), uefi_origin());
    CHECK(contains(notes({"--blank-disk"}, facts), "/srv/data/vm/nvram.fd, are not used by legacy firmware"));
    CHECK_FALSE(contains(notes({"--blank-disk", "--reset-nvram"}, facts), "no UEFI variables are kept"));
    CHECK_FALSE(contains(notes(flags(false), facts), "are not used"));
    CHECK_FALSE(contains(notes({"--blank-disk"}, host(false, std::nullopt)), "are not used"));
    CHECK_FALSE(contains(notes({"--blank-disk", "--no-persist"}, facts), "under which no system boots"));
}

TEST_CASE("Secure Boot by keys that anybody has is not told as any other") {
    HostFacts facts = host(true, store(true), secure_origin());
    const auto tells = [&] {
        const auto notes = test::spec_of(flags(true), facts).notes;
        return std::any_of(notes.begin(), notes.end(),
                           [](const std::string& note) { return contains(note, "SnakeOil"); });
    };
    CHECK_FALSE(tells());
    facts.data->nvram->content = rom::VariableStore{.platform_key = true, .published_key = true};
    CHECK(tells());
}

TEST_CASE("plan and status say what the variables say") {
    const VmSpec on = test::spec_of(flags(true), host(true, store(true), secure_origin()));
    CHECK(description_of(on)["secure_boot"] == true);
    CHECK(make_plan(on).secure_boot == true);
    const VmSpec off = test::spec_of(flags(false), host(false, store(false), uefi_origin()));
    CHECK(description_of(off)["secure_boot"] == false);
    CHECK(description_of(test::spec_of({"--blank-disk"}, made_up_host()))["secure_boot"].is_null());
}

TEST_CASE("where a store came from stands beside it, and never beside another's") {
    const Folder folder;
    const auto original = folder.write("template", "variables");
    const auto file = folder.path() / "nvram.fd";
    const auto origin = folder.path() / "nvram.json";
    static_cast<void>(open_kept_store(folder_of(file).get(), {file, original, false, "first"}));
    CHECK(text_in(origin) == "first");
    static_cast<void>(open_kept_store(folder_of(file).get(), {file, "/no/template/any/more", false, ""}));
    CHECK(text_in(origin) == "first");
    const auto other = folder.write("other", "other variables");
    static_cast<void>(open_kept_store(folder_of(file).get(), {file, other, true, "second"}));
    CHECK(text_in(file) == "other variables");
    CHECK(text_in(origin) == "second");
    CHECK_THROWS_AS(open_kept_store(folder_of(file).get(), {file, "/no/such/template", true, "third"}),
                    Error);
    CHECK_FALSE(std::filesystem::exists(origin));
    CHECK_FALSE(std::filesystem::exists(folder.path() / "nvram.fd.new"));
}

TEST_CASE("variables of a VM that runs are not made anew") {
    const Folder folder;
    const auto original = folder.write("template", "variables");
    const auto file = folder.path() / "nvram.fd";
    const OwnedFd running = open_kept_store(folder_of(file).get(), {file, original, false, "first"});
    struct flock lock {};
    lock.l_type = F_RDLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = 100;  // as QEMU's
    lock.l_len = 1;
    REQUIRE(::fcntl(running.get(), F_OFD_SETLK, &lock) == 0);
    CHECK_THROWS_AS(open_kept_store(folder_of(file).get(), {file, original, true, "second"}), Error);
    CHECK(text_in(folder.path() / "nvram.json") == "first");
}

}  // namespace
}  // namespace vml
