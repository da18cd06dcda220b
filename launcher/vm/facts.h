// What the host has of what the settings need, as "look" found it: plain values. Pure.
#pragma once

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/error.h"
#include "launcher/settings/settings.h"
#include "launcher/vm/disk_image.h"
#include "launcher/vm/image_content.h"
#include "launcher/vm/kept_disk.h"
#include "launcher/vm/nvram_store.h"
#include "launcher/vm/outside_links.h"
#include "launcher/vm/script_check.h"
#include "launcher/vm/served_file.h"
#include "launcher/vm/tpm_state.h"
#include "launcher/vm/uefi_choice.h"
#include "netsetup/host_facts.h"
#include "rom/option_rom.h"
#include "rom/rom_file.h"

namespace vml {

struct KvmFacts {
    bool usable = false;
    std::string why_not;  // one clause: "/dev/kvm is not there"
    std::string hint;     // how to mend it; may be empty

    bool operator==(const KvmFacts&) const = default;
};

// Whose rights a process has.
struct RunUser {
    std::string name;  // of one that is the VM's own the number
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;  // supplementary: the one that may use /dev/kvm, if QEMU needs it

    bool own = false;  // no other VM's, and no service's

    bool operator==(const RunUser&) const = default;
};

struct RunUserFacts {
    bool can_change = false;      // vm-launch runs as root, so QEMU can run as somebody else
    std::optional<RunUser> user;  // who QEMU runs as; none: as vm-launch itself, or there is no such user
    std::string own_name;         // vm-launch's user

    bool operator==(const RunUserFacts&) const = default;
};

// The file in a data folder that keeps what VMs' identities are derived from.
inline constexpr const char* identity_file = "identity";

// The name of a VM that has none, in a container that is named at random, where a data folder outlives the
// container.
inline constexpr const char* lasting_name = "vm";

// The file in a VM's state folder whose being there says that --boot-once was done.
inline constexpr const char* first_boot_mark = "boot-once.done";

// iPXE that drives no chip, but goes by the PXE calls of the NIC's ROM: what it is called everywhere.
inline constexpr const char* undionly_program = "undionly.kpxe";

// An option ROM that could serve: read, or the reason why it could not be.
struct RomCandidate {
    std::filesystem::path path;
    std::optional<rom::OptionRom> rom;
    std::optional<Fault> fault;
    rom::SharedBytes bytes{};  // that `rom` was read from
};

// By what one file is told from others, whatever it is called: a block device has no inode, its number says
// it.
struct FileId {
    dev_t device = 0;
    ino_t inode = 0;
    bool operator==(const FileId&) const = default;
};

// A file or folder that the settings name.
struct PathFacts {
    enum class Kind { missing, file, folder, other };
    Kind kind = Kind::missing;
    int open_error = 0;          // errno of opening it for what it is needed for; 0: it can be opened
    int user_error = 0;          // likewise as the user that QEMU runs as, where QEMU opens it by itself
    std::optional<FileId> id{};  // of what is there

