// A visitor of a variant that is made of lambdas: one that is missing does not compile.
#pragma once

namespace vml {

template <typename... Handlers>
struct Overloaded : Handlers... {
    using Handlers::operator()...;
};
template <typename... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

}  // namespace vml
