// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "cli/out.hpp"
#include "cli/printer.hpp"
#include "export/sink.hpp"

// The sinks that write to standard output.
namespace tapio::agent {

// `tapio run`: a paragraph per story.
class StoryLines final : public Sink {
 public:
  Status write(const Batch& batch) override;

 private:
  cli::Out out_{1};
};

// `tapio run -o json`: every record.
class JsonLines final : public Sink {
 public:
  Status write(const Batch& batch) override;
  // The reader has gone.
  [[nodiscard]] bool gone() const { return out_.gone(); }

 private:
  cli::Out out_{1};
};

// `tapio trace`.
class Printed final : public Sink {
 public:
  Printed(const cli::TraceOptions& options, std::atomic<bool>& enough)
      : printer_(options), enough_(enough) {}
  Status write(const Batch& batch) override;

 private:
  cli::Printer printer_;
  std::atomic<bool>& enough_;
};

// The program that the canary runs: this one, told to kill itself.
[[nodiscard]] std::vector<std::string> own_canary();
inline constexpr std::string_view kCanaryCommand = "canary";

}  // namespace tapio::agent
