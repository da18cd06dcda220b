// What is kept of a TPM is judged before swtpm gets it, which would write over what it does not know.
#include "launcher/vm/tpm_state.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

using test::contains;
using test::Words;

constexpr std::uint64_t whole = 192 + 1315;

std::string little_endian(std::uint32_t number) {
    std::string bytes;
    for (int i = 0; i < 4; ++i) {
        bytes += static_cast<char>((number >> (8 * i)) & 0xFF);
    }
    return bytes;
}

// As swtpm 0.7.1 writes it: one part, of 1,315 bytes.
std::string header() {
    std::string text{"nilmptws\x01\0\xc0\0", 12};
    text += little_endian(192) + little_endian(1315) + little_endian(2048);
    return text + std::string(14 * 12, '\0');
}

HostFacts host(const TpmStateFacts& state) {
    HostFacts facts = test::made_up_host();
    facts.swtpm = "/usr/bin/swtpm";
    facts.data = test::data_folder();
    facts.data->tpm = state;
    return facts;
}

const Words flags{"--blank-disk", "--tpm"};

TEST_CASE("a TPM's state is whole, empty, or of a version that swtpm judges") {
    CHECK_FALSE(why_no_tpm_state({0, ""}));
    CHECK_FALSE(why_no_tpm_state({whole, header()}));
    std::string newer = header();
    newer[8] = 2;
    CHECK_FALSE(why_no_tpm_state({100, newer.substr(0, 100)}));
}

TEST_CASE("garbage, zeros and what is cut off are no TPM's state") {
    CHECK(contains(why_no_tpm_state({5, "hello"}).value(), "would write over it"));
    CHECK(contains(why_no_tpm_state({4096, std::string(192, '\0')}).value(), "would write over it"));
    CHECK(contains(why_no_tpm_state({whole - 1, header()}).value(), "cut off: it has 1506 bytes of 1507"));
    CHECK(contains(why_no_tpm_state({100, header().substr(0, 100)}).value(),
                   "cut off: it has 100 bytes of 1507"));
    CHECK(contains(why_no_tpm_state({8, "nilmptws"}).value(), "cut off"));
}

TEST_CASE("a VM is not started on what is no TPM's state, and the file is named") {
    const auto faults = test::faults_of(flags, host({5, "hello"}));
    CHECK(faults.front().code == ExitCode::host);
    const std::string text = test::text_of(faults);
    CHECK(contains(text, "/srv/data/vm/tpm.state"));
    CHECK(contains(text, "--no-tpm"));
    CHECK(test::spec_of(flags, host({whole, header()})).tpm.has_value());
    const VmSpec without = test::spec_of({"--blank-disk"}, host({5, "hello"}));
    CHECK(without.tpm == std::nullopt);
    REQUIRE_FALSE(without.notes.empty());
    CHECK(contains(without.notes.front(), "/srv/data/vm/tpm.state, is not used"));
}

}  // namespace
}  // namespace vml
