// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <vector>

#include "export/sink.hpp"
#include "otlp_attributes.hpp"
#include "otlp_config.hpp"
#include "otlp_request.hpp"
#include "record/metric_series.hpp"

namespace tapio::otlp {

// Makes requests of records: events, findings and gaps are log records; stories are spans, and log
// records with the ids of these; what a metric record counts is a cumulative sum, any other number
// a gauge.
class Encoder {
 public:
  explicit Encoder(const Config& config);

  struct Encoded {
    std::vector<Request> requests;  // one of a signal at most
    Tally unwanted;                 // by the setting `signals`
  };
  [[nodiscard]] Result<Encoded> encode(Group group);

 private:
  // When and what a record was: where the evidence of stories lies in time.
  struct Seen {
    RecordId id{};
    std::chrono::nanoseconds wall{};
    const Schema* schema = nullptr;
  };
  static constexpr std::size_t kSeen = 16'384;  // of later ones each takes the place of an older

  struct Messages;
  void add(const Record& record, const Clocks& clocks, Messages& messages);
  void add_log(const Record& record, const Clocks& clocks, wire::ScopeLogs& logs);
  void add_span(const Record& record, const Clocks& clocks, wire::ScopeSpans& spans);
  void add_evidence(const Record& record, wire::Span& span);
  void add_metrics(const Clocks& clocks, wire::ScopeMetrics& metrics);
  [[nodiscard]] bool sends(Signal signal) const {
    return wanted_[static_cast<std::size_t>(signal)];
  }
  [[nodiscard]] std::string trace_id(RecordId story) const;
  Result<Request> request(Signal signal, const Tally& tally, std::string bytes) const;

  std::array<bool, kSignals> wanted_{};
  bool gzip_;
  wire::Resource resource_;
  std::uint64_t node_hash_;
  MetricSeries series_;
  std::vector<Seen> seen_ = std::vector<Seen>(kSeen);
};

}  // namespace tapio::otlp
