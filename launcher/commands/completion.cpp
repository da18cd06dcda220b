#include "launcher/commands/completion.h"

#include "base/error.h"
#include "base/output.h"

namespace vml {

int print_completion(const CommandLine& command) {
    const std::string shell = command.words.size() == 1 ? command.words.front() : "";
    if (shell != "bash" && shell != "zsh") {
        throw Error{{"completion: name one shell, bash or zsh", "",
                     "for example: source <(vm-launch completion bash)", ExitCode::settings}};
    }
    print(shell == "bash" ? bash_completion() : zsh_completion());
    return 0;
}

}  // namespace vml
