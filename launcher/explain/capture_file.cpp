#include "launcher/explain/capture_file.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <pcap/pcap.h>

#include "base/error.h"

namespace vml {

namespace {

struct ClosePcap {
    void operator()(pcap_t* handle) const { pcap_close(handle); }
};
using Pcap = std::unique_ptr<pcap_t, ClosePcap>;

Error unreadable(const std::string& path, std::string_view why, std::string hint) {
    return Error{{fmt::format("cannot read the capture {}", path == "-" ? "from standard input" : path),
                  std::string{why}, std::move(hint), ExitCode::settings}};
}

Pcap opened(const std::string& path) {
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{
        path == "-" ? stdin : std::fopen(path.c_str(), "rbe"), &std::fclose};
    if (!file) {
        throw unreadable(path, errno_text(errno), "");
    }
    std::array<char, PCAP_ERRBUF_SIZE> error{};
    Pcap handle{
        pcap_fopen_offline_with_tstamp_precision(file.get(), PCAP_TSTAMP_PRECISION_NANO, error.data())};
    if (!handle) {
        throw unreadable(path, error.data(),
                         "expected pcap or pcapng; of a compressed one: zcat FILE | vm-launch explain -");
    }
    static_cast<void>(file.release());  // pcap_close closes it
    return handle;
}

// Some systems number raw IP otherwise (pcap/dlt.h).
std::optional<capture::LinkLayer> link_layer_of(int type) {
    switch (type) {
        case DLT_EN10MB:
            return capture::LinkLayer::ethernet;
        case DLT_LINUX_SLL:
            return capture::LinkLayer::linux_sll;
        case DLT_LINUX_SLL2:
            return capture::LinkLayer::linux_sll2;
        case DLT_RAW:
        case DLT_IPV4:
        case DLT_IPV6:
            return capture::LinkLayer::raw_ip;
        default:
            return std::nullopt;
    }
}

std::string name_of_link(int type) {
    const char* name = pcap_datalink_val_to_description(type);
    return name != nullptr ? name : fmt::format("link type {}", type);
}

constexpr std::string_view one_interface =
    "libpcap reads one kind of interface a file: save one interface's frames (Wireshark: File, Export "
    "Specified Packets)";

}  // namespace

CaptureEnd read_capture(const std::string& path, const OnCapturedFrame& on_frame) {
    constexpr double nano = 1e-9;
    const Pcap handle = opened(path);
    const int type = pcap_datalink(handle.get());
    const auto link = link_layer_of(type);
    if (!link) {
        throw unreadable(path, "its frames are " + name_of_link(type),
                         "capture on an Ethernet device, or on `any` (tcpdump -i any)");
    }
    pcap_pkthdr* header = nullptr;
    const u_char* data = nullptr;
    int result = 0;
    bool has_frames = false;
    while ((result = pcap_next_ex(handle.get(), &header, &data)) == 1) {
        on_frame(static_cast<double>(header->ts.tv_sec) + static_cast<double>(header->ts.tv_usec) * nano,
                 *link, Bytes{{data, header->caplen}});
        has_frames = true;
    }
    if (result != PCAP_ERROR_BREAK && !has_frames) {
        throw unreadable(path, pcap_geterr(handle.get()), std::string{one_interface});
    }
    return {name_of_link(type), result == PCAP_ERROR_BREAK ? "" : pcap_geterr(handle.get())};
}

}  // namespace vml
