// What a VM's vm-launch asks its keeper of files (file_keeper.h), and what that answers: datagrams on a pair
// of sockets, each with at most one descriptor. Makes system calls.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/fd.h"

namespace vml {

enum class Wish : std::uint32_t { open_served, write_report, mark_first_boot, begin_report, end };

struct Question {
    Wish wish = Wish::open_served;
    std::uint32_t number = 0;  // of the report
    std::string name{};        // of the file that is served
    OwnedFd fd{};              // with the report's text
};

struct Reply {
    std::int32_t error = 0;  // errno; 0: it is done
    std::uint64_t size = 0;  // of the file, in bytes
    OwnedFd fd{};            // the file, or the report that was begun
};

// Whether the other side was still there.
[[nodiscard]] bool send_question(int socket, const Question& question);
[[nodiscard]] bool send_reply(int socket, const Reply& reply);

// Nothing: the other side is gone, or said what is none.
[[nodiscard]] std::optional<Question> receive_question(int socket);
[[nodiscard]] std::optional<Reply> receive_reply(int socket);

}  // namespace vml
