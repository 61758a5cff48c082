// SPDX-License-Identifier: Apache-2.0
#include "otlp_encoder.hpp"

#include <gtest/gtest.h>
#define ZLIB_CONST
#include <zlib.h>

#include "record/finding.hpp"
#include "record/gap.hpp"

namespace tapio::otlp {
namespace {

using namespace std::literals;

constexpr SchemaOf kEvent{"test.event",
                          Kind::event,
                          "Something happens.",
                          Field{"test.text", Type::text, ""},
                          Field{"test.number", Type::u64, ""},
                          Field{"test.list", Type::texts, ""},
                          Field{"took", Type::duration, "", "", "s"},
                          Field{"test.when", Type::time, ""},
                          Field{"test.unknown", Type::i64, ""}};
constexpr SchemaOf kFinding{"test.finding", Kind::finding, "", kSeverity, kSummary};
constexpr SchemaOf kStory{"story",
                          Kind::story,
                          "",
                          Field{"title", Type::text, ""},
                          Field{"rule", Type::text, ""},
                          Field{"severity", Type::text, ""},
                          Field{"evidence", Type::texts, ""}};
constexpr SchemaOf kMetric{"test.load",
                           Kind::metric,
                           "How much there is.",
                           Field{"server.port", Type::u64, ""},
                           Field{"count", Type::u64, "", "", "1"},
                           Field{"wait", Type::duration, "", "", "s"}};

Config plain() {
  Config config;
  config.compression = Compression::none;
  config.node = "node-1";
  config.resource = {"cloud.region=eu=1"};
  return config;
}

template <typename Message>
Message parsed(const Request& request) {
  Message message;
  EXPECT_TRUE(message.ParseFromString(request.body));
  return message;
}

// What is said of an attribute, as text; "-": it is not there.
std::string said(const auto& attributes, std::string_view key) {
  for (const wire::KeyValue& attribute : attributes)
    if (attribute.key() == key) {
      const wire::AnyValue& value = attribute.value();
      if (value.has_int_value()) return std::to_string(value.int_value());
      if (value.has_bool_value()) return value.bool_value() ? "true" : "false";
      if (value.has_double_value()) return std::to_string(value.double_value());
      if (!value.has_array_value()) return value.string_value();
      std::string all;
      for (const wire::AnyValue& item : value.array_value().values())
        all += item.string_value() + ";";
      return all;
    }
  return "-";
}

class Encoders : public testing::Test {
 protected:
  Record& add(const Record& record) {
    batch_->records.push_back(record);
    batch_->records.back().id = {7, ++number_};
    return batch_->records.back();
  }
  std::span<const std::string_view> list(std::initializer_list<std::string_view> texts) {
    const auto kept = batch_->arena.list(texts.size());
    std::ranges::transform(texts, kept.begin(),
                           [&](auto text) { return batch_->arena.keep(text); });
    return kept;
  }
  Record event(MonotonicTime time, std::string_view text = "x") {
    return kEvent({.time = time, .pid = 5, .tid = 6}, batch_->arena.keep(text), 9u,
                  list({"a", "b"}), std::chrono::nanoseconds(1500ms), MonotonicTime(2s),
                  std::monostate());
  }
  Encoder::Encoded encode() {
    batch_->clocks.wall_ahead = 1000s;
    const std::shared_ptr<const Batch> batch = std::exchange(batch_, std::make_shared<Batch>());
    auto encoded = encoder_->encode({&batch, 1});
    EXPECT_TRUE(encoded);
    return encoded ? std::move(*encoded) : Encoder::Encoded{};
  }
  wire::LogRecord log_of(const Record& record) {
    add(record);
    const auto encoded = encode();
    EXPECT_EQ(encoded.requests.size(), 1u);
    return parsed<wire::ExportLogs>(encoded.requests.at(0))
        .resource_logs(0)
        .scope_logs(0)
        .log_records(0);
  }

