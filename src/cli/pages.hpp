// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "observer.hpp"
#include "record/view.hpp"

namespace tapio::cli {

// A view that nobody declared, or one by another key.
class OwnView {
 public:
  // By what the processes are called, or by the field that was asked for.
  OwnView(const Schema& schema, std::optional<std::string> by);
  OwnView(const View& view, std::string by);
  OwnView(const OwnView&) = delete;  // the view points into it
  OwnView& operator=(const OwnView&) = delete;

  [[nodiscard]] const View& view() const { return view_; }

 private:
  void group_by(std::string by);

  View view_{};
  std::string by_, head_;
  std::vector<Figure> figures_;
};

// What may be looked at, one at a time.
struct Page {
  std::string_view name;
  const View* view = nullptr;      // none: overview, stories or observers
  std::string_view observer = "";  // whose view it is
};

inline constexpr std::string_view kOverview = "overview", kStories = "stories",
                                  kObservers = "observers";

struct Pages {
  std::vector<Page> all;
  std::size_t first = 0;           // the one that was asked for
  std::unique_ptr<OwnView> own{};  // it, when nobody declared it
};

// Those of us and those that observers declare. `asked` is one of them, or the name of a record.
[[nodiscard]] Result<Pages> pages(std::span<const Descriptor* const> observers,
                                  const std::string& asked, const std::optional<std::string>& by);

[[nodiscard]] std::vector<std::string> page_names(std::span<const Descriptor* const> observers);

// The words that the help of a command lists: views of `top`, else what can be traced.
[[nodiscard]] std::vector<std::string> words_of(std::string_view command,
                                                std::span<const Descriptor* const> observers);

}  // namespace tapio::cli
