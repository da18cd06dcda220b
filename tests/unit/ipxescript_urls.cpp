#include <string>
#include <vector>

#include "ipxescript/urls.h"
#include "tests/unit/catch.h"

namespace vml::ipxescript {
namespace {

using Words = std::vector<std::string>;

Words sources(const std::string& line) {
    Words all;
    for (const Line& each : read_script("#!ipxe\n" + line).lines) {
        for (const Command& command : each.commands) {
            const Words some = sources_of(command);
            all.insert(all.end(), some.begin(), some.end());
        }
    }
    return all;
}

TEST_CASE("what a line fetches") {
    CHECK(sources("kernel --name x http://h/k quiet") == Words{"http://h/k"});
    CHECK(sources("chain -ar ${base}/a.ipxe || initrd b") == Words{"${base}/a.ipxe", "b"});
    CHECK(sources("imgverify --signer x k k.sig") == Words{"k", "k.sig"});
    CHECK(sources("echo http://h/k\nkernel") == Words{});
}

TEST_CASE("a name is resolved against its script's URL") {
    CHECK(resolved("k", "http://h/a/boot.ipxe") == Words{"http://h/a/k"});
    CHECK(resolved("/k", "http://h/a/boot.ipxe") == Words{"http://h/k"});
    CHECK(resolved("${x}/k", "http://h/a/boot.ipxe") == Words{"http://h${x}/k", "${x}/k"});
    CHECK(resolved("${x}.ipxe", "http://h/a/boot.ipxe") == Words{"http://h/a/${x}.ipxe", "${x}.ipxe"});
    CHECK(resolved("tftp://h/k", "http://h/a/boot.ipxe") == Words{"tftp://h/k"});
}

TEST_CASE("which variable was empty in a URL") {
    CHECK(empty_in("http://h/${dir}/k", "http://h//k") == Words{"dir"});
    CHECK(empty_in("http://h/${dir}/k", "http://h/x/k").empty());
    CHECK(empty_in("http://${next-server}/${dir}/k", "http://10.0.0.1//k") == Words{"dir"});
    CHECK(empty_in("http://${a}/k", "http:///k") == Words{"a"});
    CHECK(empty_in("${mac:hexhyp}.ipxe", ".ipxe") == Words{"mac"});
    CHECK(empty_in("http://h/k${a}", "http://h/k") == Words{"a"});
    CHECK(empty_in("http://h/${a${b}}/k", "http://h//k") == Words{"a${b}"});
    CHECK(empty_in("http://h/k", "http://h//k").empty());
    CHECK(empty_in("tftp://h/${dir}/k", "tftp://h/k") == Words{"dir"});
    CHECK(empty_in("http://h/${open", "http://h/${open").empty());
    CHECK(fits("http://h/${a}/k", "http://h/any/thing/k"));
    CHECK_FALSE(fits("http://h/${a}/k", "http://h/any/kk"));
    CHECK(fits("http://h/${a}", "http://h/"));
}

TEST_CASE("what sets a variable") {
    const Script script = read_script(
        "#!ipxe\nset a x\nset b:string y\nread c\nchoose --default d --timeout 5 target && goto ${target}\n"
        "login\nisset ${e} || set ${f} 1\n");
    CHECK(variables_set(script) == Words{"a", "b", "c", "target", "username", "password", "${f}"});
    CHECK(is_given("net0/ip"));
    CHECK(is_given("hostname"));
    CHECK(is_given("175"));
    CHECK_FALSE(is_given("dir"));
}

TEST_CASE("a URL with an empty part, and those that only look so") {
    for (const char* url : {"http://10.0.0.1//kernel", "http:///kernel", "http://:8080/k", "http://h/.ipxe",
                            "http://h/-.ipxe", "http://h/mac-.ipxe?x=1", ".ipxe", "tftp://h//a/k"}) {
        INFO(url);
        CHECK(has_empty_part(url));
    }
    for (const char* url : {"http://h/kernel", "http://h/", "http://h/.treeinfo", "http://h/a.ipxe", "k.img",
                            "k", "http://h/a?u=http://x//y", "http://h/.disk/info", ""}) {
        INFO(url);
        CHECK_FALSE(has_empty_part(url));
    }
}

}  // namespace
}  // namespace vml::ipxescript
