// Control groups' memory limits and kills, of both versions, from folders of the test's own.
#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include "base/cgroup.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

namespace fs = std::filesystem;
using Paths = std::vector<fs::path>;

struct Tree {
    fs::path root = fs::temp_directory_path() / ("vm-launch-cgroup-" + std::to_string(::getpid()));
    Tree() { fs::create_directories(root); }
    ~Tree() { fs::remove_all(root); }
    Tree(const Tree&) = delete;
    Tree& operator=(const Tree&) = delete;
    Tree(Tree&&) = delete;
    Tree& operator=(Tree&&) = delete;

    void write(const fs::path& file, const std::string& text) const {
        fs::create_directories((root / file).parent_path());
        std::ofstream{root / file} << text;
    }
};

TEST_CASE("the groups that bound memory, from one's own upwards") {
    CHECK(memory_groups("0::/a/b\n", "/r") == Paths{"/r/a/b", "/r/a", "/r"});
    CHECK(memory_groups("5:cpu,memory:/d\n4:pids:/p\n1:name=systemd:/s\n", "/r") ==
          Paths{"/r/memory/d", "/r/memory"});
    CHECK(memory_groups("nonsense\n0:\n", "/r").empty());
}

TEST_CASE("the lowest limit holds, and what stands for none is none") {
    const Tree tree;
    tree.write("a/b/memory.max", "max\n");
    tree.write("a/memory.max", "419430400\n");
    tree.write("memory/d/memory.limit_in_bytes", "9223372036854771712\n");
    CHECK(memory_limit_of({tree.root / "a/b", tree.root / "a", tree.root}) == 419430400);
    CHECK_FALSE(memory_limit_of({tree.root / "a/b", tree.root}));
    CHECK_FALSE(memory_limit_of({tree.root / "memory/d", tree.root / "not-there"}));
}

TEST_CASE("kills for want of memory are counted in one's own group") {
    const Tree tree;
    tree.write("a/memory.events", "low 0\nhigh 0\nmax 7\noom 2\noom_kill 3\n");
    tree.write("v1/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n");
    CHECK(out_of_memory_kills_of({tree.root / "a"}) == 3);
    CHECK(out_of_memory_kills_of({tree.root / "v1"}) == 5);
    CHECK(out_of_memory_kills_of({tree.root / "a/b", tree.root / "a"}) == 3);
    CHECK(out_of_memory_kills_of({tree.root}) == 0);
}

}  // namespace
}  // namespace vml
