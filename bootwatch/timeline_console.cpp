// The timeline's part for the console and the firmware's log.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "bootwatch/timeline.h"

namespace vml::boot {

namespace {

// A kernel that cannot go on to a system, be its own NIC driver up already (init/do_mounts.c, init/main.c).
bool is_without_root(std::string_view panic) {
    return panic.find("Unable to mount root fs") != std::string_view::npos ||
           panic.find("No working init found") != std::string_view::npos;
}

// Not "UEFI" alone: with a version. A later line may be anybody's.
void note_firmware(Boot& boot, std::string_view name) {
    if (!boot.firmware && name.find_first_of("0123456789") != std::string_view::npos) {
        boot.firmware = cut_to(name, longest_detail);
    }
}

// A disk that came before it was not the end.
void network_begins(Boot& boot) {
    if (!boot.ipxe && !boot.firmware_client && boot.outcome == Outcome::disk) {
        boot.outcome = Outcome::none;
    }
}

}  // namespace

std::vector<Mark> Timeline::line(double at, std::string_view line) {
    news_ = passes(at);
    current().console.line(line);
    std::string whole = std::exchange(cut_line_, {});
    whole += line;
    if (is_cut_short(whole) && whole.size() == line.size()) {
        cut_line_ = whole;
        return {};
    }
    const std::string_view all = whole;
    const std::size_t loaders = unended_words(all);
    for (const std::string_view part : {all.substr(0, loaders), all.substr(loaders)}) {
        if (const auto mark = mark_in_line(part)) {
            console(at, *mark);
        }
    }
    return news();
}

void Timeline::firmware_complains(double at, std::string_view line) {
    current().firmware_error_at = at;
    add_bounded(current().firmware_errors, cut_to(line, longest_console_line), most_texts,
                current().left_out.firmware_errors);
}

// SeaBIOS src/optionroms.c and src/malloc.c: why it left an option ROM out.
std::vector<Mark> Timeline::firmware_line(double at, std::string_view line) {
    if (line.starts_with("SeaBIOS (version ")) {
        if (const auto seen = mark_in_line(line)) {
            note_firmware(current(), seen->text);
        }
        mark_once(Stage::firmware, at, Proof::firmware_log, "SeaBIOS speaks");
    }
    const bool left_out = line.find("option rom with bad checksum") != std::string_view::npos ||
                          line.find("Unable to allocate resource at copy_rom") != std::string_view::npos;
    if (left_out) {
        firmware_complains(at, line);
    }
    return news();
}

std::vector<Mark> Timeline::partial(double at, std::string_view line) {
    current().console.partial(line);
    if (const auto mark = mark_in_partial(line)) {
        console(at, *mark);
    }
    return news();
}

void Timeline::firmware_boots(double at, const std::string& words) {
    mark_once(Stage::firmware, at, Proof::console, "UEFI");
    network_begins(current());
    if (!std::exchange(current().firmware_client, true)) {
        mark(Stage::firmware, at, Proof::console,
             fmt::format("the firmware's own network boot, not iPXE: {}", words));
    }
}

void Timeline::console(double at, const ConsoleMark& seen) {
    switch (seen.sign) {
        case ConsoleSign::firmware:
            note_firmware(current(), seen.text);
            mark_once(Stage::firmware, at, Proof::console, seen.text);
            break;
        case ConsoleSign::firmware_client:
            firmware_boots(at, seen.text);
            break;
        case ConsoleSign::firmware_failed:
            client_failed(at, seen.text);
            [[fallthrough]];
        case ConsoleSign::firmware_error:
            firmware_complains(at, seen.text);
            break;
        case ConsoleSign::next_device:
            ended(Outcome::disk, at, seen.text);
            break;
        case ConsoleSign::no_bootable_device:
            if (current().outcome != Outcome::dead_end) {
                ended(Outcome::dead_end, at, seen.text);
            }
            break;
        case ConsoleSign::firmware_shell:
            ended(Outcome::uefi_shell, at, seen.text);
            break;
        case ConsoleSign::kernel:
            mark_once(Stage::kernel, at, Proof::console, seen.text);
            break;
        case ConsoleSign::panic:
            if (!current().reached(Stage::os) || is_without_root(seen.text)) {
                ended(Outcome::panic, at, seen.text);
            }
            break;
        case ConsoleSign::efi_stub:
        case ConsoleSign::stub_error:
            stub_said(at, seen);
            break;
        case ConsoleSign::init:
            system_runs(at, Proof::console, fmt::format("Linux runs {}", seen.text));
            break;
        case ConsoleSign::login:
            system_runs(at, Proof::console, fmt::format("\"{}\"", seen.text));
            break;
        default:
            ipxe_said(at, seen);
            break;
    }
}

// Once: more of its lines show no more. Its errors are each told.
void Timeline::stub_said(double at, const ConsoleMark& seen) {
    const auto& marks = current().marks;
    const bool is_error = seen.sign == ConsoleSign::stub_error;
    if (is_error || std::none_of(marks.begin(), marks.end(),
                                 [](const Mark& old) { return old.stage == Stage::kernel; })) {
        mark(Stage::kernel, at, Proof::console, seen.text, false);
    }
    if (is_error) {
        current().stub_error = cut_to(seen.text, longest_console_line);
    }
}

// iPXE has returned, or the firmware's own client, which is the one that the VM was given: what it tries next
// takes a minute more, and finds nothing.
void Timeline::client_failed(double at, std::string_view words) {
    if (current().outcome != Outcome::none || !(current().ipxe || current().firmware_client)) {
        return;
    }
    ended(Outcome::gave_up, at, words);
    if (current().ipxe) {
        current().left_ipxe_at = firmware_asked_after_ipxe(current()).value_or(at);
    }
}

// "http://10.0.0.1/k... No such file or directory (http://ipxe.org/…)"
void Timeline::fetch_refused(double at, const ConsoleMark& seen) {
    const std::size_t dots = seen.text.find("...");
    if (nics_.empty() || dots == 0 || dots == std::string::npos) {
        return;
    }
    if (const auto index = fetches_.said_to_have_failed(at, seen.text.substr(0, dots), *seen.number)) {
        fetched(at, *index);
    }
}

void Timeline::ipxe_said(double at, const ConsoleMark& seen) {
    const bool wire = !nics_.empty();
    switch (seen.sign) {
        case ConsoleSign::rom_found:
            current().rom_found = true;
            break;
        case ConsoleSign::ipxe_runs:
            network_begins(current());
            if (!current().ipxe) {
                current().ipxe = cut_to(seen.text, longest_detail);
                mark(Stage::option_rom, at, Proof::console, fmt::format("{} runs", seen.text));
            }
            break;
        case ConsoleSign::ipxe_link_up:
            current().link_down = false;
            mark_once(Stage::link, at, Proof::console, "up");
            break;
        case ConsoleSign::ipxe_link_down:
            current().link_down = current().other_frames == 0;
            break;
        case ConsoleSign::ipxe_address:
            if (!wire) {
                mark_once(Stage::address, at, Proof::console, fmt::format("address {}", seen.text));
            }
            break;
        case ConsoleSign::ipxe_fetched:
            if (!wire) {
                mark(Stage::fetch, at, Proof::console, fmt::format("{} fetched", seen.text));
            } else if (const auto index = fetches_.said_to_be_done(at, seen.text)) {
                fetched(at, *index);
            }
            break;
        case ConsoleSign::ipxe_script:
            mark_once(Stage::script, at, Proof::console, fmt::format("{} runs", seen.text));
            break;
        default:
            ipxe_complained(at, seen);
    }
}

void Timeline::ipxe_complained(double at, const ConsoleMark& seen) {
    switch (seen.sign) {
        case ConsoleSign::ipxe_error:
            fetch_refused(at, seen);
            add_bounded(current().complaints, {at, cut_to(seen.text, longest_console_line), *seen.number},
                        most_texts, current().left_out.complaints);
            break;
        case ConsoleSign::ipxe_word:
            current().ipxe_word = cut_to(seen.text, longest_console_line);
            current().ipxe_word_at = at;
            current().ipxe_usage.clear();
            break;
        case ConsoleSign::ipxe_usage:
            current().ipxe_usage = cut_to(seen.text, longest_console_line);
            break;
        case ConsoleSign::loader_error:
            if (!current().reached_or_passed(Stage::kernel)) {  // else a guest's own words
                current().loader_error = cut_to(seen.text, longest_console_line);
                current().loader_error_at = at;
            }
            break;
        case ConsoleSign::loader_gave_up:
        case ConsoleSign::ipxe_shell:
        case ConsoleSign::grub_shell:
            if (current().outcome == Outcome::none && !current().reached_or_passed(Stage::kernel)) {
                ended(seen.sign == ConsoleSign::loader_gave_up ? Outcome::dead_end : Outcome::shell, at,
                      seen.text);
            }
            break;
        default:
            break;
    }
}

}  // namespace vml::boot
