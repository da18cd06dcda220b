// Reading from disk: hand-made files of every kind, and every ROM that this host has installed.
#include "rom/rom_file.h"

#include <cstdlib>
#include <random>
#include <stdexcept>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "rom/catalogue.h"
#include "rom/describe.h"
#include "rom/match.h"
#include "rom/runs_on.h"
#include "tests/unit/catch.h"
#include "tests/unit/rom_builder.h"

namespace {

namespace fs = std::filesystem;
using namespace vml::rom;
using namespace vml::rom::test;

// A folder of its own, removed at the end.
class Folder {
  public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "vml-rom-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) {
            throw std::runtime_error{"mkdtemp"};
        }
        path_ = name;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    Folder(Folder&&) = delete;
    Folder& operator=(Folder&&) = delete;
    ~Folder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    [[nodiscard]] fs::path operator/(const char* name) const { return path_ / name; }

  private:
    fs::path path_;
};

// Root reads everything; for its lifetime this thread is somebody else.
class NotRoot {
  public:
    NotRoot() : was_root_{::geteuid() == 0} {
        if (was_root_ && ::seteuid(65534) != 0) {
            throw std::runtime_error{"seteuid"};
        }
    }
    NotRoot(const NotRoot&) = delete;
    NotRoot& operator=(const NotRoot&) = delete;
    NotRoot(NotRoot&&) = delete;
    NotRoot& operator=(NotRoot&&) = delete;
    ~NotRoot() {
        if (was_root_ && ::seteuid(0) != 0) {
            std::abort();
        }
    }

  private:
    bool was_root_;
};

vml::Fault fault_of(const fs::path& path) {
    try {
        (void)load_option_rom(path);
    } catch (const vml::Error& error) {
        CHECK(error.code() == vml::ExitCode::host);
        return error.faults().at(0);
    }
    return {"", "it was read", "", vml::ExitCode::ok};
}

void write(const fs::path& path, const Data& data) {
    std::ofstream out{path, std::ios::binary};
    for (const std::uint8_t byte : data) {
        out.put(static_cast<char>(byte));
    }
}

// The folder of rom_folders() that holds iPXE's ROMs on this host; empty when none does.
fs::path installed_roms() {
    for (const fs::path& folder : rom_folders()) {
        if (fs::exists(folder / "pxe-virtio.rom")) {
            return folder;
        }
    }
    return {};
}

std::vector<fs::path> files_in(const fs::path& folder, std::string_view prefix, std::string_view suffix) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator{folder}) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with(prefix) && name.ends_with(suffix)) {
            files.push_back(entry.path());
        }
    }
    return files;
}

bool fits(const OptionRom& rom, Firmware firmware, Arch arch, const NicModel& model) {
    return std::holds_alternative<Fit>(match(rom, {firmware, arch, model.ids, true}));
}

// ne2k_pci's ROM names no device's ID: only as QEMU's default ROM does it run under a BIOS.
bool is_family_rom(const NicModel& model) {
    return model.name == "ne2k_pci";
}

}  // namespace

TEST_CASE("a ROM is read from a file", "[rom]") {
    const Folder folder;
    write(folder / "a.rom", make(X86{}));
    CHECK(load_option_rom(folder / "a.rom") == read_option_rom(make(X86{}), ""));
    CHECK(*read_rom_file(folder / "a.rom").bytes == make(X86{}));
}

TEST_CASE("what cannot be read is refused with a reason and a hint", "[rom]") {
    const Folder folder;
    SECTION("missing") {
        const auto fault = fault_of(folder / "none.rom");
        CHECK(fault.what == "cannot read the ROM " + (folder / "none.rom").string());
        CHECK(fault.why == "No such file or directory");
        CHECK(fault.hint == "iPXE's option ROMs come with the package ipxe-qemu; --ipxe-rom PATH names one");
    }
    SECTION("directory") {
        CHECK(fault_of(folder / "").why == "it is a directory");
    }
    SECTION("FIFO, without waiting for a writer") {
        REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
        CHECK(fault_of(folder / "fifo").why == "it is a FIFO");
    }
    SECTION("device") {
        CHECK(fault_of("/dev/null").why == "it is no regular file");
    }
    SECTION("empty") {
        write(folder / "empty", {});
        CHECK(fault_of(folder / "empty").why == "it is empty");
    }
    SECTION("too large") {
        write(folder / "large", make(X86{}));
        fs::resize_file(folder / "large", largest_file + 1);
        CHECK(fault_of(folder / "large").why == "it is larger than 16 MiB");
        fs::resize_file(folder / "large", largest_file);
        CHECK(load_option_rom(folder / "large").trailing_bytes == largest_file - 2048);
    }
    SECTION("a file that reports no size") {
        CHECK(fault_of("/proc/self/status").why == "it is a text file");
    }
    SECTION("unreadable") {
        write(folder / "secret", make(X86{}));
        fs::permissions(folder / "secret", fs::perms::none);
        const NotRoot not_root;
        CHECK(fault_of(folder / "secret").why == "Permission denied");
        CHECK(fault_of(folder / "secret").hint == "make the file and its folders readable for this user");
    }
}

