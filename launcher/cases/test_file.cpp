#include "launcher/cases/test_file.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/url.h"
#include "launcher/cases/expectation.h"
#include "launcher/cases/matrix.h"
#include "launcher/settings/config_file.h"
#include "launcher/settings/option_table.h"
#include "launcher/settings/suggest.h"
#include "launcher/settings/tidy.h"
#include "launcher/settings/values.h"
#include "launcher/vm/user_data.h"

namespace vml::cases {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t most_cases = most_cells;

void refuse_value(std::vector<Fault>& faults, std::string what, std::string hint = {}) {
    faults.push_back({std::move(what), "", std::move(hint), ExitCode::settings});
}

// What may be a path and is none: a URL, a text in place of a file, what stands for standard input.
bool is_no_path(std::string_view text) {
    return text.empty() || text == "-" || is_url(text) || is_script_text(text) || is_user_data_text(text);
}

std::string beside(const fs::path& folder, const std::string& text) {
    const fs::path path{text};
    return is_no_path(text) || path.is_absolute() || folder.empty() ? text : (folder / path).string();
}

std::string all_beside(const fs::path& folder, const std::string& text) {
    std::vector<std::string> paths = split_list(text);
    for (std::string& path : paths) {
        path = beside(folder, path);
    }
    return fmt::format("{}", fmt::join(paths, ","));
}

bool names_paths(const OptionRow& row) {
    return row.kind == ValueKind::file || row.kind == ValueKind::folder;
}

std::string path_of_value(const fs::path& folder, const OptionRow& row, const std::string& text) {
    const bool list = row.is_list || row.adds_up;
    return !names_paths(row) ? text : list ? all_beside(folder, text) : beside(folder, text);
}

// A boot file is what a server is asked for, and a public key may be a text.
bool is_of_this_host(std::string_view flag, std::string_view text) {
    const bool beside_nothing = flag == "ssh-pubkey" && (text.starts_with('~') || !names_key_file(text));
    return flag != "bootfile" && !beside_nothing;
}

void place_paths(const fs::path& folder, Layer& layer) {
    for (auto& [flag, raw] : layer.values) {
        if (is_of_this_host(flag, raw.text)) {
            raw.text = path_of_value(folder, *find_option(flag), raw.text);
        }
    }
    for (Raw& disk : layer.disks) {
        disk.text = beside(folder, disk.text);
    }
}

void check_value(std::string_view flag, const Raw& raw, std::vector<Fault>& faults) {
    try {
        Settings scratch;
        find_option(flag)->assign(scratch, raw.text);
    } catch (const ValueError& error) {
        refuse_value(faults, fmt::format("{}: {}", raw.origin, error.what()), error.hint());
    }
}

// Here its place in the file is known; the cells have it as a flag.
void check_all_values(const Layer& layer, std::vector<Fault>& faults) {
    for (const auto& [flag, raw] : layer.values) {
        check_value(flag, raw, faults);
    }
    for (const RawNic& nic : layer.nics) {
        if (nic.whole) {
            check_value("nic", *nic.whole, faults);
        }
    }
    const std::array<std::pair<std::string_view, const std::vector<Raw>*>, 3> lists{
        {{"disk", &layer.disks}, {"extra-disk", &layer.extra_disks}, {"dhcp-option", &layer.dhcp_options}}};
    for (const auto& [flag, list] : lists) {
        for (const Raw& raw : *list) {
            check_value(flag, raw, faults);
        }
    }
}

class TestFileReader {
  public:
    explicit TestFileReader(const fs::path& file) : file_{file.string()}, folder_{file.parent_path()} {}

    TestFile read(std::string_view text) {
        Layer whole;
        const json document = config_document(text, {file_, "test"}, whole);
        add_faults(whole.faults);
        if (document.is_object()) {
            take_document(document);
        }
        return std::move(read_);
    }

  private:
    void take_document(const json& document) {
        json common = json::object();
        const json* settings = nullptr;
        const json* cases = nullptr;
        for (const auto& [key, value] : document.items()) {
            if (key == "case") {
                cases = &value;
            } else if (key == "settings") {
                settings = &value;
            } else if (key == "expect" || key == "matrix" || key == "name") {
                refuse_value(read_.faults, fmt::format("'{}' in {}: it belongs in a case", key, file_),
                             "a case begins with [[case]]");
            } else if (key != "$schema") {
                common[key] = value;
            }
        }
        if (settings != nullptr) {
            add_common(common, *settings);
        }
        common_ = settings_in(common, file_);
        if (cases == nullptr || !cases->is_array() || cases->empty()) {
            refuse_value(read_.faults, fmt::format("{}: it has no cases", file_),
                         "each begins with [[case]]; in JSON \"case\" is a list of objects");
            return;
        }
        if (cases->size() > most_cases) {
            refuse_value(read_.faults, fmt::format("{}: it has more than {} cases", file_, most_cases));
            return;
        }
        for (const json& each : *cases) {
            take_case(each);
        }
    }

