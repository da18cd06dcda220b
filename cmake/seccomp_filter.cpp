// seccomp_filter ARCH FILE: compiles the list of system calls that vm-launch may make
// (launcher/process/allowed_calls.h) into FILE, a piece of C++ with the kernel's filter, and with the names
// of all system calls of that architecture (x86_64, aarch64). It runs while vm-launch is built, so that a
// start costs one system call, and the program needs no libseccomp.
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <linux/filter.h>
#include <linux/if_tun.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "launcher/process/allowed_calls.h"

namespace {

using Context = std::unique_ptr<void, decltype(&seccomp_release)>;

void need(int result, const std::string& what) {
    if (result < 0) {
        std::cerr << what << ": error " << -result << '\n';
        std::exit(EXIT_FAILURE);
    }
}

// The kernel has more than this many numbers only after many years.
constexpr int most_calls = 1024;

void only_for(scmp_filter_ctx context, std::uint32_t arch) {
    if (arch != seccomp_arch_native()) {
        need(seccomp_arch_add(context, arch), "seccomp_arch_add");
        need(seccomp_arch_remove(context, seccomp_arch_native()), "seccomp_arch_remove");
    }
}

// A rule takes this machine's number of the call, or libseccomp's own where this machine has no such call.
void allow(scmp_filter_ctx context, std::uint32_t arch, const char* name) {
    if (seccomp_syscall_resolve_name_arch(arch, name) >= 0) {  // else that architecture has no such call
        need(seccomp_rule_add(context, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(name), 0), name);
    }
}

// A call that is allowed with some values of one of its arguments alone.
void allow_with(scmp_filter_ctx context, const char* name, unsigned argument,
                const std::vector<std::uint64_t>& values) {
    for (const std::uint64_t value : values) {
        const scmp_arg_cmp equal{argument, SCMP_CMP_MASKED_EQ, UINT32_MAX, value};
        need(seccomp_rule_add_array(context, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(name), 1, &equal),
             name);
    }
}

std::vector<sock_filter> compiled(scmp_filter_ctx context) {
    const std::unique_ptr<std::FILE, decltype(&std::fclose)> file{std::tmpfile(), &std::fclose};
    need(file ? 0 : -errno, "a temporary file");
    need(seccomp_export_bpf(context, fileno(file.get())), "seccomp_export_bpf");
    const off_t size = lseek(fileno(file.get()), 0, SEEK_CUR);
    std::vector<sock_filter> filter(static_cast<std::size_t>(size) / sizeof(sock_filter));
    need(pread(fileno(file.get()), filter.data(), static_cast<std::size_t>(size), 0) == size ? 0 : -EIO,
         "reading it");
    return filter;
}

void write_names(std::ostream& out, std::uint32_t arch) {
    out << "constexpr std::array<const char*, " << most_calls << "> call_names{{\n";
    for (int number = 0; number < most_calls; ++number) {
        const std::unique_ptr<char, decltype(&std::free)> name{seccomp_syscall_resolve_num_arch(arch, number),
                                                               &std::free};
        if (name) {
            out << "    \"" << name.get() << "\",\n";
        } else {
            out << "    nullptr,\n";
        }
    }
    out << "}};\n";
}

}  // namespace

int main(int argc, char** argv) {
    const std::uint32_t arch = argc == 3 ? seccomp_arch_resolve_name(argv[1]) : 0;
    if (arch == 0) {
        std::cerr << "usage: seccomp_filter ARCH FILE\n";
        return 2;
    }
    const Context context{seccomp_init(SCMP_ACT_TRAP), &seccomp_release};
    only_for(context.get(), arch);
    for (const std::string_view name : vml::allowed_calls) {
        allow(context.get(), arch, std::string{name}.c_str());
    }
    allow_with(context.get(), "ioctl", 1,
               {TCGETS, TCSETS, TCSETSW, TCSETSF, TCFLSH, TIOCGPGRP, TIOCGWINSZ, TIOCOUTQ, FIONREAD, FIONBIO,
                TUNGETIFF, TUNGETVNETHDRSZ});
    allow_with(context.get(), "socket", 0, {AF_UNIX, AF_NETLINK});
    std::ofstream out{argv[2]};
    const std::vector<sock_filter> filter = compiled(context.get());
    out << "// Made by cmake/seccomp_filter.cpp.\nconstexpr std::array<sock_filter, " << filter.size()
        << "> filter_code{{\n";
    for (const sock_filter& line : filter) {
        out << "    {" << line.code << ", " << unsigned{line.jt} << ", " << unsigned{line.jf} << ", "
            << line.k << "U},\n";
    }
    out << "}};\n";
    write_names(out, arch);
    return out.flush() ? 0 : 1;
}
