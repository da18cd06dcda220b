// The text of one setting → its value. Pure. Each function throws ValueError when the text cannot be right.
#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "launcher/settings/settings.h"

namespace vml {

// Why a value is refused, and what would be right. The reader adds where the value came from.
class ValueError : public std::runtime_error {
  public:
    ValueError(const std::string& why, std::string hint) : std::runtime_error{why}, hint_{std::move(hint)} {}
    [[nodiscard]] const std::string& hint() const noexcept { return hint_; }

  private:
    std::string hint_;
};

// 1/0, true/false, yes/no, on/off, in any case.
[[nodiscard]] bool parse_boolean(std::string_view text);
// "network,hd,cdrom" in any order, each at most once, at least one.
[[nodiscard]] std::vector<BootDevice> parse_boot_order(std::string_view text);
[[nodiscard]] FirmwareMode parse_firmware(std::string_view text);
[[nodiscard]] NetworkMode parse_network(std::string_view text);
// A name of rom::nic_models().
[[nodiscard]] std::string parse_nic_model(std::string_view text);
// "52:54:00:12:34:56" or with dashes → lower case with colons; a multicast or all-zero address is refused.
[[nodiscard]] std::string parse_mac(std::string_view text);
// A network link's name on the host: 1 to 15 bytes without '/', ':' and blanks (net/core/dev.c,
// dev_valid_name).
[[nodiscard]] std::string parse_link_name(std::string_view text);
// 68 (RFC 791) to 65535 bytes.
[[nodiscard]] unsigned parse_mtu(std::string_view text);
// 1 to 256 (drivers/net/tun.c, MAX_TAP_QUEUES).
[[nodiscard]] unsigned parse_queues(std::string_view text);
// "mode=bridge,bridge=br0,model=e1000": a further NIC.
[[nodiscard]] NicSettings parse_nic(std::string_view text);
// Sets one of a NIC's keys.
void set_nic_key(NicSettings& nic, std::string_view key, std::string_view value);
// The keys of a NIC and what comes after NETWORK<n>_ in the environment.
struct NicKey {
    std::string_view key;
    std::string_view environment;
    void (*assign)(NicSettings& nic, std::string_view text);
};
[[nodiscard]] const std::vector<NicKey>& nic_keys();
// "8080:80,2222:22".
[[nodiscard]] std::vector<PortForward> parse_port_forwards(std::string_view text);
[[nodiscard]] std::uint16_t parse_port(std::string_view text);
// x86_64, amd64, aarch64, arm64.
[[nodiscard]] Arch parse_arch(std::string_view text);
[[nodiscard]] AccelChoice parse_accel(std::string_view text);
// A count from 1 to 4096, "half" or "max".
[[nodiscard]] Amount parse_cpus(std::string_view text);
// MiB, or with M, G or T; "half" or "max".
[[nodiscard]] Amount parse_memory(std::string_view text);
// Bytes of a disk: a number with K, M, G or T.
[[nodiscard]] std::uint64_t parse_disk_size(std::string_view text);
[[nodiscard]] PxeClient parse_pxe_client(std::string_view text);
// "serial=S1,asset=A1": fields of SMBIOS, each at most once.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> parse_smbios(std::string_view text);
[[nodiscard]] DiskBus parse_disk_bus(std::string_view text);
[[nodiscard]] DiskCache parse_disk_cache(std::string_view text);
[[nodiscard]] OnIoError parse_on_io_error(std::string_view text);
// "raw" or "qcow2".
[[nodiscard]] std::string parse_disk_format(std::string_view text);
[[nodiscard]] std::chrono::seconds parse_seconds(std::string_view text);
// A stage's name (boot::stage_names()), or "console:" and a regular expression.
[[nodiscard]] Until parse_until(std::string_view text);
// 0 to 1000.
[[nodiscard]] unsigned parse_reboot_limit(std::string_view text);
// Paths that end with .json or .html, separated by commas.
[[nodiscard]] std::vector<std::filesystem::path> parse_reports(std::string_view text);
// A VM's name: letters, digits, '.', '_' and '-', at most 63 characters (a host name label's limit, RFC
// 1123).
[[nodiscard]] std::string parse_name(std::string_view text);
[[nodiscard]] LogLevel parse_log_level(std::string_view text);
[[nodiscard]] LogFormat parse_log_format(std::string_view text);
// none, vnc, novnc.
[[nodiscard]] Graphics parse_graphics(std::string_view text);
// 5900 and above: QEMU counts its displays from there.
[[nodiscard]] std::uint16_t parse_vnc_port(std::string_view text);
// A stage's name.
[[nodiscard]] std::string parse_health_stage(std::string_view text);
// Split like a shell would: blanks, quotes, backslashes.
[[nodiscard]] std::vector<std::string> parse_shell_words(std::string_view text);
// Not empty, no NUL.
[[nodiscard]] std::string parse_text(std::string_view text);

[[nodiscard]] std::string_view to_string(BootDevice device);
[[nodiscard]] std::string_view to_string(FirmwareMode mode);
[[nodiscard]] std::string_view to_string(DiskBus bus);
[[nodiscard]] std::string to_string(const std::vector<BootDevice>& order);

}  // namespace vml
