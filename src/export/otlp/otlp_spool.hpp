// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/result.hpp"
#include "base/settings.hpp"
#include "export/database.hpp"
#include "otlp_request.hpp"

namespace tapio::otlp {

// Requests that wait on disk: a SQLite database of bounded size, from which the oldest go when
// there is no room. Whatever fails closes it, and the next call opens it anew; a file that is
// damaged is put aside. Not for several threads.
class Spool {
 public:
  Spool(std::string path, ByteSize max_bytes);

  // All of them or, on a fault, none.
  Status put(std::span<const Request> requests);
  struct Entry {
    std::int64_t row = 0;
    Request request;
  };
  [[nodiscard]] Result<std::optional<Entry>> oldest(Signal signal);
  Status remove(std::int64_t row);

  [[nodiscard]] std::uint64_t waiting(Signal signal) const {
    return waiting_[static_cast<std::size_t>(signal)];
  }
  [[nodiscard]] bool is_empty() const { return waiting_ == std::array<std::uint64_t, kSignals>{}; }
  // The records in it.
  [[nodiscard]] const Tally& held() const { return held_; }
  // Records that came to light since the last call, when it was opened; and those that are gone,
  // and nobody got them.
  [[nodiscard]] Tally take_found();
  [[nodiscard]] Tally take_lost();
  Status open();

 private:
  struct Statements {
    sql::Statement insert, oldest, remove, first, pages, free_pages;
  };
  Status open_file();
  Status set_up();
  Status prepare_statements();
  Status count();
  Status start_anew(const Error& damage);
  Status insert_all(std::span<const Request> requests);
  Status make_room(std::uint64_t bytes);
  Status drop_oldest();
  [[nodiscard]] Result<std::int64_t> free_bytes();
  // A fault closes the database.
  Status checked(Status status);
  void close();

  const std::string path_;
  const std::int64_t max_pages_;
  sql::Connection database_;
  Statements statements_;
  std::array<std::uint64_t, kSignals> waiting_{};
  Tally held_;
  Tally found_, lost_;
};

}  // namespace tapio::otlp
