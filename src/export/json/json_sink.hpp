// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/fd.hpp"
#include "export/sink.hpp"
#include "json_config.hpp"

namespace tapio::json {

// Lines of JSON to standard output or to a file that only its owner can read.
//
// A reader never sees a line torn by a retry: what was written of a batch when the device became
// full or the pipe's reader slow is kept, and the next call goes on behind it. SIGPIPE has to be
// ignored by the process.
class JsonSink final : public Sink {
 public:
  // denied: a symbolic link, or a file of somebody else or with another name; never written to.
  static Result<std::unique_ptr<JsonSink>> open(const Config& config);

  Status write(const Batch& batch) override;
  void on_settings(const config::Section& settings) override {
    config_.max_bytes = settings.as<Config>().max_bytes;
  }

 private:
  // How much text is formatted before it is written; a longer record is written as a whole.
  static constexpr std::size_t kPieceBytes = 64 << 10;
  // How long a call waits for who reads standard output; a stop of the agent waits as long.
  static constexpr int kPatienceMs = 100;

  explicit JsonSink(const Config& config) : config_(config) {}

  Status open_file();
  Status open_stdout();
  void use(Fd fd, const struct stat& info);
  Status finish_torn_line();
  Status flush();
  Result<std::size_t> write_some();
  Status wait_for_reader() const;
  Status make_room();
  void next_piece(const Batch& batch);

  Config config_;
  Fd fd_;
  bool is_file_ = false;  // regular: a write does not wait for anybody
  std::uint64_t file_bytes_ = 0;

  // The batch that is being written, also from one call to the next.
  std::optional<RecordId> batch_;  // its first record
  std::size_t record_ = 0;         // of it, the next to be formatted
  std::string text_;
  std::size_t written_ = 0;  // of text_
};

}  // namespace tapio::json