    void add_common(json& common, const json& settings) {
        if (!settings.is_object()) {
            refuse_value(read_.faults, fmt::format("'settings' in {}: expected a table", file_));
            return;
        }
        for (const auto& [key, value] : settings.items()) {
            if (common.contains(key)) {
                refuse_value(read_.faults,
                             fmt::format("'{}' in {}: it is there twice, in 'settings' and outside it",
                                         printable(key), file_),
                             "leave one of them out");
            } else {
                common[key] = value;
            }
        }
    }

    void take_case(const json& each) {
        const std::size_t number = read_.cases.size() + 1;
        Case made;
        made.name = fmt::format("case {}", number);
        if (!each.is_object()) {
            refuse_value(read_.faults, fmt::format("{} in {}: expected a table", made.name, file_));
            read_.cases.push_back(std::move(made));
            return;
        }
        take_name(each, made);
        const std::string place = fmt::format("{}, case '{}'", file_, printable(made.name));
        json settings = json::object();
        for (const auto& [key, value] : each.items()) {
            if (key == "matrix") {
                take_matrix(value, place, made);
            } else if (key == "expect") {
                made.expect = read_expectation(value, "expect in " + place, read_.faults);
            } else if (key != "name") {
                settings[key] = value;
            }
        }
        made.settings = settings_in(settings, place);
        add_weaker(made.settings, common_);
        read_.cases.push_back(std::move(made));
    }

    void take_name(const json& each, Case& made) {
        const auto name = each.find("name");
        if (name == each.end()) {
            return;
        }
        if (!name->is_string() || name->get_ref<const std::string&>().empty()) {
            refuse_value(read_.faults,
                         fmt::format("'name' of {} in {}: expected a string", made.name, file_));
            return;
        }
        made.name = name->get<std::string>();
        if (!names_.insert(made.name).second) {
            refuse_value(read_.faults,
                         fmt::format("'name' in {}: two cases are called '{}'", file_, printable(made.name)));
        }
    }

    void take_matrix(const json& matrix, const std::string& place, Case& made) {
        if (!matrix.is_object()) {
            refuse_value(read_.faults, fmt::format("'matrix' in {}: expected a table", place),
                         R"(for example {firmware = ["legacy", "uefi"]})");
            return;
        }
        for (const auto& [flag, values] : matrix.items()) {
            std::vector<std::string> words;
            for (const json& value : values.is_array() ? values : json::array({values})) {
                if (const auto word = word_of(value)) {
                    const OptionRow* row = find_option(flag);
                    words.push_back(row == nullptr || !is_of_this_host(flag, *word)
                                        ? *word
                                        : path_of_value(folder_, *row, *word));
                } else {
                    refuse_value(read_.faults,
                                 fmt::format("'{}' of the matrix in {}: expected a list of strings, numbers "
                                             "or booleans",
                                             printable(flag), place));
                }
            }
            add_axis(flag, std::move(words), "the matrix in " + place, made.matrix, read_.faults);
        }
    }

    static std::optional<std::string> word_of(const json& value) {
        if (value.is_string()) {
            return value.get<std::string>();
        }
        if (value.is_boolean()) {
            return value.get<bool>() ? "on" : "off";
        }
        return value.is_number_unsigned() ? std::optional{std::to_string(value.get<std::uint64_t>())}
                                          : std::nullopt;
    }

    Layer settings_in(json settings, const std::string& place) {
        for (auto setting = settings.begin(); setting != settings.end();) {
            const std::string& key = setting.key();
            if (is_tests_own(key)) {
                refuse_value(read_.faults, fmt::format("'{}' in {}: test sets it itself", key, place));
            } else if (find_option(key) == nullptr) {
                read_.faults.push_back(unknown_key_fault(key, place, known_keys()));
            } else {
                ++setting;
                continue;
            }
            setting = settings.erase(setting);
        }
        Layer layer = object_layer(settings, place);
        add_faults(layer.faults);
        layer.faults.clear();
        static_cast<void>(tidy(layer));
        add_faults(layer.faults);
        layer.faults.clear();
        check_all_values(layer, read_.faults);
        place_paths(folder_, layer);
        return layer;
    }

    static std::vector<std::string> known_keys() {
        std::vector<std::string> keys{"case", "settings", "name", "matrix", "expect"};
        for (const OptionRow& row : option_table()) {
            if (!is_tests_own(row.flag)) {
                keys.emplace_back(row.flag);
            }
        }
        return keys;
    }

    void add_faults(const std::vector<Fault>& faults) {
        read_.faults.insert(read_.faults.end(), faults.begin(), faults.end());
    }

    std::string file_;
    fs::path folder_;
    Layer common_;
    std::set<std::string> names_;
    TestFile read_;
};

}  // namespace

TestFile read_test_file(std::string_view text, const fs::path& file) {
    return TestFileReader{file}.read(text);
}

}  // namespace vml::cases
