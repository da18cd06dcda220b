// What the row at the bottom of the terminal says.
#include <string>
#include <string_view>

#include "launcher/console/status_text.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

BootStatus while_fetching() {
    BootStatus status;
    status.reached = {"firmware", "rom", "dhcp"};
    status.fetch = {"vmlinuz", 4'300'000, 10'000'000, 1'200'000};
    status.elapsed_s = 72.9;
    status.keys = "Ctrl-] detaches";
    return status;
}

TEST_CASE("stages, the fetch that goes on, the time and the keys") {
    CHECK(status_text(while_fetching(), 200, false) ==
          "✓ firmware ✓ rom ✓ dhcp ▸ vmlinuz 43 % [####------] 1.2 MB/s 5 s left · 1:12 · Ctrl-] detaches");
    BootStatus idle = while_fetching();
    idle.fetch.reset();
    CHECK(status_text(idle, 200, false) == "✓ firmware ✓ rom ✓ dhcp · 1:12 · Ctrl-] detaches");
    CHECK(status_text({}, 200, false) == "0:00");
}

TEST_CASE("what matters least goes first") {
    const auto at = [](std::size_t columns) { return status_text(while_fetching(), columns, false); };
    CHECK(at(80) == "✓ firmware ✓ rom ✓ dhcp ▸ vmlinuz 43 % [####------] · 1:12 · Ctrl-] detaches");
    CHECK(at(70) == "✓ firmware ✓ rom ✓ dhcp ▸ vmlinuz 43 % · 1:12 · Ctrl-] detaches");
    CHECK(at(50) == "✓ firmware ✓ rom ✓ dhcp ▸ vmlinuz 43 % · 1:12");
    CHECK(at(30) == "✓ dhcp ▸ vmlinuz 43 % · 1:12");
    CHECK(at(10) == "✓ dhcp ▸ v");
    CHECK(at(0).empty());
}

TEST_CASE("a file of unknown size has no bar, and one that is larger than it said is whole") {
    BootStatus status = while_fetching();
    status.fetch->expected.reset();
    CHECK(status_text(status, 200, false).find("▸ vmlinuz 4.3 MB 1.2 MB/s ·") != std::string::npos);
    status.fetch->expected = 0;
    CHECK(status_text(status, 200, false).find("▸ vmlinuz 4.3 MB 1.2 MB/s ·") != std::string::npos);
    status.fetch->expected = 1000;
    CHECK(status_text(status, 200, false).find("▸ vmlinuz 100 % [##########] 1.2 MB/s ·") !=
          std::string::npos);
    status.fetch->bytes_per_second = 0;
    CHECK(status_text(status, 200, false).find("/s") == std::string::npos);
}

TEST_CASE("a name from the network commands no terminal, and has its bounds") {
    BootStatus status = while_fetching();
    status.fetch->name = "\x1b[2J\xff" + std::string(1000, 'x');
    const std::string text = status_text(status, 200, false);
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.size() < 200);
}

TEST_CASE("in colour it says the same") {
    const std::string text = status_text(while_fetching(), 200, true);
    CHECK(text.find("\x1b[0;32m✓\x1b[0;2m firmware") != std::string::npos);
    CHECK(text.ends_with("\x1b[0m"));
}

}  // namespace
}  // namespace vml
