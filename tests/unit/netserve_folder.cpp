// What may be asked of a served folder, and that no name leads out of it.
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/url.h"
#include "netserve/folder.h"
#include "netserve/request.h"
#include "tests/unit/catch.h"

namespace vml::serve {
namespace {

namespace fs = std::filesystem;

class Folder {
  public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "vml-folder-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
        fs::create_directories(path_ / "served/sub dir");
        write("secret", "not for you");
        write("served/a", "0123456789");
        write("served/sub dir/b", "b");
        fs::create_symlink("sub dir/b", path_ / "served/inner");
        fs::create_symlink("../secret", path_ / "served/outer");
        fs::create_symlink("/etc/passwd", path_ / "served/absolute");
        fs::create_symlink("..", path_ / "served/up");
        fs::create_symlink("loop", path_ / "served/loop");
        REQUIRE(::mkfifo((path_ / "served/fifo").c_str(), 0644) == 0);
        fd_ = OwnedFd{::open((path_ / "served").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { fs::remove_all(path_); }

    void write(const std::string& name, const std::string& text) const {
        std::ofstream{path_ / name} << text;
    }
    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] std::string path() const { return (path_ / "served").string(); }

  private:
    fs::path path_;
    OwnedFd fd_;
};

TEST_CASE("the target of a request becomes a name in the folder") {
    CHECK(name_in_folder("/vmlinuz") == "vmlinuz");
    CHECK(name_in_folder("//sub%20dir/b?x=1") == "sub dir/b");
    CHECK(name_in_folder("/%C3%BC") == "\xC3\xBC");
    CHECK(name_in_folder("/") == "");
    for (const char* bad : {"", "vmlinuz", "*", "/%", "/%4", "/%zz", "/%00", "/a%2"}) {
        CAPTURE(bad);
        CHECK(name_in_folder(bad) == std::nullopt);
    }
}

TEST_CASE("a name becomes a part of a URL, and comes back as it was") {
    CHECK(url_path("boot.ipxe") == "boot.ipxe");
    CHECK(url_path("my boot/\xC3\xBC?#%.ipxe") == "my%20boot/%C3%BC%3F%23%25.ipxe");
    std::string all;
    for (int byte = 1; byte < 256; ++byte) {
        all += static_cast<char>(byte);
    }
    CHECK(name_in_folder("/" + url_path(all)) == all);
}

TEST_CASE("files below the folder are opened, and links that stay in it are followed") {
    const Folder folder;
    const FoundFile a = open_beneath(folder.fd(), "a");
    CHECK(a.fd);
    CHECK(a.size == 10);
    CHECK(open_beneath(folder.fd(), "sub dir/b").fd);
    CHECK(open_beneath(folder.fd(), "sub dir/../a").fd);
    CHECK(open_beneath(folder.fd(), "inner").fd);
}

TEST_CASE("no name leads out of the folder") {
    const Folder folder;
    for (const char* name :
         {"../secret", "sub dir/../../secret", "outer", "absolute", "up/secret", "/etc/passwd"}) {
        CAPTURE(name);
        const FoundFile found = open_beneath(folder.fd(), name);
        CHECK_FALSE(found.fd);
        CHECK(found.error == EXDEV);
    }
}

TEST_CASE("names that a link leads out are told, before anybody asks for them") {
    const Folder folder;
    using Names = std::vector<std::string>;
    const Names names{"a", "sub dir/b", "inner", "outer", "absolute", "up/secret", "loop", "nothing", "fifo"};
    CHECK(leading_out(folder.path(), names) == Names{"outer", "absolute", "up/secret"});
    CHECK(leading_out(folder.path() + "/none", names).empty());
}

TEST_CASE("what is no regular file is not found, and nothing blocks") {
    const Folder folder;
    CHECK(open_beneath(folder.fd(), "nothing").error == ENOENT);
    CHECK(open_beneath(folder.fd(), "sub dir").error == ENOENT);
    CHECK(open_beneath(folder.fd(), "fifo").error == ENOENT);
    CHECK(open_beneath(folder.fd(), "").error == ENOENT);
    CHECK(open_beneath(folder.fd(), "loop").error == ELOOP);
    CHECK(folder_obstacle(folder.path()) == 0);
    CHECK(folder_obstacle(folder.path() + "/a") == ENOTDIR);
    CHECK(folder_obstacle(folder.path() + "/none") == ENOENT);
}

TEST_CASE("ranges") {
    const Slice whole{0, 10, false, true};
    CHECK(slice_of("", 10) == whole);
    CHECK(slice_of("bytes=0-0", 10) == Slice{0, 1, true, true});
    CHECK(slice_of("bytes=2-5", 10) == Slice{2, 4, true, true});
    CHECK(slice_of("bytes=2-", 10) == Slice{2, 8, true, true});
    CHECK(slice_of("bytes=2-99", 10) == Slice{2, 8, true, true});
    CHECK(slice_of("bytes=-3", 10) == Slice{7, 3, true, true});
    CHECK(slice_of("bytes=-99", 10) == Slice{0, 10, true, true});
    CHECK_FALSE(slice_of("bytes=10-", 10).satisfiable);
    CHECK_FALSE(slice_of("bytes=-0", 10).satisfiable);
    CHECK_FALSE(slice_of("bytes=0-", 0).satisfiable);
    for (const char* odd : {"items=0-1", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "bytes=0-1,3-4",
                            "bytes=99999999999999999999-", "bytes=1-b", "bytes=--1"}) {
        CAPTURE(odd);
        CHECK(slice_of(odd, 10) == whole);
    }
}

}  // namespace
}  // namespace vml::serve
