// Pictures of the VM's screen, for whoever asks over the control socket.
#pragma once

#include <functional>
#include <string>

#include "control/server.h"
#include "launcher/handles/handles.h"
#include "qmp/client.h"

namespace vml {

// QEMU writes the picture into a file without a name, which is read back. One is taken at a time.
class Screenshots {
  public:
    using Qmp = std::function<void(const qmp::Command&, qmp::Callback)>;

    // Outlives what it asks of QEMU.
    Screenshots(ScreenshotFile file, Qmp qmp);

    // Answers with the picture's bytes, or refuses.
    void take(const control::Exchange& exchange);

  private:
    [[nodiscard]] std::string picture() const;

    ScreenshotFile file_;
    Qmp qmp_;
    bool taking_ = false;
};

}  // namespace vml
