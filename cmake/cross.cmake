# For a build for another architecture, with Debian's cross compiler and the libraries of `scripts/deps build ARCH`:
#   cmake --preset release --toolchain cmake/cross.cmake -DVML_ARCH=arm64
# VML_ARCH is Debian's name of it. For this machine's own, or none, this changes nothing.
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES VML_ARCH)
execute_process(COMMAND dpkg --print-architecture OUTPUT_VARIABLE vml_own_arch OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT VML_ARCH OR VML_ARCH STREQUAL vml_own_arch)
    return()
endif()
set(vml_triplet_arm64 aarch64-linux-gnu)
set(vml_triplet_amd64 x86_64-linux-gnu)
set(vml_triplet ${vml_triplet_${VML_ARCH}})
if(NOT vml_triplet)
    message(FATAL_ERROR "vm-launch is not built for ${VML_ARCH}: amd64 and arm64 are known")
endif()
string(REGEX MATCH "^[^-]+" CMAKE_SYSTEM_PROCESSOR "${vml_triplet}")
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_CXX_COMPILER ${vml_triplet}-g++)
set(CMAKE_LIBRARY_ARCHITECTURE ${vml_triplet})
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/${vml_triplet}/pkgconfig:/usr/share/pkgconfig)
