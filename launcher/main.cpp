#include <cstdlib>
#include <exception>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "launcher/commands/commands.h"
#include "launcher/commands/subcommands.h"
#include "launcher/console/terminal.h"
#include "launcher/settings/guest_exec_line.h"
#include "launcher/settings/settings_reader.h"

namespace {

vml::Environment environment_of(char** variables) {
    vml::Environment environment;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-bounds-pointer-arithmetic): an array that ends with a null pointer
    for (; *variables != nullptr; ++variables) {
        const std::string_view variable{*variables};
        const std::size_t equals = variable.find('=');
        if (equals != std::string_view::npos) {
            environment.emplace(variable.substr(0, equals), variable.substr(equals + 1));
        }
    }
    return environment;
}

// Under the name guest-exec it is that subcommand.
std::vector<std::string> arguments_of(std::span<char*> words) {
    if (words.empty()) {
        return {};
    }
    std::vector<std::string> arguments{std::next(words.begin()), words.end()};
    const std::string_view self{words.front()};
    if (self.substr(self.rfind('/') + 1) == vml::guest_exec_name) {
        arguments.insert(arguments.begin(), std::string{vml::guest_exec_name});
    }
    return arguments;
}

}  // namespace

int main(int argc, char** argv) {
    vml::hold_standard_streams();
    vml::Log log{vml::LogLevel::info, vml::LogFormat::text, vml::stderr_sink()};
    try {
        const vml::Environment environment = environment_of(environ);
        log = {vml::LogLevel::info,
               vml::LogFormat::text,
               vml::stderr_sink(),
               {},
               vml::is_in_colour(vml::ColourChoice::automatic, environment)};
        const std::span words{argv, static_cast<std::size_t>(argc)};
        const auto read =
            vml::read_settings(arguments_of(words), environment, vml::read_text_file, vml::subcommands());
        log = {read.settings.log_level, read.settings.log_format, vml::stderr_sink(), vml::wording_for(read),
               vml::is_in_colour(read.settings.colour, environment)};
        return vml::run_command(read, environment, log);
    } catch (const vml::Error& error) {
        for (const vml::Fault& fault : error.faults()) {
            log.fault(fault);
        }
        return static_cast<int>(error.code());
    } catch (const std::exception& error) {
        log.fault({"vm-launch failed", error.what(), "this should not happen: please report it",
                   vml::ExitCode::failed});
        return static_cast<int>(vml::ExitCode::failed);
    }
}
