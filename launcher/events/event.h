// What happens to a VM while it runs, as programs are told it: docs/events.md. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "bootwatch/record.h"
#include "bootwatch/report.h"

namespace vml::events {

// Of an event's fields. They are only ever added; a change of meaning raises it.
inline constexpr int version = 1;

enum class Kind {
    begin,
    boot,
    stage,
    dhcp,
    fetch,
    console,
    hint,
    qemu,
    verdict,
    limit,
    end,
    following,  // these two are one reader's alone
    lost,
};

// A row of docs/events.md.
struct Row {
    Kind kind;
    std::string_view name;
    std::string_view when;    // in Markdown
    std::string_view fields;  // in Markdown: each field that it always has in backticks
};
[[nodiscard]] std::span<const Row> rows();
[[nodiscard]] std::string_view name_of(Kind kind);
// The rows as a Markdown table.
[[nodiscard]] std::string page();

struct Event {
    Kind kind = Kind::begin;
    nlohmann::ordered_json fields = nlohmann::ordered_json::object();
};

// `boot` is 1 for the first boot; `at` is in seconds since the machine began to run.
[[nodiscard]] Event begins(const boot::ReportHead& head);
[[nodiscard]] Event boot_begins(unsigned boot, double at);
[[nodiscard]] Event stage(unsigned boot, const boot::Mark& mark);
[[nodiscard]] Event fetch(unsigned boot, const boot::Fetch& fetch);
[[nodiscard]] Event hint(const std::string& text);
[[nodiscard]] Event qemu(const std::string& name, const nlohmann::json& data);
[[nodiscard]] Event verdict(const Fault& fault);
// `fault`: why the run failed, if it did.
[[nodiscard]] Event ends(int exit_code, const std::string& summary, const std::optional<Fault>& fault);
[[nodiscard]] Event limit(Kind of, std::uint64_t most);
[[nodiscard]] Event lost(std::uint64_t count);
[[nodiscard]] Event following(const std::string& phase);

}  // namespace vml::events
