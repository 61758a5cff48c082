// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/store.hpp"

// What `tapio explain` is asked about, and what the store has of it.
namespace tapio::cli {

struct Thing {
  enum class Kind : std::uint8_t { pid, name, executable, unit, container, story };
  Kind kind = Kind::name;
  std::string text;
  std::uint32_t pid = 0;
};
[[nodiscard]] std::string_view name(Thing::Kind kind);

// By its looks: 4242, nginx, /usr/sbin/nginx, nginx.service, 0123456789ab, 673e9a10.42.
[[nodiscard]] Result<Thing> parse_thing(std::string_view word);

// A process, as far as its records tell.
struct Life {
  std::string process_id;  // stable; "": not known
  std::uint32_t pid = 0;
  std::string name;
  std::chrono::nanoseconds first{}, last{};  // of its records, since the epoch
  std::vector<serve::Json> records;          // by time; what was done to it too
  bool cut = false;                          // there are more

  // How it ended, nullptr: not seen.
  [[nodiscard]] const serve::Json* end() const;
  // What it ran last, nullptr: not seen.
  [[nodiscard]] const serve::Json* program() const;
  // Its fork, nullptr: nobody watched then.
  [[nodiscard]] const serve::Json* begin() const;
};

// Reads lives from the store.
class History {
 public:
  static constexpr std::uint64_t kMaxLives = 16;
  static constexpr std::uint64_t kMaxRecords = 200;  // of one life

  explicit History(const store::Reader& reader) : reader_(reader) {}

  // Of the thing, the latest first; without their records.
  [[nodiscard]] Result<std::vector<Life>> lives(const Thing& thing,
                                                std::chrono::nanoseconds since) const;
  Status fill(Life& life) const;
  // Processes with the same command line that began within a minute after it had ended; of the
  // same name when that is not known.
  [[nodiscard]] Result<std::vector<serve::Json>> successors(const Life& life) const;
  [[nodiscard]] std::optional<serve::Json> record(const std::string& id) const;
  // The time of the oldest record; 0: there is none.
  [[nodiscard]] std::chrono::nanoseconds reach() const;
  // Names of processes that are near to the one that nobody knows.
  [[nodiscard]] std::string suggestion(const Thing& thing) const;

 private:
  const store::Reader& reader_;
};

}  // namespace tapio::cli