    // Not so where a folder on the way may not be entered.
    [[nodiscard]] bool is_missing() const { return kind == Kind::missing && open_error != EACCES; }
    bool operator==(const PathFacts&) const = default;
};

struct NetbootFacts {
    PathFacts folder;
    bool has_boot_ipxe = false;
    std::optional<PathFacts> bootfile;  // of the name that was given
    bool script = false;                // what DHCP is to name is an iPXE script
    std::optional<ScriptFacts> read{};  // what DHCP is to name, where it is a file here
    int http_error = 0;  // errno of serving the folder without vm-launch's privileges; 0: it can be
    std::vector<OutsideLink> outside_links{};  // which HTTP does not follow, and TFTP does
};

// A file that is to be served by itself.
struct OfferedFile {
    PathFacts path;
    std::filesystem::path real;  // without links
    int http_error = 0;          // errno of reading it without vm-launch's privileges; 0: it can be read
    std::uint64_t size = 0;      // bytes
};

// An iPXE script that is given by itself.
struct GivenScriptFacts {
    std::optional<OfferedFile> file;  // none: it is a text
    ScriptFacts read{};
    std::vector<ServedFile> beside{};  // where no folder is served: what it and the scripts there name
    std::vector<OutsideLink> outside_links{};  // among these; they are not served
    std::vector<std::string> not_served{};     // likewise: above the folder, or hidden
    std::string why_not{};  // it cannot be read from standard input; empty: nothing is wrong
};

// Likewise, where it was looked for in several places.
struct NamedOffer {
    std::filesystem::path found;
    OfferedFile file;
};

// What --script, --kernel and --initrd name; nothing where that is a URL.
struct OfferedFacts {
    std::optional<GivenScriptFacts> script{};
    std::optional<OfferedFile> kernel{};
    std::vector<std::optional<OfferedFile>> initrds{};
    std::optional<NamedOffer> undionly{};             // where --undionly asks for it; none: there is none
    ipxescript::Build ipxe = ipxescript::Build::any;  // that will boot them
};

// A file that an image names.
struct NamedFile {
    std::filesystem::path file;
    PathFacts path;
    bool operator==(const NamedFile&) const = default;
};

// An image that lies under another one.
struct LayerFacts {
    NamedFile image;
    std::string format;  // as the image above it has it
    std::optional<NamedFile> data_file{};
    ImageContent content{};
    bool operator==(const LayerFacts&) const = default;
};

// A file of firmware of the user's own.
struct FirmwareFileFacts {
    PathFacts path;
    std::uint64_t size = 0;  // bytes
};

struct DiskFacts {
    PathFacts path;
    std::optional<ImageFacts> image;  // where the user does not say the format
    ImageContent content{};
    // What a qcow2 image names that the user vouches for.
    std::optional<NamedFile> data_file{};
    std::vector<LayerFacts> backing{};  // the nearest first
    std::optional<Fault> chain_fault{};
    bool operator==(const DiskFacts&) const = default;
};

// A port of the host that QEMU is to listen on, and cannot.
struct PortObstacle {
    PortProtocol protocol = PortProtocol::tcp;
    std::string address;
    std::uint16_t port = 0;
    int error = 0;      // errno of binding it with QEMU's rights
    std::string owner;  // "nginx (process 812)", where /proc tells
    bool operator==(const PortObstacle&) const = default;
};

// A file that a setting may name in place of the value.
struct FileText {
    std::filesystem::path path;
    int error = 0;  // errno of reading it
    std::string text;
    bool operator==(const FileText&) const = default;
};

// Where a VM keeps things between runs.
struct DataFacts {
    std::filesystem::path folder;  // --data-dir, or /data where it is mounted
    PathFacts path;
    bool first_boot_done = false;               // --boot-once was carried out in an earlier run
    std::optional<StoreFacts> nvram{};          // what is kept of UEFI's variables
    std::vector<KeptDiskFacts> disks{};         // that were kept
    std::vector<KeptDiskFacts> extra_disks{};   // likewise, further ones
    std::vector<std::string> others{};          // names of VMs that have a folder, where this one has none
    std::optional<std::string> earlier{};       // whose folder is this VM's: a container's random name
    std::optional<TpmStateFacts> tpm{};         // what is kept of a TPM
    std::optional<std::string> nvram_origin{};  // the text of the file beside it
    std::optional<std::string> identity{};  // what the VMs of this folder are derived from, once it is kept
    bool operator==(const DataFacts&) const = default;
};

// An EFI program that could stand in for an iPXE ROM.
struct EfiProgram {
    std::filesystem::path path;
    Arch arch = Arch::aarch64;
    bool is_signed = false;      // by whomever; unsigned ones are refused by Secure Boot
    bool needs_network = false;  // it drives the NIC alone that it was loaded by
    bool operator==(const EfiProgram&) const = default;
};

// An EFI program for the VM's architecture that the firmware's own network client could be given.
struct BootProgram {
    std::filesystem::path file;    // absolute, as it was found
    std::string name{};            // below the folder that it is served from: "snponly.efi"
    bool is_ipxe = false;          // or else a loader that goes on by itself: shim, GRUB
    bool is_signed = false;        // by whomever
    bool in_folder = false;        // of the folder that the user serves; else the distribution's
    std::filesystem::path real{};  // without links
    int http_error = 0;            // errno of serving it without vm-launch's privileges; 0: it can be
    int user_error = 0;            // errno of reading it as the user that QEMU runs as
    bool operator==(const BootProgram&) const = default;
};

// Why a file cannot be user data, before anything is known of its text.
struct UserDataFault {
    std::string why;
    std::string hint;
};

struct HostFacts {
    std::filesystem::path working_folder;  // what relative paths are relative to
    Arch arch = Arch::x86_64;
    std::string qemu_program;                   // the name that was looked for
    std::optional<std::filesystem::path> qemu;  // where it is
    KvmFacts kvm;
    std::uint64_t cpus = 1;
    std::uint64_t memory_mib = 0;                   // what there is, a container's limit respected
    std::optional<std::uint64_t> memory_limit_mib;  // the control group's
    int memory_error = 0;                           // errno of asking the kernel for what --memory says
    std::string machine_id;                         // of the host's installation; empty: none
    bool random_name = false;                       // default_name is another one with each container
    std::vector<std::string> running_vms;           // names of those that are this user's
    bool in_container = false;
    std::string fresh_password{};                    // of 8 characters, another one each time
    std::string fresh_guest_password{};              // likewise, longer; "" where nothing is started
    std::string default_name = "vm";                 // the container's host name, if in one
    std::vector<std::vector<RomCandidate>> roms;     // for each NIC, in order of preference
    std::vector<EfiProgram> ipxe_programs;           // in order of preference
    std::vector<BootProgram> boot_programs;          // likewise; where the firmware's own client boots
    std::vector<UefiFirmware> uefi;                  // what is installed, or the user's own alone
    std::optional<FirmwareFileFacts> firmware_code;  // of the user's own
    std::optional<FirmwareFileFacts> firmware_vars;
    std::optional<StoreFacts> nvram_template;  // of the firmware that the machine gets; none: it is not raw
    std::optional<std::filesystem::path> swtpm;
    std::optional<PathFacts> user_data;
    std::string user_data_text;  // unpacked
    std::optional<UserDataFault> user_data_fault;
    std::optional<FileText> ssh_key_file;  // where --ssh-pubkey is no key but a path
    std::vector<PortObstacle> port_obstacles;
    std::optional<NetbootFacts> netboot;
    OfferedFacts offered;
    std::vector<DiskFacts> disks;  // of the settings' disks, in order
    std::uint64_t disk_room =
        0;  // bytes that are free where blank disks are made, where a share is asked for
    std::optional<DataFacts> data;  // none: there is no folder to keep things in
    std::optional<PathFacts> iso;
    ImageContent iso_content;
    std::optional<net::HostNetworkFacts> network;  // where a NIC is on bridge or direct
    std::optional<Fault> segment_fault{};          // where a NIC is on a segment: why none can be made
    int vhost_error = 0;                           // errno of opening /dev/vhost-net; 0: it can be opened
    int landlock_abi = 0;                          // the kernel's version of Landlock; 0: it has none
    int capture_error = 0;                         // errno of making a packet socket; 0: it can be made
    RunUserFacts run_user;
};

}  // namespace vml
