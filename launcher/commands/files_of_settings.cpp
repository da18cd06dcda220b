#include "launcher/commands/files_of_settings.h"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/file.h"

namespace vml {

namespace {

using std::filesystem::path;

class FilesOfSettings {
  public:
    explicit FilesOfSettings(const Origins& origins) : origins_{origins} {}

    void add(std::string_view flag, const path& file) { files_.push_back({file, origin_of(origins_, flag)}); }
    template <typename Name>
    void add(std::string_view flag, const std::optional<Name>& file) {
        if (file) {
            add(flag, path{*file});
        }
    }
    [[nodiscard]] std::vector<FileOfSetting> take() { return std::move(files_); }

  private:
    const Origins& origins_;
    std::vector<FileOfSetting> files_;
};

}  // namespace

std::vector<FileOfSetting> files_written(const ReadResult& read) {
    const Settings& settings = read.settings;
    FilesOfSettings files{read.origins};
    files.add("console-log", settings.console_log);
    if (settings.events && !settings.events->fd) {
        files.add("events", settings.events->file);
    }
    for (const path& report : settings.reports) {
        files.add("report", report);
        path unfinished = report;
        unfinished += unfinished_suffix;
        files.add("report", unfinished);
    }
    return files.take();
}

std::vector<FileOfSetting> files_read(const ReadResult& read, const VmSpec& spec) {
    const Settings& settings = read.settings;
    FilesOfSettings files{read.origins};
    for (std::size_t index = 0; index < settings.disks.size(); ++index) {
        const std::string origin = disk_origin(index);
        files.add(read.origins.contains(origin) ? origin : "disk", settings.disks[index]);
    }
    for (const DiskSpec& disk : spec.disks) {
        files.add("data-dir", disk.kept);
        files.add("disk", disk.data_file);
        for (const LayerSpec& layer : disk.backing) {
            files.add("disk", layer.image);
        }
    }
    files.add("iso", settings.iso);
    files.add("user-data", settings.user_data);
    files.add("firmware-code", settings.firmware_code);
    files.add("firmware-vars", settings.firmware_vars);
    files.add("ipxe-rom", settings.ipxe_rom);
    if (settings.script != "-") {
        files.add("script", settings.script);
    }
    files.add("kernel", settings.kernel);
    for (const std::string& initrd : settings.initrds) {
        files.add("initrd", path{initrd});
    }
    if (settings.netboot_dir && settings.bootfile) {
        files.add("bootfile", *settings.netboot_dir / *settings.bootfile);
    }
    std::vector<FileOfSetting> all = files.take();
    if (read.config) {
        all.push_back({read.config->text, read.config->origin});
    }
    return all;
}

}  // namespace vml
