// SPDX-License-Identifier: Apache-2.0
#include "otlp_sink.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "export/outlet.hpp"
#include "http_receiver.hpp"
#include "temporary.hpp"

namespace tapio::otlp {
namespace {

using namespace std::literals;
using testing::HasSubstr;
using What = Outcome::What;

constexpr SchemaOf kEvent{"test.event", Kind::event, "", Field{"n", Type::u64, ""}};

std::shared_ptr<const Batch> batch(std::uint64_t first, std::uint64_t count) {
  auto out = std::make_shared<Batch>();
  for (std::uint64_t i = 0; i < count; ++i) {
    out->records.push_back(kEvent({}, first + i));
    out->records.back().id = {1, first + i};
  }
  return out;
}

class OtlpSinks : public testing::Test {
 protected:
  OtlpSinks() {
    config_.enabled = true;
    config_.compression = Compression::none;
    config_.interval = 0ms;
    config_.spool_path = directory_.file("spool");
  }
  std::unique_ptr<Outlet> open() {
    auto sink = OtlpSink::make(config_);
    EXPECT_TRUE(sink) << sink.error().what;
    return std::make_unique<Outlet>("otlp", std::move(*sink));
  }
  static Outlet::Deadline far() { return std::chrono::steady_clock::now() + 1h; }
  // The numbers of all records, in the order in which they came.
  static std::vector<std::int64_t> numbers(const std::vector<HttpReceiver::Request>& requests) {
    std::vector<std::int64_t> all;
    for (const auto& request : requests) {
      wire::ExportLogs logs;
      EXPECT_TRUE(logs.ParseFromString(request.body));
      for (const auto& log : logs.resource_logs(0).scope_logs(0).log_records())
        for (const auto& attribute : log.attributes())
          if (attribute.key() == "tapio.event.n") all.push_back(attribute.value().int_value());
    }
    return all;
  }

  Temporary directory_;
  Config config_;
};

TEST_F(OtlpSinks, send_every_record_once_and_say_so) {
  HttpReceiver receiver;
  config_.endpoint = receiver.url("/");
  const auto outlet = open();
  for (std::uint64_t i = 0; i < 100; ++i) outlet->offer(batch(10 * i, 10));
  outlet->stop(far());
  const auto got = receiver.requests();
  auto all = numbers(got);
  std::ranges::sort(all);
  ASSERT_EQ(all.size(), 1000u);
  for (std::size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], static_cast<std::int64_t>(i));
  EXPECT_EQ(got[0].path, "/v1/logs");
  EXPECT_EQ(got[0].headers.at("Content-Type"), "application/x-protobuf");
  const auto counts = outlet->counts();
  EXPECT_EQ(counts.sent, 1000u);
  EXPECT_EQ(counts.pending, 0u);
  EXPECT_EQ(counts.dropped(), 0u);
}

TEST_F(OtlpSinks, keep_what_the_receiver_has_no_time_for_and_lose_nothing) {
  HttpReceiver receiver;
  for (const unsigned status : {503u, 429u, 502u}) receiver.answer({.status = status});
  config_.endpoint = receiver.url();
  const auto outlet = open();
  for (std::uint64_t i = 0; i < 20; ++i) outlet->offer(batch(i, 1));
  while (outlet->counts().sent < 20) std::this_thread::yield();
  outlet->stop(far());
  EXPECT_EQ(outlet->counts().sent, 20u);
  EXPECT_EQ(outlet->counts().dropped(), 0u);
}

TEST_F(OtlpSinks, count_what_a_receiver_refuses_as_dropped) {
  HttpReceiver receiver;
  receiver.answer({.status = 400, .body = "no"});
  config_.endpoint = receiver.url();
  const auto outlet = open();
  outlet->offer(batch(0, 3));
  receiver.wait_for(1);
  while (outlet->counts().pending > 0) std::this_thread::yield();
  EXPECT_EQ(outlet->counts().dropped(DropReason::not_kept).total(), 3u);
  outlet->offer(batch(3, 2));
  outlet->stop(far());
  EXPECT_EQ(outlet->counts().sent, 2u);
}

TEST_F(OtlpSinks, leave_to_the_next_run_what_could_not_be_sent) {
  std::uint16_t port = 0;
  {
    const HttpReceiver gone;
    port = gone.port();
    config_.endpoint = gone.url();
  }
  {
    const auto outlet = open();
    for (std::uint64_t i = 0; i < 30; ++i) outlet->offer(batch(i, 1));
    outlet->stop(far());
    EXPECT_EQ(outlet->counts().kept, 30u);
    EXPECT_EQ(outlet->counts().dropped(), 0u);
  }
  HttpReceiver back(port);
  const auto outlet = open();
  while (outlet->counts().sent < 30) std::this_thread::yield();
  outlet->stop(far());
  EXPECT_EQ(outlet->counts().offered, 30u);
  EXPECT_EQ(outlet->counts().pending, 0u);
  auto all = numbers(back.requests());
  std::ranges::sort(all);
  EXPECT_EQ(all.size(), 30u);
  EXPECT_EQ(std::ranges::adjacent_find(all), all.end());
}

TEST_F(OtlpSinks, add_headers_from_a_file_that_others_may_not_read) {
  HttpReceiver receiver;
  config_.endpoint = receiver.url();
  config_.headers_file = directory_.file("headers");
  std::ofstream(config_.headers_file)
      << "# for the gate\nAuthorization: Bearer abc\n\nX-Scope: a\r\n";
  ASSERT_EQ(::chmod(config_.headers_file.c_str(), 0644), 0);
  EXPECT_FALSE(OtlpSink::make(config_));
  ASSERT_EQ(::chmod(config_.headers_file.c_str(), 0600), 0);
  const auto outlet = open();
  outlet->offer(batch(0, 1));
  outlet->stop(far());
  const auto got = receiver.requests();
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].headers.at("Authorization"), "Bearer abc");
  EXPECT_EQ(got[0].headers.at("X-Scope"), "a");
}

