// A capture file, read by libpcap: pcap and pcapng, as of any program and byte order. Reads the system.
#pragma once

#include <functional>
#include <string>

#include "base/bytes.h"
#include "capture/link_layer.h"
#include "capture/packet_notes.h"

namespace vml {

struct CaptureEnd {
    std::string kind;       // of its frames: "Ethernet"
    std::string damage{};   // why it could not be read further; empty: that was its end
    std::string run_end{};  // of vm-launch's own record of a run: how that ended (capture/packet_notes.h)
};

// `at` in seconds since 1970, UTC; the bytes are valid during the call.
using OnCapturedFrame =
    std::function<void(double at, capture::LinkLayer link, Bytes captured, const capture::FrameNotes& notes)>;

// "-" is standard input. Throws Error where it is no capture, or of frames that are not read here.
[[nodiscard]] CaptureEnd read_capture(const std::string& path, const OnCapturedFrame& on_frame);

}  // namespace vml
