// A boot's waterfall as SVG.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "bootwatch/report_page.h"

namespace vml::boot {

namespace {

class Waterfall {
  public:
    Waterfall(const Boot& boot, double end, std::string_view own_url)
        : boot_{boot}, end_{end}, bars_{bars_of(boot, end, own_url)} {}

    [[nodiscard]] std::string svg() const {
        constexpr double row = 24;
        constexpr double top = 30;
        const double height = top + row * static_cast<double>(bars_.size()) + 8;
        std::string text =
            fmt::format(R"(<svg viewBox="0 0 {} {}" role="img" aria-label="what happened when, in seconds">)",
                        width, height);
        text += axis(height);
        for (std::size_t i = 0; i < bars_.size(); ++i) {
            text += bar(bars_[i], top + row * static_cast<double>(i));
        }
        return text + "</svg>\n";
    }

  private:
    static constexpr double width = 960;
    static constexpr double label_width = 210;
    static constexpr double right_margin = 20;

    [[nodiscard]] double span() const { return std::max(end_ - boot_.began, 0.001); }
    [[nodiscard]] double x_of(double at) const {
        const double share = std::clamp((at - boot_.began) / span(), 0.0, 1.0);
        return label_width + share * (width - label_width - right_margin);
    }

    // A step of 1, 2 or 5 times a power of ten, so that about eight fit.
    [[nodiscard]] double step() const {
        const double rough = span() / 8;
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
        const auto count = static_cast<int>(span() / width_of_step);
        for (int i = 0; i <= count; ++i) {
            const double at = boot_.began + i * width_of_step;
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
        std::string text = fmt::format(R"(<g><title>{}: {}</title>)", escaped(bar.label), escaped(bar.note));
        text += fmt::format(R"(<text x="8" y="{:.0f}">{}</text>)", y + 14, shortened(bar.label, 32));
        if (bar.point) {
            text += fmt::format(R"x(<circle cx="{:.1f}" cy="{:.0f}" r="5" style="fill:var({})"/>)x", x,
                                y + 10, bar.colour);
        } else {
            text += fmt::format(
                R"x(<rect x="{:.1f}" y="{:.0f}" width="{:.1f}" height="15" rx="2" style="fill:var({})"/>)x",
                x, y + 2, wide, bar.colour);
        }
        return text + note(bar, x, bar.point ? 8 : wide, y) + "</g>\n";
    }

    // Behind the bar where there is room, else before it, else inside.
    [[nodiscard]] static std::string note(const Bar& bar, double x, double wide, double y) {
        constexpr double per_letter = 6.6;
        const double right = width - right_margin - (x + wide);
        const double left = x - label_width;
        const double needed = per_letter * static_cast<double>(bar.note.size());
        if (needed > std::max(right, left) && wide > std::max(right, left)) {
            return placed(bar.note, x + 6, y, "start", wide / per_letter, R"x( style="fill:#fff")x");
        }
        return right >= left ? placed(bar.note, x + wide + 6, y, "start", right / per_letter, "")
                             : placed(bar.note, x - 6, y, "end", left / per_letter, "");
    }

    [[nodiscard]] static std::string placed(std::string_view note, double x, double y,
                                            std::string_view anchor, double letters, std::string_view look) {
        constexpr double too_few = 6;
        return letters < too_few
                   ? std::string{}
                   : fmt::format(R"(<text class="t" x="{:.1f}" y="{:.0f}" text-anchor="{}"{}>{}</text>)", x,
                                 y + 14, anchor, look, shortened(note, static_cast<std::size_t>(letters)));
    }

    const Boot& boot_;
    double end_;
    std::vector<Bar> bars_;
};

}  // namespace

std::string waterfall_svg(const Boot& boot, double end, std::string_view own_url) {
    return Waterfall{boot, end, own_url}.svg();
}

}  // namespace vml::boot
