// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "export/sink.hpp"
#include "otlp_encoder.hpp"
#include "otlp_outbox.hpp"
#include "otlp_sender.hpp"

namespace tapio::otlp {

// Records to a receiver of OTLP/HTTP. A write makes requests and puts them into the outbox, so it
// waits for the disk at most; the sender waits for the receiver.
class OtlpSink final : public Sink {
 public:
  static Result<std::unique_ptr<OtlpSink>> make(const Config& config);

  Status write(const Batch& batch) override;
  [[nodiscard]] Gathering gathering() const override { return gathering_; }
  Status write_group(Group group) override;
  [[nodiscard]] bool keeps() const override { return true; }
  Settled settle() override;
  void finish(std::chrono::steady_clock::time_point deadline) override;

 private:
  // Of one request: a record is some hundred bytes in it, and some thousand while it is made.
  static constexpr std::size_t kMaxRecords = 500;
  // Of the time to finish, for what was on its way to be put away.
  static constexpr std::chrono::milliseconds kToPutAway{300};

  OtlpSink(const Config& config, std::unique_ptr<Spool> spool, Receiver receiver,
           net::HttpClient client);

  const Gathering gathering_;
  Encoder encoder_;
  // Of the group that was given last, while it has not found its place: it is not made twice, or
  // its counts would be too.
  struct Made {
    RecordId first{};
    Encoder::Encoded encoded;
  };
  std::optional<Made> made_;
  Tally unwanted_;
  Outbox outbox_;
  std::optional<Sender> sender_;
};

}  // namespace tapio::otlp
