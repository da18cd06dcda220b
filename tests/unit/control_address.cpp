#include <string>
#include <vector>

#include "control/address.h"
#include "tests/unit/catch.h"

using namespace vml::control;

namespace {

std::vector<std::string> paths_of(uid_t user, std::string_view runtime_dir) {
    std::vector<std::string> paths;
    for (const Folder& folder : folders_of(user, runtime_dir)) {
        CHECK(folder.owner == user);
        paths.push_back(folder.path);
    }
    return paths;
}

using Paths = std::vector<std::string>;

}  // namespace

TEST_CASE("each user's sockets have folders of their own") {
    CHECK(paths_of(0, "") == Paths{"/run/vm-launch", "/tmp/vm-launch-0"});
    CHECK(paths_of(0, "/run/user/1000") == paths_of(0, ""));  // what su(1) may have left
    CHECK(paths_of(1000, "") == Paths{"/run/user/1000/vm-launch", "/tmp/vm-launch-1000"});
    CHECK(paths_of(1000, "/run/user/1000/") == paths_of(1000, ""));
    CHECK(paths_of(1000, "/home/x/run") ==
          Paths{"/home/x/run/vm-launch", "/run/user/1000/vm-launch", "/tmp/vm-launch-1000"});
    CHECK(paths_of(1000, "run") == paths_of(1000, ""));
}

TEST_CASE("a lock tells whose it is, and nothing but a VM's name is one") {
    CHECK(name_of_lock(lock_file("a.b-c_9")) == "a.b-c_9");
    CHECK(name_of_lock(lock_file(std::string(63, 'n'))) == std::string(63, 'n'));
    for (const std::string& name :
         {std::string{}, std::string{"."}, std::string{".."}, std::string{".x"}, std::string{"-x"},
          std::string{"a b"}, std::string{"a/b"}, std::string{"a\nb"}, std::string{"\x1b[2J"},
          std::string{"\xff"}, std::string{"\xc3\xa4"}, std::string(64, 'n')}) {
        CAPTURE(name);
        CHECK(!name_of_lock(lock_file(name)));
    }
    for (const char* file : {"web", "web.sock", "web.lock.x", "", ".lock"}) {
        CAPTURE(file);
        CHECK(!name_of_lock(file));
    }
}
