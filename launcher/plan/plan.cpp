#include "launcher/plan/plan.h"

#include <algorithm>

#include <fmt/format.h>

#include "launcher/vm/offer_options.h"

namespace vml {

namespace {

constexpr std::string_view port_for_people = "{port}";

std::string with_port(std::string value, const std::optional<HttpPort>& place, std::string_view port) {
    return place ? value.insert(place->at, port) : value;
}

}  // namespace

std::vector<std::string> argv_of(const std::vector<PlannedArg>& args, std::uint16_t http_port) {
    std::vector<std::string> words;
    for (const PlannedArg& arg : args) {
        words.push_back(arg.option);
        if (!arg.value.empty()) {
            words.push_back(with_port(arg.value, arg.http_port, std::to_string(http_port)));
        }
    }
    return words;
}

bool Plan::serves_on_segment() const {
    return std::any_of(segments.begin(), segments.end(),
                       [](const PlannedSegment& segment) { return segment.serves; });
}

const PlannedSegment* Plan::segment_of(unsigned nic) const {
    const auto found = std::find_if(segments.begin(), segments.end(),
                                    [&](const PlannedSegment& segment) { return segment.nic == nic; });
    return found == segments.end() ? nullptr : &*found;
}

std::string bootfile_of(const PlannedOffer& offer, std::uint16_t http_port) {
    return with_port(offer.bootfile, offer.http_port, std::to_string(http_port));
}

std::string firmware_file_of(const PlannedOffer& offer, std::uint16_t http_port) {
    return with_port(offer.firmware_file, offer.firmware_http_port, std::to_string(http_port));
}

std::string shown_value(const PlannedArg& arg) {
    return with_port(arg.value, arg.http_port, port_for_people);
}

std::string shown_bootfile(const PlannedOffer& offer) {
    return with_port(offer.bootfile, offer.http_port, port_for_people);
}

std::string shown_firmware_file(const PlannedOffer& offer) {
    const std::string file = with_port(offer.firmware_file, offer.firmware_http_port, port_for_people);
    return offer.firmware == FirmwareFetch::tftp ? fmt::format("tftp://{}/{}", net::to_text(offer.from), file)
                                                 : file;
}

std::vector<DhcpOption> PlannedOffer::ipxe_options() const {
    return bootfile.empty() ? std::vector<DhcpOption>{} : options;
}

std::vector<DhcpOption> PlannedOffer::firmware_options() const {
    return options_for_firmware(options, firmware);
}

std::string_view to_string(Shortcut::Kind kind) {
    switch (kind) {
        case Shortcut::Kind::key_at_prompt:
            return "key-at-prompt";
        case Shortcut::Kind::router_advertisement:
            return "router-advertisement";
        case Shortcut::Kind::proxy_offer:
            return "proxy-offer";
        case Shortcut::Kind::http:
            return "http";
    }
    return "";
}

std::string_view to_string(FdPurpose purpose) {
    switch (purpose) {
        case FdPurpose::qmp:
            return "qmp";
        case FdPurpose::console:
            return "console";
        case FdPurpose::nvram:
            return "nvram";
        case FdPurpose::rom:
            return "rom";
        case FdPurpose::efi_cd:
            return "efi-cd";
        case FdPurpose::blank_disk:
            return "blank_disk";
        case FdPurpose::read_file:
            return "read_file";
        case FdPurpose::write_file:
            return "write_file";
        case FdPurpose::firmware:
            return "firmware";
        case FdPurpose::agent:
            return "agent";
        case FdPurpose::screenshot:
            return "screenshot";
        case FdPurpose::seed:
            return "seed";
        case FdPurpose::vnc_password:
            return "vnc_password";
        case FdPurpose::tpm:
            return "tpm";
        case FdPurpose::tpm_socket:
            return "tpm_socket";
        case FdPurpose::tpm_state:
            return "tpm_state";
        case FdPurpose::tap:
            return "tap";
        case FdPurpose::vhost:
            return "vhost";
        case FdPurpose::capture:
            return "capture";
        case FdPurpose::frames:
            return "frames";
    }
    return "";
}

}  // namespace vml
