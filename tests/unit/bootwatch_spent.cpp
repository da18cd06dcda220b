// Where a boot's seconds went.
#include <vector>

#include "bootwatch/spent.h"
#include "tests/unit/catch.h"

namespace vml::boot {
namespace {

Fetch fetch(const char* url, double began, double ended) {
    Fetch one;
    one.protocol = "http";
    one.url = url;
    one.began = began;
    one.answered = began;
    one.latest = ended;
    one.ended = ended;
    one.state = FetchState::done;
    return one;
}

Boot slow_boot() {
    Boot boot;
    boot.marks = {{Stage::machine, 0, Proof::qemu, ""},
                  {Stage::firmware, 0.5, Proof::console, ""},
                  {Stage::option_rom, 2.5, Proof::console, ""},
                  {Stage::kernel, 20, Proof::console, ""},
                  {Stage::os, 25, Proof::console, ""}};
    boot.fetches = {fetch("http://h/boot.ipxe", 4, 4.05), fetch("http://h/vmlinuz", 5, 8),
                    fetch("http://h/initrd", 8, 15), fetch("http://g/vmlinuz", 15, 16)};
    return boot;
}

TEST_CASE("the longest come first, equal names are one, and what is short is left out") {
    const std::vector<Spent> spent = spent_by(slow_boot(), 100, "", 9);
    CHECK(spent == std::vector<Spent>{
                       {"initrd", 7}, {"kernel", 5}, {"vmlinuz", 4}, {"firmware", 2}, {"option ROM", 1.5}});
}

TEST_CASE("no more than are asked for") {
    CHECK(spent_by(slow_boot(), 100, "", 2) == std::vector<Spent>{{"initrd", 7}, {"kernel", 5}});
    CHECK(spent_by(slow_boot(), 100, "", 0).empty());
}

TEST_CASE("what comes once the operating system runs is no part of the boot") {
    Boot boot = slow_boot();
    boot.fetches.push_back(fetch("http://h/packages", 24, 90));
    boot.fetches.push_back(fetch("http://h/more", 26, 90));
    const std::vector<Spent> spent = spent_by(boot, 100, "", 9);
    CHECK(spent.back() == Spent{"packages", 1});
    CHECK(spent.size() == 6);
}

TEST_CASE("a kernel whose system never came took the time to the end; of nothing seen nothing is told") {
    Boot boot = slow_boot();
    boot.marks.pop_back();
    CHECK(spent_by(boot, 50, "", 1) == std::vector<Spent>{{"kernel", 30}});
    CHECK(spent_by({}, 50, "", 9).empty());
}

TEST_CASE("a name is as long as a line can have it") {
    Boot boot;
    boot.fetches = {fetch(("http://h/" + std::string(1000, 'x')).c_str(), 1, 2)};
    CHECK(spent_by(boot, 3, "", 9).at(0).what == std::string(40, 'x'));
}

}  // namespace
}  // namespace vml::boot
