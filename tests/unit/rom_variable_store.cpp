// UEFI's variable store: built byte by byte, and the templates that this machine has.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <variant>

#include "rom/variable_store.h"
#include "tests/unit/catch.h"

namespace vml::rom {
namespace {

using namespace std::string_literals;

constexpr std::uint8_t live = 0x3F;
constexpr std::uint8_t deleted = 0x3C;
constexpr std::uint8_t being_replaced = 0x3E;

std::string le(std::uint64_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) {
        text += static_cast<char>(value >> (8 * i) & 0xFFU);
    }
    return text;
}

const std::string global = "\x61\xDF\xE4\x8B\xCA\x93\xD2\x11\xAA\x0D\x00\xE0\x98\x03\x2B\x8C"s;
const std::string enable_guid = "\xC7\x0B\xA3\xF0\x08\xAF\x56\x45\x99\xC4\x00\x10\x09\xC9\x3A\x44"s;

std::string variable(const std::string& guid, std::string_view name, const std::string& data,
                     std::uint8_t state = live) {
    std::string wide;
    for (const char c : std::string{name} + '\0') {
        wide += c;
        wide += '\0';
    }
    std::string text = "\xAA\x55"s + static_cast<char>(state) + '\0' + le(7, 4) + std::string(28, '\0') +
                       le(wide.size(), 4) + le(data.size(), 4) + guid + wide + data;
    text.resize((text.size() + 3) / 4 * 4, '\xFF');
    return text;
}

std::string flash(const std::string& variables) {
    const std::string guid = "\x8D\x2B\xF1\xFF\x96\x76\x8B\x4C\xA9\x85\x27\x47\x07\x5B\x4F\x50"s;
    std::string header =
        std::string(16, '\0') + guid + le(0x84000, 8) + "_FVH" + le(0x4FEFF, 4) + le(72, 2) + le(0, 2);
    header.resize(72, '\0');
    std::uint16_t sum = 0;
    for (std::size_t i = 0; i < header.size(); i += 2) {
        sum = static_cast<std::uint16_t>(sum + static_cast<std::uint8_t>(header[i]) +
                                         (static_cast<std::uint8_t>(header[i + 1]) << 8U));
    }
    header.replace(50, 2, le(static_cast<std::uint16_t>(-sum), 2));
    const std::string store = "\x78\x2C\xF3\xAA\x7B\x94\x9A\x43\xA1\x80\x2E\x14\x4E\xC3\x77\x92"s +
                              le(0x3FFB8, 4) + "\x5A\xFE"s + std::string(6, '\0');
    std::string all = header + store + variables;
    all.resize(0x84000, '\xFF');
    return all;
}

VariableStore store_of(const std::string& image) {
    auto read = read_variable_store(bytes_of(image));
    REQUIRE(std::holds_alternative<VariableStore>(read));
    return std::get<VariableStore>(read);
}

std::string why_not(const std::string& image) {
    const auto read = read_variable_store(bytes_of(image));
    const auto* why = std::get_if<std::string>(&read);
    return why == nullptr ? "" : *why;
}

TEST_CASE("Secure Boot is on with a platform key, unless it was switched off") {
    const std::string key = variable(global, "PK", "key");
    CHECK_FALSE(store_of(flash("")).secure_boot());
    CHECK(store_of(flash(key)).secure_boot());
    CHECK(store_of(flash(key + variable(enable_guid, "SecureBootEnable", "\x01"))).secure_boot());
    CHECK_FALSE(store_of(flash(key + variable(enable_guid, "SecureBootEnable", "\0"s))).secure_boot());
    CHECK_FALSE(store_of(flash(variable(enable_guid, "SecureBootEnable", "\x01"))).secure_boot());
}

TEST_CASE("a variable counts by its state, its name and its vendor") {
    CHECK_FALSE(store_of(flash(variable(global, "PK", "key", deleted))).platform_key);
    CHECK_FALSE(store_of(flash(variable(enable_guid, "PK", "key"))).platform_key);
    CHECK_FALSE(store_of(flash(variable(global, "PKx", "key"))).platform_key);
    CHECK(store_of(flash(variable(global, "PK", "key", being_replaced))).platform_key);
    const std::string on_then_off = variable(enable_guid, "SecureBootEnable", "\x01", being_replaced) +
                                    variable(enable_guid, "SecureBootEnable", "\0"s);
    const std::string off_then_on = variable(enable_guid, "SecureBootEnable", "\x01") +
                                    variable(enable_guid, "SecureBootEnable", "\0"s, being_replaced);
    CHECK(store_of(flash(on_then_off)).secure_boot_enable == false);
    CHECK(store_of(flash(off_then_on)).secure_boot_enable == true);
}

TEST_CASE("what is no store says so, and flash that is blank is one to be") {
    CHECK(store_of(std::string(0x84000, '\0')) == VariableStore{.blank = true});
    CHECK(store_of(std::string(0x84000, '\xFF')).blank);
    CHECK(why_not("") == "it is no variable store of UEFI");
    CHECK(why_not(std::string(0x84000, 'x')) == "it is no variable store of UEFI");
    std::string damaged = flash("");
    damaged[0x31] = '\x01';
    CHECK(why_not(damaged) == "the header of its firmware volume is damaged");
    damaged = flash("");
    damaged[72 + 21] = '\0';
    CHECK(why_not(damaged) == "the header of its variables is damaged");
    CHECK(why_not(flash("").substr(0, 5000)) == "the header of its variables is damaged");
}

TEST_CASE("a platform key that anybody has is told by its owner's name") {
    CHECK(store_of(flash(variable(global, "PK", "\x30\x82 CN=SnakeOil0"))).published_key);
    CHECK_FALSE(store_of(flash(variable(global, "PK", "CN=Debian UEFI Secure Boot"))).published_key);
    CHECK_FALSE(store_of(flash(variable(global, "KEK", "SnakeOil"))).published_key);
}

TEST_CASE("a variable that is longer than the store ends the walk") {
    std::string endless = variable(global, "PK", "key");
    endless.replace(40, 4, le(0xFFFFFFFF, 4));
    CHECK_FALSE(store_of(flash(endless)).platform_key);
}

VariableStore store_in(const std::filesystem::path& file) {
    std::ifstream stream{file, std::ios::binary};
    return store_of(std::string{std::istreambuf_iterator<char>{stream}, {}}.substr(0, most_of_a_store));
}

TEST_CASE("OVMF's templates, where they are installed") {
    if (std::filesystem::exists("/usr/share/OVMF/OVMF_VARS_4M.ms.fd")) {
        CHECK_FALSE(store_in("/usr/share/OVMF/OVMF_VARS_4M.fd").platform_key);
        CHECK(store_in("/usr/share/OVMF/OVMF_VARS_4M.ms.fd") ==
              VariableStore{.platform_key = true, .secure_boot_enable = true});
    }
    if (std::filesystem::exists("/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd")) {
        CHECK(store_in("/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd").published_key);
    }
}

TEST_CASE("AAVMF's templates, where they are installed") {
    if (std::filesystem::exists("/usr/share/AAVMF/AAVMF_VARS.ms.fd")) {
        CHECK(store_in("/usr/share/AAVMF/AAVMF_VARS.ms.fd").secure_boot());
        // Blank on Debian 12, with a header of its own on Debian 13.
        CHECK_FALSE(store_in("/usr/share/AAVMF/AAVMF_VARS.fd").platform_key);
    }
}

}  // namespace
}  // namespace vml::rom
