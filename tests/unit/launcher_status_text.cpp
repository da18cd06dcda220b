// What the row below the console says.
#include <string>
#include <string_view>

#include "launcher/console/status_text.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

BootStatus while_fetching() {
    BootStatus status;
    status.reached = {"firmware", "rom", "dhcp", "script"};
    status.fetch = {"initrd-generic.img", 4'300'000, 10'000'000, 1'200'000};
    status.elapsed_s = 72.9;
    status.keys = "Ctrl-] detaches";
    return status;
}

TEST_CASE("stages, the fetch that goes on, the time and the keys") {
    const std::string whole =
        "✓ firmware ✓ rom ✓ dhcp ✓ script ▸ initrd-generic.img [###-----] 43 % 1.2 MB/s 5 s left | 1:12 | "
        "Ctrl-] detaches";
    CHECK(status_text(while_fetching(), 199, false) == whole);
    CHECK(status_text(while_fetching(), 119, false) == whole);
    BootStatus idle = while_fetching();
    idle.fetch.reset();
    CHECK(status_text(idle, 79, false) == "✓ firmware ✓ rom ✓ dhcp ✓ script | 1:12 | Ctrl-] detaches");
    CHECK(status_text({}, 79, false) == "0:00");
}

TEST_CASE("what matters least goes first") {
    const auto at = [](std::size_t columns) { return status_text(while_fetching(), columns, false); };
    CHECK(at(79) == "✓ script ▸ ..-generic.img [###-----] 43 % 1.2 MB/s 5 s | 1:12 | Ctrl-] detaches");
    CHECK(at(70) == "✓ script ▸ ..rd-generic.img 43 % 1.2 MB/s 5 s | 1:12 | Ctrl-] detaches");
    CHECK(at(60) == "▸ ..d-generic.img 43 % 1.2 MB/s 5 s | 1:12 | Ctrl-] detaches");
    CHECK(at(50) == "▸ initrd-generic.img 43 % | 1:12 | Ctrl-] detaches");
    CHECK(at(39) == "▸ initrd-generic.img 43 % | 1:12");
    CHECK(at(10) == "▸ ..eneric");
    CHECK(at(0).empty());
}

TEST_CASE("of every width a row has at most so many columns") {
    for (std::size_t columns = 0; columns < 200; ++columns) {
        CHECK(columns_of(status_text(while_fetching(), columns, false)) <= columns);
    }
}

TEST_CASE("a name that may be wide is counted so") {
    BootStatus status = while_fetching();
    status.fetch->name = "網路開機映像檔網路開機映像檔網路開機映像檔.img";
    for (std::size_t columns = 0; columns < 200; ++columns) {
        const std::string text = status_text(status, columns, false);
        CHECK(columns_of(text) <= columns);
    }
    CHECK(status_text(status, 79, false) ==
          "✓ script ▸ ..機映像檔.img [###-----] 43 % 1.2 MB/s 5 s | 1:12 | Ctrl-] detaches");
    CHECK(columns_of("網.é✓▸") == 7);
}

TEST_CASE("a file of unknown size has no bar, and one that is larger than it said is whole") {
    BootStatus status = while_fetching();
    status.fetch->expected.reset();
    CHECK(status_text(status, 200, false).find("▸ initrd-generic.img 4.3 MB 1.2 MB/s |") !=
          std::string::npos);
    status.fetch->expected = 0;
    CHECK(status_text(status, 200, false).find("▸ initrd-generic.img 4.3 MB 1.2 MB/s |") !=
          std::string::npos);
    status.fetch->expected = 1000;
    CHECK(status_text(status, 200, false).find("▸ initrd-generic.img [########] 100 % 1.2 MB/s |") !=
          std::string::npos);
    status.fetch->bytes_per_second = 0;
    CHECK(status_text(status, 200, false).find("/s") == std::string::npos);
}

TEST_CASE("a server that says nothing, and a time that is long or absurd") {
    BootStatus status = while_fetching();
    status.fetch->answered = false;
    CHECK(status_text(status, 200, false).find("▸ initrd-generic.img no answer yet |") != std::string::npos);
    status = while_fetching();
    status.fetch->bytes_per_second = 10'000;
    CHECK(status_text(status, 200, false).find(" 10 kB/s 10 min left |") != std::string::npos);
    status.fetch->bytes_per_second = 1;
    CHECK(status_text(status, 200, false).find(" 1 bytes/s |") != std::string::npos);
}

TEST_CASE("a name from the network commands no terminal, and has its bounds") {
    BootStatus status = while_fetching();
    status.fetch->name = "\x1b[2J\xff" + std::string(1000, 'x');
    const std::string text = status_text(status, 200, false);
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.size() < 200);
}

TEST_CASE("in colour it says the same") {
    const std::string plain = status_text(while_fetching(), 200, false);
    CHECK(plain.find('\x1b') == std::string::npos);  // NO_COLOR
    std::string text = status_text(while_fetching(), 200, true);
    CHECK(text.starts_with("\x1b[2m\x1b[0;32m✓\x1b[0;2m firmware"));
    CHECK(text.ends_with("\x1b[0m"));
    for (std::size_t at = 0; (at = text.find('\x1b')) != std::string::npos;) {
        text.erase(at, text.find('m', at) + 1 - at);
    }
    CHECK(text == plain);
}

}  // namespace
}  // namespace vml
