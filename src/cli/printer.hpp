// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "cli/agent.hpp"
#include "cli/out.hpp"
#include "record/table.hpp"

namespace tapio::cli {

// Prints the records that were asked for to standard output, gaps always, until there are enough.
class Printer {
 public:
  explicit Printer(const TraceOptions& options);

  // Writes what it has when the batch is through. False: enough, or the reader has gone.
  [[nodiscard]] Result<bool> print(const Batch& batch);
  // One record of which the JSON is at hand; write() follows.
  [[nodiscard]] bool add(const Record& record, const Clocks& clocks, std::string_view json);
  [[nodiscard]] Result<bool> write();

 private:
  [[nodiscard]] bool has_enough() const { return max_ && printed_ >= *max_; }
  [[nodiscard]] bool wants(const Record& record) const;
  void append(const Record& record, const Clocks& clocks, std::string_view json);

  std::vector<const Schema*> schemas_;
  std::vector<Where> where_;
  Format format_;
  std::optional<std::uint64_t> max_;
  std::uint64_t printed_ = 0;  // gaps are not counted
  Out out_;
  Table table_;
};

}  // namespace tapio::cli
