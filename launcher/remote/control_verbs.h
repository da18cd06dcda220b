// What can be asked of a running VM: one row a verb, from which the server, the client, the help and
// docs/control.md follow.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "control/client.h"
#include "launcher/remote/control_service.h"
#include "launcher/settings/settings_reader.h"

namespace vml {

// What is asked for on the command line, and where the VMs are that can be asked.
struct Question {
    const ReadResult& read;
    std::vector<control::Folder> folders;
    bool colour = false;  // in lines of ours on standard error
};

// The client's side of one exchange.
struct Dialogue {
    const ReadResult& read;
    const control::Address& vm;
    control::Client& client;
    const nlohmann::json& answer;
};

// For the help and the documents.
struct VerbWords {
    std::string_view name;
    std::string_view usage;      // what follows the name
    std::string_view formats;    // what --format takes
    std::string_view help;       // one sentence, no full stop
    std::string_view details;    // the same in Markdown, at length
    std::string_view exit_code;  // in Markdown
    std::string_view example;    // how it is called, without "vm-launch"
};

struct ControlVerb : VerbWords {
    // The server's side.
    void (ControlService::*serve)(const control::Request& request, const control::Exchange& exchange);
    // The client's side: a request to one VM with these arguments, and what becomes of the answer; gives the
    // exit code.
    std::optional<std::chrono::seconds> limit;  // for the answer; none: as long as the VM lives
    nlohmann::json (*request)(const CommandLine& command);
    int (*show)(const Dialogue& dialogue);
    // A client that is more than one request, in place of these.
    int (*client)(const Question& question) = nullptr;
    ExitCode failure = ExitCode::failed;  // where the client cannot do it
    std::size_t longest = control::longest_answer;
    std::vector<UsedFlag> flags = {};  // that the command line of its client takes
};

[[nodiscard]] const std::vector<ControlVerb>& control_verbs();
[[nodiscard]] const ControlVerb* find_verb(std::string_view name);

}  // namespace vml
