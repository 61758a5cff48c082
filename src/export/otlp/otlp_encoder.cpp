// SPDX-License-Identifier: Apache-2.0
#include "otlp_encoder.hpp"

#include <google/protobuf/arena.h>

#include <algorithm>

#include "base/host.hpp"
#include "otlp_gzip.hpp"
#include "record/record_id.hpp"
#include "version.hpp"

namespace tapio::otlp {

namespace {

using std::chrono::nanoseconds;

// opentelemetry/proto/logs/v1: SeverityNumber.
constexpr int kInfo = 9, kWarn = 13, kError = 17;
// opentelemetry/proto/metrics/v1: AggregationTemporality; trace/v1: SpanKind, StatusCode.
constexpr int kCumulative = 2, kInternal = 1, kStatusError = 2;

// FNV-1a.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char byte : text) hash = (hash ^ byte) * 0x100000001b3;
  return hash;
}

std::string bytes_of(std::uint64_t number) {
  std::string bytes(sizeof number, '\0');
  for (std::size_t i = bytes.size(); i-- > 0; number >>= 8)
    bytes[i] = static_cast<char>(number & 0xFF);
  return bytes;
}

std::uint64_t number_of(RecordId id) {
  return std::uint64_t{id.run} << 32 ^ id.number;
}

std::string span_id(RecordId story) {
  return bytes_of(std::max<std::uint64_t>(number_of(story), 1));  // not all zero
}

std::uint64_t unix_nano(nanoseconds wall) {
  return static_cast<std::uint64_t>(std::max(wall, nanoseconds(0)).count());
}

struct Severe {
  int number;
  std::string_view text;
};

Severe severity_of(const Record& record) {
  const auto said = text_of(record, "severity");
  if (said == "critical") return {kError, "ERROR"};
  if (said == "warning" || record.schema->kind == Kind::gap) return {kWarn, "WARN"};
  return {kInfo, "INFO"};
}

// What there is to read of it in a line.
std::string_view line_of(const Record& record) {
  const Kind kind = record.schema->kind;
  if (kind == Kind::finding) return text_of(record, "summary");
  if (kind == Kind::story) return text_of(record, "title");
  return record.schema->help;
}

// UCUM, where OpenTelemetry writes what is counted in braces.
std::string_view unit_of(const Field& field) {
  return field.unit == "1" ? "{count}" : field.unit;
}

wire::NumberDataPoint* add_point(wire::Metric& metric, const Field& field) {
  if (!is_count(field)) return metric.mutable_gauge()->add_data_points();
  wire::Sum& sum = *metric.mutable_sum();
  sum.set_aggregation_temporality(kCumulative);
  sum.set_is_monotonic(true);
  return sum.add_data_points();
}

void fill(wire::NumberDataPoint& point, const MetricSeries::Series& series, const Field& field,
          const Clocks& clocks) {
  if (is_count(field)) point.set_start_time_unix_nano(unix_nano(wall_time(series.since, clocks)));
  point.set_time_unix_nano(unix_nano(wall_time(series.latest, clocks)));
  point.set_as_double(series.value);
}

// The data points that have got something new.
void add_points(wire::ScopeMetrics& metrics, const std::string& name,
                const MetricSeries::Metric& known, const Clocks& clocks) {
  wire::Metric* metric = nullptr;
  const auto begin = [&] {
    if (metric) return;
    metric = metrics.add_metrics();
    metric->set_name("tapio." + name);
    metric->set_description(std::string(known.schema->help));
    metric->set_unit(std::string(unit_of(*known.field)));
  };
  for (const auto& [labels, series] : known.series) {
    if (!series.fresh) continue;
    begin();
    auto& point = *add_point(*metric, *known.field);
    point.ParseFromString(labels);  // as labels_of() wrote it
    fill(point, series, *known.field, clocks);
  }
  if (!known.overflow || !known.overflow->fresh) return;
  begin();
  auto& point = *add_point(*metric, *known.field);
  auto& overflow = *point.add_attributes();
  overflow.set_key("otel.metric.overflow");
  overflow.mutable_value()->set_bool_value(true);
  fill(point, *known.overflow, *known.field, clocks);
}

// A data point that has attributes and nothing else.
std::string labels_of(const Record& record, const Clocks& clocks) {
  wire::NumberDataPoint point;
  add_labels(*point.mutable_attributes(), record, clocks);
  return point.SerializeAsString();
}

// Of the requests of one signal, with the one scope that we have.
template <typename Message>
auto& scoped(Message& message, const wire::Resource& resource, auto add_resource, auto add_scope) {
  auto& of_resource = *(message.*add_resource)();
  *of_resource.mutable_resource() = resource;
  auto& of_scope = *(of_resource.*add_scope)();
  of_scope.mutable_scope()->set_name("tapio");
  of_scope.mutable_scope()->set_version(std::string(kVersion));
  return of_scope;
}

}  // namespace

