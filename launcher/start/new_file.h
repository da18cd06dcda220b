// A file that appears under its name only once it is whole. Makes system calls.
#pragma once

#include <string>

#include <sys/types.h>

#include "base/fd.h"

namespace vml {

// It is written beside its name, with unfinished_suffix behind it, and takes the place of what had the name
// before. Links that somebody else planted in the folder are not followed. Until keep() was called, nothing
// of it outlives the object. It is locked (flock(2)) until then, copies of its descriptor included: a second
// one of the same name fails with EBUSY, and leaves the first as it is.
class NewFile {
  public:
    // `folder`: an open directory, which must outlive it. Throws std::system_error.
    NewFile(int folder, std::string name, mode_t mode);
    ~NewFile();
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;
    NewFile(NewFile&&) = delete;
    NewFile& operator=(NewFile&&) = delete;

    [[nodiscard]] int fd() const { return fd_.get(); }
    // Gives it its name. Throws std::system_error.
    [[nodiscard]] OwnedFd keep();

  private:
    [[nodiscard]] bool is_in_place() const;

    int folder_;
    std::string name_;
    std::string unfinished_;
    OwnedFd fd_;
};

}  // namespace vml