  std::shared_ptr<Batch> batch_ = std::make_shared<Batch>();
  std::uint64_t number_ = 0;
  std::unique_ptr<Encoder> encoder_ = std::make_unique<Encoder>(plain());
};

TEST_F(Encoders, say_of_which_node_and_which_agent_it_is) {
  add(event(1s));
  const auto encoded = encode();
  ASSERT_EQ(encoded.requests.size(), 1u);
  EXPECT_EQ(encoded.requests[0].signal, Signal::logs);
  EXPECT_EQ(encoded.requests[0].tally.total(), 1u);
  const auto logs = parsed<wire::ExportLogs>(encoded.requests[0]);
  const auto& resource = logs.resource_logs(0).resource().attributes();
  EXPECT_EQ(said(resource, "service.name"), "tapio");
  EXPECT_EQ(said(resource, "host.name"), "node-1");
  EXPECT_EQ(said(resource, "cloud.region"), "eu=1");
  EXPECT_EQ(logs.resource_logs(0).scope_logs(0).scope().name(), "tapio");
}

TEST_F(Encoders, make_a_log_record_of_an_event_with_all_that_is_known) {
  Context context{.parent_pid = 4, .process_name = "nginx", .place = {.container_id = "c1"}};
  Record record = event(3s);
  record.context = &context;
  const auto log = log_of(record);
  EXPECT_EQ(log.time_unix_nano(), 1'003'000'000'000u);
  EXPECT_GT(log.observed_time_unix_nano(), 0u);
  EXPECT_EQ(log.event_name(), "test.event");
  EXPECT_EQ(log.severity_number(), 9);
  EXPECT_EQ(log.body().string_value(), "Something happens.");
  const auto& of = log.attributes();
  EXPECT_EQ(said(of, "log.record.uid"), "00000007.1");
  EXPECT_EQ(said(of, "process.pid"), "5");
  EXPECT_EQ(said(of, "thread.id"), "6");
  EXPECT_EQ(said(of, "process.parent_pid"), "4");
  EXPECT_EQ(said(of, "container.id"), "c1");
  EXPECT_EQ(said(of, "test.text"), "x");
  EXPECT_EQ(said(of, "test.number"), "9");
  EXPECT_EQ(said(of, "test.list"), "a;b;");
  EXPECT_EQ(said(of, "tapio.event.took"), "1.500000");
  EXPECT_EQ(said(of, "test.when"), "1970-01-01T00:16:42.000000000Z");
  EXPECT_EQ(said(of, "test.unknown"), "-");
}

TEST_F(Encoders, write_utf8_whatever_a_stranger_called_himself) {
  EXPECT_EQ(said(log_of(event(1s, "a\xff\n")).attributes(), "test.text"), "a\xc3\xbf\n");
}

TEST_F(Encoders, keep_numbers_that_a_signed_one_cannot_hold) {
  Record record = event(1s);
  record.values[1] = ~std::uint64_t{0};
  EXPECT_EQ(said(log_of(record).attributes(), "test.number"), "18446744073709551615");
}

TEST_F(Encoders, rank_findings_by_their_severity_and_gaps_as_warnings) {
  const auto critical = log_of(kFinding({}, "critical"sv, "It burns."sv));
  EXPECT_EQ(critical.severity_number(), 17);
  EXPECT_EQ(critical.severity_text(), "ERROR");
  EXPECT_EQ(critical.body().string_value(), "It burns.");
  EXPECT_EQ(said(critical.attributes(), "tapio.finding.severity"), "critical");
  EXPECT_EQ(log_of(kFinding({}, "info"sv, ""sv)).severity_number(), 9);
  EXPECT_EQ(log_of(kGap({}, "a"sv, "b"sv, "c"sv, "d"sv, MonotonicTime(), MonotonicTime(), 5u))
                .severity_number(),
            13);
}

TEST_F(Encoders, make_a_span_of_a_story_from_its_oldest_evidence_to_what_happened) {
  add(event(3s));
  add(event(2s));
  add(kStory({.time = 5s}, "It died."sv, "death"sv, "critical"sv,
             list({"00000007.1", "00000007.2", "00000007.999", "nonsense"})));
  const auto encoded = encode();
  ASSERT_EQ(encoded.requests.size(), 2u);
  EXPECT_EQ(encoded.requests[0].tally.total(), 2u);
  EXPECT_EQ(encoded.requests[1].tally.total(), 1u);
  const auto span =
      parsed<wire::ExportTraces>(encoded.requests[1]).resource_spans(0).scope_spans(0).spans(0);
  EXPECT_EQ(span.name(), "death");
  EXPECT_EQ(span.start_time_unix_nano(), 1'002'000'000'000u);
  EXPECT_EQ(span.end_time_unix_nano(), 1'005'000'000'000u);
  EXPECT_EQ(span.trace_id().size(), 16u);
  EXPECT_EQ(span.span_id().size(), 8u);
  EXPECT_EQ(span.status().code(), 2);
  EXPECT_EQ(span.status().message(), "It died.");
  ASSERT_EQ(span.events_size(), 2);
  EXPECT_EQ(span.events(0).name(), "test.event");
  EXPECT_EQ(said(span.events(1).attributes(), "log.record.uid"), "00000007.2");
  const auto logs = parsed<wire::ExportLogs>(encoded.requests[0]);
  const auto& log = logs.resource_logs(0).scope_logs(0).log_records(2);
  EXPECT_EQ(log.trace_id(), span.trace_id());
  EXPECT_EQ(log.span_id(), span.span_id());
  EXPECT_EQ(log.body().string_value(), "It died.");
}

TEST_F(Encoders, give_a_story_that_is_told_again_the_ids_it_had_and_another_nodes_others) {
  const auto ids = [&](Encoder& encoder) {
    auto batch = std::make_shared<Batch>();
    batch->records.push_back(kStory({}, "t"sv, "r"sv, "info"sv, std::monostate()));
    batch->records.back().id = {7, 70};
    const std::shared_ptr<const Batch> one = batch;
    const auto encoded = encoder.encode({&one, 1});
    return parsed<wire::ExportTraces>(encoded->requests.back())
        .resource_spans(0)
        .scope_spans(0)
        .spans(0)
        .trace_id();
  };
  Config other = plain();
  other.node = "node-2";
  Encoder elsewhere(other);
  const auto first = ids(*encoder_);
  EXPECT_EQ(ids(*encoder_), first);
  EXPECT_NE(ids(elsewhere), first);
}

TEST_F(Encoders, sum_what_metric_records_count_and_give_the_latest_of_other_numbers) {
  add(kMetric({.time = 2s}, 53u, 3u, std::chrono::nanoseconds(1s)));
  add(kMetric({.time = 3s}, 53u, 4u, std::chrono::nanoseconds(2s)));
  const auto encoded = encode();
  ASSERT_EQ(encoded.requests.size(), 1u);
  EXPECT_EQ(encoded.requests[0].tally.total(), 2u);
  const auto message = parsed<wire::ExportMetrics>(encoded.requests[0]);
  const auto& metrics = message.resource_metrics(0).scope_metrics(0).metrics();
  ASSERT_EQ(metrics.size(), 2);
  const auto& count = metrics[0];
  EXPECT_EQ(count.name(), "tapio.test.load.count");
  EXPECT_EQ(count.unit(), "{count}");
  EXPECT_TRUE(count.sum().is_monotonic());
  EXPECT_EQ(count.sum().aggregation_temporality(), 2);
  ASSERT_EQ(count.sum().data_points_size(), 1);
  EXPECT_EQ(count.sum().data_points(0).as_double(), 7);
  EXPECT_EQ(count.sum().data_points(0).time_unix_nano(), 1'003'000'000'000u);
  EXPECT_GT(count.sum().data_points(0).start_time_unix_nano(), 0u);
  EXPECT_EQ(said(count.sum().data_points(0).attributes(), "server.port"), "53");
  EXPECT_EQ(metrics[1].name(), "tapio.test.load.wait");
  EXPECT_EQ(metrics[1].unit(), "s");
  EXPECT_EQ(metrics[1].gauge().data_points(0).as_double(), 2);
  add(event(4s));
  EXPECT_EQ(encode().requests.size(), 1u) << "what got nothing new is not sent again";
}

TEST_F(Encoders, send_a_zero_as_a_value) {
  add(kMetric({}, 53u, 0u, std::chrono::nanoseconds(0)));
  const auto message = parsed<wire::ExportMetrics>(encode().requests.at(0));
  const auto& metrics = message.resource_metrics(0).scope_metrics(0).metrics();
  ASSERT_EQ(metrics.size(), 2);
  EXPECT_TRUE(metrics[0].sum().data_points(0).has_as_double());
  EXPECT_TRUE(metrics[1].gauge().data_points(0).has_as_double());
}

TEST_F(Encoders, bound_the_series_of_a_metric) {
  Config config = plain();
  config.series = 1;
  encoder_ = std::make_unique<Encoder>(config);
  for (std::uint64_t port = 0; port < 3; ++port) add(kMetric({}, port, 1u, std::monostate()));
  const auto message = parsed<wire::ExportMetrics>(encode().requests.at(0));
  const auto& points = message.resource_metrics(0).scope_metrics(0).metrics(0).sum().data_points();
  ASSERT_EQ(points.size(), 2);
  EXPECT_EQ(said(points[1].attributes(), "otel.metric.overflow"), "true");
  EXPECT_EQ(points[1].as_double(), 2);
}

TEST_F(Encoders, leave_out_signals_that_are_not_wanted_and_say_how_many_records_that_were) {
  Config config = plain();
  config.signals = {Signal::metrics};
  encoder_ = std::make_unique<Encoder>(config);
  add(event(1s));
  add(kStory({}, "t"sv, "r"sv, "info"sv, std::monostate()));
  add(kMetric({}, 1u, 1u, std::monostate()));
  const auto encoded = encode();
  ASSERT_EQ(encoded.requests.size(), 1u);
  EXPECT_EQ(encoded.requests[0].signal, Signal::metrics);
  EXPECT_EQ(encoded.unwanted.total(), 2u);
}

TEST_F(Encoders, send_stories_as_logs_alone_where_no_traces_are_wanted) {
  Config config = plain();
  config.signals = {Signal::logs};
  encoder_ = std::make_unique<Encoder>(config);
  add(kStory({}, "t"sv, "r"sv, "info"sv, std::monostate()));
  const auto encoded = encode();
  ASSERT_EQ(encoded.requests.size(), 1u);
  EXPECT_EQ(encoded.requests[0].tally.total(), 1u);
  EXPECT_EQ(encoded.unwanted.total(), 0u);
}

std::string unpacked(const std::string& bytes) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string out(1 << 20, '\0');
  stream.next_in = reinterpret_cast<const Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

TEST_F(Encoders, pack_requests_when_they_are_told_to) {
  Config config = plain();
  config.compression = Compression::gzip;
  encoder_ = std::make_unique<Encoder>(config);
  for (int i = 0; i < 100; ++i) add(event(1s));
  auto request = encode().requests.at(0);
  EXPECT_TRUE(request.gzip);
  const std::string bytes = unpacked(request.body);
  EXPECT_LT(request.body.size(), bytes.size() / 4);
  request.body = bytes;
  EXPECT_EQ(parsed<wire::ExportLogs>(request).resource_logs(0).scope_logs(0).log_records_size(),
            100);
}

}  // namespace
}  // namespace tapio::otlp
