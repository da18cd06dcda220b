#include <string>
#include <utility>

#include "launcher/host/link_search.h"
#include "launcher/vm/outside_links.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

namespace fs = std::filesystem;
using Links = std::vector<OutsideLink>;

struct Served {
    Served() {
        folder.write("images/vmlinuz", "kernel");
        folder.write("served/boot.ipxe", "#!ipxe\n");
        folder.write("served/real/initrd", "archive");
        fs::create_directory(path() / "boot");
    }
    [[nodiscard]] fs::path path() const { return folder.path() / "served"; }
    [[nodiscard]] fs::path image() const { return fs::canonical(folder.path()) / "images/vmlinuz"; }
    void link(const fs::path& target, const std::string& name) const {
        fs::create_symlink(target, path() / name);
    }

    test::Folder folder;
};

TEST_CASE("a folder without links, and one whose links stay in it, has none that lead out") {
    const Served served;
    CHECK(outside_links(served.path(), {"boot.ipxe", "real/initrd", "missing", "../images/vmlinuz"}).empty());
    served.link("real/initrd", "initrd");
    CHECK(outside_links(served.path(), {"initrd"}).empty());
    CHECK(outside_links(served.path() / "none", {"initrd"}).empty());
}

TEST_CASE("links of the folder's own, and those on the way to a file that the script names") {
    const Served served;
    served.link(served.image(), "kernel");
    served.link("../../images/vmlinuz", "boot/vmlinuz");
    served.link("/no/such/file", "gone");
    CHECK(outside_links(served.path(), {"boot/vmlinuz"}) == Links{{"boot/vmlinuz", served.image(), true},
                                                                  {"gone", "/no/such/file", false},
                                                                  {"kernel", served.image(), true}});
    served.link(served.image().parent_path(), "images");
    CHECK(outside_links(served.path(), {"images/vmlinuz"}).size() ==
          4);  // and not boot/vmlinuz, which nobody named
}

TEST_CASE("what is told of links") {
    const Links links{{"a", "/x/a", true}, {"b", "/x/b", false}, {"c", "/x/c", true}};
    const auto [to_files, to_nothing] = parted_links(links);
    CHECK(words_for(to_files) == "a -> /x/a (and 1 more)");
    CHECK(words_for(to_nothing) == "b -> /x/b");
}

TEST_CASE("a folder from which a link leads is served by TFTP alone, and that is told") {
    HostFacts facts = test::with_netboot(test::made_up_host());
    const test::Words flags{"--ipxe", "--netboot-dir=/n"};
    CHECK(test::spec_of(flags, facts).nics.front().netboot.http);
    facts.netboot->outside_links = {{"gone", "/x", false}};
    const VmSpec broken = test::spec_of(flags, facts);
    CHECK(broken.nics.front().netboot.http);
    CHECK(broken.notes.back() == "gone -> /x is a link to where nothing is");
    facts.netboot->outside_links = {{"vmlinuz", "/srv/images/vmlinuz", true}};
    const VmSpec linked = test::spec_of(flags, facts);
    CHECK_FALSE(linked.nics.front().netboot.http);
    CHECK(test::contains(linked.notes.back(), "vmlinuz -> /srv/images/vmlinuz leads out of the folder"));
}

}  // namespace
}  // namespace vml