TEST_F(OtlpSinks, refuse_headers_that_would_be_others) {
  config_.headers_file = directory_.file("headers");
  std::ofstream(config_.headers_file) << "no header\n";
  ASSERT_EQ(::chmod(config_.headers_file.c_str(), 0600), 0);
  const auto refused = OtlpSink::make(config_);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("Authorization: Bearer"));
}

TEST(Answers, mean_what_the_specification_says) {
  std::string why;
  EXPECT_EQ(judge({.status = 200}, why).what, What::taken);
  EXPECT_EQ(judge({.status = 204}, why).what, What::taken);
  EXPECT_EQ(why, "");
  for (const unsigned status : {429u, 502u, 503u, 504u})
    EXPECT_EQ(judge({.status = status}, why).what, What::later) << status;
  for (const unsigned status : {400u, 401u, 404u, 413u, 500u, 301u})
    EXPECT_EQ(judge({.status = status}, why).what, What::refused) << status;
  EXPECT_EQ(judge({.status = 503, .retry_after = 9s}, why).retry_after, 9s);
}

TEST(Answers, say_how_many_were_rejected_and_why_in_a_line) {
  wire::ExportAnswer said;
  said.mutable_partial_success()->set_rejected(4);
  said.mutable_partial_success()->set_error_message("too \x1b[31mold\n");
  std::string why;
  const auto outcome = judge({.status = 200, .body = said.SerializeAsString()}, why);
  EXPECT_EQ(outcome.what, What::taken);
  EXPECT_EQ(outcome.rejected, 4u);
  EXPECT_EQ(why, R"(it rejected 4 of a request: too \x1b[31mold\n)");
  said.mutable_partial_success()->set_rejected(-1);
  EXPECT_EQ(judge({.status = 200, .body = said.SerializeAsString()}, why).rejected, 0u);
}

TEST(Configs, name_the_receiver_of_each_signal) {
  Config config;
  config.endpoint = "http://a:1/base/";
  config.metrics_endpoint = "https://b/insert";
  EXPECT_EQ(config.url(Signal::logs), "http://a:1/base/v1/logs");
  EXPECT_EQ(config.url(Signal::metrics), "https://b/insert");
  EXPECT_TRUE(config.check());
}

TEST(Configs, are_refused_with_a_sentence_that_helps) {
  const auto refused = [](auto change) {
    Config config;
    change(config);
    const auto status = config.check();
    return status ? std::string("accepted") : status.error().what;
  };
  EXPECT_THAT(refused([](Config& c) { c.endpoint = "collector:4318"; }), HasSubstr("http"));
  EXPECT_THAT(refused([](Config& c) { c.tls_key = "/k"; }), HasSubstr("give both"));
  EXPECT_THAT(refused([](Config& c) { c.spool_path = "spool"; }), HasSubstr("from the root"));
  EXPECT_THAT(refused([](Config& c) { c.resource = {"region"}; }), HasSubstr("key=value"));
}

}  // namespace
}  // namespace tapio::otlp
