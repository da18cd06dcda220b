// Faults that the lint must find, each by another part of clang-tidy: a lint that looks at nothing finds
// nothing.
#include <cstdio>

namespace vml {

struct Shape {
    int first;
};

int cast_away(const Shape* shape) {
    auto* changed = (Shape*)shape;
    return changed->first;
}

int through_null(int way) {
    const int* place = nullptr;
    if (way > 0) {
        std::puts("no place");
    }
    return *place;
}

}  // namespace vml

#define VML_A_NUMBER 3
