// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "export/sink.hpp"
#include "nats_address.hpp"
#include "nats_config.hpp"
#include "nats_connection.hpp"

namespace tapio::nats {

// Records into a stream of NATS JetStream, a message each. A group counts as sent when the stream
// has acknowledged all of it. What is acknowledged is not sent again when the group is tried again;
// what may have been stored without our knowing is, under the same message id.
//
// It has no thread and no connection of its own beside the calls: a write connects when that is
// needed, to the next server after each failure, and the pauses between are the outlet's.
class NatsSink final : public Sink {
 public:
  static constexpr Gathering kGathering{.time = std::chrono::milliseconds(100), .records = 1000};
  // How long a write takes, connecting included; what is not acknowledged by then is for the next.
  static constexpr std::chrono::milliseconds kPatience{2000};
  // Not acknowledged, and not even sent, at once.
  static constexpr std::size_t kMaxUnderWay = 512;
  static constexpr std::size_t kMaxUnsent = 256 << 10;

  // denied, invalid: a file of the configuration cannot be read, or everybody can. A server that is
  // away is no fault.
  static Result<std::unique_ptr<NatsSink>> open(const Config& config);

  Status write(const Batch& batch) override;
  [[nodiscard]] Gathering gathering() const override { return kGathering; }
  Status write_group(Group group) override;

 private:
  enum class State : std::uint8_t { waiting, sent, acknowledged };
  struct Sending {
    State state = State::waiting;
    bool sent_once = false, sent_before = false;
    bool too_large = false;  // for the stream: a gap goes in its place
  };
  using Batches = std::span<const Batch* const>;

  explicit NatsSink(const Config& config) : config_(config) {}

  Status write_all(Batches batches);
  void begin(Batches batches);
  Status deliver(Batches batches, Deadline deadline);
  void set(Sending& sending, State state);

  Status connect(Deadline deadline);
  void catch_up(Deadline deadline);
  Status open_connection(const Address& address, Deadline deadline);
  Status create_stream(Deadline deadline);

  Status send(const Record& record, const Clocks& clocks, std::size_t index, Deadline deadline);
  void write_message(const Record& record, const Clocks& clocks, std::size_t index);
  Status take_answer(Deadline deadline);
  Status heed(const Said& said);
  Status judge(Sending& sending, const Answer& answer);
  [[nodiscard]] std::string unanswered();
  static void complain(log::Sparingly& often, std::string_view what);

  const Config config_;
  std::vector<Address> servers_;
  std::size_t server_ = 0;  // of them, the one to connect to
  std::string node_;        // as in message ids
  std::string begin_;       // of every subject
  std::unique_ptr<Connection> connection_;
  log::Sparingly connected_, duplicates_, too_large_;

  // The group that is being written, also from one call to the next.
  std::string group_;         // message id of its first record; "": none
  std::uint64_t number_ = 0;  // of it, so that answers about another one are known as such
  std::vector<Sending> sendings_;
  std::size_t missing_ = 0;    // not acknowledged
  std::size_t under_way_ = 0;  // of these, sent

  Publication message_;                      // the last, made of:
  std::string subject_, reply_, id_, text_;  // kept for their memory
};

}  // namespace tapio::nats
