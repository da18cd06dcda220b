// A VM's name in its user's folder of control sockets, as long as its vm-launch lives. Makes system calls.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "control/address.h"
#include "control/lock_file.h"

namespace vml::control {

// Holds the lock of NAME.lock: what somebody who was killed left in the folder is told from a VM that runs,
// and is taken over. The destructor leaves nothing there, nor what others left who were killed.
class Claim {
  public:
    // In the first of these folders that can be had. Throws Error: a VM of that name runs, or there is no
    // folder.
    Claim(const std::vector<Folder>& folders, const std::string& name);
    ~Claim();

    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    Claim(Claim&&) = delete;
    Claim& operator=(Claim&&) = delete;

    // For bind(2), where nothing is: by the folder's descriptor, since a socket's path has 107 bytes at most.
    [[nodiscard]] std::string path() const;
    [[nodiscard]] const Address& address() const { return address_; }

  private:
    Address address_;
    std::optional<LockFile> lock_;  // always there once it is made
};

}  // namespace vml::control
