// OwnedFd: one owner, closed exactly once.
#include <array>
#include <type_traits>

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) != -1;
}

int open_null() {
    const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    REQUIRE(fd >= 0);
    return fd;
}

static_assert(!std::is_copy_constructible_v<OwnedFd> && !std::is_copy_assignable_v<OwnedFd>);
static_assert(std::is_nothrow_move_constructible_v<OwnedFd> && std::is_nothrow_move_assignable_v<OwnedFd>);

TEST_CASE("a descriptor is closed with its owner") {
    const int fd = open_null();
    {
        const OwnedFd owner{fd};
        CHECK(owner.get() == fd);
        CHECK(static_cast<bool>(owner));
    }
    CHECK_FALSE(is_open(fd));
}

TEST_CASE("none is -1 and false; descriptor 0 is one") {
    CHECK(OwnedFd{}.get() == -1);
    CHECK_FALSE(static_cast<bool>(OwnedFd{}));
    OwnedFd zero{0};
    CHECK(static_cast<bool>(zero));
    CHECK(zero.release() == 0);
}

TEST_CASE("a move hands the descriptor over") {
    const int fd = open_null();
    OwnedFd first{fd};
    OwnedFd second{std::move(first)};
    CHECK(second.get() == fd);
    CHECK(is_open(fd));
    OwnedFd third;
    third = std::move(second);
    CHECK(third.get() == fd);
    CHECK(is_open(fd));
}

TEST_CASE("what was owned before a move or a reset is closed") {
    const int before = open_null();
    const int after = open_null();
    OwnedFd owner{before};
    owner = OwnedFd{after};
    CHECK_FALSE(is_open(before));
    CHECK(owner.get() == after);
    owner.reset();
    CHECK_FALSE(is_open(after));
    CHECK(owner.get() == -1);
}

TEST_CASE("release leaves the descriptor open and to the caller") {
    const int fd = open_null();
    {
        OwnedFd owner{fd};
        CHECK(owner.release() == fd);
        CHECK(owner.get() == -1);
    }
    CHECK(is_open(fd));
    ::close(fd);
}

TEST_CASE("a move onto itself keeps the descriptor") {
    OwnedFd owner{open_null()};
    OwnedFd& same = owner;
    const int fd = owner.get();
    owner = std::move(same);
    CHECK(owner.get() == fd);
    CHECK(is_open(fd));
}

}  // namespace
}  // namespace vml