// Of one call, in its arena.
struct Encoder::Messages {
  explicit Messages(const wire::Resource& resource)
      : logs(*google::protobuf::Arena::CreateMessage<wire::ExportLogs>(&arena)),
        metrics(*google::protobuf::Arena::CreateMessage<wire::ExportMetrics>(&arena)),
        traces(*google::protobuf::Arena::CreateMessage<wire::ExportTraces>(&arena)),
        scope_logs(scoped(logs, resource, &wire::ExportLogs::add_resource_logs,
                          &wire::ResourceLogs::add_scope_logs)),
        scope_metrics(scoped(metrics, resource, &wire::ExportMetrics::add_resource_metrics,
                             &wire::ResourceMetrics::add_scope_metrics)),
        scope_spans(scoped(traces, resource, &wire::ExportTraces::add_resource_spans,
                           &wire::ResourceSpans::add_scope_spans)) {}

  google::protobuf::Arena arena;
  wire::ExportLogs& logs;
  wire::ExportMetrics& metrics;
  wire::ExportTraces& traces;
  wire::ScopeLogs& scope_logs;
  wire::ScopeMetrics& scope_metrics;
  wire::ScopeSpans& scope_spans;
  std::array<Tally, kSignals> tallies{};
  Tally unwanted;
};

Encoder::Encoder(const Config& config)
    : gzip_(config.compression == Compression::gzip), series_(config.series, monotonic_now()) {
  for (const Signal signal : config.signals) wanted_[static_cast<std::size_t>(signal)] = true;
  const std::string node = config.node.empty() ? host_name().value_or("unknown") : config.node;
  node_hash_ = hash_of(node);
  auto& attributes = *resource_.mutable_attributes();
  add_attribute(attributes, "service.name", "tapio");
  add_attribute(attributes, "service.version", kVersion);
  add_attribute(attributes, "service.instance.id", node);
  add_attribute(attributes, "host.name", node);
  add_attribute(attributes, "os.type", "linux");
  for (const std::string& attribute : config.resource) {
    const auto equals = attribute.find('=');
    add_attribute(attributes, attribute.substr(0, equals), attribute.substr(equals + 1));
  }
}

Result<Encoder::Encoded> Encoder::encode(Group group) {
  Messages messages(resource_);
  for (const auto& batch : group)
    for (const Record& record : batch->records) add(record, batch->clocks, messages);
  const Clocks& clocks = group.back()->clocks;
  if (sends(Signal::metrics)) add_metrics(clocks, messages.scope_metrics);

  Encoded encoded{.requests = {}, .unwanted = messages.unwanted};
  const auto take = [&](Signal signal, bool empty, const auto& message) -> Status {
    if (empty) return {};
    encoded.requests.push_back(TRY(request(
        signal, messages.tallies[static_cast<std::size_t>(signal)], message.SerializeAsString())));
    return {};
  };
  TRY(take(Signal::logs, messages.scope_logs.log_records().empty(), messages.logs));
  TRY(take(Signal::metrics, messages.scope_metrics.metrics().empty(), messages.metrics));
  TRY(take(Signal::traces, messages.scope_spans.spans().empty(), messages.traces));
  return encoded;
}

