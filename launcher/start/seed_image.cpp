#include "launcher/start/seed_image.h"

#include <filesystem>
#include <memory>
#include <system_error>

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include "base/error.h"

namespace vml {

namespace {

using Archive = std::unique_ptr<archive, int (*)(archive*)>;
using Entry = std::unique_ptr<archive_entry, void (*)(archive_entry*)>;

// Where libarchive puts the image's parts together: $TMPDIR, else /tmp.
std::string temporary_folder() {
    std::error_code none;
    const std::filesystem::path folder = std::filesystem::temp_directory_path(none);
    return folder.empty() ? "$TMPDIR, which is no folder" : folder.string();
}

void check(archive* iso, int result) {
    if (result == ARCHIVE_OK) {
        return;
    }
    const char* words = archive_error_string(iso);
    const int error = archive_errno(iso);
    throw Error{{"cannot make the seed for cloud-init",
                 fmt::format("{}{} (in {})", words == nullptr ? "libarchive cannot write it" : words,
                             error > 0 ? ": " + errno_text(error) : "", temporary_folder()),
                 "it is put together in a folder for temporary files: mount one there that can be written "
                 "(docker run "
                 "--tmpfs /tmp), or set TMPDIR to one",
                 ExitCode::host}};
}

la_ssize_t append(archive* /*iso*/, void* image, const void* bytes, std::size_t size) {
    static_cast<std::string*>(image)->append(static_cast<const char*>(bytes), size);
    return static_cast<la_ssize_t>(size);
}

void add_file(archive* iso, const char* name, const std::string& content) {
    constexpr unsigned short readable = 0444;
    const Entry entry{archive_entry_new(), archive_entry_free};
    archive_entry_set_pathname(entry.get(), name);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), readable);
    check(iso, archive_write_header(iso, entry.get()));
    if (archive_write_data(iso, content.data(), content.size()) < 0) {
        check(iso, ARCHIVE_FATAL);
    }
}

}  // namespace

std::string seed_image(const SeedSpec& seed) {
    std::string image;
    const Archive iso{archive_write_new(), archive_write_free};
    check(iso.get(), archive_write_set_format_iso9660(iso.get()));
    check(iso.get(), archive_write_set_options(iso.get(), "volume-id=cidata,joliet,rockridge=useful"));
    check(iso.get(), archive_write_open(iso.get(), &image, nullptr, append, nullptr));
    add_file(iso.get(), "user-data", seed.user_data);
    add_file(iso.get(), "meta-data", seed.meta_data);
    if (!seed.vendor_data.empty()) {
        add_file(iso.get(), "vendor-data", seed.vendor_data);
    }
    check(iso.get(), archive_write_close(iso.get()));
    return image;
}

}  // namespace vml
