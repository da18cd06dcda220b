// A folder for control sockets, which goes with the test.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include <unistd.h>

#include "control/address.h"
#include "tests/unit/catch.h"

namespace vml::control::test {

class PrivateFolder {
  public:
    PrivateFolder() {
        std::string name = "/tmp/vml-unit-XXXXXX";
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        above_ = name;
    }
    ~PrivateFolder() { std::filesystem::remove_all(above_); }
    PrivateFolder(const PrivateFolder&) = delete;
    PrivateFolder& operator=(const PrivateFolder&) = delete;
    PrivateFolder(PrivateFolder&&) = delete;
    PrivateFolder& operator=(PrivateFolder&&) = delete;

    [[nodiscard]] std::filesystem::path above() const { return above_; }
    [[nodiscard]] std::filesystem::path path() const { return above_ / "vm-launch"; }
    [[nodiscard]] Folder folder() const { return {path().string(), ::geteuid()}; }

  private:
    std::filesystem::path above_;
};

}  // namespace vml::control::test
