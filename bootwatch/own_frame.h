// What the comments of a capture say of a frame that vm-launch itself sent, and of a run: a watch writes them
// into its record, and who reads it afterwards takes such frames for what they are. Pure.
#pragma once

#include <string_view>

namespace vml::boot {

// A ProxyDHCP server's offer or answer, to the guest alone: it is not the network's, and the guest may take
// it.
inline constexpr std::string_view own_offer_comment = "vm-launch's own offer, to this guest alone";
// A frame that spares the guest a wait, and is no evidence of anything.
inline constexpr std::string_view own_help_comment = "vm-launch's own, to this guest alone: spares a wait";
// Of a server of vm-launch's, which the guest has asked: evidence like any server's.
inline constexpr std::string_view own_server_comment = "vm-launch's own server";
// Of a question to the network in the guest's name, or its answer (base/probe_mark.h).
inline constexpr std::string_view own_probe_comment = "vm-launch's own probe of the network";
// Of the first frame after the machine was reset: another boot begins.
inline constexpr std::string_view reset_comment = "the machine was reset before this";
// Begins the comment of the last frame that the record may have.
inline constexpr std::string_view full_comment = "the record ends here: ";
// Begins the last comment: how the run ended.
inline constexpr std::string_view run_end_comment = "the run's end: ";

}  // namespace vml::boot
