// What is kept: the blank disk, found again by what it is, never passed over, grown and never shrunk; and the
// state of a TPM.
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include "launcher/host/data_files.h"
#include "launcher/start/kept_files.h"
#include "launcher/vm/kept_disk.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

using test::contains;
using test::Folder;
using test::folder_of;
using test::made_up_host;
using test::text_in;
using test::Words;

constexpr std::uint64_t mega = std::uint64_t{1} << 20;

HostFacts host(std::vector<KeptDiskFacts> kept, std::size_t images = 0) {
    HostFacts facts = made_up_host();
    facts.data = test::data_folder();
    facts.data->disks = std::move(kept);
    facts.disks = std::vector<DiskFacts>(images, test::an_image());
    return facts;
}

VmSpec spec(const Words& more, const HostFacts& facts) {
    Words flags{"--blank-disk"};
    flags.insert(flags.end(), more.begin(), more.end());
    return test::spec_of(flags, facts);
}

TEST_CASE("the files that may be a kept blank disk") {
    CHECK(is_kept_disk("blank.raw"));
    CHECK(is_kept_disk("disk0.raw"));
    CHECK(is_kept_disk("disk12.raw"));
    for (const char* other : {"disk.raw", "diskX.raw", "disk0.raw.new", "nvram.fd", "blank.raw.new", ""}) {
        CHECK_FALSE(is_kept_disk(other));
    }
}

TEST_CASE("a blank disk is kept under the same name however many images come before it") {
    CHECK(spec({}, host({})).disks.back().kept == "/srv/data/vm/blank.raw");
    const VmSpec second = spec({"--disk=/a"}, host({{"blank.raw", mega, true}}, 1));
    CHECK(second.disks.back().kept == "/srv/data/vm/blank.raw");
    CHECK(second.notes.empty());
}

TEST_CASE("the disk of an older vm-launch is found again, also where an image has come before it since") {
    CHECK(spec({"--disk=/a"}, host({{"disk0.raw", mega, true}}, 1)).disks.back().kept ==
          "/srv/data/vm/disk0.raw");
    // The empty one is what the next start made in its place.
    const auto both = host({{"disk0.raw", mega, true}, {"disk1.raw", mega, false}}, 1);
    CHECK(spec({"--disk=/a"}, both).disks.back().kept == "/srv/data/vm/disk0.raw");
    CHECK(spec({}, host({{"disk0.raw", 8 * mega, false}})).disks.back().size == 8 * mega);
}

TEST_CASE("where two old disks hold data nobody guesses, and what is not used is told") {
    const auto rivals = host({{"disk0.raw", mega, true}, {"disk1.raw", mega, true}});
    const std::string text = test::text_of(test::faults_of({"--blank-disk"}, rivals));
    CHECK(contains(text, "disk0.raw and disk1.raw hold data"));
    CHECK(contains(text, "blank.raw"));
    const auto both = host({{"blank.raw", mega, true}, {"disk0.raw", mega, true}});
    const VmSpec used = spec({}, both);
    CHECK(used.disks.back().kept == "/srv/data/vm/blank.raw");
    REQUIRE(used.notes.size() == 1);
    CHECK(contains(used.notes.front(), "disk0.raw"));
    const VmSpec without = test::spec_of({"--disk=/a"}, host({{"blank.raw", mega, true}}, 1));
    REQUIRE(without.notes.size() == 1);
    CHECK(contains(without.notes.front(), "--blank-disk would"));
}

TEST_CASE("a kept disk keeps its size, grows when asked and does not shrink") {
    const auto kept = host({{"blank.raw", 8 * mega, true}});
    CHECK(spec({}, kept).disks.back().size == 8 * mega);
    CHECK(spec({}, kept).notes.empty());
    CHECK(spec({"--disk-size=8M"}, kept).notes.empty());
    const VmSpec grown = spec({"--disk-size=64M"}, kept);
    CHECK(grown.disks.back().size == 64 * mega);
    REQUIRE(grown.notes.size() == 1);
    CHECK(contains(grown.notes.front(), "grows from 8M to 64M"));
    const auto faults = test::faults_of({"--blank-disk", "--disk-size=1M"}, kept);
    CHECK(faults.front().code == ExitCode::settings);
    CHECK(contains(test::text_of(faults), "has 8M, 1M is asked for"));
}

