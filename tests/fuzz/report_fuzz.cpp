// A record with any text in it → the report, as JSON and as a page. The input's parts, cut at NUL bytes, add
// to the record: one byte for the kind, one for a number, and the text.
//
// Holds that no text becomes markup, that the page nests as it must, that both are UTF-8 and no heavier than
// the record is said to be, and that the JSON is read back.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "bootwatch/report.h"
#include "bootwatch/weight.h"
#include "tests/fuzz/require.h"

namespace {

using namespace vml;
using namespace vml::boot;

constexpr int most_parts = 48;
constexpr std::size_t head_frame = 16384;  // of a report: the style sheet, most of all
constexpr std::size_t longest_escape = 6;

// What checks is not what is to be covered.
#pragma clang attribute push(__attribute__((no_sanitize("coverage"))), apply_to = function)

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& known) {
    return std::find(known.begin(), known.end(), word) != known.end();
}

#pragma clang attribute pop

// The record

class Made {
  public:
    void add(std::string_view part) {
        const std::uint8_t number = part.size() > 1 ? static_cast<std::uint8_t>(part[1]) : 0;
        const std::string text{part.substr(std::min<std::size_t>(part.size(), 2))};
        at_ += number / 8.0;
        head.lasted = at_;
        switch (part.empty() ? '\0' : part[0]) {
            case 'n':
                head.nics.push_back({text, text, text, text, text, number % 2 == 0});
                break;
            case 'h':
                add_to_head(number, text);
                break;
            case 'v':
                head.fault = Fault{text, text, text, ExitCode::host};
                break;
            case 'b':
                boots.back().ended = at_;
                boots.push_back({.began = at_});
                break;
            default:
                add_to_boot(boots.back(), part.empty() ? '\0' : part[0], number, text);
        }
    }

    ReportHead head;
    std::vector<Boot> boots{Boot{}};

  private:
    void add_to_head(std::uint8_t number, const std::string& text) {
        std::array<std::string*, 11> texts{&head.name,
                                           &head.started,
                                           &head.machine,
                                           &head.firmware,
                                           &head.accelerator,
                                           &head.summary,
                                           &head.command,
                                           &head.versions.vm_launch,
                                           &head.versions.qemu,
                                           &head.versions.kernel,
                                           &head.versions.firmware_file};
        std::array<std::vector<std::string>*, 3> lists{&head.boot_order, &head.helped, &head.hints};
        const std::size_t place = number % (texts.size() + lists.size());
        if (place < texts.size()) {
            *texts.at(place) = text;
        } else {
            lists.at(place - texts.size())->push_back(text);
        }
    }

    void add_to_boot(Boot& boot, char kind, std::uint8_t number, const std::string& text) const {
        switch (kind) {
            case 'm':
                boot.marks.push_back({static_cast<Stage>(number % 12), at_, static_cast<Proof>(number % 5),
                                      text, number < 128});
                break;
            case 'd':
                boot.dhcp.push_back({.client = static_cast<Client>(number % 3), .nic = text, .began = at_});
                break;
            case 'o':
                add_offer(boot, number, text);
                break;
            case 'f':
                boot.fetches.push_back({.protocol = "http", .url = text, .began = at_, .latest = at_});
                break;
            case 'w':
                end_fetch(boot, number, text);
                break;
            case 'c':
                boot.complaints.push_back({at_, text, std::uint32_t{number} << 24U});
                break;
            case 'e':
                boot.firmware_errors.push_back(text);
                break;
            case 'l':
                boot.lookups.push_back({text, at_});
                break;
            case 't':
                boot.outcome = static_cast<Outcome>(number % 9);
                boot.outcome_at = at_;
                boot.outcome_text = text;
                break;
            case 'k':
                boot.console.line(text);
                boot.console.partial(text);
                break;
            case 'i':
                boot.firmware = boot.ipxe = text;
                boot.ipv6.bootfile = text;
                break;
            default:
                boot.left_out.marks += number;
        }
    }

    void add_offer(Boot& boot, std::uint8_t number, const std::string& text) const {
        if (boot.dhcp.empty()) {
            return;
        }
        Offer offer{.at = at_};
        offer.message.bootfile = text;
        offer.message.server_name = text;
        offer.message.root_path = text;
        DhcpTalk& talk = boot.dhcp.back();
        number % 3 == 0   ? talk.offers.push_back(offer)
        : number % 3 == 1 ? talk.naks.push_back(offer)
                          : static_cast<void>(talk.ack = offer);
    }

    void end_fetch(Boot& boot, std::uint8_t number, const std::string& text) const {
        if (boot.fetches.empty()) {
            return;
        }
        Fetch& fetch = boot.fetches.back();
        fetch.state = static_cast<FetchState>(number % 4);
        fetch.fault = static_cast<FetchFault>(number % 11);
        fetch.latest = at_;
        fetch.ended = at_;
        (number < 128 ? fetch.words : fetch.location) = text;
    }

    double at_ = 0;
};

