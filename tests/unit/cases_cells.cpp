// Settings × matrix → the VMs that are run, and with which command lines.
#include <set>

#include "launcher/cases/matrix.h"
#include "launcher/cases/schedule.h"
#include "tests/unit/cases_support.h"

namespace vml::cases::test {
namespace {

Cells good_cells(std::vector<Case> cases, std::vector<Axis> matrix,
                 const std::vector<std::string>& flags = {}, const Environment& environment = {}) {
    Cells made = cells_from(std::move(cases), std::move(matrix), flags, environment);
    INFO(text_of(made.faults));
    REQUIRE(made.faults.empty());
    return made;
}

TEST_CASE("a matrix is multiplied, the last axis changing first") {
    const Cells made =
        good_cells({{}}, matrix_of({"firmware=legacy,uefi", "nic-model=virtio, e1000"}), {"--ipxe"});
    std::vector<std::string> names;
    std::set<std::string> vms;
    std::set<std::string> stems;
    for (const Cell& cell : made.cells) {
        names.push_back(cell.name);
        vms.insert(cell.vm);
        stems.insert(cell.stem);
        CHECK(cell.read.settings.name == cell.vm);
        CHECK(cell.read.settings.ipxe);
    }
    CHECK(names ==
          std::vector<std::string>{"firmware=legacy nic-model=virtio", "firmware=legacy nic-model=e1000",
                                   "firmware=uefi nic-model=virtio", "firmware=uefi nic-model=e1000"});
    CHECK(vms.size() == 4);
    CHECK(stems.size() == 4);
    CHECK(made.cells[3].read.settings.firmware == FirmwareMode::uefi);
    CHECK(made.cells[3].read.settings.nics.front().model == "e1000");
    CHECK(made.cells[3].stem == "04-firmware-uefi-nic-model-e1000");
}

TEST_CASE("without a matrix there is one VM, which runs until its system does, and not for ever") {
    const Cells made = good_cells({{}}, {}, {"--ipxe"});
    REQUIRE(made.cells.size() == 1);
    const Settings& settings = made.cells.front().read.settings;
    CHECK(made.cells.front().name == "test-1");
    CHECK(settings.until->stage == boot::Stage::os);
    CHECK(settings.boot_timeout == std::chrono::seconds{300});
    CHECK_FALSE(settings.no_console);
}

TEST_CASE("what the user says of the goal and the time counts, in variables too") {
    const Cells made = good_cells({{}}, {}, {"--ipxe", "--until", "script", "--name", "web"},
                                  {{"BOOT_TIMEOUT", "20"}, {"NO_CONSOLE", "1"}});
    const Settings& settings = made.cells.front().read.settings;
    CHECK(settings.until->stage == boot::Stage::script);
    CHECK(settings.boot_timeout == std::chrono::seconds{20});
    CHECK(settings.name == "web-1");
    CHECK_FALSE(settings.no_console);  // else no text on it could be expected
}

TEST_CASE("a boot runs for what is expected of it, unless it is expected to fail") {
    Case stage;
    stage.expect.stage = boot::Stage::fetch;
    Case console;
    console.expect.console = "login: *$";
    Case fails;
    fails.expect.stage = boot::Stage::address;
    fails.expect.exit_code = 13;
    const Cells made = good_cells({stage, console, fails}, {}, {"--ipxe"});
    CHECK(made.cells[0].read.settings.until->stage == boot::Stage::fetch);
    CHECK(made.cells[1].read.settings.until->pattern == "login: *$");
    CHECK(made.cells[2].read.settings.until->stage == boot::Stage::os);
}

TEST_CASE("the matrix, the command line, the file and the environment, the strongest first") {
    Case each;
    each.name = "one";
    each.settings.values = {
        {"memory", {"1G", "file"}}, {"cpus", {"1", "file"}}, {"firmware", {"uefi", "file"}}};
    each.settings.disks = {{"/of-the-file.qcow2", "file"}};
    const Cells made =
        good_cells({each}, matrix_of({"firmware=legacy"}), {"--memory", "2G", "--disk", "/of-the-line.qcow2"},
                   {{"CPUS", "4"}, {"REBOOT_LIMIT", "7"}});
    const Settings& settings = made.cells.front().read.settings;
    CHECK(settings.firmware == FirmwareMode::legacy);
    CHECK(settings.memory_mib.number == 2048);
    CHECK(settings.cpus.number == 1);
    CHECK(settings.reboot_limit == 7);
    CHECK(settings.disks == std::vector<std::filesystem::path>{"/of-the-line.qcow2"});
}

TEST_CASE("a secret goes by a variable, and an empty value is one") {
    const Cells made = good_cells({{}}, {},
                                  {"--graphics", "vnc", "--vnc-password", "s3cret", "--append", "",
                                   "--kernel", "/vmlinuz", "--", "-cpu", "max"});
    const Cell& cell = made.cells.front();
    for (const std::string& word : cell.arguments) {
        CHECK_FALSE(contains(word, "s3cret"));
    }
    CHECK(cell.secrets.at("VNC_PASSWORD") == "s3cret");
    CHECK(cell.read.settings.vnc_password == "s3cret");
    CHECK(cell.read.settings.append == "");
    CHECK(cell.read.settings.extra_args == std::vector<std::string>{"-cpu", "max"});
}

TEST_CASE("a login in a URL is in no name, and on no command line") {
    Case each;
    each.name = "of http://user:w0rd@host/c";
    each.settings.values = {{"kernel", {"http://user:w0rd@host/k", "file"}}};
    const Cells made = good_cells(
        {each}, {{"bootfile", {"http://user:w0rd@192.0.2.1/a", "http://192.0.2.1/b"}}}, {"--ipxe"});
    REQUIRE(made.cells.size() == 2);
    for (const Cell& cell : made.cells) {
        CHECK_FALSE(contains(cell.stem, "w0rd"));
        for (const std::string& word : cell.arguments) {
            CHECK_FALSE(contains(word, "w0rd"));
        }
    }
    CHECK(made.cells[0].read.settings.bootfile == "http://user:w0rd@192.0.2.1/a");
    CHECK(made.cells[1].read.settings.bootfile == "http://192.0.2.1/b");
}

TEST_CASE("each VM's console is read, whatever variables say of it") {
    const Cells made = good_cells({{}}, {}, {"--ipxe"}, {{"CONSOLE", "quiet"}, {"NO_CONSOLE", "1"}});
    const ReadResult& read = made.cells.front().read;
    CHECK(console_view(read.settings, read.origins) == ConsoleView::automatic);
}

TEST_CASE("nothing is kept for a next run, unless that is asked for") {
    const Cells made = good_cells({{}}, {}, {"--ipxe", "--data-dir", "/d"});
    CHECK(made.cells.front().read.settings.persist == false);
    CHECK(good_cells({{}}, {}, {"--ipxe", "--persist"}).cells.front().read.settings.persist == true);
    CHECK(good_cells({{}}, {}, {"--ipxe"}, {{"PERSIST", "1"}}).cells.front().read.settings.persist == true);
}

TEST_CASE("a run has a minute more than its settings give it") {
    Settings settings;
    CHECK_FALSE(time_limit_of(settings));
    settings.boot_timeout = std::chrono::seconds{0};
    CHECK_FALSE(time_limit_of(settings));
    settings.boot_timeout = std::chrono::seconds{100};
    settings.stop_timeout = std::chrono::seconds{7};
    CHECK(time_limit_of(settings)->run == std::chrono::seconds{167});
    CHECK(time_limit_of(settings)->stop == std::chrono::seconds{67});
}

TEST_CASE("every fault of a matrix is told at once, with what was meant") {
    std::vector<Fault> faults;
    static_cast<void>(axes_of_words({"firmwar=legacy", "firmware=legacy,uefy", "nic-model",
                                     "arch=", "name=a,b", "vnc-password=x", "memory=1G,1G", "memory=2G"},
                                    faults));
    const std::string text = text_of(faults);
    CHECK(contains(text, "unknown setting 'firmwar' (did you mean firmware?)"));
    CHECK(contains(text, "firmware: invalid value 'uefy'"));
    CHECK(contains(text, "'nic-model' names no values"));
    CHECK(contains(text, "arch: no value is named"));
    CHECK(contains(text, "name does not go into a matrix"));
    CHECK(contains(text, "vnc-password does not go into a matrix"));
    CHECK(contains(text, "memory: '1G' is there twice"));
    CHECK(contains(text, "memory is in the matrix already"));
    CHECK(faults.size() == 8);
}

TEST_CASE("a setting is in the matrix or has one value") {
    const Cells made = cells_from({{}}, matrix_of({"firmware=legacy,uefi"}), {"--firmware", "uefi"});
    CHECK(contains(text_of(made.faults), "--firmware says one value, and the matrix others"));
    Case each;
    each.name = "bios";
    each.matrix = matrix_of({"firmware=legacy"});
    CHECK(contains(text_of(cells_from({each}, matrix_of({"firmware=uefi"})).faults),
                   "firmware is in the matrix of the case 'bios' and in --matrix"));
}

TEST_CASE("there is an end to what a matrix may ask for") {
    std::string many = "reboot-limit=0";
    for (int i = 1; i <= 40; ++i) {
        many += "," + std::to_string(i);
    }
    const Cells made = cells_from({{}}, matrix_of({many,
                                                   "cpus=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,"
                                                   "20,21,22,23,24,25"}));
    CHECK(made.cells.empty());
    CHECK(contains(text_of(made.faults), "more than 1000 VMs"));
}

TEST_CASE("no combination lacks a value, however many there would be") {
    Axis many{"boot-timeout", {}};
    for (int i = 100; i <= 1300; ++i) {
        many.values.push_back(std::to_string(i));
    }
    const Axis models{"nic-model", {"virtio", "e1000"}};
    const Axis limits{"reboot-limit", {"1", "2"}};
    CHECK_FALSE(combinations({many, models, limits}, most_cells));
    CHECK_FALSE(combinations({limits, models, many}, most_cells));
    CHECK_FALSE(combinations({models, limits}, 3));
    CHECK(combinations({models, limits}, 4)->size() == 4);
    CHECK(combinations({}, 1)->size() == 1);
    CHECK_FALSE(combinations({}, 0));
    const Cells made = cells_from({{}}, {many, models, limits});
    CHECK(made.cells.empty());
    CHECK(contains(text_of(made.faults), "more than 1000 VMs"));
}

TEST_CASE("as many run as there is room for") {
    const Load small{512, 1, {}};
    const Load large{4096, 4, {}};
    const Capacity room{3, 2048, 4};
    CHECK(next_to_start({small}, {}, room) == 0U);
    CHECK(next_to_start({large}, {}, room) == 0U);  // alone it is tried, whatever it takes
    CHECK(next_to_start({large, small}, {small}, room) == 1U);
    CHECK_FALSE(next_to_start({small}, {small, small, small}, room));
    CHECK_FALSE(next_to_start({small}, {small, small}, {9, 1024, 9}));
    CHECK_FALSE(next_to_start({small}, {small, small}, {9, 9999, 2}));
    CHECK_FALSE(next_to_start({}, {}, room));
}

TEST_CASE("two VMs of which each must have something alone do not run beside each other") {
    const Load one{512, 1, {"52:54:00:00:00:01"}};
    const Load other{512, 1, {"52:54:00:00:00:02"}};
    CHECK(next_to_start({one, other}, {one}, {4, 9999, 9}) == 1U);
}

}  // namespace
}  // namespace vml::cases::test
