// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "export/database.hpp"
#include "export/sink.hpp"
#include "store_config.hpp"
#include "store_mark.hpp"

namespace tapio::store {

// Records into a SQLite database. A group of batches is one transaction: after a crash the file has
// all of it or nothing. Any error closes the database; the next write opens it anew, so a disk that
// was full, a file that was deleted, or one that is damaged is met in one place.
class StoreSink final : public Sink {
 public:
  static constexpr Gathering kGathering{.time = std::chrono::milliseconds(500), .records = 1000};
  // How long a write waits for another process that writes.
  static constexpr int kPatienceMs = 1000;

  explicit StoreSink(const Config& config);
  ~StoreSink() override;  // marks the run as closed
  StoreSink(const StoreSink&) = delete;
  StoreSink& operator=(const StoreSink&) = delete;

  // What a write does first. Nothing when it is open.
  Status open();

  Status write(const Batch& batch) override;
  [[nodiscard]] Gathering gathering() const override { return kGathering; }
  Status write_group(Group group) override;
  void on_queued(const Batch& batch) override;
  // Closes the database, which the next write opens with the new bounds.
  void on_settings(const config::Section& settings) override;

 private:
  struct Statements {
    sql::Statement insert, run, pages, free_pages, oldest_events, drop_events, drop_oldest,
        drop_old_stories;
  };
  // Of one transaction.
  struct Written {
    std::uint64_t records = 0;
    RecordId last{};
    std::chrono::nanoseconds first_time{}, last_time{};
  };

  Status open_file();
  Status set_up();
  Result<bool> check_whose();
  Status prepare_statements();
  Status report_unclean_end();
  struct OpenRun {
    std::string run, last_id, last_time;
    std::uint64_t records = 0;
  };
  Status note_loss(const OpenRun& run);
  Status start_anew(const Error& damage);
  Status check_file_is_there();
  void empty_log(int patience_ms);
  Status check_log();

  Status transaction(std::span<const Batch* const> batches);
  Status write_all(std::span<const Batch* const> batches);
  Status add(const Record& record, const Batch& batch, Written& written);
  Status add_view(const Schema& schema);
  Status add_run(const Written& written);
  Result<bool> drop_events(std::chrono::nanoseconds end);
  Status make_room();
  Status drop_old(std::chrono::nanoseconds now);
  Status shrink();
  [[nodiscard]] Result<std::int64_t> used_pages();
  void close();

  Config config_;
  std::uint64_t log_limit_;           // bytes that the log may have
  std::int64_t page_limit_;           // pages of the file
  Mark mark_;                         // of what was queued
  std::optional<Mark::Given> given_;  // to the run before
  sql::Connection database_;
  Statements statements_;  // of database_
  std::set<const Schema*> views_;
  std::int64_t dropped_ = 0;         // no event is left up to this row
  std::string own_run_;              // "": nothing was written yet
  std::string body_;                 // kept for its memory
  std::chrono::nanoseconds aged_{};  // time of the records when the old ones were last looked for
};

}  // namespace tapio::store
