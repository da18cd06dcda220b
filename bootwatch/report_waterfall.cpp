// A boot's waterfall as SVG.
#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "bootwatch/report_page.h"

namespace vml::boot {

namespace {

// "1.20 s (0.80 s waiting): 135 bytes": a bar's length in words comes first, as the end may be cut off.
std::string told(const Bar& bar) {
    const double took = bar.ended - bar.began;
    const double waited = bar.answered - bar.began;
    constexpr double worth_telling = 0.01;
    std::string text = bar.point ? fmt::format("at {:.2f} s", bar.began) : duration_text(took);
    if (!bar.point && waited >= worth_telling) {
        text += waited >= took ? " waiting" : fmt::format(" ({} waiting)", duration_text(waited));
    }
    return bar.note.empty() ? text : text + ": " + bar.note;
}

class Waterfall {
  public:
    Waterfall(const Boot& boot, double end, std::string_view own_url)
        : began_{boot.began}, span_{std::max(end - boot.began, 0.001)}, bars_{bars_of(boot, end, own_url)} {}

    // Each with an axis of its own. A waterfall without a bar has one all the same.
    [[nodiscard]] std::string svg() const {
        constexpr std::size_t most_bars = 24;  // two parts fit on a sheet
        std::string text;
        for (std::size_t first = 0; first == 0 || first < bars_.size(); first += most_bars) {
            text += part(first, std::min(first + most_bars, bars_.size()));
        }
        return text;
    }

  private:
    static constexpr double width = 960;
    static constexpr double label_width = 210;
    static constexpr double right_margin = 20;
    static constexpr std::size_t most_label = 30;  // letters, at 6.6 each

    [[nodiscard]] std::string part(std::size_t first, std::size_t end) const {
        constexpr double row = 24;
        constexpr double top = 30;
        const double height = top + row * static_cast<double>(end - first) + 8;
        std::string text =
            fmt::format(R"(<svg viewBox="0 0 {} {}" role="img" aria-label="what happened when, in seconds">)",
                        width, height);
        text += axis(height);
        for (std::size_t i = first; i < end; ++i) {
            text += bar(bars_[i], top + row * static_cast<double>(i - first));
        }
        return text + "</svg>\n";
    }

    [[nodiscard]] double x_of(double at) const {
        const double share = std::clamp((at - began_) / span_, 0.0, 1.0);
        return label_width + share * (width - label_width - right_margin);
    }

    // A step of 1, 2 or 5 times a power of ten, so that about eight fit.
    [[nodiscard]] double step() const {
        const double rough = span_ / 8;
        const double power = std::pow(10, std::floor(std::log10(rough)));
        for (const double factor : {1.0, 2.0, 5.0}) {
            if (factor * power >= rough) {
                return factor * power;
            }
        }
        return 10 * power;
    }

    [[nodiscard]] std::string axis(double height) const {
        std::string text;
        const double width_of_step = step();
        const double first = std::ceil(began_ / width_of_step);  // a later boot begins at no round time
        const double last = std::floor((began_ + span_) / width_of_step);
        for (int i = 0; i <= static_cast<int>(last - first); ++i) {
            const double at = (first + i) * width_of_step;
            text += fmt::format(R"(<line x1="{0:.1f}" y1="22" x2="{0:.1f}" y2="{1:.0f}"/>)", x_of(at),
                                height - 4);
            text += fmt::format(R"(<text class="t" x="{:.1f}" y="16" text-anchor="middle">{:g} s</text>)",
                                x_of(at), std::round(at * 1000) / 1000);
        }
        return text;
    }

    [[nodiscard]] std::string bar(const Bar& bar, double y) const {
        const double x = x_of(bar.began);
        const double wide = std::max(x_of(bar.ended) - x, 3.0);
        const std::string words = told(bar);
        std::string text =
            fmt::format(R"(<g class="bar"><title>{}: {}</title><text x="8" y="{:.0f}">{}</text>)",
                        escaped(bar.label), escaped(words), y + 14, shortened(bar.label, most_label));
        if (bar.point) {
            text += fmt::format(R"x(<circle cx="{:.1f}" cy="{:.0f}" r="5" style="fill:var({})"/>)x", x,
                                y + 10, bar.colour);
        } else {
            const double waited = std::clamp(x_of(bar.answered) - x, 0.0, wide);
            text += waited >= 1 || bar.answered >= bar.ended
                        ? rect(x, y, bar.answered >= bar.ended ? wide : waited, bar.colour, " class=\"wait\"")
                        : "";
            text += bar.answered < bar.ended
                        ? rect(x + waited, y, std::max(wide - waited, 1.0), bar.colour, "")
                        : "";
        }
        return text + note(words, x, bar.point ? 8 : wide, y) + "</g>\n";
    }

    [[nodiscard]] static std::string rect(double x, double y, double wide, std::string_view colour,
                                          std::string_view look) {
        return fmt::format(
            R"x(<rect x="{:.1f}" y="{:.0f}" width="{:.1f}" height="15" rx="2"{} style="--c:var({})"/>)x", x,
            y + 2, wide, look, colour);
    }

    // Behind the bar where there is room, else before it, else inside.
    [[nodiscard]] static std::string note(std::string_view words, double x, double wide, double y) {
        constexpr double per_letter = 6.6;
        const double right = width - right_margin - (x + wide);
        const double left = x - label_width;
        const double needed = per_letter * static_cast<double>(words.size());
        if (needed > std::max(right, left) && wide > std::max(right, left)) {
            return placed(words, x + 6, y, "start", wide / per_letter, "in");
        }
        return right >= left ? placed(words, x + wide + 6, y, "start", right / per_letter, "t")
                             : placed(words, x - 6, y, "end", left / per_letter, "t");
    }

    // There is always room for some 35 letters: of label, bar and margin the largest part is free.
    [[nodiscard]] static std::string placed(std::string_view words, double x, double y,
                                            std::string_view anchor, double letters, std::string_view look) {
        return fmt::format(R"(<text class="{}" x="{:.1f}" y="{:.0f}" text-anchor="{}">{}</text>)", look, x,
                           y + 14, anchor, shortened(words, static_cast<std::size_t>(letters)));
    }

    double began_;
    double span_;
    std::vector<Bar> bars_;
};

}  // namespace

std::string waterfall_svg(const Boot& boot, double end, std::string_view own_url) {
    return Waterfall{boot, end, own_url}.svg();
}

}  // namespace vml::boot
