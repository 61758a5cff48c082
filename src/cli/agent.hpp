// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "base/result.hpp"
#include "cli/where.hpp"
#include "record/record.hpp"

// What the commands need of the agent. The agent implements it; its faults become the exit code.
namespace tapio::cli {

enum class Format : std::uint8_t { table, wide, json, none };

struct Configured {
  config::Tree tree;  // file and --set are in it
  std::string file;   // where it is from; "": there is none
};

// The configuration once more; or every reason against it, a sentence each.
using Reread = std::function<std::expected<Configured, std::vector<std::string>>()>;

// A file that everything which comes in is written to.
struct Recording {
  std::string file;
  bool replace = false;
  std::uint64_t max_bytes = kDefaultBytes;

  static constexpr std::uint64_t kDefaultBytes = 256 << 20;
};

struct RunOptions {
  config::Tree configuration;  // file and --set are in it
  std::string file;            // "": there is none
  Reread reread;
  std::string socket;
  std::optional<std::chrono::milliseconds> duration;
  Format format = Format::none;  // of records to standard output: json or none
  bool sinks = true;             // those that are configured
  std::optional<Recording> recording{};
};

struct ReplayOptions {
  std::string file;
  bool quiet = false;  // no records
  bool stats = false;  // how many and how fast, to standard error
};

struct TraceOptions {
  // Only the observers asked for are enabled, and filters that they know are set.
  config::Tree configuration;
  std::vector<const Schema*> schemas;
  std::vector<Where> where;  // what is left for Printer to filter
  Format format = Format::table;
  std::optional<std::chrono::milliseconds> duration;
  std::optional<std::uint64_t> max;
};

enum class Verdict : std::uint8_t {
  ok,
  info,
  warning,
  problem,      // exit 1
  denied,       // exit 3: it needs a permission
  unsupported,  // exit 4: it is not possible on this kernel
};

struct Check {
  std::string what;
  Verdict verdict = Verdict::ok;
  std::string detail;
  std::string advice{};  // what to do, unless it is fine
};

struct DoctorReport {
  std::vector<Check> checks;
};

class Agent {
 public:
  virtual ~Agent() = default;
  [[nodiscard]] virtual std::string version() const = 0;
  // Every section there is, with defaults.
  [[nodiscard]] virtual config::Tree configuration() const = 0;
  [[nodiscard]] virtual std::string socket(const config::Tree& configuration) const = 0;

  // What the settings name outside of the file, for `config check`.
  [[nodiscard]] virtual Status check(const config::Tree& configuration) const = 0;

  // Until the time is up or SIGINT or SIGTERM comes.
  virtual Status run(const RunOptions& options) = 0;
  // Everything is from the file; records go to standard output, as with `run -o json`.
  virtual Status replay(const ReplayOptions& options) = 0;
  // Loads programs of its own; hands records to a Printer until that has enough.
  virtual Status trace(const TraceOptions& options) = 0;
  virtual DoctorReport doctor(const config::Tree& configuration, const std::string& socket) = 0;
};

}  // namespace tapio::cli
