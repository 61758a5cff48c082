// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/agent.hpp"
#include "cli/where.hpp"

namespace tapio::cli {

enum class Command : std::uint8_t {
  help,
  version,
  run,
  record,
  replay,
  trace,
  stories,
  explain,
  query,
  status,
  top,
  doctor,
  reload,
  config_check,
  config_explain,
  config_default,
  config_reference,
  completion,
  man,
};

// What the kernel filters by itself, when programs are loaded for this alone.
struct Filter {
  std::optional<std::uint32_t> pid, uid;
  std::optional<std::uint64_t> cgroup;
  std::optional<std::string> comm;
  bool container = false;
  std::vector<std::int32_t> signals;
};

// How rows of a query are printed: for people, an array, an object a line, or RFC 4180.
enum class Rows : std::uint8_t { table, json, lines, csv };

// A command line that makes sense. Only what belongs to the command is set.
struct Arguments {
  Command command = Command::help;
  std::string topic{};  // help: of this command; "": of all
  std::optional<std::string> config{}, socket{};
  std::vector<std::pair<std::string, std::string>> set{};
  std::optional<std::chrono::milliseconds> duration{}, since{};
  std::optional<std::uint64_t> max{};
  Format format = Format::none;
  bool json = false, follow = false, standalone = false;
  bool force = false, sinks = true, quiet = false, stats = false;  // record, replay
  ByteSize max_bytes{Recording::kDefaultBytes};                    // record
  std::vector<std::string> targets{};
  Filter filter{};
  std::vector<Where> where{};
  std::string file{}, key{};
  std::optional<std::string> store{};
  std::string sql{};                                             // query
  std::vector<std::string> ids{};                                // query
  bool tables = false;                                           // query: list them
  Rows rows = Rows::table;                                       // query
  std::chrono::milliseconds timeout = std::chrono::seconds(10);  // query
  std::string thing{};                                           // explain; top: the view
  std::optional<std::string> by{}, sort{};                       // top
  bool once = false;                                             // top
  bool all = false;                                              // explain
  std::string shell{};                // completion: of this shell; "": of `line`
  std::vector<std::string> line{};    // completion: what was written so far
  std::string page{};                 // man: of this command; "": of all
  std::optional<std::string> into{};  // man: all pages, into this directory
};

// Without the program's name. The error is a sentence.
[[nodiscard]] Result<Arguments> parse(std::vector<std::string> words);

// What stands on a command line: an option with its value, a flag, or a value by its place.
struct ValueShape {
  std::vector<std::string> names{};  // {"-o"}; none: a value by its place
  // "": none. Words with | between them: one of these. FILE, SETTING, ...: see complete.cpp.
  std::string value{};
  bool repeats = false;
};

// A command, as parse() reads it: completions and manual pages follow from it.
struct CommandShape {
  std::string name;  // "config check"
  std::vector<ValueShape> options{}, places{};

  void add(ValueShape shape) {
    (shape.names.empty() ? places : options).push_back(std::move(shape));
  }
};
[[nodiscard]] std::vector<CommandShape> command_shapes();

}  // namespace tapio::cli
