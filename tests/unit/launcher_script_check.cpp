#include <string>
#include <vector>

#include "launcher/vm/script_check.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

ScriptJudgement judged(const std::string& bytes, const std::string& name = "boot.ipxe",
                       bool own_rom = false) {
    ScriptFacts facts;
    facts.name = name;
    facts.bytes = bytes;
    facts.names = {"boot.ipxe", "initrd.gz", "vmlinuz"};
    for (const ipxescript::FileUse& use : ipxescript::files_of(ipxescript::read_script(bytes))) {
        facts.files.push_back({use, use.name == "vmlinuz" || use.name == "initrd.gz"});
    }
    facts.ipxe = ipxescript::Build::y2019;
    return judge_script(facts, own_rom);
}

TEST_CASE("a slip in a command is refused with what was meant, unless the user brings an iPXE of his own") {
    const ScriptJudgement judgement = judged("#!ipxe\nkernle vmlinuz\nboot\n");
    REQUIRE(judgement.faults.size() == 1);
    CHECK(judgement.faults[0].what == "boot.ipxe, line 2: iPXE has no command 'kernle'");
    CHECK(judgement.faults[0].hint == "did you mean 'kernel'?");
    CHECK(judgement.faults[0].code == ExitCode::settings);
    const ScriptJudgement own = judged("#!ipxe\nkernle vmlinuz\nboot\n", "boot.ipxe", true);
    CHECK(own.faults.empty());
    CHECK(own.notes.size() == 1);
}

TEST_CASE("a file that is not there is told of, with what is") {
    const ScriptJudgement judgement =
        judged("#!ipxe\nkernel vmlinux\ninitrd initrd.gz\nmodule other\nboot\n");
    CHECK(judgement.faults.empty());
    CHECK(judgement.notes ==
          std::vector<std::string>{
              "boot.ipxe, line 2: kernel: vmlinux is not in the folder (did you mean 'vmlinuz'?)",
              "boot.ipxe, line 4: module: other is not in the folder (there is: initrd.gz, vmlinuz)"});
}

TEST_CASE("what comes before a script's first line is told of") {
    CHECK(judged("\xef\xbb\xbf#!ipxe\necho hi\n").faults.at(0).why.starts_with("a byte order mark"));
    CHECK(judged("\n#!ipxe\necho hi\n").faults.at(0).why == "a blank or an empty line comes before it");
    CHECK(judged("echo hi\n").faults.at(0).why.starts_with("iPXE takes only"));
}

TEST_CASE("only what is meant as a script is judged as one") {
    CHECK(judged("echo hi\n").faults.size() == 1);
    CHECK(judged("kernel vmlinuz\n", "start").faults.size() == 1);
    CHECK(judged("Some text\n", "readme").faults.empty());
    CHECK(judged("MZ\x01\x02", "x.ipxe").faults.empty());
}

TEST_CASE("beside a script, what it names by a variable is not served") {
    ScriptFacts facts;
    facts.name = "my.ipxe";
    facts.bytes = "#!ipxe\nchain ${mac}.ipxe || exit\n";
    CHECK(judge_script(facts, false).notes.empty());
    facts.served = ScriptFacts::Served::named;
    const auto notes = judge_script(facts, false).notes;
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].starts_with("my.ipxe, line 2: chain: ${mac}.ipxe is not served"));
}

TEST_CASE("a URL of the guest itself is told of") {
    const ScriptJudgement judgement = judged("#!ipxe\nchain http://localhost/x\n");
    CHECK(judgement.faults.empty());
    REQUIRE(judgement.notes.size() == 1);
    CHECK(judgement.notes[0].starts_with("boot.ipxe, line 2: http://localhost/x is the guest itself ("));
}

TEST_CASE("a command that only a newer iPXE has is no reason to refuse") {
    const ScriptJudgement judgement = judged("#!ipxe\npoweroff\n");
    CHECK(judgement.faults.empty());
    REQUIRE(judgement.notes.size() == 1);
    CHECK(judgement.notes[0].find("Debian 12's iPXE ROMs (2019) do not have it") != std::string::npos);
}

}  // namespace
}  // namespace vml
