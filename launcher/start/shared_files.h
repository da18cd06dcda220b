// Do two settings name one file? What is written would destroy what the other setting has there. Looks at
// files, and changes none.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace vml {

struct FileOfSetting {
    std::filesystem::path path;
    std::string origin;  // the setting that names it
};

// Throws Error (ExitCode::settings) where a file of `written` is another one of them, or one of `read`: by
// its name, a link or a second name (st_dev and st_ino). Pipes and character devices may be shared.
void refuse_shared_files(const std::vector<FileOfSetting>& written, const std::vector<FileOfSetting>& read);

}  // namespace vml