TEST_CASE("the size of a blank disk that nobody asks for is told to have no effect") {
    HostFacts facts = made_up_host();
    facts.disks = {test::an_image()};
    const VmSpec image = test::spec_of({"--disk=/a", "--disk-size=64M"}, facts);
    REQUIRE(image.notes.size() == 1);
    CHECK(contains(image.notes.front(), "--disk-size has no effect"));
    CHECK(spec({"--disk-size=64M"}, made_up_host()).notes.empty());
}

TEST_CASE("a VM without a name that finds other VMs' folders is told of them") {
    HostFacts facts = host({});
    facts.data->others = {"0123456789ab"};
    const VmSpec named = spec({}, facts);
    REQUIRE(named.notes.size() == 1);
    CHECK(contains(named.notes.front(), "0123456789ab"));
}

TEST_CASE("a VM with a new name in a container is told whose data there is; on a host folders are shared") {
    HostFacts facts = test::with_kvm(host({}));
    facts.data->others = {"old-name"};
    CHECK(spec({"--name=web"}, facts).notes.empty());
    facts.in_container = true;
    const VmSpec renamed = spec({"--name=web"}, facts);
    REQUIRE(renamed.notes.size() == 1);
    CHECK(contains(renamed.notes.front(), "/srv/data keeps nothing of web yet, but of old-name"));
    facts.data->others.clear();
    CHECK(spec({"--name=web"}, facts).notes.empty());
}

TEST_CASE("an empty disk of today's name does not hide an old one that holds data") {
    const VmSpec old = spec({}, host({{"blank.raw", mega, false}, {"disk0.raw", 2 * mega, true}}));
    CHECK(old.disks.back().kept == "/srv/data/vm/disk0.raw");
    CHECK(old.disks.back().size == 2 * mega);
    REQUIRE(old.notes.size() == 1);
    CHECK(contains(old.notes.front(), "disk0.raw, which holds data; blank.raw beside it is empty"));
    const VmSpec both_empty = spec({}, host({{"blank.raw", mega, false}, {"disk0.raw", mega, false}}));
    CHECK(both_empty.disks.back().kept == "/srv/data/vm/blank.raw");
    CHECK(both_empty.notes.empty());
}

TEST_CASE("data that is kept and switched off is told of") {
    const auto notes = [](const HostFacts& facts) { return spec({"--no-persist"}, facts).notes; };
    CHECK(notes(host({})).empty());
    CHECK(notes(host({{"blank.raw", mega, false}})).empty());
    const auto told = notes(host({{"blank.raw", mega, true}}));
    REQUIRE(told.size() == 1);
    CHECK(contains(told.front(), "--no-persist: what is kept in /srv/data/vm is not used"));
    CHECK(notes(made_up_host()).empty());
}

TEST_CASE("a disk of zeros holds no data") {
    const Folder folder;
    static_cast<void>(folder.write("vm/blank.raw", std::string(mega, '\0')));
    static_cast<void>(folder.write("vm/disk0.raw", std::string(4096, '\0') + "data"));
    Settings settings;
    settings.data_dir = folder.path();
    CHECK(look_for_data(settings, {"vm"})->disks ==
          std::vector<KeptDiskFacts>{{"blank.raw", mega, false}, {"disk0.raw", 4100, true}});
}

