// Words for a shell, read back by the real one.
#include <array>
#include <cstdio>
#include <memory>
#include <string>

#include "base/shell.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

std::string output_of(const std::string& command) {
    struct Close {
        void operator()(std::FILE* file) const { ::pclose(file); }
    };
    const std::unique_ptr<std::FILE, Close> pipe{::popen(command.c_str(), "r")};
    REQUIRE(pipe);
    std::string output;
    std::array<char, 256> bytes{};
    while (const std::size_t count = std::fread(bytes.data(), 1, bytes.size(), pipe.get())) {
        output.append(bytes.data(), count);
    }
    return output;
}

TEST_CASE("plain words need no quotes") {
    for (const char* word : {"-device", "virtio-net-pci,id=net0", "/usr/lib/x.rom", "a+b", "50%", "u@h:1"}) {
        CHECK(shell_quoted(word) == word);
    }
    CHECK(shell_quoted("") == "''");
    CHECK(shell_quoted("a b") == "'a b'");
    CHECK(shell_quoted("it's") == "'it'\\''s'");
}

TEST_CASE("a shell reads every quoted word back as it was") {
    std::string all_bytes;
    for (int byte = 1; byte < 256; ++byte) {
        all_bytes += static_cast<char>(byte);
    }
    for (const std::string& word :
         {std::string{}, std::string{"a b"}, std::string{"'"}, std::string{"\""}, std::string{"$HOME"},
          std::string{"`id`"}, std::string{"a\\b\\"}, std::string{"*"}, std::string{"~"}, std::string{"#x"},
          std::string{"a\nb\n"}, std::string{"!!"}, std::string{"{a,b}"}, std::string{"a=b c"}, all_bytes}) {
        CAPTURE(word);
        CHECK(output_of("printf '%s|' " + shell_quoted(word)) == word + "|");
    }
}

}  // namespace
}  // namespace vml