TEST_CASE("every installed iPXE ROM is sound and runs where it should", "[rom][installed]") {
    const fs::path folder = installed_roms();
    if (folder.empty()) {
        FAIL("no iPXE ROM in any of rom_folders(): install ipxe-qemu");
    }
    for (const NicModel& model : nic_models()) {
        CAPTURE(model.name);
        const OptionRom pxe = load_option_rom(folder / ("pxe-" + model.rom_stem + ".rom"));
        const OptionRom efi = load_option_rom(folder / ("efi-" + model.rom_stem + ".rom"));
        for (const OptionRom& rom : {pxe, efi}) {
            CHECK(rom.problems.empty());
            CHECK(rom.is_ipxe);
            CHECK(rom.images.at(0).checksum_ok);
            CHECK(rom.images.at(0).pnp->product == "iPXE");
            CHECK(rom.images.at(0).undi == Undi{2, 1});
            CHECK(fits(rom, Firmware::bios, Arch::x86_64, model) != is_family_rom(model));
            CHECK_FALSE(fits(rom, Firmware::uefi, Arch::aarch64, model));
        }
        CHECK(pxe.images.size() == 1);
        CHECK_FALSE(fits(pxe, Firmware::uefi, Arch::x86_64, model));
        CHECK(efi.images.size() == 2);
        CHECK(fits(efi, Firmware::uefi, Arch::x86_64, model));
        CHECK(efi.images.at(1).efi->machine == 0x8664);
        REQUIRE(efi.ipxe_version);
        // Debian's packed ROMs (since 1.21.1+git20220113) have lost iPXE's stack.
        const bool old = efi.ipxe_version->starts_with("1.0.0");
        CHECK(efi.images.at(1).efi->role == (old ? IpxeRole::whole : IpxeRole::driver));
        CHECK(driver_alone(efi, 1).has_value() == !old);
        CHECK_FALSE(driver_alone(efi, 0));
        CHECK_FALSE(pxe.ipxe_version);
    }
}

TEST_CASE("every ROM file of the folder is read", "[rom][installed]") {
    const fs::path folder = installed_roms();
    REQUIRE_FALSE(folder.empty());
    for (const std::string_view prefix : {"pxe-", "efi-"}) {
        for (const fs::path& file : files_in(folder, prefix, ".rom")) {
            CAPTURE(file);
            const OptionRom rom = load_option_rom(file);
            CHECK(rom.problems.empty());
            CHECK(to_json(rom, file.string()).at("runs_on").size() == 3);
            CHECK(to_table(rom, file.string()).find("problems: none") != std::string::npos);
        }
    }
}

TEST_CASE("SeaBIOS's VGA ROMs are ROMs, and none of them boots from the network", "[rom][installed]") {
    const auto files = files_in("/usr/share/seabios", "vgabios", ".bin");
    REQUIRE_FALSE(files.empty());
    for (const fs::path& file : files) {
        CAPTURE(file);
        const OptionRom rom = load_option_rom(file);
        CHECK(rom.images.at(0).checksum_ok);
        CHECK_FALSE(rom.images.at(0).pnp);
        CHECK_FALSE(rom.is_ipxe);
        CHECK((rom.images.at(0).init_size + 2047) / 2048 * 2048 <= vga_rom_space);
        for (const RunsOn& place : where_it_runs(rom)) {
            CHECK_FALSE(place.image_index);
            CHECK(place.reasons.size() == 1);
        }
    }
}

TEST_CASE("a real ROM, cut at many lengths, is never called sound", "[rom][installed]") {
    const fs::path folder = installed_roms();
    REQUIRE_FALSE(folder.empty());
    const Data whole = file_bytes(folder / "efi-virtio.rom");
    const OptionRom intact = read_option_rom(whole, "");
    const std::size_t second = intact.images.at(1).offset;
    const std::size_t end = whole.size() - intact.trailing_bytes;  // Debian 13 pads the file
    const NicModel& virtio = *find_nic_model("virtio");
    std::mt19937 random{1041};
    for (std::size_t length = 2; length < end; length += 1 + random() % 2000) {
        CAPTURE(length);
        const Data cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
        const OptionRom rom = read_option_rom(cut, "");
        CHECK_FALSE(rom.problems.empty());
        CHECK(fits(rom, Firmware::bios, Arch::x86_64, virtio) == (length >= second));
        CHECK_FALSE(fits(rom, Firmware::uefi, Arch::x86_64, virtio));
    }
}
