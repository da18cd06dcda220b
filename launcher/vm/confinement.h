// What a process of a VM may open by name, and what TCP ports it may use: a Landlock domain (landlock(7)), as
// data. What it was given as a descriptor stays as usable as it was given.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace vml {

enum class FileUse {
    read,
    run,     // read, and run as a program or a library
    device,  // read, written and commanded (ioctl)
    change,  // a folder whose files are read, written, made, renamed and removed
    prune    // a folder of which empty folders may be removed
};

// A file, or a folder with everything beneath it. One that is not there gives no right.
struct Reach {
    std::filesystem::path path;
    FileUse use = FileUse::read;

    bool operator==(const Reach&) const = default;
};

struct Confinement {
    std::vector<Reach> files;
    bool reopens = false;  // it opens its descriptors by name (/proc/self/fd/N), to read and to write
    // The ports that it may listen on, while it connects to none; nothing: TCP is free.
    std::optional<std::vector<std::uint16_t>> tcp_ports;
    bool signals = false;  // it may send signals to processes that are not in the domain

    bool operator==(const Confinement&) const = default;
};

}  // namespace vml