TEST_CASE("what is in a data folder is seen as it is") {
    const Folder folder;
    static_cast<void>(folder.write("web/blank.raw", "data"));
    static_cast<void>(folder.write("web/disk1.raw", ""));
    std::filesystem::resize_file(folder.path() / "web/disk1.raw", mega);
    static_cast<void>(folder.write("other/nvram.fd", "x"));
    Settings settings;
    settings.data_dir = folder.path();
    const auto web = look_for_data(settings, {"web"});
    REQUIRE(web);
    CHECK(web->disks == std::vector<KeptDiskFacts>{{"blank.raw", 4, true}, {"disk1.raw", mega, false}});
    CHECK(web->others.empty());
    CHECK(look_for_data(settings, {"new"})->others == std::vector<std::string>{"other", "web"});
    CHECK_FALSE(web->tpm);
    static_cast<void>(folder.write("web/tpm.state", "hello"));
    CHECK(look_for_data(settings, {"web"})->tpm == TpmStateFacts{5, "hello"});
    settings.name = "new";
    CHECK(look_for_data(settings, {"vm"})->others == std::vector<std::string>{"other", "web"});
}

TEST_CASE("what one earlier container of a random name kept is this one's; of several nobody knows whose") {
    const Folder folder;
    Settings settings;
    settings.data_dir = folder.path();
    const DefaultName lasting{lasting_name, true};
    CHECK_FALSE(look_for_data(settings, lasting)->earlier);
    static_cast<void>(folder.write("web/blank.raw", "data"));
    static_cast<void>(folder.write("0123456789ab/boot-once.done", ""));
    CHECK(look_for_data(settings, lasting)->earlier == "0123456789ab");
    CHECK(look_for_data(settings, lasting)->first_boot_done);
    CHECK(look_for_data(settings, lasting)->others.empty());
    CHECK_FALSE(look_for_data(settings, {"host-7"})->earlier);
    static_cast<void>(folder.write("ba9876543210/tpm.state", "x"));
    CHECK_FALSE(look_for_data(settings, lasting)->earlier);
    CHECK(look_for_data(settings, lasting)->others ==
          std::vector<std::string>{"0123456789ab", "ba9876543210", "web"});
    std::filesystem::remove_all(folder.path() / "ba9876543210");
    static_cast<void>(folder.write("vm/blank.raw", "data"));
    CHECK_FALSE(look_for_data(settings, lasting)->earlier);
}

TEST_CASE("a VM's folder is one VM's at a time") {
    const Folder folder;
    const auto state = folder.path() / "vm";
    OwnedFd first = open_state_folder(state);
    try {
        static_cast<void>(open_state_folder(state));
        FAIL("it was given twice");
    } catch (const Error& error) {
        const std::string text = test::text_of(error.faults());
        CHECK(contains(text, state.string()));
        CHECK(contains(text, "another vm-launch keeps a VM in it"));
        CHECK(contains(text, "--name"));
        CHECK(error.faults().front().code == ExitCode::host);
    }
    first.reset();
    CHECK(open_state_folder(state));
}

TEST_CASE("a kept file grows, with what is in it, and never shrinks") {
    const Folder folder;
    const auto file = folder.write("blank.raw", "data");
    static_cast<void>(open_kept_blank(folder_of(file).get(), {file, mega}));
    CHECK(std::filesystem::file_size(file) == mega);
    CHECK(test::text_in(file).substr(0, 4) == "data");
    static_cast<void>(open_kept_blank(folder_of(file).get(), {file, 512}));
    CHECK(std::filesystem::file_size(file) == mega);
}

// Root without CAP_DAC_OVERRIDE cannot open what belongs to another user.
TEST_CASE("a kept TPM's state stays its keeper's, and its user has it by the group") {
    const Folder folder;
    const auto file = folder.path() / "tpm.state";
    constexpr uid_t somebody = 65534;
    const gid_t group = ::geteuid() == 0 ? somebody : ::getegid();  // only root gives files to other groups
    const RunUser user{.name = "somebody", .uid = somebody, .gid = group, .groups = {}};
    REQUIRE(::write(open_kept_tpm(folder_of(file).get(), file, user).get(), "state", 5) == 5);
    struct stat status {};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    CHECK(status.st_uid == ::geteuid());
    CHECK(status.st_gid == group);
    CHECK((status.st_mode & 0777) == 0660);
    static_cast<void>(open_kept_tpm(folder_of(file).get(), file, user));
    CHECK(text_in(file) == "state");
}

}  // namespace
}  // namespace vml
