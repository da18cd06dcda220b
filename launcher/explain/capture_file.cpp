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

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

// What libpcap reads is read along.
struct ReadAlong {
    File file;
    capture::PacketNotes notes{};
};

ssize_t read_both(void* cookie, char* room, std::size_t size) {
    auto& along = *static_cast<ReadAlong*>(cookie);
    const std::size_t count = std::fread(room, 1, size, along.file.get());
    along.notes.feed({room, count});
    return count == 0 && std::ferror(along.file.get()) != 0 ? -1 : static_cast<ssize_t>(count);
}

ReadAlong opened_file(const std::string& path) {
    ReadAlong along{{path == "-" ? stdin : std::fopen(path.c_str(), "rbe"), &std::fclose}};
    if (!along.file) {
        throw unreadable(path, errno_text(errno), "");
    }
    return along;
}

// Of what is read along, which must outlive it.
Pcap opened(const std::string& path, ReadAlong& along) {
    File file{
        ::fopencookie(&along, "rb", {.read = read_both, .write = nullptr, .seek = nullptr, .close = nullptr}),
        &std::fclose};
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
    ReadAlong along = opened_file(path);
    const Pcap handle = opened(path, along);
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
                 *link, Bytes{{data, header->caplen}}, along.notes.next());
        has_frames = true;
    }
    if (result != PCAP_ERROR_BREAK && !has_frames) {
        throw unreadable(path, pcap_geterr(handle.get()), std::string{one_interface});
    }
    return {name_of_link(type), result == PCAP_ERROR_BREAK ? along.notes.cut() : pcap_geterr(handle.get()),
            along.notes.run_end()};
}

}  // namespace vml