std::size_t weight_of_head(const ReportHead& head) {
    std::size_t bytes = 0;
    for (const std::string* text :
         {&head.name, &head.name, &head.started, &head.machine, &head.firmware, &head.accelerator,
          &head.summary, &head.command, &head.versions.vm_launch, &head.versions.qemu, &head.versions.kernel,
          &head.versions.firmware_file}) {
        bytes += text->size();
    }
    for (const auto* list : {&head.boot_order, &head.helped, &head.hints}) {
        for (const std::string& text : *list) {
            bytes += text.size() + 10;
        }
    }
    for (const ReportHead::Nic& nic : head.nics) {
        bytes += 40 + nic.id.size() + nic.mac.size() + nic.model.size() + nic.network.size() + nic.rom.size();
    }
    if (head.fault) {
        bytes += head.fault->what.size() + head.fault->why.size() + head.fault->hint.size();
    }
    return head_frame + longest_escape * bytes;
}

// The page

constexpr std::array<std::string_view, 32> tags{
    "wbr", "a",     "br", "pre", "script", "html", "head", "meta", "title", "style", "body",
    "h1",  "h2",    "p",  "div", "b",      "span", "i",    "dl",   "dt",    "dd",    "ul",
    "li",  "table", "tr", "th",  "td",     "svg",  "line", "text", "g",     "rect"};
constexpr std::array<std::string_view, 28> attributes{
    "href", "http-equiv", "id",    "rel",   "tabindex", "lang",   "charset",
    "name", "content",    "class", "style", "viewBox",  "role",   "aria-label",
    "type", "x",          "y",     "x1",    "y1",       "x2",     "y2",
    "cx",   "cy",         "r",     "rx",    "width",    "height", "text-anchor"};

#pragma clang attribute push(__attribute__((no_sanitize("coverage"))), apply_to = function)

class Page {
  public:
    explicit Page(std::string_view text) : text_{text} {}

    void check() {
        constexpr std::string_view doctype = "<!DOCTYPE html>";
        require(text_.starts_with(doctype));
        for (text_.remove_prefix(doctype.size()); !text_.empty();) {
            text_.front() == '<' ? tag() : character();
        }
        require(open_.empty());
    }

  private:
    bool take(std::string_view what) {
        const bool there = text_.starts_with(what);
        text_.remove_prefix(there ? what.size() : 0);
        return there;
    }

    std::string_view name() {
        const auto end = std::find_if(text_.begin(), text_.end(), [](char c) {
            return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-');
        });
        const std::string_view word = text_.substr(0, static_cast<std::size_t>(end - text_.begin()));
        text_.remove_prefix(word.size());
        return word;
    }

    void tag() {
        require(take("<"));
        const bool closes = take("/");
        const std::string_view which = name();
        require(is_one_of(which, tags) || which == "circle");
        if (closes) {
            require(take(">") && !open_.empty() && open_.back() == which);
            open_.pop_back();
            return;
        }
        while (take(" ")) {
            attribute();
        }
        if (take("/>")) {
            return;
        }
        require(take(">"));
        if (which == "style") {
            text_.remove_prefix(std::min(text_.find("</style>"), text_.size()));
        }
        if (which == "script") {
            data();
        }
        if (which != "meta" && which != "br" && which != "wbr") {
            open_.push_back(which);
        }
    }

    // No sign in it can end it, or be taken for markup; and it is JSON.
    void data() {
        const std::string_view json = text_.substr(0, text_.find('<'));
        require(json.find_first_of(">&") == std::string_view::npos &&
                parse_json(std::string{json}).is_object());
        text_.remove_prefix(json.size());
    }

    void attribute() {
        require(is_one_of(name(), attributes) && take("=\""));
        const std::size_t end = text_.find_first_of("\"<>&");
        require(end < text_.size() && text_[end] == '"');
        text_.remove_prefix(end + 1);
    }

    void character() {
        if (text_.front() == '&') {
            require(take("&amp;") || take("&lt;") || take("&gt;") || take("&quot;"));
            return;
        }
        require(text_.front() != '>' &&
                (static_cast<unsigned char>(text_.front()) >= ' ' || text_.front() == '\n'));
        text_.remove_prefix(1);
    }

    std::string_view text_;
    std::vector<std::string_view> open_;
};

#pragma clang attribute pop

void check_page(const std::string& page, std::size_t most) {
    require(is_utf8(page));
    require(page.size() <= most);
    Page{page}.check();
}

void check_json(const nlohmann::ordered_json& report, const ReportHead& head, std::size_t most) {
    const std::string text = report.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    require(is_utf8(text));
    require(text.size() <= most);
    const nlohmann::json read = parse_json(text);
    require(read.is_object());
    require(!is_utf8(head.summary) || read.at("summary") == head.summary);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Made made;
    std::string_view input{reinterpret_cast<const char*>(data), size};
    for (int parts = 0; !input.empty() && parts < most_parts; ++parts) {
        const std::size_t end = std::min(input.find('\0'), input.size());
        made.add(input.substr(0, end));
        input.remove_prefix(std::min(end + 1, input.size()));
    }
    const std::size_t of_head = weight_of_head(made.head);
    const std::size_t weight = weight_of(made.boots);
    if (size % 2 == 0) {  // the page has the JSON in it
        check_page(report_as_html(made.head, made.boots), 2 * of_head + std::min(2 * weight, largest_report));
    } else {
        check_json(report_as_json(made.head, made.boots), made.head,
                   of_head + std::min(weight, most_reported));
    }
    return 0;
}
