#include <string>
#include <vector>

#include "ipxescript/check.h"
#include "tests/unit/catch.h"

namespace vml::ipxescript {
namespace {

using Words = std::vector<std::string>;

// "3 unknown_command kernle certain"
Words findings(const std::string& text, Build build = Build::any) {
    Words found;
    for (const Finding& finding : check(read_script(text), build)) {
        const Words kinds{"no_magic", "unknown_command", "not_in_build",
                          "no_label", "own_host",        "no_protocol"};
        found.push_back(std::to_string(finding.line) + " " + kinds[static_cast<std::size_t>(finding.kind)] +
                        " " + finding.name + (finding.certain ? " certain" : ""));
    }
    return found;
}

Words files(const std::string& text) {
    Words found;
    for (const FileUse& use : files_of(read_script(text))) {
        found.push_back(std::to_string(use.line) + " " + use.command + " " + use.name +
                        (use.optional ? " optional" : ""));
    }
    return found;
}

TEST_CASE("a script is read as iPXE reads it") {
    const Script script = read_script(
        "#!ipxe\r\n# kernel x\n:start echo a && echo b || goto end # or so\n kernel vmlinuz \\\n  "
        "quiet\n\n:end\nexit");
    REQUIRE(script.magic);
    REQUIRE(script.lines.size() == 4);
    CHECK(script.lines[0].label == "start");
    REQUIRE(script.lines[0].commands.size() == 3);
    CHECK(script.lines[0].commands[0].handled);
    CHECK(script.lines[0].commands[1].conditional);
    CHECK(script.lines[0].commands[2].words == Words{"goto", "end"});
    CHECK(script.lines[1].number == 4);
    CHECK(script.lines[1].commands[0].words == Words{"kernel", "vmlinuz", "quiet"});
    CHECK(script.lines[2].label == "end");
    CHECK(script.lines[3].number == 8);
}

TEST_CASE("what begins a script, and what does not") {
    CHECK(read_script("#!ipxe\n").magic);
    CHECK(read_script("#!gpxe x\n").magic);
    CHECK_FALSE(read_script("#!ipxe").magic);
    CHECK_FALSE(read_script("#!ipxes\n").magic);
    CHECK_FALSE(read_script(" #!ipxe\n").magic);
    CHECK_FALSE(read_script("\xef\xbb\xbf#!ipxe\n").magic);  // a byte order mark, which some editors write
    CHECK_FALSE(read_script("").text);
    CHECK_FALSE(read_script("MZ\x01\x02").text);
    CHECK(findings("echo hi\n") == Words{"1 no_magic  certain"});
    CHECK(findings("MZ\x01\x02").empty());
}

TEST_CASE("a command that no iPXE has ends every run that comes there") {
    CHECK(findings("#!ipxe\necho hi\nkernle vmlinuz\nboot\n") == Words{"3 unknown_command kernle certain"});
    CHECK(findings("#!ipxe\ndhcp || goto x\nkernle vmlinuz\n:x\n") == Words{"3 unknown_command kernle"});
    CHECK(findings("#!ipxe\niseq a b && kernle vmlinuz\n") == Words{"2 unknown_command kernle"});
    CHECK(findings("#!ipxe\nkernle vmlinuz || echo no\n") == Words{"2 unknown_command kernle"});
}

TEST_CASE("what a newer or another build has is tried with an alternative, or told of") {
    const std::string text = "#!ipxe\nconsole --x 800 ||\npoweroff\n";
    CHECK(findings(text).empty());
    CHECK(findings(text, Build::y2025).empty());
    CHECK(findings(text, Build::y2019) == Words{"3 not_in_build poweroff certain"});
    CHECK(findings("#!ipxe\nimgverify a b\n", Build::y2025) == Words{"2 not_in_build imgverify certain"});
}

TEST_CASE("labels that are not there, and those that a variable names") {
    CHECK(findings("#!ipxe\ngoto nowhere\n") == Words{"2 no_label nowhere certain"});
    CHECK(findings("#!ipxe\nprompt\ngoto nowhere\n") == Words{"3 no_label nowhere"});
    CHECK(findings("#!ipxe\n# :nowhere\ngoto nowhere ||\necho on\n").empty());
    CHECK(findings("#!ipxe\ngoto ${next}\n:a\n${do}\n").empty());
    CHECK(findings("#!ipxe\ngoto a\necho\n:a exit\n").empty());
}

TEST_CASE("a URL of the guest itself, and one that this build cannot fetch") {
    CHECK(findings("#!ipxe\nkernel http://localhost:8080/k\nboot\n") ==
          Words{"2 own_host http://localhost:8080/k"});
    CHECK(findings("#!ipxe\nchain tftp://127.0.0.1/x\n") == Words{"2 own_host tftp://127.0.0.1/x"});
    CHECK(findings("#!ipxe\nchain http://u:p@[::1]/x\n").size() == 1);
    CHECK(findings("#!ipxe\nchain http://localhost/x || exit\n").empty());
    CHECK(findings("#!ipxe\nchain http://localhost.example/x\nkernel x http://localhost/\n").empty());
    CHECK(findings("#!ipxe\nchain http://127.example/localhost\nchain localhost/x\n").empty());
    const std::string secret = "#!ipxe\nchain https://h/x\n";
    CHECK(findings(secret, Build::y2019) == Words{"2 no_protocol https://h/x"});
    CHECK(findings(secret, Build::y2025).empty());
    CHECK(findings("#!ipxe\nchain https://h/x || chain http://h/x\n", Build::y2019).empty());
}

TEST_CASE("names that are whole only as the script runs") {
    const auto names = [](const std::string& text) {
        Words found;
        for (const FileUse& use : files_by_variable(read_script(text))) {
            found.push_back(std::to_string(use.line) + " " + use.command + " " + use.name);
        }
        return found;
    };
    CHECK(names("#!ipxe\nchain ${net0/mac:hexhyp}.ipxe || exit\nkernel k-${buildarch}\n") ==
          Words{"2 chain ${net0/mac:hexhyp}.ipxe", "3 kernel k-${buildarch}"});
    CHECK(names("#!ipxe\nset base http://h\nkernel ${base}/k\nchain http://h/${mac}\nkernel k ip=${ip}\n"
                "chain ${filename}\n${do} x\n")
              .empty());
}

TEST_CASE("the files that it fetches, by names that are known") {
    CHECK(files("#!ipxe\nkernel -n k vmlinuz initrd=initrd.gz quiet\ninitrd --name initrd "
                "initrd.gz\nimgfetch /logo.png ||\n"
                "chain k\nchain http://x/y\nchain ${u}/z\nchain tftp:a\nmodule /m.cfg\nimgfetch --timeout 5 "
                "--autofree w\nboot\n") == Words{"2 kernel vmlinuz", "3 initrd initrd.gz",
                                                 "4 imgfetch /logo.png optional", "9 module /m.cfg",
                                                 "10 imgfetch w"});
}

TEST_CASE("sizes of a hostile script are bounded") {
    std::string many = "#!ipxe\n";
    for (int i = 0; i < 10'000; ++i) {
        many += "kernel f" + std::to_string(i) + "\n";
    }
    CHECK(files(many).size() == most_files);
    CHECK(
        read_script("#!ipxe\n" + std::string(10'000'000, 'x')).lines.front().commands.front().name().size() <=
        longest_script);
    CHECK(findings("#!ipxe\n" + std::string(100'000, '\\') + "\n\\").size() <= 1);
}

// Real scripts are not accused (public ones, shortened).
TEST_CASE("healthy scripts") {
    for (const std::string text :
         {"#!ipxe\nset keep-san 1\nisset ${ip} || dhcp\n:retry\nchain --autofree ${url} || goto retry\n",
          "#!ipxe\nchain http://boot/${net0/mac:hexhyp}.ipxe || exit\n",
          "#!ipxe\nmenu Boot\nitem --gap -- x\nitem --key a a A\nchoose --default a --timeout 3000 t && goto "
          "${t}\n:a\n"
          "iseq ${buildarch} arm64 && set arch arm64 || set arch amd64\nkernel ${arch}/linux --- quiet\nboot "
          "|| shell\n",
          "#!ipxe\ncpuid --ext 29 && set a x86_64 || set a i386\nsync\nsanboot --no-describe --drive 0x80 || "
          "exit 0\n"}) {
        CHECK(findings(text, Build::y2019).empty());
        CHECK(files(text).empty());
    }
}

}  // namespace
}  // namespace vml::ipxescript