Result<Request> Encoder::request(Signal signal, const Tally& tally, std::string bytes) const {
  if (gzip_) bytes = TRY(gzip(bytes));
  return Request{.signal = signal, .tally = tally, .gzip = gzip_, .body = std::move(bytes)};
}

// A story counts as the span that it is; where no traces are wanted, as its log record.
void Encoder::add(const Record& record, const Clocks& clocks, Messages& messages) {
  const nanoseconds wall = wall_time(record.origin.time, clocks);
  seen_[record.id.number % kSeen] = {record.id, wall, record.schema};
  const Kind kind = record.schema->kind;
  const Signal own = kind == Kind::metric                           ? Signal::metrics
                     : kind == Kind::story && sends(Signal::traces) ? Signal::traces
                                                                    : Signal::logs;
  if (!sends(own)) return messages.unwanted.add(record);
  messages.tallies[static_cast<std::size_t>(own)].add(record);
  if (kind == Kind::metric) return series_.add(record, labels_of(record, clocks));
  if (own == Signal::traces) add_span(record, clocks, messages.scope_spans);
  if (sends(Signal::logs)) add_log(record, clocks, messages.scope_logs);
}

void Encoder::add_log(const Record& record, const Clocks& clocks, wire::ScopeLogs& logs) {
  wire::LogRecord& log = *logs.add_log_records();
  const auto [number, text] = severity_of(record);
  log.set_time_unix_nano(unix_nano(wall_time(record.origin.time, clocks)));
  log.set_observed_time_unix_nano(unix_nano(wall_time(monotonic_now(), clocks)));
  log.set_severity_number(number);
  log.set_severity_text(text.data(), text.size());
  log.set_event_name(std::string(record.schema->name));
  set_value(*log.mutable_body(), line_of(record));
  add_attributes(*log.mutable_attributes(), record, clocks);
  if (record.schema->kind != Kind::story) return;
  log.set_trace_id(trace_id(record.id));
  log.set_span_id(span_id(record.id));
}

// From the oldest of its evidence to what happened. A story that is told again is the same span.
void Encoder::add_span(const Record& record, const Clocks& clocks, wire::ScopeSpans& spans) {
  wire::Span& span = *spans.add_spans();
  const auto end = unix_nano(wall_time(record.origin.time, clocks));
  span.set_trace_id(trace_id(record.id));
  span.set_span_id(span_id(record.id));
  span.set_name(std::string(text_of(record, "rule")));
  span.set_kind(kInternal);
  span.set_start_time_unix_nano(end);
  span.set_end_time_unix_nano(end);
  add_attributes(*span.mutable_attributes(), record, clocks);
  add_evidence(record, span);
  if (severity_of(record).number == kInfo) return;
  wire::AnyValue title;
  set_value(title, line_of(record));
  span.mutable_status()->set_code(kStatusError);
  span.mutable_status()->set_message(title.string_value());
}

void Encoder::add_evidence(const Record& record, wire::Span& span) {
  const Value* evidence = value_of(record, "evidence");
  const auto* ids = evidence ? std::get_if<std::span<const std::string_view>>(evidence) : nullptr;
  if (!ids) return;
  for (const std::string_view text : *ids) {
    const auto id = parse_record_id(text);
    if (!id) continue;
    const Seen& seen = seen_[id->number % kSeen];
    if (seen.id != *id) continue;
    const auto time = unix_nano(seen.wall);
    wire::Span::Event& event = *span.add_events();
    event.set_time_unix_nano(time);
    event.set_name(std::string(seen.schema->name));
    add_attribute(*event.mutable_attributes(), kRecordId, text);
    span.set_start_time_unix_nano(std::min<std::uint64_t>(span.start_time_unix_nano(), time));
  }
}

void Encoder::add_metrics(const Clocks& clocks, wire::ScopeMetrics& metrics) {
  for (const auto& [name, metric] : series_.metrics()) add_points(metrics, name, metric, clocks);
  series_.clear_fresh();
}

// Unique among the nodes, and the same whenever this story is told.
std::string Encoder::trace_id(RecordId story) const {
  return bytes_of(node_hash_) + bytes_of(number_of(story));
}

}  // namespace tapio::otlp
